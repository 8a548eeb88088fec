"""Normalisation: numbers of about the same size all through the network."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import TYPE_CHECKING

from engine.concise import concise
from engine.declare import Refusal, layer
from engine.expr import helpers
from engine.param import param
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    from torch import nn
else:
    from engine.expr import nn

_EPS = param(
    default=1e-5, min=1e-12, max=1.0, log=True, advanced=True,
    help="Added to the variance so that nothing is divided by zero; Keras uses 0.001",
)  # fmt: skip
_MOMENTUM = param(
    default=0.1, min=0.0, max=1.0, advanced=True,
    help="Weight of the newest batch in the running statistics; Keras counts the old ones: its 0.99 is 0.01 here",
)  # fmt: skip
_AXIS = param(
    default="channels", choices=("channels", "last", "all"), advanced=True,
    help="What has a mean and deviation of its own: each channel or feature (the first axis of a sample), each entry "
    "of the last axis, or each number of a sample",
)  # fmt: skip
_VARIANCE = param(
    default="unbiased", choices=("unbiased", "biased"), advanced=True, label="Running variance",
    help="Kept with the factor n / (n − 1), as PyTorch does, or without it, as Keras does",
)  # fmt: skip
_AFFINE = param(default=True, was=("elementwise_affine",), help="Learn a factor and a shift after normalising")
_AXES = param(default=1, min=1, max=5, help="Over how many of the last axes to normalise; 1: the features only")


class _BatchNorm:
    """What batch norms of any number of axes have in common: settings, and the module that they ask for."""

    momentum: float = _MOMENTUM
    eps: float = _EPS
    affine: bool = _AFFINE
    axis: str = _AXIS
    variance: str = _VARIANCE

    def made(self, plain: Callable[..., nn.Module], x: TensorInfo) -> nn.Module:
        """torch's own where it can do what is asked."""
        settings = {"eps": self.eps, "momentum": self.momentum, "affine": self.affine}
        if self.axis == "channels" and self.variance == "unbiased":
            return concise(plain, x.channels, **settings)
        count = {"channels": x.channels, "last": x.shape[-1], "all": x.size}[self.axis]
        biased = self.variance == "biased"
        module: nn.Module = concise(helpers.AxisBatchNorm, count, axis=self.axis, biased=biased, **settings)
        return module

    def detail(self) -> str:
        return {"channels": "", "last": "last axis", "all": "each number"}[self.axis]


@layer(
    "batch_norm1d", title="Batch Norm 1D", was=("BatchNorm1d",), search=("BatchNormalization", "bn"),
    accepts="channels1d",
)  # fmt: skip
class BatchNorm1d(_BatchNorm):
    """Gives each feature mean 0 and deviation 1 over the batch, then a learned factor and shift. Use it between
    Linear or Conv 1D layers to train faster and deeper. While predicting it uses running averages, no extra step is
    needed. Keras states momentum the other way round and keeps the biased variance, PyTorch the unbiased one.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return self.made(nn.BatchNorm1d, x)


@layer(
    "batch_norm2d", title="Batch Norm 2D", was=("BatchNorm2d",), search=("BatchNormalization", "bn"),
    accepts="image",
)  # fmt: skip
class BatchNorm2d(_BatchNorm):
    """Gives each channel of an image mean 0 and deviation 1 over the batch, then a learned factor and shift. Use it
    between a convolution and its activation; the convolution then needs no bias. While predicting it uses running
    averages. Keras states momentum the other way round: 0.99 there is 0.01 here.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return self.made(nn.BatchNorm2d, x)


@layer(
    "batch_norm3d", title="Batch Norm 3D", was=("BatchNorm3d",), search=("BatchNormalization", "bn", "volume"),
    accepts="volume",
)  # fmt: skip
class BatchNorm3d(_BatchNorm):
    """Gives each channel of a volume mean 0 and deviation 1 over the batch, then a learned factor and shift. Use it
    between a Conv 3D and its activation. While predicting it uses running averages. Keras states momentum the other
    way round: 0.99 there is 0.01 here.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return self.made(nn.BatchNorm3d, x)


@layer(
    "layer_norm", title="Layer Norm", was=("LayerNorm",), search=("LayerNormalization", "ln", "transformer"),
    accepts="features",
)  # fmt: skip
class LayerNorm:
    """Gives each sample mean 0 and deviation 1 over its features, then a learned factor and shift. Use it in
    transformers and recurrent networks: it does not depend on the batch. The shape stays.
    """

    axes: int = _AXES
    eps: float = _EPS
    affine: bool = _AFFINE

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.LayerNorm, _last(x, self.axes), eps=self.eps, elementwise_affine=self.affine)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return _too_many(x, self.axes)

    def detail(self) -> str:
        return "" if self.axes == 1 else f"over {self.axes} axes"


@layer(
    "channel_layer_norm", title="Channel Layer Norm", was=("LayerNorm2d",), search=("layer norm 2d", "convnext"),
    accepts="image",
)  # fmt: skip
class ChannelLayerNorm:
    """Gives the channels of each pixel mean 0 and deviation 1, then a learned factor and shift per channel. Use it in
    convolutional networks built like transformers, such as ConvNeXt: it does not depend on the batch. The shape stays.
    """

    eps: float = _EPS
    affine: bool = _AFFINE

    def build(self, x: TensorInfo) -> nn.Module:
        made: nn.Module = concise(helpers.ChannelLayerNorm, x.channels, eps=self.eps, elementwise_affine=self.affine)
        return made


@layer("group_norm", title="Group Norm", was=("GroupNorm",), search=("GroupNormalization", "gn"), accepts="channels")
class GroupNorm:
    """Splits the channels into groups and gives each group of each sample mean 0 and deviation 1. Use it in place
    of batch norm when batches are small. One group is a layer norm over everything; the shape stays.
    """

    groups: int = param(default=4, min=1, was=("num_groups",), help="How many groups; must divide the channels")
    eps: float = _EPS
    affine: bool = _AFFINE

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.GroupNorm, self.groups, x.channels, eps=self.eps, affine=self.affine)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if x.channels % self.groups == 0:
            return None
        fitting = gcd(x.channels, self.groups)
        return Refusal(
            f"{self.groups} groups do not divide {x.channels} channels evenly.",
            "A number of groups that divides the channels", f"Use {fitting}", {"groups": fitting},
        )  # fmt: skip

    def detail(self) -> str:
        return f"{self.groups:,} groups"


@layer("instance_norm2d", title="Instance Norm 2D", was=("InstanceNorm2d",), search=("style",), accepts="image")
class InstanceNorm2d:
    """Gives each channel of each image mean 0 and deviation 1 on its own. Use it when changing the style of images,
    where contrast should not matter. Unlike the other norms it learns no factor and shift unless you ask.
    """

    eps: float = _EPS
    affine: bool = param(default=False, help="Learn a factor and a shift after normalising")

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.InstanceNorm2d, x.channels, eps=self.eps, affine=self.affine)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if x.size > x.channels:
            return None
        return Refusal(
            f"Each channel of {x} is a single pixel, so normalising it leaves only zeros.",
            "Images with more than one pixel", "Put this layer before the size has shrunk to 1×1",
        )  # fmt: skip


@layer(
    "rms_norm", title="RMS Norm", was=("RMSNorm",), search=("root mean square", "RMSNormalization", "llama"),
    accepts="features",
)  # fmt: skip
class RMSNorm:
    """Divides each sample's features by their root mean square, then applies a learned factor. A cheaper layer norm
    that subtracts no mean, common in large language models. The shape stays.
    """

    axes: int = _AXES
    eps: float | None = param(
        default=None, min=1e-12, max=1.0, log=True, advanced=True,
        help="Added to the mean square so that nothing is divided by zero; none: the smallest step of float32",
    )  # fmt: skip
    affine: bool = param(default=True, was=("elementwise_affine",), help="Learn a factor after normalising")

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.RMSNorm, _last(x, self.axes), eps=self.eps, elementwise_affine=self.affine)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return _too_many(x, self.axes)

    def detail(self) -> str:
        return "" if self.axes == 1 else f"over {self.axes} axes"


def _last(x: TensorInfo, axes: int) -> int | tuple[int, ...]:
    return x.features if axes == 1 else x.shape[-axes:]


def _too_many(x: TensorInfo, axes: int) -> Refusal | None:
    if axes <= x.rank:
        return None
    return Refusal(
        f"There are {axes} axes to normalise over, but a sample of {x} has {x.rank}.",
        "At most as many axes as a sample has", f"Use {x.rank}", {"axes": x.rank},
    )  # fmt: skip
