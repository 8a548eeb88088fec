"""Convolutions, linear layers and products of samples; the windows that slide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import fx, nn

from engine.runtime.importing.onnx.build import Build, ints
from engine.runtime.importing.onnx.file import Operation
from engine.runtime.importing.onnx.fusions import attention
from engine.runtime.importing.onnx.table import fixed, operator, samples
from engine.runtime.importing.onnx.values import View, view_of

_CONVS: dict[int, Any] = {3: nn.Conv1d, 4: nn.Conv2d, 5: nn.Conv3d}


def borders(build: Build, op: Operation, x: View, kernel: tuple[int, ...], stride: tuple[int, ...],
            dilation: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:  # fmt: skip
    """Padding before and after, per axis of space; SAME is worked out from the size."""
    count, kind = len(kernel), op.settings.get("auto_pad", "NOTSET")
    if kind == "NOTSET":
        pads = ints(op.settings.get("pads") or [0] * (2 * count))
        return pads[:count], pads[count:]
    if kind == "VALID":
        return (0,) * count, (0,) * count
    before, after = [], []
    for place in range(count):
        size = x.shape[2 + place][0]
        reach = (kernel[place] - 1) * dilation[place] + 1
        total = max((-(-size // stride[place]) - 1) * stride[place] + reach - size, 0)
        less, more = total // 2, total - total // 2
        before.append(less if kind == "SAME_UPPER" else more)
        after.append(more if kind == "SAME_UPPER" else less)
    return tuple(before), tuple(after)


def padded(build: Build, node: fx.Node, before: tuple[int, ...], after: tuple[int, ...]) -> fx.Node:
    """Zeros around the axes of space."""
    sides = [side for pair in reversed(list(zip(before, after, strict=True))) for side in pair]
    return build.call(F.pad, node, tuple(sides))


def window(build: Build, op: Operation, x: View, kernel: tuple[int, ...]) -> tuple[Any, ...]:
    """(step, gaps, border before, border after) of a window that slides."""
    count = len(kernel)
    stride = ints(op.settings.get("strides") or [1] * count)
    dilation = ints(op.settings.get("dilations") or [1] * count)
    return stride, dilation, *borders(build, op, x, kernel, stride, dilation)


@operator("Conv")
def _conv(build: Build, op: Operation, x: Any, weight: Any, bias: Any = None) -> View:
    view = samples(build, x)
    values = fixed(build, weight, "weight")
    if view.rank not in _CONVS:
        build.refuse(f"samples of {view.rank - 1} axes cannot be convolved")
    stride, dilation, before, after = window(build, op, view, values.shape[2:])
    node, groups = build.node(view), op.settings.get("group", 1)
    if before != after:
        node, before = padded(build, node, before, after), (0,) * len(before)
    filters, channels = values.shape[0], values.shape[1] * groups
    settings = (filters, stride, dilation, before, groups)

    def make() -> nn.Module:
        module: nn.Module = _CONVS[view.rank](channels, filters, values.shape[2:], stride, before, dilation, groups,
                                              bias is not None)  # fmt: skip
        return module

    weights = {"weight": values} | ({"bias": fixed(build, bias, "bias")} if bias is not None else {})
    return view_of(build.weighted(make, "conv", node, weights, weight.name, bias.name if bias else "",
                                  settings=settings))  # fmt: skip


@operator("ConvTranspose")
def _conv_transpose(build: Build, op: Operation, x: Any, weight: Any, bias: Any = None) -> View:
    view = samples(build, x)
    values = fixed(build, weight, "weight")
    stride, dilation, before, after = window(build, op, view, values.shape[2:])
    if view.rank != 4 or before != after or op.settings.get("output_shape") or (
        op.settings.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID")
    ):  # fmt: skip
        build.refuse("only images with equal borders have a layer for it")
    groups, extra = op.settings.get("group", 1), ints(op.settings.get("output_padding") or (0, 0))
    channels, filters = values.shape[0], values.shape[1] * groups

    def make() -> nn.Module:
        kind: Any = nn.ConvTranspose2d
        module: nn.Module = kind(channels, filters, values.shape[2:], stride, before, extra, groups,
                                  bias is not None, dilation)  # fmt: skip
        return module

    weights = {"weight": values} | ({"bias": fixed(build, bias, "bias")} if bias is not None else {})
    settings = (filters, stride, dilation, before, extra, groups)
    return view_of(build.weighted(make, "conv", build.node(view), weights, weight.name, bias.name if bias else "",
                                  settings=settings))  # fmt: skip


def linear(build: Build, view: View, weight: np.ndarray[Any, Any], bias: Any, *names: str) -> View:
    """A linear layer along the last axis; `weight` is units × features."""
    units, features = weight.shape
    if view.shape[-1] != (features, features):
        build.refuse(f"it is given {view.shape[-1][0]} features for weights of {features}")
    weights = {"weight": weight} | ({"bias": bias} if bias is not None else {})

    def make() -> nn.Module:
        return nn.Linear(features, units, bias is not None)

    return build.lifted(view, lambda node: build.weighted(make, "linear", node, weights, *names))


@operator("Gemm")
def _gemm(build: Build, op: Operation, a: Any, b: Any, c: Any = None) -> View:
    view = samples(build, a)
    values = fixed(build, b, "weight").astype(np.float32)
    if op.settings.get("transA"):
        build.refuse("it turns its samples (transA)")
    weight = (values if op.settings.get("transB") else values.T) * np.float32(op.settings.get("alpha", 1.0))
    bias = None
    if c is not None:
        bias = fixed(build, c, "bias").astype(np.float32) * np.float32(op.settings.get("beta", 1.0))
        if bias.size not in (1, len(weight)):
            build.refuse("its bias is no vector")
        bias = np.broadcast_to(bias.reshape(-1), (len(weight),))
    return linear(build, view, weight, bias, b.name, c.name if c else "")


@operator("MatMul")
def _matmul(build: Build, op: Operation, a: Any, b: Any) -> View:
    if isinstance(a, View) and isinstance(b, View):
        return _product(build, a, b)
    view = samples(build, a, "first input")
    values = fixed(build, b, "weight")
    if values.ndim != 2:
        build.refuse("its weight is no matrix")
    after = _next_bias(build, op)
    return linear(build, view, values.T, None, b.name, after)


def _next_bias(build: Build, op: Operation) -> str:
    """The name of the bias that the next node adds."""
    for item in build.network.operations:
        if item.kind == "Add" and op.outputs[0] in item.inputs:
            return next((name for name in item.inputs if name in build.network.numbers), "")
    return ""


def _product(build: Build, a: View, b: View) -> View:
    found = attention(build, a, b)
    if found is not None:
        return found
    factor = a.factor * b.factor
    one, two = (build.node(replace(item.opened(), factor=1.0)) for item in (a, b))
    made = view_of(build.call(torch.matmul, one, two))
    axes = made.axes
    if a.joined:
        base = (*a.opened().axes[:-1], made.base[-1])
        made, axes = replace(made, base=base), (*a.axes[:-1], made.base[-1])
    return View(made.node, made.base, axes, factor, {"scores": (a, b)})
