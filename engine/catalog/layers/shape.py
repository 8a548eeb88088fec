"""Changing the shape of a sample."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Literal

from engine.concise import concise
from engine.declare import Refusal, layer
from engine.param import Ints, Size, param
from engine.sliding import size_text
from engine.tensor import TensorInfo, shape_text

if TYPE_CHECKING:
    from torch import Tensor, nn
else:
    from engine.expr import nn

FAMILY = "merge"
Mode = Literal["nearest", "linear", "bilinear", "bicubic", "trilinear"]


@layer("flatten", title="Flatten", was=("Flatten",), search=("vector", "reshape", "view"))
class Flatten:
    """Turns a sample of any shape into one vector with all its numbers. Use it between images and Linear layers.
    The order is channels, rows, columns; Keras has rows, columns, channels, so weights cannot be copied over as is.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Flatten()

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if x.rank:
            return None
        return Refusal("A sample is a single number.", "A sample with at least one axis", "Remove this layer")


@layer("reshape", title="Reshape", was=("Reshape",), search=("view", "unflatten", "resize"))
class Reshape:
    """Arranges the numbers of a sample in another shape, in the same order. Use it to turn a vector into maps, or an
    image into a sequence of rows. One size may be −1: it is worked out from the rest. To swap axes use Permute.
    """

    target: Ints = param(
        default=(-1,), min=-1, was=("target_shape", "shape"),
        help="The new shape without the batch, such as 1, 8, 8; −1 once for the size that follows from the others",
    )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], *self.target)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        known = prod(size for size in self.target if size != -1)
        open_ = self.target.count(-1)
        sound = bool(self.target) and 0 not in self.target and open_ <= 1
        if sound and (x.size % known == 0 if open_ else x.size == known):
            return None
        target = shape_text(self.target) if self.target else "nothing"
        mend = self._closest(x) if sound else (-1,)
        return Refusal(
            f"A sample of {x} has {x.size:,} numbers, which do not fill {target}.",
            f"Sizes that multiply to {x.size:,}, of which one may be −1",
            f"Use {', '.join(map(str, mend))}",
            {"target": mend},
        )

    def _closest(self, x: TensorInfo) -> tuple[int, ...]:
        # The first size gives way when the others fit; else everything goes into one vector.
        rest = self.target[1:]
        return (-1, *rest) if -1 not in rest and x.size % prod(rest) == 0 else (-1,)

    def detail(self) -> str:
        return f"to {shape_text(self.target)}"[:28]


@layer("permute", title="Permute", was=("Permute",), search=("transpose", "swap axes", "channels last"))
class Permute:
    """Puts the axes of a sample in another order. Use it to turn channels×length into steps×features for recurrent
    layers and attention, or channels first into channels last. Axes count from 0 here, from 1 in Keras.
    """

    order: Ints = param(
        default=(1, 0), min=0, max=8,
        help="Old axes in their new order, counted from 0 without the batch: 1, 0 swaps two",
    )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, *(axis + 1 for axis in self.order))

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if sorted(self.order) == list(range(x.rank)):
            return None
        mend = tuple(reversed(range(x.rank)))
        return Refusal(
            f"The order {', '.join(map(str, self.order)) or '(empty)'} does not name every axis of {x} once.",
            f"The numbers 0 to {x.rank - 1}, each once" if x.rank else "A sample with axes",
            f"Use {', '.join(map(str, mend))}" if x.rank else "Remove this layer",
            {"order": mend} if x.rank else None,
        )

    def detail(self) -> str:
        return f"axes {', '.join(map(str, self.order))}"[:28]


@layer(
    "upsample", title="Upsample", was=("Upsample",), search=("UpSampling2D", "interpolate", "enlarge", "resize"),
    accepts="maps",
)  # fmt: skip
class Upsample:
    """Enlarges maps by repeating or blending neighbours, without weights. Use it in decoders, before a convolution.
    Give a factor, or a size to reach; channels stay.
    """

    scale: Size = param(default=2, min=1, max=64, was=("scale_factor",), help="How many times larger each side gets")
    size: Size | None = param(
        default=None, min=1, unit="px", help="The size to reach, a side or height and width; none: by the factor"
    )
    mode: Mode = param(
        default="nearest",
        choices=("nearest", "linear", "bilinear", "bicubic", "trilinear"),
        help="nearest repeats; linear blends signals, bilinear and bicubic images, trilinear volumes",
    )

    def build(self, x: TensorInfo) -> nn.Module:
        scale = None if self.size is not None else self.scale
        return concise(nn.Upsample, size=self.size, scale_factor=scale, mode=self.mode)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        wanted = self.scale if self.size is None else self.size
        if isinstance(wanted, tuple) and x.rank != 3:
            name = "scale" if self.size is None else "size"
            return Refusal(
                f"The {name} {shape_text(wanted)} is a pair, but {x} is no image.",
                "One number for signals and volumes", f"Use {wanted[0]}", {name: wanted[0]},
            )  # fmt: skip
        fitting = {2: ("linear",), 3: ("bilinear", "bicubic"), 4: ("trilinear",)}[x.rank]
        if self.mode in ("nearest", *fitting):
            return None
        return Refusal(
            f"The mode {self.mode} does not exist for a sample of {x}.",
            f"nearest or {' or '.join(fitting)}", f"Use {fitting[0]}", {"mode": fitting[0]},
        )  # fmt: skip

    def detail(self) -> str:
        if self.size is not None:
            return f"to {size_text(self.size)}, {self.mode}"[:28]
        return f"×{self.scale if isinstance(self.scale, int) else size_text(self.scale)}, {self.mode}"[:28]


@layer(
    "zero_pad2d", title="Zero Pad 2D", was=("ZeroPad2d",), search=("ZeroPadding2D", "border", "margin"),
    accepts="image",
)  # fmt: skip
class ZeroPad2d:
    """Puts a border of zeros around an image. Use it where a convolution needs a different border on each side. The
    result is higher by top + bottom and wider by left + right.
    """

    left: int = param(default=1, min=0, max=4096, unit="px", help="Columns of zeros at the left")
    right: int = param(default=1, min=0, max=4096, unit="px", help="Columns of zeros at the right")
    top: int = param(default=1, min=0, max=4096, unit="px", help="Rows of zeros above")
    bottom: int = param(default=1, min=0, max=4096, unit="px", help="Rows of zeros below")

    def build(self, x: TensorInfo) -> nn.Module:
        border = (self.left, self.right, self.top, self.bottom)
        return nn.ZeroPad2d(border[0] if len(set(border)) == 1 else border)

    def detail(self) -> str:
        border = (self.left, self.right, self.top, self.bottom)
        return f"{border[0]} px" if len(set(border)) == 1 else " ".join(map(str, border))[:28]
