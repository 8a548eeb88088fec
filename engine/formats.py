"""The forms in which a model can be taken away, each declared once: the command line, the window and exports read it.

Knows no torch and writes no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from engine.problem import Problem, Where, error


@dataclass(frozen=True)
class Format:
    """One form: its name, the ending of its files, and which options of `ExportOptions` it knows."""

    name: str
    suffix: str
    """A bundle may be a folder too, which has no ending."""
    needs_run: bool = True
    """It holds weights, so a project alone cannot give it."""
    options: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    """What it needs beside torch to be written and tried."""


_PROGRAM = ("bake", "fold", "half", "preprocess")
FORMATS: Mapping[str, Format] = {
    item.name: item
    for item in (
        Format("python", ".py", needs_run=False, options=("bake",)),
        Format("script", ".py", needs_run=False),
        Format("notebook", ".ipynb", needs_run=False),
        Format("state_dict", ".pt", options=("bake", "half")),
        Format("safetensors", ".safetensors", options=("bake", "half")),
        Format("torch_export", ".pt2", options=_PROGRAM),
        Format("onnx", ".onnx", options=(*_PROGRAM, "int8"), packages=("onnx", "onnxscript", "onnxruntime")),
        Format("bundle", ".zip", options=("bake", "half")),
    )
}
"""By name, in the order in which they are offered."""


@dataclass(frozen=True)
class ExportOptions:
    """What is changed on the way out; all off gives the model as it was trained."""

    bake: bool = False
    """Kernels that weight norm or spectral norm compute become plain ones, of plain layers."""
    fold: bool = False
    """Batch norm right after a convolution or a fully connected layer becomes a part of it."""
    half: bool = False
    """Numbers of 16 bits: half the size. Programs compute with them; files of weights only keep them so."""
    int8: bool = False
    """Weights of 8 bits."""
    preprocess: bool = False
    """The program takes raw samples: preprocessing is its first step."""

    @property
    def chosen(self) -> tuple[str, ...]:
        """The names of those that are on."""
        return tuple(item.name for item in fields(self) if getattr(self, item.name))


FLAGS = {
    "bake": "--bake", "fold": "--fold-bn", "half": "--half", "int8": "--int8", "preprocess": "--with-preprocessing",
}  # fmt: skip
"""How the command line spells each option."""


def unfit(format: str, options: ExportOptions) -> Problem | None:
    """Why a format cannot be written with these options; None when it can."""
    known = FORMATS[format].options
    for name in options.chosen:
        if name not in known:
            others = ", ".join(item.name for item in FORMATS.values() if name in item.options)
            return error(
                Where(label=FLAGS[name]), f"It does not belong to the format {format}", f"One of {others}",
                f"Leave {FLAGS[name]} out, or choose another format", code="arguments",
            )  # fmt: skip
    if options.half and options.int8:
        return error(Where(label="--int8"), "Weights have either 16 or 8 bits", "--half or --int8",
                     "Leave one of them out", code="arguments")  # fmt: skip
    return None
