"""Operators that act on each number: activations, bounds, dropout; and softmax."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import fx, nn

from engine.runtime.importing.onnx.build import Build
from engine.runtime.importing.onnx.file import Operation
from engine.runtime.importing.onnx.fusions import near
from engine.runtime.importing.onnx.table import fixed, operator, samples
from engine.runtime.importing.onnx.values import View, view_of


def _activation(target: Any, **names: str) -> Any:
    """`names`: torch's name of a setting = ONNX's, with the standard's default after a colon."""

    def act(build: Build, op: Operation, x: Any) -> View:
        given = {}
        for ours, theirs in names.items():
            name, _, default = theirs.partition(":")
            given[ours] = float(np.float32(op.settings.get(name, float(default)))) if name != "approximate" else (
                op.settings.get(name, default))  # fmt: skip
            if isinstance(given[ours], float):
                given[ours] = float(f"{given[ours]:.7g}")  # 0.01, not its nearest float32 written out
        return build.each(samples(build, x), lambda node: build.call(target, node, **given))

    return act


for _kind, _function in {
    "Relu": _activation(F.relu), "Sigmoid": _activation(torch.sigmoid), "Tanh": _activation(torch.tanh),
    "LeakyRelu": _activation(F.leaky_relu, negative_slope="alpha:0.01"), "Elu": _activation(F.elu, alpha="alpha:1.0"),
    "Celu": _activation(F.celu, alpha="alpha:1.0"), "Softplus": _activation(F.softplus),
    "Softsign": _activation(F.softsign), "HardSwish": _activation(F.hardswish), "Mish": _activation(F.mish),
    "Gelu": _activation(F.gelu, approximate="approximate:none"), "Exp": _activation(torch.exp),
    "Log": _activation(torch.log), "Sqrt": _activation(torch.sqrt), "Abs": _activation(torch.abs),
    "Reciprocal": _activation(torch.reciprocal), "Sin": _activation(torch.sin), "Cos": _activation(torch.cos),
    "Erf": _activation(torch.erf),
}.items():  # fmt: skip
    operator(_kind)(_function)


@operator("Selu")
def _selu(build: Build, op: Operation, x: Any) -> View:
    if not near(op.settings.get("alpha", 1.6732632), 1.6732632) or not near(
        op.settings.get("gamma", 1.050701), 1.050701
    ):
        build.refuse("its factors are not those of SELU")
    return build.each(samples(build, x), lambda node: build.call(F.selu, node))


@operator("HardSigmoid")
def _hard_sigmoid(build: Build, op: Operation, x: Any) -> View:
    slope, shift = op.settings.get("alpha", 0.2), op.settings.get("beta", 0.5)
    view = samples(build, x)
    if near(slope, 1 / 6) and near(shift, 0.5):
        return build.each(view, lambda node: build.call(F.hardsigmoid, node))

    def written_out(node: fx.Node) -> fx.Node:
        line = build.call(torch.add, build.call(torch.mul, node, float(f"{slope:.7g}")), float(f"{shift:.7g}"))
        return build.call(F.hardtanh, line, min_val=0.0, max_val=1.0)

    return build.each(view, written_out)


@operator("ThresholdedRelu", "Shrink")
def _threshold(build: Build, op: Operation, x: Any) -> View:
    limit = float(op.settings.get("lambd", 0.5))
    bias = float(op.settings.get("bias", 0.0))
    if op.kind != "Shrink" or bias not in (0.0, limit):
        build.refuse("there is no layer for it with these settings")
    module = nn.Softshrink(limit) if bias else nn.Hardshrink(limit)
    return build.each(samples(build, x), lambda node: build.stateless(module, "shrink", node))


@operator("PRelu")
def _prelu(build: Build, op: Operation, x: Any, slope: Any) -> View:
    values = fixed(build, slope, "slope")
    view = samples(build, x)
    channels = view.shape[1][0] if view.rank > 1 else 0
    if values.size != 1 and (values.shape.count(1) != values.ndim - 1 or values.size != channels
                             or values.ndim != view.rank - 1):  # fmt: skip
        build.refuse("it has a slope for every number instead of one for each channel")
    count = values.size
    return view_of(build.weighted(lambda: nn.PReLU(count), "prelu", build.node(view),
                                  {"weight": values.reshape(-1)}, slope.name, settings=count))  # fmt: skip


@operator("Clip")
def _clip(build: Build, op: Operation, x: Any, low: Any = None, high: Any = None) -> View:
    view = samples(build, x)
    small = op.settings.get("min") if low is None else fixed(build, low, "lower bound").item()
    large = op.settings.get("max") if high is None else fixed(build, high, "upper bound").item()
    bounds = (-np.inf if small is None else float(small), np.inf if large is None else float(large))
    if bounds == (0.0, 6.0):
        return build.each(view, lambda node: build.call(F.relu6, node))
    if bounds[0] == 0.0 and bounds[1] > 1e6:
        return build.each(view, lambda node: build.call(F.relu, node))
    if max(map(abs, bounds)) > 1e6:
        build.refuse("it has only one bound, or bounds beyond a million")
    return build.each(view, lambda node: build.call(F.hardtanh, node, min_val=bounds[0], max_val=bounds[1]))


@operator("Softmax", "LogSoftmax")
def _softmax(build: Build, op: Operation, x: Any) -> View:
    view = samples(build, x)
    old = build.network.opset < 13
    axis = op.settings.get("axis", 1 if old else -1) % view.rank
    if old and axis != view.rank - 1 and any(pair != (1, 1) for pair in view.shape[axis + 1 :]):
        build.refuse("in this version of the operators it joins all axes from its own on")
    target = F.softmax if op.kind == "Softmax" else F.log_softmax
    if axis != view.rank - 1:
        return build.give(target, build.node(view), dim=axis)
    found = build.lifted(view, lambda node: build.call(target, node, dim=-1))
    return replace(found, source={"softmax": view} if op.kind == "Softmax" else {})


@operator("Dropout")
def _dropout(build: Build, op: Operation, x: Any, ratio: Any = None, training: Any = None) -> Any:
    rate = op.settings.get("ratio", 0.5) if ratio is None else fixed(build, ratio, "rate").item()
    view = samples(build, x)
    if view.joined or not 0 <= rate < 1:
        return view
    return view_of(build.stateless(nn.Dropout(float(f"{rate:.7g}")), "dropout", build.node(view)))


@operator("Identity")
def _identity(build: Build, op: Operation, x: Any) -> Any:
    return x


@operator("Cast", "CastLike")
def _cast(build: Build, op: Operation, x: Any, like: Any = None) -> Any:
    view = samples(build, x)
    is_real = view.node.meta["values"][0].dtype.is_floating_point
    wanted = op.settings.get("to", 1)
    if is_real != (wanted in (1, 10, 11, 16)) or wanted == 9:
        build.refuse("it turns numbers of one type into another")
    return view
