"""Operators that change the sides of images: borders, enlarging, channels into places and back."""

from __future__ import annotations

from typing import Any

from torch import nn

from engine.runtime.importing.onnx.build import Build, ints
from engine.runtime.importing.onnx.file import Operation
from engine.runtime.importing.onnx.layers import padded
from engine.runtime.importing.onnx.shapes import reshaped
from engine.runtime.importing.onnx.table import axes_of, fixed, operator, samples
from engine.runtime.importing.onnx.values import Pair, View, view_of


@operator("Pad")
def _pad(build: Build, op: Operation, x: Any, pads: Any = None, value: Any = None, axes: Any = None) -> View:
    view = samples(build, x)
    given = ints(op.settings["pads"] if pads is None else fixed(build, pads, "border").reshape(-1))
    number = op.settings.get("value", 0.0) if value is None else fixed(build, value, "value").item()
    along = axes_of(build, op, axes, view.rank) or list(range(view.rank))
    before, after = [0] * view.rank, [0] * view.rank
    for place, axis in enumerate(along):
        before[axis], after[axis] = given[place], given[len(along) + place]
    if not any(given):
        return view
    if number or op.settings.get("mode", "constant") != "constant" or any((*before[:2], *after[:2])) or view.rank != 4:
        build.refuse("only borders of zeros around images have a layer")
    if min(given) < 0:
        build.refuse("it cuts off a border")
    return view_of(padded(build, build.node(view), tuple(before[2:]), tuple(after[2:])))


@operator("Resize", "Upsample")
def _resize(build: Build, op: Operation, x: Any, *rest: Any) -> View:
    view = samples(build, x)
    sizes = rest[2] if op.kind == "Resize" and len(rest) > 2 else None
    place = 0 if op.kind == "Upsample" or build.network.opset < 11 else 1
    scales = rest[place] if len(rest) > place and sizes is None else None
    wanted = op.settings.get("scales") if scales is None else fixed(build, scales, "factors").tolist()
    if sizes is not None:
        wanted = [float(item) / pair[0] for item, pair in zip(sizes.small.tolist(), view.shape, strict=True)]
        if not sizes.fixed or int(sizes.small[0]) == build.batch:
            wanted[0] = 1.0
    how, mode = op.settings.get("coordinate_transformation_mode", "half_pixel"), op.settings.get("mode", "nearest")
    if build.network.opset < 11:
        how = "asymmetric"
    factors = [float(item) for item in wanted or ()]
    whole = len(factors) == view.rank and factors[:2] == [1.0, 1.0] and all(item.is_integer() for item in factors)
    plain = mode == "nearest" and _repeats(op, how, build.network.opset)
    blended = mode == "linear" and how in ("half_pixel", "pytorch_half_pixel") and view.rank in (3, 4)
    if not whole or not (plain or blended) or op.settings.get("antialias"):
        build.refuse(f"it enlarges in a way that has no layer ({mode}, {how}, times {', '.join(map(str, factors))})")
    scale = ints(factors[2:])
    names = {3: "linear", 4: "bilinear"}
    module = nn.Upsample(scale_factor=scale if len(set(scale)) > 1 else scale[0],
                         mode="nearest" if plain else names[view.rank])  # fmt: skip
    return view_of(build.stateless(module, "upsample", build.node(view)))


def _repeats(op: Operation, how: str, opset: int) -> bool:
    """Whether nearest neighbours are plain repeats for whole factors."""
    rounding = "floor" if opset < 11 else op.settings.get("nearest_mode", "round_prefer_floor")
    return (how, rounding) in (
        ("asymmetric", "floor"), ("half_pixel", "round_prefer_floor"), ("half_pixel", "round_prefer_ceil"),
        ("pytorch_half_pixel", "round_prefer_floor"),
    )  # fmt: skip


@operator("DepthToSpace", "SpaceToDepth")
def _depth(build: Build, op: Operation, x: Any) -> View:
    view = samples(build, x)
    side = op.settings["blocksize"]
    batch, (channels, _), (rows, _), (columns, _) = view.shape
    if op.kind == "SpaceToDepth":
        cut = [(rows // side, side), (columns // side, side)]
        opened = reshaped(build, view, [batch, _two(channels), *(_two(item) for pair in cut for item in pair)])
        moved = opened.permuted([0, 3, 5, 1, 2, 4])
        return reshaped(build, moved, [batch, _two(channels * side * side), *(_two(pair[0]) for pair in cut)])
    rest = channels // side**2
    columns_first = op.settings.get("mode", "DCR") == "DCR"
    parts = [side, side, rest] if columns_first else [rest, side, side]
    opened = reshaped(build, view, [batch, *map(_two, parts), _two(rows), _two(columns)])
    moved = opened.permuted([0, 3, 4, 1, 5, 2] if columns_first else [0, 1, 4, 2, 5, 3])
    return reshaped(build, moved, [batch, _two(rest), _two(rows * side), _two(columns * side)])


def _two(size: int) -> Pair:
    return size, size
