"""Networks as ONNX files: one file, any number of samples, written by torch's dynamo exporter. The packages that this
needs are an optional extra.

Owns the call of the exporter, 8-bit weights, and what stands in the file's metadata. Never runs what it writes.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from engine.problem import Problem, ProblemError, Where, error

NEEDED = ("onnx", "onnxscript", "onnxruntime")


def refuse_without_packages(label: str = "onnx") -> None:
    """ProblemError that says how to install what is missing."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ProblemError(
            error(Where(label=label), f"ONNX needs {' and '.join(missing)}", "These packages, installed",
                  "pip install 'layerwright[onnx]'", code="onnx-missing")
        )  # fmt: skip


def write_onnx(
    model: nn.Module, inputs: Sequence[Tensor], path: Path, *, names: Sequence[str] = (), outputs: Sequence[str] = (),
    int8: bool = False, about: Mapping[str, str] | None = None, where: str = "model",
) -> None:  # fmt: skip
    """Writes a network in eval mode; `inputs` is a small batch, of which only shapes and types count.

    `names` and `outputs` name what goes in and comes out, `about` becomes metadata. With `int8` weights are rounded to
    8 bits, and what flows between layers is scaled to 8 bits batch by batch ("dynamic quantisation"). ProblemError
    where ONNX has no word for one of the steps; OSError when the disk refuses.
    """
    refuse_without_packages()
    names = tuple(names) or tuple(f"input{place}" for place in range(len(inputs)))
    with TemporaryDirectory() as folder, _quiet():
        plain = Path(folder) / "plain.onnx"
        try:
            _export(model.eval(), inputs, plain, names, outputs)
            if int8:
                from onnxruntime.quantization import QuantType, quantize_dynamic

                rounded = Path(folder) / "int8.onnx"
                quantize_dynamic(plain, rounded, weight_type=QuantType.QUInt8)
                plain = rounded
        except Exception as fault:  # exporters fail in as many ways as networks can be written
            raise ProblemError(_unwritten(where, fault, int8=int8)) from None
        _save(plain, path, about or {})


def _export(
    model: nn.Module, inputs: Sequence[Tensor], path: Path, names: Sequence[str], outputs: Sequence[str]
) -> None:
    batch = torch.export.Dim("batch")
    each = tuple({0: batch} for _ in inputs)
    # Zeros: nothing of a sample may end up in the file.
    blank = tuple(torch.zeros_like(item[:2]) for item in inputs)
    with torch.no_grad():
        torch.onnx.export(
            model, blank, str(path), dynamo=True, external_data=False, verbose=False, input_names=list(names),
            output_names=list(outputs) or None, dynamic_shapes=(each,) if takes_any_number(model) else each,
        )  # fmt: skip


def takes_any_number(model: nn.Module) -> bool:
    """Whether its `forward` is written `*inputs`, of which torch's exporters want one entry for all."""
    code = type(model).forward.__code__
    return bool(code.co_flags & 0x04) and not isinstance(model, torch.fx.GraphModule)


def _save(made: Path, path: Path, about: Mapping[str, str]) -> None:
    import onnx

    loaded = onnx.load(made)
    onnx.helper.set_model_props(loaded, dict(about))
    path.write_bytes(loaded.SerializeToString())


def _unwritten(where: str, fault: Exception, *, int8: bool) -> Problem:
    words = (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]
    bits = " with 8-bit weights" if int8 else " as ONNX"
    return error(
        Where(label=where), f"The network cannot be written{bits}: {words}", "Layers that ONNX has words for",
        "Use half precision or pruning" if int8 else "Use torch_export or a bundle", code="onnx-export",
    )  # fmt: skip


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporters talk about themselves; nothing of it says anything about the network."""
    before = logging.root.manager.disable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)
