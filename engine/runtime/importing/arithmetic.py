"""Handlers of arithmetic: sums and products of tensors, with numbers, and with weights that stand by themselves."""

from __future__ import annotations

import operator
from typing import Any

import torch
import torch.nn.functional as F

from engine.runtime.importing.call import Call, Weight, Wire
from engine.runtime.importing.operations import handles, number, sample_axis, whole, wire


@handles(operator.add, operator.iadd, torch.add, "add", "add_")
def _add(call: Call, a: Any, b: Any, alpha: Any = 1) -> Any:
    if alpha != 1:
        call.refuse("the factor alpha has no setting")
    return _joined(call, a, b, "add", "learned_shift", "shift", "amount")


@handles(operator.mul, operator.imul, torch.mul, "mul", "mul_")
def _mul(call: Call, a: Any, b: Any) -> Any:
    return _joined(call, a, b, "multiply", "learned_scale", "scale", "factor")


@handles(operator.sub, operator.isub, torch.sub, "sub", "sub_")
def _sub(call: Call, a: Any, b: Any) -> Any:
    if isinstance(a, Wire) and isinstance(b, (int, float)):
        return _plain(call, a, "shift", "amount", -b)
    return _ordered(call, a, b, "subtract")


@handles(operator.truediv, operator.itruediv, torch.div, "div", "div_")
def _div(call: Call, a: Any, b: Any) -> Any:
    if isinstance(a, Wire) and isinstance(b, (int, float)):
        return call.step("scale", {"factor": float(b), "divide": True}, a, name="scale")
    return _ordered(call, a, b, "divide")


@handles(operator.matmul, torch.matmul, torch.bmm, "matmul", "bmm", "__matmul__")
def _matmul(call: Call, a: Any, b: Any) -> Any:
    one, two = wire(call, a), wire(call, b, "second input")
    if one.batch != two.batch or one.batch > one.rank - 3 or one.rank != two.rank:
        call.refuse("the two do not have their batch and as many axes in the same places")
    return call.step("matmul", {}, one, two, name="matmul")


@handles(operator.neg, torch.neg, "neg")
def _neg(call: Call, x: Any) -> Any:
    return call.step("scale", {"factor": -1.0}, wire(call, x), name="negative")


_FUNCTIONS = ("exp", "log", "sqrt", "rsqrt", "abs", "square", "reciprocal", "sin", "cos")


def _function(kind: str) -> Any:
    return lambda call, x: call.step("elementwise", {"function": kind}, wire(call, x), name=kind)


for _kind in _FUNCTIONS:
    handles(getattr(torch, _kind), _kind)(_function(_kind))


@handles(torch.mean, "mean", torch.sum, "sum", torch.amax, "amax", torch.amin, "amin")
def _reduce(call: Call, x: Any, dim: Any = None, keepdim: bool = False, **_: Any) -> Any:
    x = wire(call, x)
    if dim is None:
        call.refuse("it reduces the batch too")
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    axes = tuple(sample_axis(call, x, item) for item in dims)
    kind = call.word
    if kind == "mean":
        return call.step("mean", {"axes": axes, "keep": keepdim}, x, name="mean")
    word = {"sum": "sum", "amax": "max", "amin": "min"}[kind]
    return call.step("reduce", {"axes": axes, "keep": keepdim, "how": word}, x, name=word)


@handles(torch.einsum)
def _einsum(call: Call, equation: str, *operands: Any) -> Any:
    items = operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    return call.step("einsum", {"equation": equation}, *(whole(call, item) for item in items), name="einsum")


@handles(F.scaled_dot_product_attention, torch.nn.functional.scaled_dot_product_attention)
def _attention(
    call: Call, query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: Any = 0.0,
    is_causal: bool = False, scale: Any = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    if attn_mask is not None or scale is not None or enable_gqa:
        call.refuse("masks, scales and grouped queries have no setting")
    if dropout_p:
        call.refuse("it drops weights of attention even while predicting")
    wires = [wire(call, item) for item in (query, key, value)]
    if len({item.batch for item in wires}) > 1:
        call.refuse("the three do not have their batch in the same place")
    return call.step("dot_product_attention", {"causal": is_causal}, *wires, name="attention")


def _joined(call: Call, a: Any, b: Any, merge: str, learned: str, constant: str, setting: str) -> Any:
    """A sum or product, whose order does not matter."""
    if isinstance(b, Wire) and not isinstance(a, Wire):
        a, b = b, a
    one = wire(call, a)
    if isinstance(b, Weight):
        return learn(call, one, b, learned)
    if isinstance(b, (int, float)) and not isinstance(b, bool):
        return _plain(call, one, constant, setting, b)
    two = wire(call, b, "second input")
    _aligned(call, one, two)
    return call.step(merge, {"stretch": True} if one.shape != two.shape else {}, one, two, name=merge)


def learn(call: Call, x: Wire, weight: Weight, kind: str) -> Any:
    """A learned factor or summand: a parameter that the code reads by itself."""
    if not isinstance(weight.tensor, torch.nn.Parameter):
        call.refuse(f"{weight.path} is a buffer, and fixed tensors have no layer")
    shape = tuple(weight.tensor.shape)
    if len(shape) > x.rank or x.batch != 0 or (len(shape) == x.rank and shape[0] != 1):
        call.refuse(f"{weight.path} of shape {shape} would be stretched over the batch")
    return call.step(kind, {"shape": shape}, x, path=weight.path, stateful=True)


def _ordered(call: Call, a: Any, b: Any, kind: str) -> Any:
    one, two = wire(call, a, "first input"), wire(call, b, "second input")
    _aligned(call, one, two)
    return call.step(kind, {"stretch": True} if one.shape != two.shape else {}, one, two, name=kind)


def _aligned(call: Call, one: Wire, two: Wire) -> None:
    """Both must have their batch in the same place from the last axis on."""
    if one.rank - one.batch != two.rank - two.batch or one.rank != two.rank:
        call.refuse("the two do not have their batch in the same place")


def _plain(call: Call, x: Wire, kind: str, setting: str, value: Any) -> Wire:
    return call.step(kind, {setting: float(number(call, value, "number"))}, x, name=kind)
