"""MixUp and CutMix on a finished batch: inputs and answers blended, one blend per batch. Never touches single samples.

As in torchvision each sample is blended with the one before it in the batch. The draws come from (seed, epoch, step),
so a resumed run blends alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.runtime.data.batches import Batch
from engine.runtime.data.order import seed_of


def mix(batch: Batch, settings: Any, random: np.random.Generator, *, images: Sequence[bool]) -> Batch:
    """The batch blended by a made `mixup` or `cutmix`; `images` says which inputs are images; answers are floats."""
    share = float(random.beta(settings.alpha, settings.alpha))
    inputs = list(batch.inputs)
    if settings.mixing == "cutmix":
        shape = next(item.shape for item, image in zip(inputs, images, strict=True) if image)
        box = _box(share, int(shape[-2]), int(shape[-1]), random)
        share = 1.0 - (box[1] - box[0]) * (box[3] - box[2]) / (int(shape[-2]) * int(shape[-1]))
        mixed = [_pasted(x, box) if image else _blended(x, share) for x, image in zip(inputs, images, strict=True)]
    else:
        mixed = [_blended(x, share) for x in inputs]
    return Batch(tuple(mixed), tuple(_blended(y, share) for y in batch.targets), batch.size)


def as_probabilities(targets: Sequence[Tensor], classes: Sequence[int]) -> tuple[Tensor, ...]:
    """Class numbers (N,) -> float32 (N, classes); `classes` is 0 for answers that are floats already."""
    return tuple(
        functional.one_hot(target, count).to(torch.float32) if count else target
        for target, count in zip(targets, classes, strict=True)
    )


def generator_for(*, seed: int, epoch: int, step: int) -> np.random.Generator:
    """The draws of one batch."""
    return np.random.default_rng(seed_of("mix", seed, epoch, step))


def _blended(x: Tensor, share: float) -> Tensor:
    return x.roll(1, 0).mul_(1.0 - share).add_(x * share)


def _pasted(x: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    top, bottom, left, right = box
    pasted = x.clone()
    pasted[..., top:bottom, left:right] = x.roll(1, 0)[..., top:bottom, left:right]
    return pasted


def _box(share: float, height: int, width: int, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Rows and columns of the pasted rectangle: half sides 0.5·√(1 - share) around an even draw, cut at the edges."""
    right, down = int(random.integers(width)), int(random.integers(height))
    part = 0.5 * sqrt(1.0 - share)
    half_width, half_height = int(part * width), int(part * height)
    return (
        max(down - half_height, 0), min(down + half_height, height),
        max(right - half_width, 0), min(right + half_width, width),
    )  # fmt: skip
