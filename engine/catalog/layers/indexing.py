"""Parts of a sample, axes of size 1, and other orders of channels and pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.catalog.layers.merge import batched, refuse_axis
from engine.declare import Refusal, layer
from engine.expr import helpers
from engine.param import param
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    from torch import Tensor, nn
else:
    from engine.expr import nn

FAMILY = "merge"
_AXIS = param(default=0, min=-8, max=8, help="Along which axis, counted from 0 without the batch")


@layer("select", title="Select", was=("Select",), search=("index", "first token", "class token", "unbind"))
class Select:
    """Takes one place of an axis, which disappears: the first step of a sequence, or one channel. Use it behind a
    transformer whose first step carries the answer.
    """

    axis: int = _AXIS
    index: int = param(default=0, min=-(2**24), max=2**24, help="Which place, counted from 0; −1 is the last")

    def forward(self, x: Tensor) -> Tensor:
        return x.select(batched(self.axis), self.index)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        fault = refuse_axis(x, self.axis, {"axis": 0})
        if fault:
            return fault
        size = x.shape[self.axis]
        if -size <= self.index < size:
            return None
        return Refusal(
            f"There is no place {self.index} along axis {self.axis} of {x}, which has {size}.",
            f"A place from {-size} to {size - 1}", "Use the first, 0", {"index": 0},
        )  # fmt: skip

    def detail(self) -> str:
        return f"axis {self.axis}, place {self.index}"[:28]


@layer("slice", title="Slice", was=("Slice", "Chunk", "Crop"), search=("part", "chunk", "split", "narrow", "crop"))
class Slice:
    """Takes a run of places of an axis: half of the channels, or some steps of a sequence. Use several to split a
    branch into parts that go different ways. All other axes stay.
    """

    axis: int = _AXIS
    start: int = param(default=0, min=0, help="The first place, counted from 0")
    length: int = param(default=1, min=1, help="How many places")

    def forward(self, x: Tensor) -> Tensor:
        return x.narrow(batched(self.axis), self.start, self.length)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        fault = refuse_axis(x, self.axis, {"axis": 0})
        if fault:
            return fault
        size = x.shape[self.axis]
        if self.start + self.length <= size:
            return None
        start = min(self.start, size - 1)
        return Refusal(
            f"Places {self.start} to {self.start + self.length - 1} are asked for, but axis {self.axis} of {x} ends at "
            f"{size - 1}.",
            f"Places up to {size - 1}", f"Take {size - start} from {start}", {"start": start, "length": size - start},
        )  # fmt: skip

    def detail(self) -> str:
        return f"{self.start} to {self.start + self.length - 1} of axis {self.axis}"[:28]


@layer("unsqueeze", title="Add Axis", was=("Unsqueeze", "ExpandDims"), search=("new axis", "expand dims", "channel"))
class Unsqueeze:
    """Puts a new axis of size 1 before the one named. Use it to make a grey image of height×width into one with a
    channel, or to prepare for stretching.
    """

    axis: int = param(default=0, min=0, max=8, help="Where the new axis stands, counted from 0 without the batch")

    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(self.axis + 1)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if self.axis <= x.rank:
            return None
        return Refusal(
            f"A sample of {x} has {x.rank} axes, so a new one cannot stand at {self.axis}.",
            f"A place from 0 to {x.rank}", f"Use {x.rank}", {"axis": x.rank},
        )  # fmt: skip

    def detail(self) -> str:
        return f"axis {self.axis}"


@layer("squeeze", title="Drop Axis", was=("Squeeze",), search=("remove axis", "size 1"))
class Squeeze:
    """Drops an axis of size 1. Use it after pooling to one pixel, or for a single channel. No number is lost."""

    axis: int = _AXIS

    def forward(self, x: Tensor) -> Tensor:
        return x.squeeze(batched(self.axis))

    def refuse(self, x: TensorInfo) -> Refusal | None:
        fault = refuse_axis(x, self.axis, {"axis": 0})
        if fault or x.shape[self.axis] == 1:
            return fault
        single = next((axis for axis, size in enumerate(x.shape) if size == 1), None)
        return Refusal(
            f"Axis {self.axis} of {x} has {x.shape[self.axis]} places, so dropping it would lose numbers.",
            "An axis of size 1", "Remove this layer" if single is None else f"Use axis {single}",
            None if single is None else {"axis": single},
        )  # fmt: skip

    def detail(self) -> str:
        return f"axis {self.axis}"


@layer(
    "channel_shuffle", title="Channel Shuffle", was=("ChannelShuffle",), search=("shufflenet", "mix groups"),
    accepts="image",
)  # fmt: skip
class ChannelShuffle:
    """Deals the channels anew so that groups that were computed apart get mixed (Zhang et al. 2017). Put it between two
    grouped convolutions. The shape stays; nothing is learned.
    """

    groups: int = param(default=2, min=1, help="How many groups the channels come from; must divide them")

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.ChannelShuffle(self.groups)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if x.channels % self.groups == 0:
            return None
        return Refusal(
            f"{self.groups} groups do not divide {x.channels} channels evenly.",
            "A number of groups that divides the channels", "Use 1", {"groups": 1},
        )  # fmt: skip

    def detail(self) -> str:
        return f"{self.groups} groups"


@layer(
    "patch_merge", title="Patch Merge", was=("PatchMerging",), search=("swin", "downsample", "space to depth"),
    accepts="image",
)  # fmt: skip
class PatchMerge:
    """Puts the four pixels of each 2×2 square side by side as features: rows×columns×features become half as many rows
    and columns with four times the features (Liu et al. 2021). Features stand last here; an odd side gets zeros.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        made: nn.Module = helpers.PatchMerge()
        return made
