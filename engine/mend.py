"""A wrong shape in words a person can act on: what arrived from where, what was expected, and edits that mend it.

Owns the choice of fixes, best first, each with the shape it leads to. Whether a shape is wrong is found out by
`engine.runtime`; this module knows no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

from engine import fixing
from engine.accept import ACCEPTED
from engine.declare import Declaration, Refusal
from engine.graph import INPUT, Edge, Node
from engine.mend_merge import merge_fixes
from engine.problem import Fix, Problem, Severity, Where
from engine.tensor import FLOAT, INT, TensorInfo, shape_text


@dataclass(frozen=True, slots=True)
class Arrival:
    """One wire at the layer: its port, what it carries (None: unknown), the wire, and the node it comes from."""

    port: str
    info: TensorInfo | None
    edge: Edge
    source: Node
    depth: int = 0
    """How many layers stand before it: the shortest way round is the skip."""


def shape_problem(
    node: Node,
    declaration: Declaration | None,
    arrived: Sequence[Arrival],
    fault: Refusal,
    *,
    definition: str = "",
    label: str = "",
    severity: Severity = Severity.ERROR,
) -> Problem:
    """The problem of a layer that its inputs do not fit; `label` is its instance path when it stands in a block."""
    rows = tuple(
        (item.port, shape_text(item.info.shape) if item.info else "unknown", f"from {item.source.name}")
        for item in arrived
    )
    fixes = tuple(shape_fixes(node, declaration, arrived, fault, definition=definition))
    place = Where(label=label or node.name, node=node.id, definition=definition, path=f"nodes.{label or node.name}")
    return Problem(severity, place, fault.happened, fault.expected, fault.fix, "shape", rows, fixes)


def shape_fixes(
    node: Node, declaration: Declaration | None, arrived: Sequence[Arrival], fault: Refusal, *, definition: str = ""
) -> Iterator[Fix]:
    """Ways to mend it, best first; the layer's own advice before insertions."""
    if fault.mend:
        words = ", ".join(f"{name} = {_value(value)}" for name, value in fault.mend.items())
        yield Fix(fault.fix.rstrip("."), words, apply=_set(definition, node.shares or node.id, fault.mend))
    if declaration is None:
        return
    known = [item for item in arrived if item.info is not None]
    accepted = ACCEPTED.get(declaration.accepts, ACCEPTED["any"])
    for item in known:
        info = item.info
        if info is None or accepted.fits(info):
            continue
        if accepted.dtype and info.dtype != accepted.dtype:
            yield from _type_fixes(item, info, accepted.dtype, definition)
        elif accepted.ranks:
            for title, layers, shape in _ways(info, accepted.ranks, declaration.accepts):
                detail = "before " + node.name
                yield Fix(title, detail, shape_text(shape), fixing.insert(definition, item.edge, *layers))
        return
    if any(port.variadic for port in declaration.inputs) and len(known) == len(arrived) > 1:
        wires = [(item.edge, item.info, item.source, item.depth) for item in arrived if item.info is not None]
        yield from merge_fixes(node, wires, definition)


Way = tuple[str, tuple[fixing.NewLayer, ...], tuple[int, ...]]
"""(title, layers to insert, resulting shape)."""


def _ways(info: TensorInfo, ranks: tuple[int, ...], accepts: str) -> Iterator[Way]:
    """How a sample of one rank can be brought to one of the ranks that fit."""
    if 1 in ranks and info.rank > 1:
        yield "Insert Flatten", (("flatten", {}),), (info.size,)
        if info.rank == 3:
            yield "Insert global average pooling", (("global_avg_pool", {}),), (info.channels,)
        if info.rank == 2:
            yield "Insert Mean over the steps", (("mean", {"axes": (0,)}),), (info.features,)
    if 2 in ranks and accepts == "sequence":
        yield from _sequences(info)
    elif 2 in ranks and accepts in ("signal", "channels1d"):
        yield from _signals(info)
    if 3 in ranks:
        yield from _images(info)
    if ranks == (4,) and info.rank == 3:
        yield from _reshaped("Insert Reshape to one channel", (1, *info.shape))
    if 4 in ranks and info.rank > 4:
        yield "Insert Flatten", (("flatten", {}),), (info.size,)


def _sequences(info: TensorInfo) -> Iterator[Way]:
    if info.rank == 1:
        yield from _reshaped("Insert Reshape: one number per step", (info.size, 1))
    elif info.rank == 3 and info.channels == 1:
        yield from _reshaped("Insert Reshape: each row is a step", info.spatial)
    elif info.rank == 3:
        channels, positions = info.channels, info.size // info.channels
        turned = (("reshape", {"target": (channels, positions)}), ("permute", {"order": (1, 0)}))
        yield "Insert Reshape and Permute: each position is a step", turned, (positions, channels)


def _signals(info: TensorInfo) -> Iterator[Way]:
    if info.rank == 1:
        yield from _reshaped("Insert Reshape to one channel", (1, info.size))
    elif info.rank == 3:
        yield from _reshaped("Insert Reshape: rows one after the other", (info.channels, info.size // info.channels))


def _images(info: TensorInfo) -> Iterator[Way]:
    if info.rank == 2:
        yield from _reshaped("Insert Reshape to one channel", (1, *info.shape))
    elif info.rank == 1:
        for channels in (1, 3):
            side = isqrt(info.size // channels)
            if channels * side * side == info.size and side > 1:
                kind = "a grey" if channels == 1 else "a colour"
                yield from _reshaped(f"Insert Reshape to {kind} image", (channels, side, side))


def _reshaped(title: str, shape: tuple[int, ...]) -> Iterator[Way]:
    yield title, (("reshape", {"target": shape}),), shape


def _type_fixes(item: Arrival, info: TensorInfo, wanted: str, definition: str) -> Iterator[Fix]:
    if wanted == FLOAT and info.dtype == INT:
        shape = (*info.shape, 64)
        yield Fix("Insert Embedding", "a learned vector for each whole number", shape_text(shape),
                  fixing.insert(definition, item.edge, ("embedding", {})))  # fmt: skip
    elif wanted == INT and item.source.type == INPUT and info.rank == 1:
        yield Fix("Set the input to tokens", "", shape_text(info.shape),
                  fixing.set_params(definition, item.source.id, {"kind": "tokens"}))  # fmt: skip


def _set(definition: str, node: str, mend: Mapping[str, Any]) -> fixing.Apply:
    return fixing.set_params(definition, node, mend)


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
