"""Reads an ONNX file: nothing in it is run, nothing outside of its folder is opened, and sizes are bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from engine.problem import Problem, ProblemError, Where, error

OLDEST, MOST_NODES, MOST_BYTES = 7, 50_000, 2**34
_STANDARD = ("", "ai.onnx")
_KINDS = {1: "float32", 7: "int64", 6: "int32", 10: "float16", 11: "float64", 16: "bfloat16"}
"""ONNX's numbers of the types that samples may have."""


@dataclass(frozen=True)
class Entry:
    """What goes into or comes out of the network: its sizes, None where the file leaves them open."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


@dataclass
class Operation:
    """One node: operator, names of what it takes and gives, settings."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: dict[str, Any]
    about: dict[str, str]
    domain: str = ""

    @property
    def label(self) -> str:
        """What the file calls it."""
        return self.name or (self.outputs[0] if self.outputs else self.kind)


@dataclass
class Network:
    """A file's contents as plain values."""

    name: str
    opset: int
    producer: str
    inputs: tuple[Entry, ...]
    outputs: tuple[Entry, ...]
    operations: tuple[Operation, ...]
    numbers: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    narrowed: tuple[str, ...] = ()
    """Types of weights that were not float32."""


def refuse_without_onnx() -> None:
    """ProblemError that says how to install what reading needs."""
    if find_spec("onnx") is None:
        raise ProblemError(error(Where(label="onnx"), "ONNX files need the package onnx", "This package, installed",
                                 "pip install 'layerwright[onnx]'", code="onnx-missing"))  # fmt: skip


def read_network(path: Path) -> Network:
    """The network in a file; ProblemError when it is missing, damaged, too new, or points outside of its folder."""
    refuse_without_onnx()
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ProblemError(_fault(path, f"It has {size:,} bytes", f"At most {MOST_BYTES:,} bytes"))
        model = onnx.load(str(path), load_external_data=False)
    except OSError as fault:
        raise ProblemError(
            _fault(path, f"It cannot be read: {fault.strerror or fault}", "A file that exists")
        ) from None
    except (DecodeError, ValueError, RecursionError):
        raise ProblemError(
            _fault(path, "It is no ONNX file, or it is damaged or cut off", "A whole .onnx file")
        ) from None
    opset = next((item.version for item in model.opset_import if item.domain in _STANDARD), 0)
    if not model.graph.node or not opset:
        raise ProblemError(_fault(path, "There is no network in it, or it is damaged", "An .onnx file with a network"))
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST <= opset <= newest:
        raise ProblemError(error(
            Where(label=path.name, file=str(path)), f"It is written in version {opset} of the operators (opset)",
            f"Version {OLDEST} to {newest}",
            "Export it with another opset_version, or install a newer onnx" if opset > newest else
            "Export it anew with a later opset_version", code="onnx-opset",
        ))  # fmt: skip
    return _network(model, path, opset)


def _network(model: Any, path: Path, opset: int) -> Network:
    graph = _inlined(model, path).graph
    if len(graph.node) > MOST_NODES:
        raise ProblemError(_fault(path, f"It has {len(graph.node):,} nodes", f"At most {MOST_NODES:,} nodes"))
    if graph.sparse_initializer:
        raise ProblemError(_fault(path, "It has sparse weights", "Plain weights"))
    narrowed: dict[str, None] = {}
    numbers = {item.name: _array(item, path, narrowed) for item in graph.initializer}
    operations = []
    for node in graph.node:
        settings = {item.name: _setting(item, path, narrowed) for item in node.attribute}
        about = {item.key: item.value[:4000] for item in node.metadata_props}
        operations.append(
            Operation(node.op_type, node.name, tuple(node.input), tuple(node.output), settings, about,
                      "" if node.domain in _STANDARD else node.domain)
        )  # fmt: skip
    return Network(
        graph.name or path.stem, opset, model.producer_name,
        tuple(_entry(item) for item in graph.input if item.name not in numbers),
        tuple(_entry(item) for item in graph.output), tuple(_ordered(operations, path)), numbers, tuple(narrowed),
    )  # fmt: skip


def _inlined(model: Any, path: Path) -> Any:
    """The model with its own functions written out; refuses those that would grow beyond all bounds."""
    if not model.functions:
        return model
    import onnx.inliner

    bodies = {(item.domain, item.name): item.node for item in model.functions}
    sizes: dict[Any, int] = {}

    def size(nodes: Any, depth: int) -> int:
        if depth > 50:
            raise ProblemError(_fault(path, "Its functions call each other without end", "Functions that end"))
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in bodies and key not in sizes:
                sizes[key] = size(bodies[key], depth + 1)
            total = min(total + sizes.get(key, 1), 10 * MOST_NODES)
        return total

    if size(model.graph.node, 0) > MOST_NODES:
        raise ProblemError(_fault(path, "Written out, its functions are too long", f"At most {MOST_NODES:,} nodes"))
    return onnx.inliner.inline_local_functions(model)


def _entry(item: Any) -> Entry:
    kind = item.type.tensor_type
    shape = tuple(dim.dim_value if dim.WhichOneof("value") == "dim_value" and dim.dim_value > 0 else None
                  for dim in kind.shape.dim)  # fmt: skip
    return Entry(item.name, shape, _KINDS.get(kind.elem_type, ""))


def _setting(item: Any, path: Path, narrowed: dict[str, None]) -> Any:
    import onnx

    if item.type == onnx.AttributeProto.TENSOR:
        return _array(item.t, path, narrowed)
    if item.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
        return None
    value = onnx.helper.get_attribute_value(item)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return list(value) if not isinstance(value, (int, float, str)) and hasattr(value, "__iter__") else value


def _array(tensor: Any, path: Path, narrowed: dict[str, None]) -> np.ndarray[Any, Any]:
    """The numbers of a tensor; other sizes of floating point become float32, and this is noted."""
    import onnx

    try:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            found = _outside(tensor, path)
        else:
            found = np.asarray(onnx.numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError, NotImplementedError):
        raise ProblemError(
            _fault(path, f"The numbers of {tensor.name!r} are damaged or cut off", "Whole weights")
        ) from None
    if (found.dtype.kind == "f" and found.dtype != np.float32) or found.dtype.name == "bfloat16":
        if found.size > 1:
            narrowed[found.dtype.name] = None
        found = found.astype(np.float32)
    return found


def _outside(tensor: Any, path: Path) -> np.ndarray[Any, Any]:
    """The numbers of a tensor that are kept in a file beside; never of one elsewhere."""
    import onnx

    facts = {item.key: item.value for item in tensor.external_data}
    name, folder = facts.get("location", ""), path.resolve().parent
    plain = Path(name)
    # Both forms of slash, whatever this system's is; a link may not lead out of the folder either.
    parts = name.replace("\\", "/").split("/")
    beside = (folder / plain).resolve()
    if not name or plain.is_absolute() or ".." in parts or ":" in parts[0] or not beside.is_relative_to(folder):
        raise ProblemError(
            error(Where(label=path.name, file=str(path)), f"It wants to read {name[:200]!r}, outside of its folder",
                  "Weights in a file beside it", "Get the model from somewhere you trust", code="onnx-outside")
        )  # fmt: skip
    offset, dtype = int(facts.get("offset", "0")), onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    shape = tuple(tensor.dims)
    count = int(np.prod(shape, dtype=object)) if shape else 1
    if not beside.is_file():
        raise ProblemError(
            error(Where(label=path.name, file=str(path)), f"Its weights are kept in {name}, which is not there",
                  f"{name} in {folder}", "Put the two files into one folder", code="onnx-data")
        )  # fmt: skip
    if offset < 0 or min(shape, default=1) < 0 or offset + count * dtype.itemsize > beside.stat().st_size:
        raise ValueError
    return np.fromfile(beside, dtype, count, offset=offset).reshape(shape)


def _ordered(operations: list[Operation], path: Path) -> Iterator[Operation]:
    """The nodes as they stand; the standard wants each after what feeds it."""
    made = {name for item in operations for name in item.outputs if name}
    seen: set[str] = set()
    for item in operations:
        late = next((name for name in item.inputs if name in made and name not in seen), None)
        if late is not None:
            raise ProblemError(_fault(path, f"{item.label} stands before {late!r}, which it takes", "Nodes in order"))
        seen.update(item.outputs)
        yield item


def _fault(path: Path, happened: str, expected: str) -> Problem:
    return error(
        Where(label=path.name, file=str(path)), happened, expected, "Export the network again", code="onnx-file"
    )
