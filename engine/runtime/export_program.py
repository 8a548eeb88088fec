"""Exports that are programs: of `torch.export` (.pt2) or ONNX. Batch norm folded, halves, preprocessing inside.

Owns the network as it goes into such a file. A program of `torch.export` is written and, but for the process that reads
it back, never opened: loading one can run code.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.formats import ExportOptions
from engine.problem import ProblemError, Where, error
from engine.runtime.compress import Halved, fold_norms
from engine.runtime.data import Preprocess
from engine.runtime.onnx_file import takes_any_number, write_onnx


class Prepared(nn.Module):
    """A network that takes raw samples: each input is prepared as in training, then the network is asked."""

    def __init__(self, steps: Sequence[Preprocess], model: nn.Module) -> None:
        super().__init__()
        self.steps = nn.ModuleList(deepcopy(step) for step in steps)
        self.model = model

    def forward(self, *inputs: Tensor) -> Any:
        """What the network says."""
        return self.model(*(step(item) for step, item in zip(self.steps, inputs, strict=True)))


def made_program(
    model: nn.Module, steps: Sequence[Preprocess], prepared: Sequence[Tensor], options: ExportOptions, where: str
) -> tuple[nn.Module, tuple[str, ...]]:
    """The network as the options want it, and the paths of the norms that were folded. The model stays as it is.

    `steps` prepare its inputs, `prepared` is a small batch of them.
    """
    folded: tuple[str, ...] = ()
    made = model
    if options.fold:
        try:
            made, names = fold_norms(made, [item[:2] for item in prepared], where)
            folded = tuple(names)
        except ProblemError as fault:
            if fault.problem.code != "fold-nothing":
                raise
    if options.half:
        made = Halved(deepcopy(made))
    return (Prepared(steps, made) if options.preprocess else made).eval(), folded


def write_program(
    format: str, model: nn.Module, inputs: Sequence[Tensor], path: Path, *, names: Sequence[str],
    outputs: Sequence[str], about: Mapping[str, str], int8: bool, where: str,
) -> None:  # fmt: skip
    """Writes it; `inputs` is a small batch of what it takes. ProblemError when an exporter has no word for it."""
    if format == "onnx":
        write_onnx(model, inputs, path, names=names, outputs=outputs, int8=int8, about=about, where=where)
        return
    each = tuple({0: torch.export.Dim.AUTO} for _ in inputs)
    shapes: Any = (each,) if takes_any_number(model) else each
    # Zeros: the file keeps what it was exported with.
    blank = tuple(torch.zeros_like(item[:2]) for item in inputs)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # recurrent layers list their weights anew, of which the exporter warns
            program = torch.export.export(model, blank, dynamic_shapes=shapes)
            torch.export.save(program, path, extra_files={f"{name}.txt": text for name, text in about.items()})
    except OSError:
        raise
    except Exception as fault:  # exporters fail in as many ways as networks can be written
        words = (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]
        raise ProblemError(error(Where(label=where), f"The network cannot be written as a program: {words}",
                                 "Layers that torch.export has words for", "Use Python, weights or a bundle",
                                 code="program-export")) from None  # fmt: skip
