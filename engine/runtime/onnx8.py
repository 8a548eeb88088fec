"""A network in 8-bit weights, as an ONNX file that onnxruntime runs. Both packages are an optional extra.

Weights are rounded to 8 bits; what flows between layers is scaled to 8 bits batch by batch ("dynamic quantisation").
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from engine.problem import ProblemError, Where, error

NEEDED = ("onnx", "onnxruntime")


def refuse_without_packages() -> None:
    """ProblemError that says how to install what is missing."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ProblemError(
            error(Where(label="int8"), f"8-bit networks need {' and '.join(missing)}", "Both packages, installed",
                  "pip install 'layerwright[onnx]'", code="onnx-missing")
        )  # fmt: skip


def write_int8(model: nn.Module, inputs: Sequence[Tensor], path: Path, where: str = "model") -> None:
    """Writes a network as an ONNX file with 8-bit weights; ProblemError where ONNX has no word for one of its steps."""
    refuse_without_packages()
    from onnxruntime.quantization import QuantType, quantize_dynamic

    names = [f"input{place}" for place in range(len(inputs))]
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter about itself
        plain = Path(folder) / "plain.onnx"
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            torch.onnx.export(
                model.eval(), tuple(inputs), str(plain), dynamo=False, input_names=names,
                dynamic_axes={name: {0: "batch"} for name in names},
            )  # fmt: skip
            quantize_dynamic(plain, path, weight_type=QuantType.QUInt8)
        except Exception as fault:  # exporters fail in as many ways as networks can be written
            words = (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]
            raise ProblemError(
                error(Where(label=where), f"The network cannot be written with 8-bit weights: {words}",
                      "Layers that ONNX has words for", "Use half precision or pruning", code="int8-export")
            ) from None  # fmt: skip
        finally:
            logging.disable(before)


class Int8(nn.Module):
    """An 8-bit file as a network on the CPU."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = torch.get_num_threads()
        self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def forward(self, *inputs: Tensor) -> Any:
        """What the network says."""
        names = [item.name for item in self._session.get_inputs()]
        found = self._session.run(None, {name: item.numpy() for name, item in zip(names, inputs, strict=True)})
        tensors = tuple(torch.from_numpy(item) for item in found)
        return tensors[0] if len(tensors) == 1 else tensors
