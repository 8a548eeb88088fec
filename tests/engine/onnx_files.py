"""Writes small ONNX files for tests and holds what is imported from them against onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from engine.runtime.importing.onnx.project import BroughtOnnx, bring_onnx

KINDS = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "float16": TensorProto.FLOAT16,
         "float64": TensorProto.DOUBLE, "bool": TensorProto.BOOL}  # fmt: skip


def drawn(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def node(kind: str, inputs: Sequence[str], outputs: Sequence[str], name: str = "", **settings: Any) -> Any:
    return helper.make_node(kind, list(inputs), list(outputs), name=name, **settings)


def model_of(
    nodes: Sequence[Any], inputs: Mapping[str, Sequence[Any]], weights: Mapping[str, Any], *,
    outputs: Sequence[str] = ("y",), opset: int = 17, dtype: str = "float32", producer: str = "",
) -> Any:  # fmt: skip
    graph = helper.make_graph(
        list(nodes), "net",
        [helper.make_tensor_value_info(name, KINDS[dtype], list(shape)) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, KINDS["float32" if dtype == "int64" else dtype], None)
         for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name=producer)
    made.ir_version = 9
    return made


def written(path: Path, model: Any) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def brought(path: Path, *, size: int | None = None, most: float = 1e-5) -> BroughtOnnx:
    """The project of a file, which answers as onnxruntime does with one sample and with three."""
    found = bring_onnx(path, size=size)
    assert found.difference is not None
    assert found.difference.relative <= most
    assert not found.analysis.errors, found.analysis.errors
    return found


def types(found: BroughtOnnx, *names: str) -> list[str]:
    """Types of the layers between input and output, groups opened, in order of their names' first appearance."""
    graph = found.project.graph
    levels = [graph, *graph.definitions.values()]
    skipped = ("input", "output", "group", "group_input", "group_output")
    return [item.type for level in levels for item in level.nodes.values() if item.type not in skipped]


def onnx_version() -> int:
    return int(onnx.defs.onnx_opset_version())
