"""Fixes for branches that do not fit together: bring the shorter way round (the skip) to the shape of the other.

A 1×1 convolution with the right stride is what residual networks put on such a skip (He et al. 2015, option B).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine import fixing
from engine.graph import Edge, Node
from engine.problem import Fix
from engine.tensor import TensorInfo, shape_text

Wire = tuple[Edge, TensorInfo, Node, int]
"""(the wire, what it carries, the node it comes from, how many layers stand before it)."""
_CONVOLUTIONS = {2: "conv1d", 3: "conv2d", 4: "conv3d"}


def merge_fixes(node: Node, wires: Sequence[Wire], definition: str) -> Iterator[Fix]:
    """Ways to bring the branches of a merging layer together, best first; empty when more than one is off."""
    skip = min(wires, key=lambda wire: wire[3])
    main = [wire for wire in wires if wire is not skip]
    shapes = {wire[1].shape for wire in main}
    if len(shapes) != 1:
        return
    goal = TensorInfo(shapes.pop())
    joins = node.type == "concatenate"
    if goal.rank == skip[1].rank:
        yield from _convolved(skip, goal, definition, joins=joins)
        yield from _enlarged(skip, main, goal, definition, joins=joins)
        if not joins:
            yield from _joined(node, wires, definition)
    else:
        yield from _flattened(node, wires, definition, joins=joins)


def _convolved(skip: Wire, goal: TensorInfo, definition: str, *, joins: bool) -> Iterator[Fix]:
    edge, info, _, _ = skip
    kind = _CONVOLUTIONS.get(info.rank)
    if info.rank == 1 and not joins:
        apply = fixing.insert(definition, edge, ("linear", {"units": goal.size}))
        yield Fix("Put a Linear layer on the skip", f"units = {goal.size}", shape_text(goal.shape), apply)
    if kind is None:
        return
    strides = {stride for stride in range(1, 17) if tuple(-(-side // stride) for side in info.spatial) == goal.spatial}
    if not strides:
        return
    stride = min(strides)
    channels = info.channels if joins else goal.channels
    params = {"filters": channels, "kernel": 1, "stride": stride}
    words = f"{kind}, {channels} filters, stride {stride}"
    ones = "×".join("1" * len(goal.spatial))
    apply = fixing.insert(definition, edge, (kind, params))
    yield Fix(f"Put a {ones} convolution on the skip", words, shape_text((channels, *goal.spatial)), apply)


def _enlarged(skip: Wire, main: Sequence[Wire], goal: TensorInfo, definition: str, *, joins: bool) -> Iterator[Fix]:
    """Upsamples the smaller maps to the size of the larger, where channels allow it."""
    info = skip[1]
    if info.rank != 3 or info.spatial == goal.spatial or not (joins or info.channels == goal.channels):
        return
    small, large = (skip, goal) if info.spatial < goal.spatial else (main[0], info)
    if len(main) > 1 and small is not skip:
        return
    if any(a > b for a, b in zip(small[1].spatial, large.spatial, strict=True)):
        return
    height, width = large.spatial
    shape = (small[1].channels, height, width)
    apply = fixing.insert(definition, small[0], ("upsample", {"size": (height, width)}))
    yield Fix(f"Enlarge what comes from {small[2].name}", f"upsample to {height}×{width}", shape_text(shape), apply)


def _joined(node: Node, wires: Sequence[Wire], definition: str) -> Iterator[Fix]:
    """Concatenating instead of adding needs equal sizes along all axes but the first."""
    if len({wire[1].spatial for wire in wires}) != 1:
        return
    total = sum(wire[1].channels for wire in wires)
    shape = (total, *wires[0][1].spatial)
    apply = fixing.change(definition, node.id, type="concatenate", params={})
    yield Fix("Concatenate them instead", "all numbers of both are kept", shape_text(shape), apply)


def _flattened(node: Node, wires: Sequence[Wire], definition: str, *, joins: bool) -> Iterator[Fix]:
    """One branch is a vector and the other is not: flatten the other."""
    deep = [wire for wire in wires if wire[1].rank > 1]
    flat = [wire for wire in wires if wire[1].rank == 1]
    if not flat or len(deep) != 1:
        return
    edge, info, source, _ = deep[0]
    if not joins and any(wire[1].size != info.size for wire in flat):
        return
    total = info.size + sum(wire[1].size for wire in flat) if joins else info.size
    apply = fixing.insert(definition, edge, ("flatten", {}))
    yield Fix(f"Flatten what comes from {source.name}", f"before {node.name}", shape_text((total,)), apply)
