"""Pooling: smaller maps from larger ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from engine.concise import concise
from engine.declare import Refusal, layer
from engine.param import Size, param
from engine.sliding import refuse_half, refuse_reach, rounding, sides, size_text
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    from torch import nn
else:
    from engine.expr import nn

S = TypeVar("S", int, Size)
_KERNEL = param(default=2, min=1, was=("kernel_size", "pool_size"), unit="px", help="Side of the window")
_LENGTH = param(default=2, min=1, was=("kernel_size", "pool_size"), unit="steps", help="Length of the window")
_PADDING = param(default=0, min=0, help="Border around the input, at most half the window")
_DILATION = param(default=1, min=1, advanced=True, help="Gap between the points a window looks at; 1 means none")
_CEIL = param(
    default=False, was=("ceil_mode",), advanced=True, help="Keep a last window that reaches beyond the border"
)
_COUNT = param(
    default=True, was=("count_include_pad",), advanced=True, help="Let the zeros of the border count in the average"
)
_STEP = param(
    default=None, min=1, help="How far the window moves at a time; none: as far as it is long, so none overlap"
)
_OUT = param(default=1, min=1, unit="px", was=("output_size",), help="Size of the result, a side or height and width")
_OUT_LENGTH = param(default=1, min=1, unit="steps", was=("output_size",), help="Length of the result")


@layer("max_pool1d", title="Max Pool 1D", was=("MaxPool1d",), search=("downsample", "MaxPooling1D"), accepts="signal")
class MaxPool1d:
    """Keeps the largest value of each window along a signal and so makes it shorter. Use it after a Conv 1D.
    Channels stay; the length is divided by the stride. Has no weights.
    """

    kernel: int = _LENGTH
    stride: int | None = _STEP
    padding: int = _PADDING
    dilation: int = _DILATION
    ceil: bool = _CEIL

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.MaxPool1d, self.kernel, stride=_other(self.stride, self.kernel), padding=self.padding,
            dilation=self.dilation, ceil_mode=self.ceil,
        )  # fmt: skip

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return refuse_half(self.kernel, self.padding) or refuse_reach(
            x,
            self.kernel,
            padding=self.padding,
            dilation=self.dilation,
            slack=rounding(self.ceil, self.stride, self.kernel),
        )

    def detail(self) -> str:
        return f"{self.kernel}{_moves(self.stride, self.kernel)}"


@layer(
    "max_pool2d", title="Max Pool 2D", was=("MaxPool2d",), search=("downsample", "subsample", "MaxPooling2D"),
    accepts="image",
)  # fmt: skip
class MaxPool2d:
    """Keeps the largest value of each window of an image. Use it after convolutions to halve height and width and
    to forget small shifts. Channels stay; a rest that fills no window is dropped. Has no weights.
    """

    kernel: Size = _KERNEL
    stride: Size | None = _STEP
    padding: Size = _PADDING
    dilation: Size = _DILATION
    ceil: bool = _CEIL

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.MaxPool2d, self.kernel, stride=_other(self.stride, self.kernel), padding=self.padding,
            dilation=self.dilation, ceil_mode=self.ceil,
        )  # fmt: skip

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return refuse_half(self.kernel, self.padding) or refuse_reach(
            x,
            self.kernel,
            padding=self.padding,
            dilation=self.dilation,
            slack=rounding(self.ceil, self.stride, self.kernel),
        )

    def detail(self) -> str:
        return f"{size_text(self.kernel)}{_moves(self.stride, self.kernel)}"


@layer(
    "avg_pool1d", title="Average Pool 1D", was=("AvgPool1d",), search=("downsample", "AveragePooling1D", "mean"),
    accepts="signal",
)  # fmt: skip
class AvgPool1d:
    """Averages each window along a signal and so makes it shorter and smoother. Channels stay; the length is
    divided by the stride. Keras leaves the border out of the average, PyTorch counts its zeros unless told not to.
    """

    kernel: int = _LENGTH
    stride: int | None = _STEP
    padding: int = _PADDING
    ceil: bool = _CEIL
    count_padding: bool = _COUNT

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.AvgPool1d, self.kernel, padding=self.padding,
            stride=_other(self.stride, self.kernel),  # type: ignore[arg-type] # torch's own type forgets None

            ceil_mode=self.ceil, count_include_pad=self.count_padding,
        )  # fmt: skip

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return refuse_half(self.kernel, self.padding) or refuse_reach(
            x, self.kernel, padding=self.padding, slack=rounding(self.ceil, self.stride, self.kernel)
        )

    def detail(self) -> str:
        return f"{self.kernel}{_moves(self.stride, self.kernel)}"


@layer(
    "avg_pool2d", title="Average Pool 2D", was=("AvgPool2d",), search=("downsample", "AveragePooling2D", "mean"),
    accepts="image",
)  # fmt: skip
class AvgPool2d:
    """Averages each window of an image, which makes it smaller and smoother. Channels stay; height and width are
    divided by the stride. Keras leaves the border out of the average, PyTorch counts its zeros unless told not to.
    """

    kernel: Size = _KERNEL
    stride: Size | None = _STEP
    padding: Size = _PADDING
    ceil: bool = _CEIL
    count_padding: bool = _COUNT

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.AvgPool2d, self.kernel, stride=_other(self.stride, self.kernel), padding=self.padding,
            ceil_mode=self.ceil, count_include_pad=self.count_padding,
        )  # fmt: skip

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return refuse_half(self.kernel, self.padding) or refuse_reach(
            x, self.kernel, padding=self.padding, slack=rounding(self.ceil, self.stride, self.kernel)
        )

    def detail(self) -> str:
        return f"{size_text(self.kernel)}{_moves(self.stride, self.kernel)}"


@layer(
    "adaptive_avg_pool1d", title="Adaptive Average Pool 1D", was=("AdaptiveAvgPool1d",), search=("resize", "mean"),
    accepts="signal",
)  # fmt: skip
class AdaptiveAvgPool1d:
    """Averages a signal down to the length you ask for, whatever arrives. Use it before a Linear layer when signals
    differ in length. Channels stay; Keras has no such layer.
    """

    size: int = _OUT_LENGTH

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.AdaptiveAvgPool1d(self.size)

    def detail(self) -> str:
        return f"to {self.size:,}"


@layer(
    "adaptive_avg_pool2d", title="Adaptive Average Pool 2D", was=("AdaptiveAvgPool2d",), search=("resize", "mean"),
    accepts="image",
)  # fmt: skip
class AdaptiveAvgPool2d:
    """Averages an image down to the size you ask for, whatever arrives. Use it before the classifier so that the
    network takes images of any size. Channels stay; Keras has no such layer.
    """

    size: Size = _OUT

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.AdaptiveAvgPool2d(self.size)

    def detail(self) -> str:
        return f"to {size_text(self.size)}"


@layer(
    "adaptive_max_pool1d", title="Adaptive Max Pool 1D", was=("AdaptiveMaxPool1d",), search=("resize",),
    accepts="signal",
)  # fmt: skip
class AdaptiveMaxPool1d:
    """Keeps the largest values so that a signal gets the length you ask for, whatever arrives. With length 1 it
    keeps the strongest response of each channel. Channels stay.
    """

    size: int = _OUT_LENGTH

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.AdaptiveMaxPool1d(self.size)

    def detail(self) -> str:
        return f"to {self.size:,}"


@layer(
    "adaptive_max_pool2d", title="Adaptive Max Pool 2D", was=("AdaptiveMaxPool2d",), search=("resize",),
    accepts="image",
)  # fmt: skip
class AdaptiveMaxPool2d:
    """Keeps the largest values so that an image gets the size you ask for, whatever arrives. With size 1 it keeps
    the strongest response of each channel. Channels stay.
    """

    size: Size = _OUT

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.AdaptiveMaxPool2d(self.size)

    def detail(self) -> str:
        return f"to {size_text(self.size)}"


@layer(
    "global_avg_pool", title="Global Average Pool", was=("GlobalAvgPool",),
    search=("GlobalAveragePooling2D", "GlobalAveragePooling1D", "AdaptiveAvgPool2d", "gap", "mean"), accepts="maps",
)  # fmt: skip
class GlobalAvgPool:
    """Averages each channel of a signal, image or volume to one number. Use it between the last convolution and the
    classifier instead of Flatten: it needs far fewer weights and takes any size. The result is a vector with one
    number per channel.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        pools = {2: nn.AdaptiveAvgPool1d, 3: nn.AdaptiveAvgPool2d, 4: nn.AdaptiveAvgPool3d}
        return nn.Sequential(pools[x.rank](1), nn.Flatten())


def _other(stride: S | None, kernel: S) -> S | None:
    # torch's own default is the kernel; saying it again would only lengthen the code.
    return None if stride is None or sides(stride, 2) == sides(kernel, 2) else stride


def _moves(stride: Size | None, kernel: Size) -> str:
    return "" if _other(stride, kernel) is None else f", step {stride}"
