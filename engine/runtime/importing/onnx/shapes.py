"""Operators that change shapes, stretch, and reduce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import torch
from torch import fx

from engine.runtime.importing.onnx.build import Build, ints
from engine.runtime.importing.onnx.file import Operation
from engine.runtime.importing.onnx.table import axes_of, fixed, operator, samples
from engine.runtime.importing.onnx.values import Pair, View, view_of


def reshaped(build: Build, view: View, sizes: list[Pair]) -> View:
    """The view in another shape; what cannot be said in factors is done at once."""
    found = view.reshaped(sizes) or _renewed(build, view).reshaped(sizes)
    if found is not None:
        return found
    if prod(pair[0] for pair in sizes) != prod(pair[0] for pair in view.shape):
        build.refuse("the sizes do not hold as many numbers")
    node = build.node(view)
    return build.give(torch.reshape, node, tuple(build.size(pair) for pair in sizes))


def _renewed(build: Build, view: View) -> View:
    """The same numbers as the result of a call, so that their axes can be cut anew."""
    fresh = view_of(build.node(view.opened()))
    parts = iter(fresh.base)
    axes = []
    for axis in view.axes:
        count = replace(view, axes=(axis,)).opened().rank
        axes.append(tuple(atom for _ in range(count) for atom in next(parts)))
    return replace(fresh, axes=tuple(axes))


@operator("Reshape")
def _reshape(build: Build, op: Operation, x: Any, shape: Any = None) -> View:
    view = samples(build, x)
    if shape is None:
        small = large = np.array(op.settings["shape"])
    else:
        small, large = shape.small.reshape(-1), shape.large.reshape(-1)
    sizes: list[list[int]] = []
    for place, both in enumerate(zip(small, large, strict=True)):
        pair = [int(item) for item in both]
        if pair == [0, 0] and not op.settings.get("allowzero", 0):
            pair = list(view.shape[place])
        sizes.append(pair)
    for place in range(2):
        total = prod(pair[place] for pair in view.shape)
        known = prod(pair[place] for pair in sizes if pair[place] != -1)
        for pair in sizes:
            if pair[place] == -1:
                pair[place] = total // max(known, 1)
    pairs = [(one, two) for one, two in sizes]
    if prod(pair[0] for pair in pairs) != prod(pair[0] for pair in view.shape):
        return _for_one_batch(build, view, pairs)
    return reshaped(build, view, pairs)


def _for_one_batch(build: Build, view: View, pairs: list[Pair]) -> View:
    """A shape that was written down for the one batch that the file is made for."""
    batch = build.batch
    for place, pair in enumerate(pairs):
        if batch and pair[0] == pair[1] and pair[0] % batch == 0:
            grown = [*pairs[:place], (pair[0] // batch * 2, pair[0] // batch * 3), *pairs[place + 1 :]]
            found = view.reshaped(grown)
            if found is not None:
                return found
    build.refuse("the sizes do not hold as many numbers as a batch has")


@operator("Flatten")
def _flatten(build: Build, op: Operation, x: Any) -> View:
    view = samples(build, x)
    axis = op.settings.get("axis", 1)
    axis = axis % view.rank if axis < 0 else axis
    halves = [view.shape[:axis], view.shape[axis:]]
    return reshaped(build, view, [(prod(p[0] for p in half), prod(p[1] for p in half)) for half in halves])


@operator("Transpose")
def _transpose(build: Build, op: Operation, x: Any) -> View:
    view = samples(build, x)
    return view.permuted(list(op.settings.get("perm") or reversed(range(view.rank))))


@operator("Unsqueeze")
def _unsqueeze(build: Build, op: Operation, x: Any, axes: Any = None) -> View:
    view = samples(build, x)
    given = ints(op.settings["axes"] if axes is None else fixed(build, axes, "axes").reshape(-1))
    rank = view.rank + len(given)
    shape = list(view.axes)
    for axis in sorted(item % rank for item in given):
        shape.insert(axis, ())
    return replace(view, axes=tuple(shape), source={})


@operator("Squeeze")
def _squeeze(build: Build, op: Operation, x: Any, axes: Any = None) -> View:
    view = samples(build, x)
    given = axes_of(build, op, axes, view.rank)
    if given is None:
        given = [place for place, pair in enumerate(view.shape) if pair == (1, 1)]
    if any(view.shape[axis] != (1, 1) for axis in given):
        build.refuse("it drops an axis that is longer than 1")
    return replace(view, axes=tuple(axis for place, axis in enumerate(view.axes) if place not in given), source={})


@operator("Expand")
def _expand(build: Build, op: Operation, x: Any, shape: Any) -> View:
    view = samples(build, x)
    wanted = list(zip(shape.small.tolist(), shape.large.tolist(), strict=True))
    wanted = [(1, 1)] * (view.rank - len(wanted)) + wanted
    if len(wanted) != view.rank or any(
        want not in ((1, 1), have, (-1, -1)) for want, have in zip(wanted, view.shape, strict=True)
    ):
        build.refuse("only weights can be stretched")
    return view


_REDUCE: dict[str, Callable[..., Any]] = {
    "ReduceMean": torch.mean,
    "ReduceSum": torch.sum,
    "ReduceMax": torch.amax,
    "ReduceMin": torch.amin,
}


@operator(*_REDUCE)
def _reduce(build: Build, op: Operation, x: Any, axes: Any = None) -> View:
    view = samples(build, x)
    given = axes_of(build, op, axes, view.rank)
    if not given:
        if given is not None and op.settings.get("noop_with_empty_axes"):
            return view
        build.refuse("it reduces the batch too")
    keep = bool(op.settings.get("keepdims", 1))
    return build.give(_REDUCE[op.kind], build.node(view), dim=tuple(given), keepdim=keep)


@operator("Einsum")
def _einsum(build: Build, op: Operation, *values: Any) -> View:
    nodes: list[fx.Node] = [build.node(samples(build, item)) for item in values]
    return build.give(torch.einsum, op.settings["equation"], *nodes)
