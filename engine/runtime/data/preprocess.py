"""What happens to every sample before the model sees it: colour, size, scale, standardisation.

`Preprocess` is a small module that travels with the model: training, prediction and exports use this very class.
Statistics come from the training samples only. Never augments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.datasets.raw import IMAGE, TOKENS, VECTOR, StreamInfo

GREY = (0.2989, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601, the digits that torchvision uses)."""
MAX_LITERALS = 1024
"""Features of a vector up to which its statistics stand in the exported file as numbers: any usual table's."""


@dataclass(frozen=True)
class Preparation:
    """Everything that a preprocessing does, in plain values; statistics per feature stay in the module's buffers."""

    kind: str
    divide: float = 1.0
    """Raw values are divided by this."""
    resize: tuple[int, int] | None = None
    """(height, width); the image is stretched to it."""
    color: str = "keep"
    standardize: str = "none"
    mean: tuple[float, ...] = field(default=())
    deviation: tuple[float, ...] = field(default=())
    """Per channel (or per feature of a short vector): literal numbers, as an exported file states them."""


class Preprocess(nn.Module):
    """Raw samples (N, ...) of one stream -> what the model takes, float32 (tokens: int64 unchanged)."""

    mean: Tensor
    deviation: Tensor

    def __init__(
        self, kind: str, *, divide: float = 1.0, resize: tuple[int, int] | None = None, color: str = "keep",
        standardize: str = "none",
    ) -> None:  # fmt: skip
        super().__init__()
        self.kind = kind
        self.divide = divide
        self.resize = resize
        self.color = color
        self.standardize = standardize
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("deviation", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Both halves: `shape`, then `finish`."""
        return self.finish(self.shape(x))

    def shape(self, x: Tensor) -> Tensor:
        """Colour and size of images (N, C, H, W), in the type they have: uint8 stays uint8, rounded."""
        if self.kind != IMAGE:
            return x
        if self.color != "keep":
            x = _colored(x, self.color)
        if self.resize is not None and tuple(x.shape[-2:]) != self.resize:
            x = _as_type(_resized(x, self.resize), x.dtype)
        return x

    def finish(self, x: Tensor) -> Tensor:
        """Scale and standardisation, (x / divide - mean) / deviation, as float32."""
        if self.kind == TOKENS:
            return x.to(torch.int64)
        x = x.to(torch.float32)
        if self.divide != 1.0:
            x = x / self.divide
        if self.standardize != "none":
            x = (x - self.mean) / self.deviation
        return x

    def keep_statistics(self, mean: Tensor, deviation: Tensor) -> None:
        """Takes in the training set's mean and population deviation; divides by 1 where the deviation is 0.

        No other clipping and no small number is added: a nearly constant pixel gives large values, as it should.
        """
        self.mean = mean.to(self.mean.device, torch.float32)
        self.deviation = torch.where(deviation == 0, 1.0, deviation).to(self.mean.device, torch.float32)

    def describe(self) -> Preparation:
        """What is done, in plain values; the statistics as literal numbers where they are one per channel."""
        few = MAX_LITERALS if self.kind == VECTOR else 4
        literal = self.standardize == "channel" or self.mean.numel() <= few
        flat = (tuple(self.mean.flatten().tolist()), tuple(self.deviation.flatten().tolist()))
        mean, deviation = flat if literal and self.standardize != "none" else ((), ())
        return Preparation(self.kind, self.divide, self.resize, self.color, self.standardize, mean, deviation)

    def config(self) -> dict[str, Any]:
        """Plain data that makes the same module again, together with `state_dict()`; see `from_config`."""
        settings = asdict(self.describe())
        return {name: settings[name] for name in ("kind", "divide", "resize", "color", "standardize")}

    @staticmethod
    def from_config(config: Mapping[str, Any], state: Mapping[str, Tensor] | None = None) -> Preprocess:
        """The module of `config()` and `state_dict()`, also after a trip through JSON and safetensors."""
        size = config["resize"]
        made = Preprocess(
            str(config["kind"]), divide=float(config["divide"]), color=str(config["color"]),
            resize=None if size is None else (int(size[0]), int(size[1])), standardize=str(config["standardize"]),
        )  # fmt: skip
        if state is not None:
            made.mean, made.deviation = state["mean"].clone(), state["deviation"].clone()
        return made


def make_preprocess(stream: StreamInfo, settings: Any) -> Preprocess:
    """The preprocessing of one stream for the made `preprocess` record, still without statistics."""
    size = settings.resize if stream.kind == IMAGE else None
    return Preprocess(
        stream.kind,
        divide=stream.top if settings.scale == "unit" and stream.top else 1.0,
        resize=(size, size) if isinstance(size, int) else size,
        color=settings.color if stream.kind == IMAGE else "keep",
        standardize="none" if stream.kind == TOKENS else settings.standardize,
    )


def _colored(x: Tensor, color: str) -> Tensor:
    channels = x.shape[-3]
    if color == "rgb":
        return x.expand(*x.shape[:-3], 3, *x.shape[-2:]) if channels == 1 else x
    if channels == 1:
        return x
    red, green, blue = x.to(torch.float32).unbind(-3)
    grey = red * GREY[0] + green * GREY[1] + blue * GREY[2]
    return _as_type(grey.unsqueeze(-3), x.dtype)


def _resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(
        x.to(torch.float32), size=list(size), mode="bilinear", align_corners=False, antialias=True
    )


def _as_type(x: Tensor, dtype: torch.dtype) -> Tensor:
    return x.round().clamp(0, 255).to(dtype) if dtype == torch.uint8 else x
