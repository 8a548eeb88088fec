"""Operations that the catalogue has layers for: torch's functions, methods of tensors, and Python's operators.

Each handler takes a `Call` and the arguments of the operation by torch's own names, as wires, numbers or weights, and
returns what the call gives. Further handlers stand in `arithmetic` and `shaping`; `HANDLERS` holds them all.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from engine.runtime.importing.call import Call, Wire
from engine.runtime.importing.layers import size

Handler = Callable[..., Any]
HANDLERS: dict[Any, Handler] = {}
"""By function, or by the name of a method of tensors."""


def handles(*targets: Any) -> Callable[[Handler], Handler]:
    """Registers a handler for functions and for methods by name."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(targets, handler))
        return handler

    return register


def wire(call: Call, value: Any, what: str = "input") -> Wire:
    """The value as a wire; refuses anything else."""
    if not isinstance(value, Wire):
        call.refuse(f"its {what} is no tensor that comes from the samples")
    return value


def whole(call: Call, value: Any) -> Wire:
    """A wire whose batch stands first."""
    found = wire(call, value)
    if found.batch != 0:
        call.refuse(f"the batch stands on axis {found.batch} there instead of the first")
    return found


def number(call: Call, value: Any, what: str) -> Any:
    """A plain number; refuses what depends on the batch or on samples."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        call.refuse(f"its {what} is not a plain number")
    return value


def sample_axis(call: Call, x: Wire, dim: Any) -> int:
    """Our number of torch's axis `dim`; refuses the batch."""
    found = x.axis(number(call, dim, "axis"))
    if found is None:
        call.refuse("it acts along the batch")
    return found


def keep(x: Any) -> Any:
    """What changes no number."""
    return x


@handles("contiguous", "clone", "detach", torch.clone)
def _same(call: Call, x: Any, **_: Any) -> Any:
    return x


@handles("float", "to", "type_as")
def _typed(call: Call, x: Any, *args: Any, **kwargs: Any) -> Any:
    before, after = x.dtype, str(call.values[0].dtype).removeprefix("torch.")
    if before != after:
        call.refuse(f"it turns {before} into {after}")
    return x


_ACTIVATIONS: dict[str, tuple[str, dict[str, str]]] = {
    "relu": ("relu", {}), "relu6": ("relu6", {}), "gelu": ("gelu", {"approximate": "approximate"}),
    "silu": ("silu", {}), "mish": ("mish", {}), "sigmoid": ("sigmoid", {}), "tanh": ("tanh", {}),
    "hardsigmoid": ("hard_sigmoid", {}), "hardswish": ("hard_swish", {}), "selu": ("selu", {}),
    "leaky_relu": ("leaky_relu", {"negative_slope": "slope"}), "elu": ("elu", {"alpha": "alpha"}),
    "celu": ("celu", {"alpha": "alpha"}), "softplus": ("softplus", {"beta": "beta", "threshold": "threshold"}),
    "softsign": ("softsign", {}), "logsigmoid": ("log_sigmoid", {}), "tanhshrink": ("tanh_shrink", {}),
    "hardtanh": ("hard_tanh", {"min_val": "low", "max_val": "high"}),
}  # fmt: skip


def _activation(kind: str, names: dict[str, str]) -> Handler:
    order = list(names)

    def handler(call: Call, input: Any, *args: Any, inplace: bool = False, **kwargs: Any) -> Wire:
        given = dict(zip(order, args, strict=False)) | kwargs
        x = wire(call, input)
        return call.step(kind, {names[key]: value for key, value in given.items()}, x, name=kind)

    return handler


for _name, (_kind, _names) in _ACTIVATIONS.items():
    _found = _activation(_kind, _names)
    for _home in (F, torch):
        for _spelt in (_name, f"{_name}_"):
            if hasattr(_home, _spelt):
                HANDLERS[getattr(_home, _spelt)] = _found
    HANDLERS[_name] = HANDLERS[f"{_name}_"] = _found


@handles(F.softmax, torch.softmax, "softmax", F.log_softmax, torch.log_softmax, "log_softmax")
def _softmax(call: Call, input: Any, dim: Any = None, dtype: Any = None, **_: Any) -> Wire:
    x = wire(call, input)
    if dim is None:
        call.refuse("it does not say along which axis")
    axis = sample_axis(call, x, dim)
    kind = "log_softmax" if "log" in str(call.node.target) else "softmax"
    return call.step(kind, {"axis": -1 if axis == len(x.shape) - 1 else axis}, x, name=kind)


@handles(F.dropout, F.dropout2d, F.dropout1d)
def _dropout(call: Call, input: Any, p: Any = 0.5, training: Any = True, inplace: bool = False) -> Any:
    # Followed in both modes, `training` has been seen on and off: a layer that follows the mode.
    kinds: dict[Any, str] = {F.dropout: "dropout", F.dropout1d: "dropout1d", F.dropout2d: "dropout2d"}
    return call.step(kinds[call.node.target], {"rate": p}, whole(call, input), name="dropout")


@handles(F.max_pool2d, torch.max_pool2d)
def _max_pool(
    call: Call, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Wire:  # fmt: skip
    settings = {
        "kernel": _pair(kernel_size), "stride": None if stride is None else _pair(stride), "padding": _pair(padding),
        "dilation": _pair(dilation), "ceil": ceil_mode,
    }  # fmt: skip
    if settings["stride"] == settings["kernel"]:
        settings["stride"] = None
    return call.step("max_pool2d", settings, whole(call, input), name="pool")


@handles(F.avg_pool2d)
def _avg_pool(
    call: Call, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: Any = None,
) -> Wire:  # fmt: skip
    if divisor_override is not None:
        call.refuse("divisor_override has no setting")
    settings = {
        "kernel": _pair(kernel_size), "stride": None if stride is None else _pair(stride), "padding": _pair(padding),
        "ceil": ceil_mode, "count_padding": count_include_pad,
    }  # fmt: skip
    if settings["stride"] == settings["kernel"]:
        settings["stride"] = None
    return call.step("avg_pool2d", settings, whole(call, input), name="pool")


@handles(F.adaptive_avg_pool2d, F.adaptive_max_pool2d)
def _adaptive(call: Call, input: Any, output_size: Any, **_: Any) -> Wire:
    kind = "adaptive_max_pool2d" if "max" in str(call.node.target) else "adaptive_avg_pool2d"
    return call.step(kind, {"size": _pair(output_size)}, whole(call, input), name="pool")


@handles(F.interpolate)
def _interpolate(
    call: Call, input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: Any = None, recompute_scale_factor: Any = None, antialias: bool = False,
) -> Wire:  # fmt: skip
    x = whole(call, input)
    if align_corners or antialias or recompute_scale_factor:
        call.refuse("aligned corners and antialiasing have no setting")
    if scale_factor is not None and float(scale_factor).is_integer():
        return call.step("upsample", {"scale": int(scale_factor), "mode": mode}, x, name="upsample")
    if size is None:
        call.refuse("it enlarges by a factor that is no whole number")
    return call.step("upsample", {"size": _pair(size), "mode": mode}, x, name="upsample")


@handles(F.pad)
def _pad(call: Call, input: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    x = whole(call, input)
    sides = [number(call, side, "padding") for side in pad]
    if not any(sides):
        return x
    if mode != "constant" or value not in (None, 0, 0.0) or len(sides) > 4 or len(x.shape) != 3 or min(sides) < 0:
        call.refuse("only images can be padded, with zeros, at their sides")
    names = ("left", "right", "top", "bottom")
    sides += [0] * (4 - len(sides))
    return call.step("zero_pad2d", dict(zip(names, sides, strict=True)), x, name="pad")


def _pair(value: Any) -> Any:
    return size(tuple(value)) if isinstance(value, (list, tuple)) else value


@handles(operator.getitem)
def _getitem(call: Call, x: Any, key: Any) -> Any:
    if isinstance(x, (tuple, list)):
        return x[key]
    return HANDLERS["[]"](call, x, key)
