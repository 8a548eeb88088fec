"""Handlers of calls with weights: modules that give several results, and functions that are handed their weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from engine.runtime.importing.call import Call, Weight
from engine.runtime.importing.layers import size
from engine.runtime.importing.operations import handles, whole, wire

MODULES: dict[type, Callable[..., Any]] = {}
"""Modules of torch that take or give more than one tensor."""


def takes(*classes: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers what to do with the call of a module."""

    def register(handler: Callable[..., Any]) -> Callable[..., Any]:
        MODULES.update(dict.fromkeys(classes, handler))
        return handler

    return register


@takes(nn.MultiheadAttention)
def _attention(
    call: Call, module: nn.MultiheadAttention, query: Any, key: Any, value: Any, need_weights: bool = True,
    key_padding_mask: Any = None, attn_mask: Any = None, average_attn_weights: bool = True, is_causal: bool = False,
) -> Any:  # fmt: skip
    x = wire(call, query)
    if not (query == key == value):
        call.refuse("queries, keys and values come from different places")
    if key_padding_mask is not None or attn_mask is not None:
        call.refuse("masks have no setting")
    if x.batch != (0 if module.batch_first else 1):
        call.refuse("it was built for the batch on another axis than the one where it stands")
    if module.bias_k is not None or module.add_zero_attn or not module._qkv_same_embed_dim:
        call.refuse("its further settings (bias_k, add_zero_attn, kdim, vdim) have no counterpart")
    params = {
        "heads": module.num_heads, "dropout": float(module.dropout), "bias": module.in_proj_bias is not None,
        "stepwise": bool(need_weights),
    }  # fmt: skip
    values = call.first_of_each()
    made = call.step("multihead_attention", params, x, path=call.module_path, stateful=True, value=values)
    return (made, None)


@takes(nn.LSTM, nn.GRU)
def _recurrent(call: Call, module: Any, x: Any, state: Any = None) -> Any:
    x = wire(call, x)
    if state is not None or not module.bias or bool(getattr(module, "proj_size", False)):
        call.refuse("given first states, missing biases and projections have no setting")
    if x.batch != (0 if module.batch_first else 1):
        call.refuse("it was built for the batch on another axis than the one where it stands")
    params = {
        "units": module.hidden_size, "layers": module.num_layers, "bidirectional": module.bidirectional,
        "dropout": float(module.dropout), "returns": "sequence",
    }  # fmt: skip
    kind = "lstm" if isinstance(module, nn.LSTM) else "gru"
    values = call.first_of_each()
    return (call.step(kind, params, x, path=call.module_path, stateful=True, value=values), None)


def owner(call: Call, weight: Any, bias: Any = None, word: str = "weight") -> str:
    """The path of the module that holds a weight and a bias under their usual names."""
    if not isinstance(weight, Weight):
        call.refuse("its weight is computed")
    path, _, last = weight.path.rpartition(".")
    if last != word or not path:
        call.refuse(f"its weight is called {weight.path}, and a layer would keep it as `weight` of its own")
    if bias is not None and (not isinstance(bias, Weight) or bias.path != f"{path}.bias"):
        call.refuse(f"its bias does not stand beside {weight.path}")
    return path


@handles(F.linear)
def _linear(call: Call, input: Any, weight: Any, bias: Any = None) -> Any:
    path = owner(call, weight, bias)
    params = {"units": weight.tensor.shape[0], "bias": bias is not None}
    return call.step("linear", params, wire(call, input), path=path, stateful=True)


@handles(F.conv2d, torch.conv2d)
def _conv2d(
    call: Call, input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    path = owner(call, weight, bias)
    params = {
        "filters": weight.tensor.shape[0], "kernel": size(tuple(weight.tensor.shape[2:])), "stride": _pair(stride),
        "padding": _pair(padding), "dilation": _pair(dilation), "groups": groups, "bias": bias is not None,
    }  # fmt: skip
    return call.step("conv2d", params, whole(call, input), path=path, stateful=True)


@handles(F.layer_norm, torch.layer_norm)
def _layer_norm(
    call: Call, input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any
) -> Any:
    params = {"axes": len(normalized_shape), "eps": eps, "affine": weight is not None}
    x = wire(call, input)
    if weight is None:
        return call.step("layer_norm", params, x, name="norm")
    return call.step("layer_norm", params, x, path=owner(call, weight, bias), stateful=True)


@handles(F.embedding)
def _embedding(call: Call, input: Any, weight: Any, padding_idx: Any = None, **_: Any) -> Any:
    params = {"vocabulary": weight.tensor.shape[0], "width": weight.tensor.shape[1], "padding_id": padding_idx}
    return call.step("embedding", params, wire(call, input), path=owner(call, weight), stateful=True)


def _pair(value: Any) -> Any:
    return size(tuple(value)) if isinstance(value, (list, tuple)) else value
