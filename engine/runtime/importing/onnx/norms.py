"""Norms: of batches, layers, groups, and single samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import fx, nn

from engine.runtime.importing.onnx.build import Build
from engine.runtime.importing.onnx.file import Operation
from engine.runtime.importing.onnx.fusions import norm
from engine.runtime.importing.onnx.table import fixed, operator, samples
from engine.runtime.importing.onnx.values import View, view_of

_NORMS: dict[int, Any] = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}


@operator("BatchNormalization")
def _batch_norm(build: Build, op: Operation, x: Any, scale: Any, bias: Any, mean: Any, variance: Any) -> View:
    view = samples(build, x)
    if op.settings.get("spatial", 1) != 1 or op.settings.get("training_mode", 0) or view.rank not in _NORMS:
        build.refuse("only statistics per channel, fixed while predicting, have a layer")
    weights = {
        "weight": fixed(build, scale, "scale"), "bias": fixed(build, bias, "shift"),
        "running_mean": fixed(build, mean, "mean"), "running_var": fixed(build, variance, "variance"),
    }  # fmt: skip
    count, eps = len(weights["weight"]), _plain(op.settings.get("epsilon", 1e-5))
    momentum = min(max(_plain(1 - op.settings.get("momentum", 0.9)), 0.001), 1.0)
    make: Callable[[], nn.Module] = lambda: _NORMS[view.rank](count, eps, momentum)  # noqa: E731
    return view_of(build.weighted(make, "norm", build.node(view), weights, scale.name, bias.name, settings=eps))


@operator("LayerNormalization", "RMSNormalization")
def _layer_norm(build: Build, op: Operation, x: Any, scale: Any, bias: Any = None) -> View:
    view = samples(build, x)
    axis = op.settings.get("axis", -1) % view.rank
    values = fixed(build, scale, "scale")
    shape, eps = [pair[0] for pair in view.shape[axis:]], _plain(op.settings.get("epsilon", 1e-5))
    if (values.ndim > len(shape) and values.size == np.prod(shape)) or values.ndim < len(shape):
        values = np.broadcast_to(values.reshape(values.shape[-len(shape) :]), shape)
    weights = {"weight": values}
    rms = op.kind.startswith("RMS")
    if bias is not None:
        weights["bias"] = np.broadcast_to(fixed(build, bias, "bias"), shape)

    def make() -> nn.Module:
        return nn.RMSNorm(shape, eps) if rms else nn.LayerNorm(shape, eps)

    names = (scale.name, bias.name if bias else "")

    def act(node: fx.Node) -> fx.Node:
        return build.weighted(make, "norm", node, weights, *names, settings=eps)

    return build.lifted(view, act) if axis == view.rank - 1 else view_of(act(build.node(view)))


@operator("InstanceNormalization")
def _instance_norm(build: Build, op: Operation, x: Any, scale: Any, bias: Any) -> View:
    view = samples(build, x)
    weight, shift = fixed(build, scale, "scale"), fixed(build, bias, "shift")
    eps = _plain(op.settings.get("epsilon", 1e-5))
    groups = _grouped(view)
    if groups and (weight == 1).all() and (shift == 0).all():
        channels = view.node.meta["values"][0].shape[1]
        found = norm(build, nn.GroupNorm(groups, channels, eps, affine=False), "norm", view.node)
        return View(found.node, view.base, view.axes)
    if view.rank != 4:
        build.refuse("only images have a layer for it")
    channels = len(weight)
    plain = bool((weight == 1).all() and (shift == 0).all())
    if plain:
        return view_of(build.stateless(nn.InstanceNorm2d(channels, eps), "norm", build.node(view)))
    make: Callable[[], nn.Module] = lambda: nn.InstanceNorm2d(channels, eps, affine=True)  # noqa: E731
    return view_of(build.weighted(make, "norm", build.node(view), {"weight": weight, "bias": shift},
                                  scale.name, bias.name, settings=eps))  # fmt: skip


def _grouped(view: View) -> int:
    """The number of groups, where channels were cut into groups and the rest joined; 0 otherwise."""
    if view.plain or view.factor != 1 or view.rank != 3 or len(view.base) < 3 or len(view.axes[1]) != 1:
        return 0
    ordered = [atom for axis in view.axes for atom in axis] == [atom for axis in view.base for atom in axis]
    first = view.base[1][:1] == view.axes[1] and view.base[0] == view.axes[0]
    return view.axes[1][0].size[0] if ordered and first else 0


@operator("GroupNormalization")
def _group_norm(build: Build, op: Operation, x: Any, scale: Any, bias: Any) -> View:
    view = samples(build, x)
    weight, shift = fixed(build, scale, "scale"), fixed(build, bias, "shift")
    groups, channels = op.settings["num_groups"], view.shape[1][0]
    if weight.size == groups != channels:
        weight, shift = (np.repeat(item, channels // groups) for item in (weight, shift))
    eps = _plain(op.settings.get("epsilon", 1e-5))
    make: Callable[[], nn.Module] = lambda: nn.GroupNorm(groups, channels, eps)  # noqa: E731
    return view_of(build.weighted(make, "norm", build.node(view), {"weight": weight, "bias": shift},
                                  scale.name, bias.name, settings=(groups, eps)))  # fmt: skip


def _plain(value: float) -> float:
    """A float32 as the number that was meant."""
    return float(f"{value:.7g}")
