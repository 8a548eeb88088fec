"""What exporters write out in several nodes and the catalogue has as one layer: norms, activations, attention."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import fx, nn

from engine.runtime.importing.onnx.build import Build
from engine.runtime.importing.onnx.scopes import free_path
from engine.runtime.importing.onnx.values import Known, View, view_of


def near(one: float, two: float, most: float = 1e-4) -> bool:
    """Equal but for the rounding of an exporter."""
    return abs(one - two) <= most * max(abs(two), 1e-12)


def called(node: Any, *targets: Any) -> bool:
    """Whether a node calls one of these functions."""
    return isinstance(node, fx.Node) and node.op == "call_function" and node.target in targets


def fused_sum(build: Build, x: View, b: Known) -> View | None:
    """A sum that is the bias of the layer before, or the mask of an attention."""
    module = _made(build, x)
    flat = b.small.reshape(-1)
    if isinstance(module, nn.Linear) and module.bias is None and x.factor == 1 and b.fixed and (
        flat.size == module.out_features and b.small.shape[-1:] == (flat.size,) and x.rank >= b.small.ndim
    ):  # fmt: skip
        module.bias = nn.Parameter(torch.from_numpy(np.array(flat, dtype=np.float32)))
        return x
    if _affine(module) and module.bias is not None and "free" in x.node.meta and b.fixed:
        values = _channelwise(x, module, b)
        if values is not None:
            with torch.no_grad():
                module.bias.copy_(torch.from_numpy(np.array(values)))
            del x.node.meta["free"]
            return x
    if "scores" in x.source and b.fixed and _is_causal(b.small):
        mask = Known(*(b.small.reshape(b.small.shape[-2:]),) * 2)
        found = build.each(x, lambda node: build.call(torch.add, node, build.parameter(mask, "mask")))
        return replace(found, source={"masked": x})
    return None


def fused_product(build: Build, a: View, b: View | Known) -> View | None:
    """A product that is the factor of a norm before it, or the last step of an activation."""
    if isinstance(b, Known):
        module = _made(build, a)
        if _affine(module) and "plain" in a.node.meta and a.factor == 1 and b.fixed:
            return _with_factor(a, module, b)
        if b.number is not None and near(b.number, 0.5):
            return _gelu(build, a, None, 0.5)
        return None
    for one, two in ((a, b), (b, a)):
        x, gate = cast(Any, one.node), cast(Any, two.node)
        if two.plain and one.axes == one.base and two.factor == 1 and one.factor == 1:
            pairs = ((torch.sigmoid, F.silu), (F.hardsigmoid, F.hardswish))
            for inner, outer in pairs:
                if called(gate, inner) and gate.args[0] is x:
                    return build.give(outer, x)
            if called(gate, torch.tanh) and called(gate.args[0], F.softplus) and gate.args[0].args[0] is x:
                return build.give(F.mish, x)
        found = _gelu(build, one, two, one.factor * two.factor)
        if found is not None:
            return found
    return None


def _gelu(build: Build, one: View, two: View | None, factor: float) -> View | None:
    """x · (1 + erf(x/√2)) / 2 in any order; the half may come last."""
    if two is None:
        held = one.source.get("gelu")
        if held is None or not near(one.factor * factor, 0.5):
            return None
        return build.give(F.gelu, held[0], **held[1])
    gate: Any = two.node
    if not (called(gate, torch.add) and gate.args[1] == 1.0 and one.plain and two.plain):
        return None
    inner = gate.args[0]
    x: Any = one.node
    approximate: dict[str, str] = {}
    if called(inner, torch.erf):
        if not _times(inner.args[0], x, math.sqrt(0.5)):
            return None
    elif called(inner, torch.tanh):
        if not _tanh_form(inner.args[0], x):
            return None
        approximate = {"approximate": "tanh"}
    else:
        return None
    if near(factor, 0.5):
        return build.give(F.gelu, x, **approximate)
    if factor == 1.0:
        found = build.give(torch.mul, x, gate)
        return replace(found, source={"gelu": (x, approximate)})
    return None


def _times(node: Any, x: fx.Node, factor: float) -> bool:
    return called(node, torch.mul) and node.args[0] is x and near(float(node.args[1]), factor)


def _tanh_form(node: Any, x: fx.Node) -> bool:
    """√(2/π) · (x + 0.044715 · x³)."""
    if not (called(node, torch.mul) and near(float(node.args[1]), math.sqrt(2 / math.pi))):
        return False
    total = node.args[0]
    if not (called(total, torch.add) and x in total.args):
        return False
    cube: Any = next((item for item in total.args if item is not x), None)
    if not (called(cube, torch.mul) and isinstance(cube.args[1], float) and near(cube.args[1], 0.044715)):
        return False
    power = cube.args[0]
    return called(power, torch.mul) and called(power.args[0], torch.square) and power.args[0].args[0] is x


def fused_quotient(build: Build, a: View, b: View) -> View | None:
    """(x − mean) / √(variance + eps): a layer norm over the last axes."""
    top, bottom = cast(Any, a.node), cast(Any, b.node)
    if not (a.plain and b.plain and a.factor == b.factor == 1 and called(bottom, torch.sqrt)):
        return None
    inner = bottom.args[0]
    if not (called(inner, torch.add) and isinstance(inner.args[1], float) and called(inner.args[0], torch.mean)):
        return None
    mean = inner.args[0]
    square = mean.args[0]
    squared = called(square, torch.square) and square.args[0] is top
    if not squared or not called(top, torch.sub) or not called(top.args[1], torch.mean):
        return None
    x, first = top.args
    dims = mean.kwargs["dim"]
    rank = len(a.axes)
    if first.args[0] is not x or first.kwargs["dim"] != dims or list(dims) != list(range(rank - len(dims), rank)):
        return None
    shape = [pair[0] for pair in a.shape[rank - len(dims) :]]
    return norm(build, nn.LayerNorm(shape, eps=float(f"{inner.args[1]:.7g}"), elementwise_affine=False), "norm", x)


def norm(build: Build, module: nn.Module, word: str, x: Any) -> View:
    """A norm without factors yet, which those in the nodes after it may give it."""
    path = build.scopes.own(build.operation, word)
    found = view_of(build.module(module, free_path(build.root, path), x))
    found.node.meta["plain"] = True
    return found


def _with_factor(x: View, module: Any, b: Known) -> View | None:
    values = _channelwise(x, module, b)
    if values is None:
        return None
    weight = nn.Parameter(torch.from_numpy(np.array(values, dtype=np.float32)))
    module.weight, module.bias = weight, nn.Parameter(torch.zeros_like(weight))
    if isinstance(module, nn.GroupNorm):
        module.affine = True
    else:
        module.elementwise_affine = True
    del x.node.meta["plain"]
    x.node.meta["free"] = True
    return x


def _channelwise(x: View, module: Any, b: Known) -> Any:
    """The numbers in the shape that the norm wants; None when they are others."""
    array = b.small
    if isinstance(module, nn.GroupNorm):
        channels = module.num_channels
        fits = array.size == channels and x.rank > 1 and array.ndim in (x.rank - 1, x.rank)
        return array.reshape(-1) if fits and array.shape[-(x.rank - 1)] == channels else None
    shape = tuple(module.normalized_shape)
    while array.ndim > len(shape) and array.shape[0] == 1:
        array = array[0]
    return array if array.shape == shape and x.plain else None


def _affine(module: Any) -> bool:
    return isinstance(module, (nn.LayerNorm, nn.GroupNorm))


def _made(build: Build, x: View) -> Any:
    """The module whose result this is, when it has no other reader."""
    if x.node.op != "call_module" or build.operation is None:
        return None
    named = [name for name in build.operation.inputs if build.known.get(name) is x]
    if not named or build.uses.get(named[0], 0) > 1:
        return None
    return build.root.get_submodule(str(x.node.target))


def attention(build: Build, weights: View, values: View) -> View | None:
    """softmax(q·kᵀ/√width) · v as one layer, causal or not; None when it is something else."""
    scores = weights.source.get("softmax")
    if scores is None or weights.factor != 1:
        return None
    causal = False
    if "masked" in scores.source:
        if scores.factor != 1:
            return None
        scores, causal = scores.source["masked"], True
    if "scores" not in scores.source:
        return None
    query, key = scores.source["scores"]
    width = query.shape[-1][0]
    if not near(scores.factor, 1 / math.sqrt(width)):
        return None
    turned = key.permuted([*range(key.rank - 2), key.rank - 1, key.rank - 2])
    try:
        q, k, v = (build.node(replace(item.opened(), factor=1.0)) for item in (query, turned, values))
    except Exception:
        return None
    settings = {"is_causal": True} if causal else {}
    found = view_of(build.call(F.scaled_dot_product_attention, q, k, v, **settings))
    if values.joined:
        opened = values.opened()
        base = (*query.opened().axes[:-1], opened.axes[-1])
        return View(found.node, base, (*query.axes[:-1], values.axes[-1]))
    return found


def _is_causal(mask: Any) -> bool:
    """Zero at and before each step, and so low after it that nothing passes."""
    plain = mask.reshape(mask.shape[-2:]) if mask.size == mask.shape[-1] * mask.shape[-2] else None
    if plain is None or plain.shape[0] != plain.shape[1] or plain.shape[0] < 2:
        return False
    after = np.triu(np.ones(plain.shape, dtype=bool), 1)
    return bool((plain[~after] == 0).all() and (plain[after] < -1e4).all())
