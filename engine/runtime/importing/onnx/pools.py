"""Pooling, with borders as torch has them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from engine.runtime.importing.onnx.build import Build, ints
from engine.runtime.importing.onnx.file import Operation
from engine.runtime.importing.onnx.layers import padded, window
from engine.runtime.importing.onnx.table import operator, samples
from engine.runtime.importing.onnx.values import View, view_of


@operator("MaxPool", "AveragePool")
def _pool(build: Build, op: Operation, x: Any) -> View:
    view = samples(build, x)
    if view.rank not in (3, 4):
        build.refuse("only signals and images have a layer for it")
    if len(op.outputs) > 1 and op.outputs[1]:
        build.refuse("it gives the places of the largest numbers too")
    kernel = ints(op.settings["kernel_shape"])
    stride, dilation, before, after = window(build, op, view, kernel)
    ceil, node = bool(op.settings.get("ceil_mode", 0)), build.node(view)
    largest, counted = op.kind == "MaxPool", bool(op.settings.get("count_include_pad", 0))
    if before != after:
        if largest and not ceil and _reaches(view, kernel, stride, dilation, before, after):
            ceil = True
        elif counted or (largest and _positive(node)):
            node, before = padded(build, node, before, after), (0,) * len(before)
        else:
            build.refuse("its border is wider on one side than on the other")
    if max(before) == 0:
        counted = True
    if any(2 * pad > size for pad, size in zip(before, kernel, strict=True)):
        build.refuse("its border is wider than half its window")
    if not largest and any(item != 1 for item in dilation):
        build.refuse("it leaves gaps in its window")
    if view.rank == 3:
        args = (kernel[0], stride[0], before[0])
        pool = nn.MaxPool1d(*args, dilation[0], ceil_mode=ceil) if largest else nn.AvgPool1d(*args, ceil, counted)
        return view_of(build.stateless(pool, "pool", node))
    if largest:
        return build.give(F.max_pool2d, node, kernel, stride, before, dilation, ceil)
    return build.give(F.avg_pool2d, node, kernel, stride, before, ceil, counted)


def _reaches(view: View, *sides: tuple[int, ...]) -> bool:
    """Whether a border at the end only says that the last, incomplete window counts."""
    for size, kernel, stride, dilation, before, after in zip(view.shape[2:], *sides, strict=True):
        if after < before:
            return False
        reach = dilation * (kernel - 1) + 1
        wanted = (size[0] + before + after - reach) // stride + 1
        got = -(-(size[0] + 2 * before - reach) // stride) + 1
        got -= (got - 1) * stride >= size[0] + before
        if wanted != got:
            return False
    return True


def _positive(node: fx.Node) -> bool:
    return node.op == "call_function" and node.target in (F.relu, F.relu6, torch.sigmoid, F.hardsigmoid, F.softplus)


@operator("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(build: Build, op: Operation, x: Any) -> View:
    view = samples(build, x)
    average = op.kind == "GlobalAveragePool"
    node = build.node(view)
    if view.rank == 4:
        return build.give(F.adaptive_avg_pool2d if average else F.adaptive_max_pool2d, node, 1)
    dims = tuple(range(2, view.rank))
    return build.give(torch.mean if average else torch.amax, node, dim=dims, keepdim=True)
