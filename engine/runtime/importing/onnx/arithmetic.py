"""Sums, products, quotients and powers, of samples with each other, with numbers, and with weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import fx

from engine.runtime.importing.onnx.build import Build, scaled
from engine.runtime.importing.onnx.file import Operation
from engine.runtime.importing.onnx.fusions import fused_product, fused_quotient, fused_sum
from engine.runtime.importing.onnx.table import fixed, operator, samples
from engine.runtime.importing.onnx.values import Known, View


@operator("Neg")
def _neg(build: Build, op: Operation, x: Any) -> View:
    return scaled(samples(build, x), -1.0)


@operator("Pow")
def _pow(build: Build, op: Operation, x: Any, power: Any) -> View:
    value = fixed(build, power, "power")
    view = samples(build, x)
    functions = {2.0: torch.square, 0.5: torch.sqrt, -0.5: torch.rsqrt, -1.0: torch.reciprocal}
    number = float(value.reshape(-1)[0]) if value.size == 1 else np.nan
    if number in functions:
        return build.each(view, lambda node: build.call(functions[number], node))
    if number == 3.0:
        return build.each(view, lambda node: build.call(torch.mul, build.call(torch.square, node), node))
    build.refuse("only the powers 2, 3, 1/2, −1/2 and −1 have a layer")


@operator("Add", "Sum", "Sub")
def _sum(build: Build, op: Operation, *values: Any) -> View:
    if op.kind == "Sum" and len(values) == 1:
        return samples(build, values[0])
    total = values[0]
    for value in values[1:]:
        total = _two(build, op, total, value)
    return total  # type: ignore[no-any-return]


def _two(build: Build, op: Operation, a: Any, b: Any) -> View:
    if isinstance(a, View) and isinstance(b, View):
        one, two = _together(build, a, b)
        return build.give(torch.sub if op.kind == "Sub" else torch.add, one, two)
    if op.kind == "Sub" and isinstance(a, Known):
        a, b = scaled(samples(build, b), -1.0), a
    elif op.kind == "Sub":
        b = Known(-b.small, -b.large, b.name)
    if isinstance(a, Known):
        a, b = b, a
    a = samples(build, a)
    found = fused_sum(build, a, b)
    if found is not None:
        return found
    if b.number is not None:
        number = b.number
        return a if number == 0 else build.each(a, lambda node: build.call(torch.add, node, number))
    return _beside(build, torch.add, a, b, "shift")


@operator("Mul")
def _product(build: Build, op: Operation, a: Any, b: Any) -> View:
    if isinstance(a, View) and isinstance(b, View):
        found = fused_product(build, a, b)
        if found is not None:
            return found
        one, two = _together(build, a, b)
        return build.give(torch.mul, one, two)
    if isinstance(a, Known):
        a, b = b, a
    if b.number is not None:
        found = fused_product(build, a, b)
        return found if found is not None else scaled(a, b.number)
    found = fused_product(build, a, b)
    if found is not None:
        return found
    return _beside(build, torch.mul, a, b, "scale")


@operator("Div")
def _quotient(build: Build, op: Operation, a: Any, b: Any) -> View:
    if isinstance(a, View) and isinstance(b, View):
        found = fused_quotient(build, a, b)
        if found is not None:
            return found
        one, two = _together(build, a, b)
        return build.give(torch.div, one, two)
    if isinstance(b, Known):
        if b.number:
            return scaled(samples(build, a), 1 / b.number)
        with np.errstate(divide="ignore"):
            a, b = samples(build, a), Known(np.float32(1) / b.small, np.float32(1) / b.large)
    else:
        a, b = build.give(torch.reciprocal, build.node(samples(build, b))), a
    turned: View = _product(build, op, a, b)
    return turned


@operator("Min", "Max")
def _bound(build: Build, op: Operation, a: Any, b: Any) -> View:
    if isinstance(a, Known):
        a, b = b, a
    if isinstance(b, Known) and b.number == 0 and op.kind == "Max":
        return build.each(samples(build, a), lambda node: build.call(F.relu, node))
    build.refuse("there is no layer for the larger or smaller of two numbers")


def _together(build: Build, a: View, b: View) -> tuple[fx.Node, fx.Node]:
    """Two views with as many axes as each other."""
    if a.rank != b.rank:
        low, high = sorted((a, b), key=lambda view: view.rank)
        raised = replace(low, axes=((),) * (high.rank - low.rank) + low.axes)
        a, b = (raised, b) if low is a else (a, raised)
    return build.node(a), build.node(b)


def _beside(build: Build, target: Any, x: View, value: Known, word: str) -> View:
    """A sum or product with fixed numbers, which become learned ones."""
    fitting = _fitting(build, x, value)
    if x.joined and fitting.small.ndim >= x.rank:
        build.refuse("its fixed numbers differ along an axis that the batch is joined with")
    return build.each(x, lambda node: build.call(target, node, build.parameter(fitting, word)))


def _fitting(build: Build, x: View, value: Known) -> Known:
    """Fixed numbers that act on samples of this shape; leading axes of size 1 go."""
    array = fixed(build, value, "second input")
    if array.ndim > x.rank:
        build.refuse("its fixed numbers have more axes than the samples")
    while array.ndim >= x.rank and array.shape[0] == 1 and "." not in value.name:
        array = array[0]
    return Known(array, array, value.name)
