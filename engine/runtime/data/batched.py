"""Augmentations of a whole batch at once, every sample differently: each matches its torchvision transform per sample.

torchvision's own transforms treat a batch as one picture (all flipped or none), and one sample at a time they cost
many times more. Functions take images (N, C, H, W) on the raw scale, the settings, uniform draws (N, k) in [0, 1) and
the scale's largest value; they never draw themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from engine.runtime.data.preprocess import GREY

Change = Callable[[Tensor, Any, Tensor, float], Tensor]


@dataclass(frozen=True)
class Batched:
    """A batched form and how many uniform numbers it needs per sample."""

    change: Change
    num_draws: int


def horizontal_flip(images: Tensor, settings: Any, draws: Tensor, top: float) -> Tensor:
    """Mirrored where the draw lies below `p`."""
    return torch.where((draws[:, 0] < settings.p)[:, None, None, None], images.flip(-1), images)


def random_crop(images: Tensor, settings: Any, draws: Tensor, top: float) -> Tensor:
    """A window of the old size at an even draw of all places within the border."""
    border = settings.padding
    corner = (draws * (2 * border + 1)).floor().to(torch.int64)
    return _windows(images, (border, border), corner[:, 0], corner[:, 1])


def shift(images: Tensor, settings: Any, draws: Tensor, top: float) -> Tensor:
    """Moved by round(u) pixels, u uniform within ±amount × side, as RandomAffine draws it."""
    sides = torch.tensor(images.shape[-2:], device=draws.device)
    largest = settings.amount * sides
    moves = ((2 * draws - 1) * largest).round().to(torch.int64)
    height, width = (int(value) for value in largest.ceil())
    return _windows(images, (height, width), height - moves[:, 0], width - moves[:, 1])


def brightness_contrast(images: Tensor, settings: Any, draws: Tensor, top: float) -> Tensor:
    """Both factors drawn per sample, and which of the two comes first."""
    light = _factor(settings.brightness, draws[:, 0])
    hard = _factor(settings.contrast, draws[:, 1])
    light_first = (draws[:, 2] < 0.5)[:, None, None, None]
    limit = top or 1.0
    first = torch.where(light_first, _brighter(images, light, limit), _harder(images, hard, limit))
    return torch.where(light_first, _harder(first, hard, limit), _brighter(first, light, limit))


BATCHED = {
    "horizontal_flip": Batched(horizontal_flip, 1),
    "random_crop": Batched(random_crop, 2),
    "shift": Batched(shift, 2),
    "brightness_contrast": Batched(brightness_contrast, 3),
}


def _windows(images: Tensor, border: tuple[int, int], down: Tensor, right: Tensor) -> Tensor:
    """Per sample a window of the old size whose corner is (down, right) in the image with a black border."""
    high, wide = border
    height, width = images.shape[-2:]
    padded = functional.pad(images, (wide, wide, high, high))
    views = padded.unfold(2, height, 1).unfold(3, width, 1)
    return views[torch.arange(len(images), device=images.device), :, down, right]


def _factor(spread: float, draws: Tensor) -> Tensor:
    low = max(0.0, 1.0 - spread)
    return (low + draws * (1.0 + spread - low))[:, None, None, None]


def _brighter(images: Tensor, factor: Tensor, limit: float) -> Tensor:
    return (images * factor).clamp(0, limit).to(images.dtype)


def _harder(images: Tensor, factor: Tensor, limit: float) -> Tensor:
    values = images.to(torch.float32)
    grey = values
    if images.shape[1] == 3:
        grey = values[:, :1] * GREY[0] + values[:, 1:2] * GREY[1] + values[:, 2:] * GREY[2]
        # torchvision takes the grey of whole-number pixels rounded down.
        grey = grey if images.is_floating_point() else grey.floor()
    mean = grey.mean((1, 2, 3), keepdim=True)
    return (values * factor + mean * (1.0 - factor)).clamp(0, limit).to(images.dtype)
