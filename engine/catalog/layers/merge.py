"""Merging branches and reducing axes."""

from __future__ import annotations

from functools import reduce
from operator import add, mul
from typing import TYPE_CHECKING

from engine.declare import Refusal, layer
from engine.param import Ints, param
from engine.stretching import stretched
from engine.tensor import TensorInfo, shape_text

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
else:
    from engine.expr import nn, torch


_STRETCH = param(
    default=False, was=("broadcast",), advanced=True,
    help="Let axes of size 1 count for every place of the larger branch, as PyTorch does: one number per channel then "
    "meets a whole image",
)  # fmt: skip


@layer("add", title="Add", was=("Add",), search=("sum", "skip connection", "residual", "plus"), accepts="numbers")
class Add:
    """Adds branches number by number. Use it to join a skip connection to the main path, as in residual networks.
    All branches must have the same shape, which is also the result's; PyTorch would stretch smaller ones silently.
    """

    stretch: bool = _STRETCH

    def forward(self, *xs: Tensor) -> Tensor:
        return reduce(add, xs)

    def refuse(self, *xs: TensorInfo) -> Refusal | None:
        return _too_few(xs) or refuse_unequal(xs, stretch=self.stretch)


@layer("multiply", title="Multiply", was=("Multiply",), search=("product", "gate", "times"), accepts="numbers")
class Multiply:
    """Multiplies branches number by number. Use it for gates: one branch says how much of the other passes. All
    branches must have the same shape, which is also the result's; a gate with one number per channel needs `stretch`.
    """

    stretch: bool = _STRETCH

    def forward(self, *xs: Tensor) -> Tensor:
        return reduce(mul, xs)

    def refuse(self, *xs: TensorInfo) -> Refusal | None:
        return _too_few(xs) or refuse_unequal(xs, stretch=self.stretch)


@layer("average", title="Average", was=("Average",), search=("mean of branches", "ensemble"), accepts="numbers")
class Average:
    """The mean of several branches, number by number. Use it to combine paths or an ensemble. All branches must have
    the same shape; to average over axes of one branch use Mean.
    """

    def forward(self, *xs: Tensor) -> Tensor:
        return reduce(add, xs) / len(xs)

    def refuse(self, *xs: TensorInfo) -> Refusal | None:
        return _too_few(xs) or refuse_unequal(xs)


@layer(
    "concatenate", title="Concatenate", was=("Concatenate", "concat", "cat"),
    search=("join", "stack", "torch.cat", "densenet", "unet"), accepts="numbers",
)  # fmt: skip
class Concatenate:
    """Puts branches one after the other along an axis, in the order of the wires. Use it to hand on everything from
    several paths, as in DenseNet and U-Net. The sizes add up along that axis; all others must be equal.
    """

    axis: int = param(
        default=0, min=-8, max=8, help="Along which axis, counted from 0 without the batch; 0 is the channels"
    )

    def forward(self, *xs: Tensor) -> Tensor:
        return torch.cat(xs, dim=batched(self.axis))

    def refuse(self, *xs: TensorInfo) -> Refusal | None:
        rank = xs[0].rank if xs else 0
        fault = _too_few(xs) or refuse_axis(xs[0], self.axis, {"axis": 0})
        if fault:
            return fault
        place = self.axis % rank
        others = {x.shape[:place] + x.shape[place + 1 :] for x in xs if x.rank == rank}
        if len(others) == 1 and all(x.rank == rank for x in xs):
            return None
        mend = _axis_that_differs(xs)
        return Refusal(
            f"The branches are {' and '.join(map(str, xs))}: they differ along other axes than {self.axis}.",
            f"Equal sizes along every axis but {self.axis}",
            "Concatenate along the axis that differs" if mend else "Resize, crop or flatten the branches first",
            mend,
        )

    def detail(self) -> str:
        return f"axis {self.axis}"


@layer("mean", title="Mean", was=("Mean",), search=("reduce", "average over", "pooling"), accepts="numbers")
class Mean:
    """The average over one or more axes of a sample. Use it to turn a sequence into one vector or maps into one
    number per channel. The averaged axes disappear unless you keep them with size 1; to average branches use Average.
    """

    axes: Ints = param(default=(0,), min=-8, max=8, help="Axes to average over, counted from 0 without the batch")
    keep: bool = param(default=False, was=("keepdim",), help="Keep the averaged axes with size 1")

    def forward(self, x: Tensor) -> Tensor:
        dims = tuple(batched(axis) for axis in self.axes)
        dim = dims[0] if len(dims) == 1 else dims
        return x.mean(dim=dim, keepdim=True) if self.keep else x.mean(dim=dim)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        for axis in self.axes:
            fault = refuse_axis(x, axis, {"axes": (0,)})
            if fault:
                return fault
        places = {axis % x.rank for axis in self.axes}
        if self.axes and len(places) == len(self.axes):
            return None
        mend = tuple(sorted(places)) or (0,)
        return Refusal(
            "An axis is named twice." if self.axes else "No axis is named.",
            "At least one axis, each once", f"Use {', '.join(map(str, mend))}", {"axes": mend},
        )  # fmt: skip

    def detail(self) -> str:
        return f"over axis {', '.join(map(str, self.axes))}"[:28]


@layer("identity", title="Identity", was=("Identity",), search=("pass through", "nothing", "linear activation"))
class Identity:
    """Hands on what arrives, unchanged. Use it as a named place to look at, or to keep a branch that does nothing.
    The shape stays.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Identity()


def batched(axis: int) -> int:
    """torch's number of an axis that is counted without the batch."""
    return axis + 1 if axis >= 0 else axis


def refuse_axis(x: TensorInfo, axis: int, mend: dict[str, object]) -> Refusal | None:
    """An axis must exist in a sample."""
    if -x.rank <= axis < x.rank:
        return None
    if not x.rank:
        return Refusal("A sample is a single number, without any axis.", "A sample with axes", "Use it before this")
    return Refusal(
        f"There is no axis {axis} in a sample of {x}; axes are counted from 0 without the batch.",
        f"An axis from {-x.rank} to {x.rank - 1}", "Use axis 0", mend,
    )  # fmt: skip


def _too_few(xs: tuple[TensorInfo, ...]) -> Refusal | None:
    if len(xs) >= 2:
        return None
    return Refusal(
        "Only one branch arrives." if xs else "No branch arrives.", "Two or more wires",
        "Wire another layer to it, or remove this one",
    )  # fmt: skip


def refuse_unequal(xs: tuple[TensorInfo, ...], *, stretch: bool = False) -> Refusal | None:
    """Branches must have the same shape; with `stretch` one that the others can be stretched to."""
    shapes = list(dict.fromkeys(x.shape for x in xs))
    fits = stretched(shapes) is not None
    if len(shapes) == 1 or (stretch and fits):
        return None
    return Refusal(
        f"The branches have different shapes: {' and '.join(map(shape_text, shapes))}.",
        "Axes of the same size, or of size 1" if stretch else "The same shape on every wire; nothing is stretched "
        "silently",
        "Allow stretching: sizes of 1 then count for every place" if fits else
        "Bring the branches to one shape first, for images by a Conv 2D with kernel 1 and the right stride",
        {"stretch": True} if fits else None,
    )  # fmt: skip


def _axis_that_differs(xs: tuple[TensorInfo, ...]) -> dict[str, int] | None:
    if len({x.rank for x in xs}) > 1:
        return None
    differing = [axis for axis in range(xs[0].rank) if len({x.shape[axis] for x in xs}) > 1]
    return {"axis": differing[0]} if len(differing) == 1 else None
