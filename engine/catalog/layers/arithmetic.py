"""Arithmetic: differences, quotients, products of matrices, sums over axes, functions number by number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine.catalog.layers.merge import batched, refuse_axis, refuse_unequal
from engine.declare import Refusal, layer
from engine.expr import render
from engine.param import Ints, param
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    from engine.expr import torch

FAMILY = "merge"
_STRETCH = param(
    default=False, was=("broadcast",), advanced=True,
    help="Let axes of size 1 count for every place of the larger branch, as PyTorch does",
)  # fmt: skip


@layer("subtract", title="Subtract", was=("Subtract",), search=("difference", "minus", "sub"), accepts="numbers")
class Subtract:
    """The first branch minus the second, number by number. Use it to compare two paths or to take a mean away. Both
    must have the same shape, which is also the result's.
    """

    stretch: bool = _STRETCH

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a - b

    def refuse(self, a: TensorInfo, b: TensorInfo) -> Refusal | None:
        return refuse_unequal((a, b), stretch=self.stretch)


@layer("divide", title="Divide", was=("Divide",), search=("quotient", "ratio", "div"), accepts="numbers")
class Divide:
    """The first branch divided by the second, number by number. Use it to scale a branch by a measure of another; a
    divisor of 0 gives infinity. Both must have the same shape, which is also the result's.
    """

    stretch: bool = _STRETCH

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a / b

    def refuse(self, a: TensorInfo, b: TensorInfo) -> Refusal | None:
        return refuse_unequal((a, b), stretch=self.stretch)


@layer(
    "matmul", title="Matrix Product", was=("MatMul", "Dot"),
    search=("matrix multiplication", "dot", "bmm", "attention"), accepts="numbers",
)  # fmt: skip
class MatMul:
    """Multiplies two matrices of each sample: rows of the first with columns of the second. Use it to write attention
    out by hand. The last axis of the first must be as long as the last but one of the second; axes before are kept.
    """

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a @ b

    def refuse(self, a: TensorInfo, b: TensorInfo) -> Refusal | None:
        if min(a.rank, b.rank) >= 2 and a.shape[-1] == b.shape[-2] and a.shape[:-2] == b.shape[:-2]:
            return None
        return Refusal(
            f"A matrix of {a} cannot be multiplied by one of {b}.",
            "Rows of the first as long as columns of the second, and the same axes before them",
            "Put a Permute before one of them",
        )


@layer("scale", title="Scale", was=("Scale",), search=("constant factor", "times", "rescaling"), accepts="numbers")
class Scale:
    """Multiplies, or divides, every number by a fixed one. Use it to bring a branch to another size, as attention does
    with 1/√width. Nothing is learned; the shape stays.
    """

    factor: float = param(default=2.0, min=-1e12, max=1e12, help="The fixed number")
    divide: bool = param(default=False, help="Divide by it instead of multiplying")

    def forward(self, x: Tensor) -> Tensor:
        return x / self.factor if self.divide else x * self.factor

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if self.factor or not self.divide:
            return None
        return Refusal("It would divide by 0.", "A number other than 0", "Use 1", {"factor": 1.0})

    def detail(self) -> str:
        return f"{'÷' if self.divide else '×'} {self.factor:.4g}"


@layer("shift", title="Shift", was=("Shift",), search=("constant", "offset", "plus"), accepts="numbers")
class Shift:
    """Adds a fixed number to every number. Use it to move a branch, for example from −1 … 1 to 0 … 2. Nothing is
    learned; the shape stays.
    """

    amount: float = param(default=1.0, min=-1e12, max=1e12, help="The fixed number")

    def forward(self, x: Tensor) -> Tensor:
        return x + self.amount

    def detail(self) -> str:
        return f"{self.amount:+.4g}"


FUNCTIONS = ("exp", "log", "sqrt", "rsqrt", "abs", "square", "reciprocal", "sin", "cos")


@layer(
    "elementwise", title="Function", was=("Lambda",), search=(*FUNCTIONS, "logarithm", "root", "number by number"),
    accepts="numbers",
)  # fmt: skip
class Elementwise:
    """A function of each number by itself. The logarithm and root of negative numbers are not defined and give NaN.
    Nothing is learned; the shape stays.
    """

    function: str = param(
        default="exp", choices=FUNCTIONS, help="rsqrt is 1/√x; the others are called as in mathematics"
    )

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = getattr(torch, self.function)(x)
        return found

    def detail(self) -> str:
        return self.function


@layer("reduce", title="Sum, Max, Min", was=("Reduce",), search=("sum over axes", "pooling", "amax"), accepts="numbers")
class Reduce:
    """The sum, largest or smallest number over one or more axes of a sample. The axes disappear unless you keep them
    with size 1; for the average use Mean.
    """

    how: str = param(default="sum", choices=("sum", "max", "min"), help="What is taken over the axes")
    axes: Ints = param(default=(0,), min=-8, max=8, help="Axes to go over, counted from 0 without the batch")
    keep: bool = param(default=False, was=("keepdim",), help="Keep the axes with size 1")

    def forward(self, x: Tensor) -> Tensor:
        dims = tuple(batched(axis) for axis in self.axes)
        call: Any = {"sum": x.sum, "max": x.amax, "min": x.amin}[self.how]
        dim = dims[0] if len(dims) == 1 else dims
        found: Tensor = call(dim=dim, keepdim=True) if self.keep else call(dim=dim)
        return found

    def refuse(self, x: TensorInfo) -> Refusal | None:
        for axis in self.axes:
            fault = refuse_axis(x, axis, {"axes": (0,)})
            if fault:
                return fault
        if self.axes and len({axis % x.rank for axis in self.axes}) == len(self.axes):
            return None
        return Refusal(
            "An axis is named twice." if self.axes else "No axis is named.",
            "At least one axis, each once", "Use 0", {"axes": (0,)},
        )  # fmt: skip

    def detail(self) -> str:
        return f"{self.how} over {', '.join(map(str, self.axes))}"[:28]


@layer("einsum", title="Einsum", was=("Einsum",), search=("einstein", "tensor product", "contract"), accepts="numbers")
class Einsum:
    """Sums of products of branches, written with a letter per axis: `bik,bkj->bij` multiplies matrices. The first
    letter of each branch and of the result must be the same one, which stands for the batch.
    """

    equation: str = param(
        default="b...,b...->b...", help="A letter per axis, the batch first; what stands behind -> is kept"
    )

    def forward(self, *xs: Tensor) -> Tensor:
        return torch.einsum(self.equation, *xs)

    def refuse(self, *xs: TensorInfo) -> Refusal | None:
        sides = re.fullmatch(r"([A-Za-z., ]+)->([A-Za-z. ]+)", self.equation)
        if sides is None:
            return Refusal(
                f"{render(self.equation[:40])} is no sum of products.",
                "Letters, commas and one ->, as in bik,bkj->bij",
                "Write one term per branch, each with the batch first",
            )  # fmt: skip
        terms = [*sides[1].split(","), sides[2]]
        if len(terms) - 1 != len(xs):
            return Refusal(
                f"The equation has {len(terms) - 1} terms, but {len(xs)} branches arrive.", "A term per branch",
                "Wire as many branches as there are terms",
            )  # fmt: skip
        if len({term.strip()[:1] for term in terms}) == 1:
            return None
        return Refusal(
            "The terms do not begin with the same letter.",
            "The batch first in every term and in the result",
            "Begin every term with b",
        )

    def detail(self) -> str:
        return self.equation[:28]
