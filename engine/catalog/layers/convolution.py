"""Convolutions of signals, images and volumes."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING, Literal

from engine.concise import concise
from engine.declare import Refusal, layer
from engine.param import Padding, Size, param
from engine.sliding import refuse_edge, refuse_pair, refuse_reach, refuse_same, sides, single, size_text
from engine.tensor import TensorInfo, shape_text

if TYPE_CHECKING:
    from torch import nn
else:
    from engine.expr import nn

PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
_FILTERS = param(
    default=32, min=1, was=("out_channels",), help="How many patterns to look for; each gives one output channel"
)
_KERNEL = param(default=3, min=1, unit="px", was=("kernel_size",), help="Side of a filter, or height and width")
_LENGTH = param(default=3, min=1, unit="steps", was=("kernel_size",), help="Length of a filter along each axis")
_STRIDE = param(default=1, min=1, help="How far the filter moves at a time; 2 halves the size")
_PADDING = param(default=0, min=0, help="Border around the input; `same` keeps the size (stride 1 only)")
_DILATION = param(default=1, min=1, advanced=True, help="Gap between the points a filter looks at; 1 means none")
_GROUPS = param(
    default=1, min=1, advanced=True, help="Split the channels into this many groups that do not see each other"
)
_BIAS = param(
    default=True, help="Add a learned number to each output channel; not needed when a normalisation follows at once"
)
_PADDING_MODE = param(
    default="zeros",
    choices=("zeros", "reflect", "replicate", "circular"),
    advanced=True,
    help="What fills the border: zeros, a mirror image, the edge value, or the other side",
)


def refuse_groups(channels: int, filters: int, groups: int) -> Refusal | None:
    """Groups must divide the channels that arrive and those that leave."""
    if channels % groups == 0 and filters % groups == 0:
        return None
    fitting = gcd(channels, filters, groups)
    return Refusal(
        f"{groups} groups do not divide {channels} input channels and {filters} filters evenly.",
        "A number of groups that divides both",
        f"Use {fitting}",
        {"groups": fitting},
    )


@layer(
    "conv1d", title="Conv 1D", was=("Conv1d",), search=("convolution", "temporal", "Conv1D"), accepts="signal",
    weights=("weight",), activated=True,
)  # fmt: skip
class Conv1d:
    """Slides small learned filters along a signal of channels×length, one output channel per filter. Use it for
    sensor data, sound or text of fixed width. The result is filters×length, shorter unless padded; Keras puts the
    channels last.
    """

    filters: int = _FILTERS
    kernel: int = _LENGTH
    stride: int = _STRIDE
    padding: Padding = _PADDING
    dilation: int = _DILATION
    groups: int = _GROUPS
    bias: bool = _BIAS
    padding_mode: PaddingMode = _PADDING_MODE

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.Conv1d, x.channels, self.filters, self.kernel, stride=self.stride, padding=single(self.padding),
            dilation=self.dilation, groups=self.groups, bias=self.bias, padding_mode=self.padding_mode,
        )  # fmt: skip

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return (
            refuse_pair(self.padding)
            or refuse_same(self.padding, self.stride, self.kernel)
            or refuse_groups(x.channels, self.filters, self.groups)
            or refuse_reach(x, self.kernel, padding=self.padding, dilation=self.dilation)
            or refuse_edge(x, self.kernel, self.padding, self.dilation, self.padding_mode)
        )

    def detail(self) -> str:
        return f"{self.kernel}, {self.filters:,} filters" + (f", /{self.stride}" if self.stride > 1 else "")


@layer(
    "conv2d", title="Conv 2D", was=("Conv2d", "conv"), search=("convolution", "Conv2D", "cnn", "image filter"),
    accepts="image", weights=("weight",), activated=True,
)  # fmt: skip
class Conv2d:
    """Slides small learned filters over an image of channels×height×width, one output channel per filter. The
    standard layer for images; several in a row see larger and larger patterns. Size shrinks by kernel − 1 unless
    padded: `same` keeps it. Keras puts the channels last and allows `same` with a stride, PyTorch does not.
    """

    filters: int = _FILTERS
    kernel: Size = _KERNEL
    stride: Size = _STRIDE
    padding: Padding = _PADDING
    dilation: Size = _DILATION
    groups: int = _GROUPS
    bias: bool = _BIAS
    padding_mode: PaddingMode = _PADDING_MODE

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.Conv2d, x.channels, self.filters, self.kernel, stride=self.stride, padding=self.padding,
            dilation=self.dilation, groups=self.groups, bias=self.bias, padding_mode=self.padding_mode,
        )  # fmt: skip

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return (
            refuse_same(self.padding, self.stride, self.kernel)
            or refuse_groups(x.channels, self.filters, self.groups)
            or refuse_reach(x, self.kernel, padding=self.padding, dilation=self.dilation)
            or refuse_edge(x, self.kernel, self.padding, self.dilation, self.padding_mode)
        )

    def detail(self) -> str:
        return f"{size_text(self.kernel)}, {self.filters:,} filters{_step(self.stride)}"


@layer(
    "conv3d", title="Conv 3D", was=("Conv3d",), search=("convolution", "volume", "video", "Conv3D"),
    accepts="volume", weights=("weight",), activated=True,
)  # fmt: skip
class Conv3d:
    """Slides small learned filters through a volume of channels×depth×height×width, one output channel per filter.
    Use it for scans and short videos. Filters are cubes; memory and time grow with the cube of the side.
    """

    filters: int = _FILTERS
    kernel: int = _LENGTH
    stride: int = _STRIDE
    padding: Padding = _PADDING
    dilation: int = _DILATION
    groups: int = _GROUPS
    bias: bool = _BIAS
    padding_mode: PaddingMode = _PADDING_MODE

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.Conv3d, x.channels, self.filters, self.kernel, stride=self.stride, padding=single(self.padding),
            dilation=self.dilation, groups=self.groups, bias=self.bias, padding_mode=self.padding_mode,
        )  # fmt: skip

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return (
            refuse_pair(self.padding)
            or refuse_same(self.padding, self.stride, self.kernel)
            or refuse_groups(x.channels, self.filters, self.groups)
            or refuse_reach(x, self.kernel, padding=self.padding, dilation=self.dilation)
            or refuse_edge(x, self.kernel, self.padding, self.dilation, self.padding_mode)
        )

    def detail(self) -> str:
        return f"{shape_text((self.kernel,) * 3)}, {self.filters:,} filters{_step(self.stride)}"


@layer(
    "depthwise_conv2d", title="Depthwise Conv 2D", was=("DepthwiseConv2d",),
    search=("convolution", "separable", "mobilenet", "DepthwiseConv2D", "groups"), accepts="image",
    weights=("weight",), activated=True,
)  # fmt: skip
class DepthwiseConv2d:
    """Filters each channel of an image on its own, without mixing channels: a Conv 2D with as many groups as
    channels. Far cheaper than a full convolution; follow it by a Conv 2D with kernel 1 to mix the channels. The
    result has channels × multiplier channels.
    """

    multiplier: int = param(
        default=1, min=1, max=1024, was=("depth_multiplier",), help="How many filters each input channel gets"
    )
    kernel: Size = _KERNEL
    stride: Size = _STRIDE
    padding: Padding = _PADDING
    dilation: Size = _DILATION
    bias: bool = _BIAS
    padding_mode: PaddingMode = _PADDING_MODE

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.Conv2d, x.channels, x.channels * self.multiplier, self.kernel, stride=self.stride,
            padding=self.padding, dilation=self.dilation, groups=x.channels, bias=self.bias,
            padding_mode=self.padding_mode,
        )  # fmt: skip

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return (
            refuse_same(self.padding, self.stride, self.kernel)
            or refuse_reach(x, self.kernel, padding=self.padding, dilation=self.dilation)
            or refuse_edge(x, self.kernel, self.padding, self.dilation, self.padding_mode)
        )

    def detail(self) -> str:
        times = f", ×{self.multiplier}" if self.multiplier > 1 else ""
        return f"{size_text(self.kernel)} per channel{times}{_step(self.stride)}"


@layer(
    "conv_transpose2d", title="Transposed Conv 2D", was=("ConvTranspose2d",),
    search=("deconvolution", "Conv2DTranspose", "upsampling", "decoder", "generator"), accepts="image",
    weights=("weight",), activated=True,
)  # fmt: skip
class ConvTranspose2d:
    """A convolution run backwards: it enlarges an image with learned filters. Use it in decoders and generators;
    kernel 4, stride 2, padding 1 doubles height and width exactly. A kernel that the stride does not divide leaves
    a chequered pattern.
    """

    filters: int = _FILTERS
    kernel: Size = _KERNEL
    stride: Size = param(default=1, min=1, help="How much larger the result gets; 2 doubles the size")
    padding: Size = param(default=0, min=0, unit="px", help="How much of the result's border is cut off")
    output_padding: Size = param(
        default=0, min=0, unit="px", advanced=True, help="Rows and columns added at one side, to reach an exact size"
    )
    dilation: Size = _DILATION
    groups: int = _GROUPS
    bias: bool = _BIAS

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.ConvTranspose2d, x.channels, self.filters, self.kernel, stride=self.stride, padding=self.padding,
            output_padding=self.output_padding, groups=self.groups, bias=self.bias, dilation=self.dilation,
        )  # fmt: skip

    def refuse(self, x: TensorInfo) -> Refusal | None:
        fault = refuse_groups(x.channels, self.filters, self.groups)
        if fault:
            return fault
        parts = (self.kernel, self.stride, self.padding, self.output_padding, self.dilation)
        axes = list(zip(x.spatial, *(sides(part, 2) for part in parts), strict=True))
        if any(more >= max(stride, dilation) for _, _, stride, _, more, dilation in axes):
            return Refusal(
                f"The output padding {self.output_padding} is not smaller than the stride.",
                "An output padding smaller than the stride or the dilation", "Use 0", {"output_padding": 0},
            )  # fmt: skip
        result = tuple((n - 1) * s - 2 * p + d * (k - 1) + more + 1 for n, k, s, p, more, d in axes)
        if min(result) > 0:
            return None
        return Refusal(
            f"Cutting off a border of {self.padding} leaves nothing of the result.",
            "A padding smaller than half the enlarged image", "Use padding 0", {"padding": 0},
        )  # fmt: skip

    def detail(self) -> str:
        times = "" if self.stride in (1, (1, 1)) else f", ×{shape_text(tuple(dict.fromkeys(sides(self.stride, 2))))}"
        return f"{size_text(self.kernel)}, {self.filters:,} filters{times}"


def _step(stride: Size) -> str:
    if stride in (1, (1, 1)):
        return ""
    return f", /{stride}" if isinstance(stride, int) else f", /{size_text(stride)}"
