"""Works out beforehand what does not depend on samples: shapes, their arithmetic, turned weights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from engine.runtime.importing.onnx.build import MOST_FOLDED, Build
from engine.runtime.importing.onnx.file import Operation
from engine.runtime.importing.onnx.values import Known, View

_NAME_KEEPS = ("Identity", "Transpose", "Cast", "Unsqueeze", "Squeeze", "Reshape", "DequantizeLinear", "Expand")
_GROWS_FREELY = ("ConstantOfShape", "Expand", "Tile", "Range", "Pad", "Resize", "OneHot", "Upsample")
_RANDOM = ("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli")
_BODIES = ("If", "Loop", "Scan", "SequenceMap")


def foldable(op: Operation, values: list[Any]) -> bool:
    """Whether a node can be worked out now."""
    if op.domain or op.kind in _RANDOM or op.kind in _BODIES:
        return False
    return all(value is None or isinstance(value, Known) for value in values) or op.kind in ("Shape", "Size")


def fold(build: Build, op: Operation, values: list[Any]) -> tuple[Known, ...]:
    """What a node gives, for both batches."""
    if op.kind in ("Shape", "Size") and isinstance(values[0], View):
        return (_shape(op, values[0]),)
    small = _run(build, op, [None if value is None else value.small for value in values])
    named = next((value.name for value in values if value is not None and value.name), "")
    name = named if op.kind in _NAME_KEEPS else ""
    if all(value is None or value.small is value.large for value in values):
        return tuple(Known(item, item, name) for item in small)
    large = _run(build, op, [None if value is None else value.large for value in values])
    return tuple(Known(one, two, name) for one, two in zip(small, large, strict=True))


def _shape(op: Operation, view: View) -> Known:
    both = []
    for place in range(2):
        sizes = [pair[place] for pair in view.shape]
        if op.kind == "Size":
            both.append(np.array(int(np.prod(sizes)), dtype=np.int64))
            continue
        part = slice(op.settings.get("start", 0), op.settings.get("end"))
        both.append(np.array(sizes[part], dtype=np.int64))
    return Known(both[0], both[1])


def _run(build: Build, op: Operation, values: list[Any]) -> tuple[np.ndarray[Any, Any], ...]:
    if op.kind == "Constant":
        return (_constant(build, op),)
    if op.kind == "Identity":
        return (values[0],)
    import onnx
    from onnx.reference import ReferenceEvaluator

    if op.kind in _GROWS_FREELY:
        _bounded(build, op, values)
    settings = {key: onnx.numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
                for key, value in op.settings.items() if value is not None}  # fmt: skip
    inputs = [f"in{place}" if value is not None else "" for place, value in enumerate(values)]
    outputs = [f"out{place}" if name else "" for place, name in enumerate(op.outputs)]
    node = onnx.helper.make_node(op.kind, inputs, outputs, **settings)
    given = {name: value for name, value in zip(inputs, values, strict=True) if name}
    graph = onnx.helper.make_graph(
        [node], "fold", [onnx.helper.make_tensor_value_info(name, 0, None) for name in given],
        [onnx.helper.make_tensor_value_info(name, 0, None) for name in outputs if name],
    )  # fmt: skip
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", build.network.opset)])
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = ReferenceEvaluator(model).run(None, given)
    except Exception as fault:  # the reference has as many ways to fail as there are operators
        build.refuse(f"it cannot be worked out beforehand ({(str(fault).splitlines() or ['no reason'])[0][:120]})")
    return tuple(np.asarray(item) for item in found)


def _constant(build: Build, op: Operation) -> np.ndarray[Any, Any]:
    for key, kind in (("value", None), ("value_float", np.float32), ("value_floats", np.float32),
                      ("value_int", np.int64), ("value_ints", np.int64)):  # fmt: skip
        if op.settings.get(key) is not None:
            return np.asarray(op.settings[key], dtype=kind)
    build.refuse("its value is of a kind that is not read here")


def _bounded(build: Build, op: Operation, values: list[Any]) -> None:
    """Refuses what would fill the memory: a few bytes of a file can ask for any amount."""
    sizes = [int(np.prod(np.abs(np.asarray(item, dtype=np.float64).reshape(-1)[:16]))) if item.dtype.kind in "iuf"
             and item.size <= 16 else item.size for item in values if item is not None]  # fmt: skip
    most = 1
    for size in sizes:
        most *= max(size, 1)
    if op.kind == "Range":
        start, stop, step = (float(np.asarray(item)) for item in values)
        most = int(abs((stop - start) / step)) if step else MOST_FOLDED + 1
    if op.kind == "Expand":
        most = max(values[0].size, 1) * max(int(np.prod(values[1].astype(object))), 1)
    if op.kind == "ConstantOfShape":
        most = max(int(np.prod(values[0].astype(object))), 1)
    if most > MOST_FOLDED:
        build.refuse(f"it would make {most:,} numbers")
