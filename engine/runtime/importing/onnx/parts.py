"""Operators that join tensors, take parts of them, and look up vectors in a table."""

from __future__ import annotations

from operator import getitem
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.runtime.importing.onnx.build import Build, ints
from engine.runtime.importing.onnx.file import Operation
from engine.runtime.importing.onnx.shapes import reshaped
from engine.runtime.importing.onnx.table import axes_of, fixed, operator, samples
from engine.runtime.importing.onnx.values import Known, View, view_of


@operator("Concat")
def _concat(build: Build, op: Operation, *values: Any) -> View:
    views = [build.token(item) if isinstance(item, Known) else samples(build, item) for item in values]
    axis = op.settings.get("axis", 1) % views[0].rank
    return build.give(torch.cat, [build.node(item) for item in views], axis)


@operator("Split")
def _split(build: Build, op: Operation, x: Any, sizes: Any = None) -> tuple[View, ...]:
    view = samples(build, x)
    axis, count = op.settings.get("axis", 0) % view.rank, len(op.outputs)
    length = view.shape[axis][0]
    given = op.settings.get("split") if sizes is None else ints(fixed(build, sizes, "sizes").reshape(-1))
    if not given:
        part = -(-length // count)
        given = [min(part, length - part * place) for place in range(count)]
    found, start = [], 0
    for size in given:
        found.append(_part(build, view, axis, start, start + int(size)))
        start += int(size)
    return tuple(found)


def _part(build: Build, view: View, axis: int, start: int, stop: int) -> View:
    """A run of places along an axis."""
    if view.shape[axis][0] != view.shape[axis][1]:
        build.refuse("it takes a part of the batch")
    if (start, stop) == (0, view.shape[axis][0]):
        return view
    node = build.node(view)
    key = (*(slice(None),) * axis, slice(start, stop))
    return view_of(build.call(getitem, node, key))


@operator("Slice")
def _slice(build: Build, op: Operation, x: Any, starts: Any = None, ends: Any = None, axes: Any = None,
           steps: Any = None) -> View:  # fmt: skip
    view = samples(build, x)
    if starts is None:
        begin, end = op.settings["starts"], op.settings["ends"]
    else:
        begin, end = (ints(fixed(build, item, "bounds").reshape(-1)) for item in (starts, ends))
    along = axes_of(build, op, axes, view.rank)
    along = list(range(len(begin))) if along is None else along
    strides = [1] * len(begin) if steps is None else ints(fixed(build, steps, "steps").reshape(-1))
    for axis, first, last, step in zip(along, begin, end, strides, strict=True):
        length = view.shape[axis][0]
        if view.shape[axis][0] != view.shape[axis][1]:
            if first == 0 and last >= 2**31 - 1:
                continue
            build.refuse("it takes a part of the batch")
        if step != 1:
            view = _every(build, view, axis, slice(first, last, step))
            continue
        start, stop, _ = slice(first, last).indices(length)
        view = _part(build, view, axis, start, stop)
    return view


def _every(build: Build, view: View, axis: int, which: slice) -> View:
    """Every second, third ... place of an axis: the axis is cut in two, and one place of the inner one is taken."""
    length = view.shape[axis][0]
    start, stop, step = which.indices(length)
    if step < 1 or start >= step or length % step or len(range(start, stop, step)) != length // step:
        build.refuse("it leaves out places between, and not in an even rhythm")
    sizes = [*view.shape[:axis], (length // step,) * 2, (step, step), *view.shape[axis + 1 :]]
    return _picked(build, reshaped(build, view, sizes), axis + 1, start)


@operator("Gather")
def _gather(build: Build, op: Operation, x: Any, indices: Any) -> View:
    axis = op.settings.get("axis", 0)
    if isinstance(x, Known):
        return _embedding(build, x, samples(build, indices, "indices"), axis)
    view = samples(build, x)
    axis %= view.rank
    if view.rank == 1 and isinstance(indices, Known) and _counts_up(indices, view):
        return reshaped(build, view, list(zip(indices.small.shape, indices.large.shape, strict=True)))
    places = fixed(build, indices, "places")
    length = view.shape[axis]
    if length[0] != length[1]:
        build.refuse("it picks samples out of the batch")
    chosen = [int(item) % length[0] for item in places.reshape(-1)]
    if places.ndim == 0:
        return _picked(build, view, axis, chosen[0])
    if places.ndim == 1 and chosen == list(range(chosen[0], chosen[0] + len(chosen))):
        return _part(build, view, axis, chosen[0], chosen[0] + len(chosen))
    build.refuse("it picks several places in an order of its own")


def _counts_up(indices: Known, view: View) -> bool:
    """Whether all numbers are taken in their order, as exporters write `as_strided`: a reshape and no more."""
    return all(
        item.size == size and np.array_equal(item.reshape(-1), np.arange(size))
        for item, size in zip((indices.small, indices.large), view.shape[0], strict=True)
    )


def _picked(build: Build, view: View, axis: int, place: int) -> View:
    """One place of an axis, which goes; taken before axes change their order, where that is possible."""
    group = view.axes[axis]
    flat = [atom for part in view.base for atom in part]
    if not view.plain and len(group) == 1 and group[0] in flat and view.factor == 1:
        apart = tuple((atom,) for atom in flat)
        node = build.node(View(view.node, view.base, apart))
        at = flat.index(group[0])
        taken = build.call(getitem, node, (*(slice(None),) * at, place))
        base = tuple((atom,) for atom in flat if atom is not group[0])
        return View(taken, base, (*view.axes[:axis], *view.axes[axis + 1 :]))
    return view_of(build.call(getitem, build.node(view), (*(slice(None),) * axis, place)))


def _embedding(build: Build, x: Known, tokens: View, axis: int) -> View:
    table = fixed(build, x, "table")
    if axis != 0 or table.ndim != 2 or tokens.node.meta["values"][0].dtype.is_floating_point:
        build.refuse("only a table of vectors, looked up by whole numbers, has a layer")
    count, width = table.shape
    return view_of(build.weighted(lambda: nn.Embedding(count, width), "embedding", build.node(tokens),
                                  {"weight": table}, x.name))  # fmt: skip
