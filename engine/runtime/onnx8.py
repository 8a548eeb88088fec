"""A network in 8-bit weights, run by onnxruntime: what `compress` measures. Writing it stands in `onnx_file.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


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
