"""Samples beside their augmented forms, as plain pixels, to look at. Beside a training it leaves no trace."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.datasets.facts import facts_of, settings_of
from engine.datasets.raw import IMAGE, TRAIN, Array, Cancel, Progress, Raw, Request
from engine.recipe import Recipe
from engine.runtime.data.augment import Augmenter
from engine.runtime.data.preprocess import make_preprocess
from engine.runtime.randomness import guarded

if TYPE_CHECKING:
    from engine.places import Places


@dataclass(frozen=True)
class Preview:
    """One training image and what augmentation makes of it, (height, width, channels) uint8."""

    original: Array
    augmented: tuple[Array, ...]
    label: str


def preview(
    recipe: Recipe, places: Places, n: int = 8, *, variants: int = 4, seed: int = 0, progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> list[Preview]:  # fmt: skip
    """`n` training images (evenly spread), each with `variants` augmented forms; empty for data without images.

    MixUp and CutMix are left out: they blend finished batches.
    """
    settings = settings_of(recipe, "data")
    request = Request(places, settings_of(recipe, "preprocess"), progress, cancel)
    raw: Raw = import_module(settings.reader).read(settings, request)
    name = next((name for name, stream in raw.streams.items() if stream.kind == IMAGE), "")
    if not name:
        return []
    augmenter = Augmenter.of(recipe, facts_of(raw, request.preprocess).inputs, raw)
    process = make_preprocess(raw.streams[name], request.preprocess)
    part = raw.parts[TRAIN]
    places_of = np.unique(np.linspace(0, len(part) - 1, min(n, len(part))).astype(int))
    values = part.inputs[name]
    load = values.__getitem__ if isinstance(values, np.ndarray) else values.load
    images = torch.cat([process.shape(torch.from_numpy(np.array(load(int(place))))[None]) for place in places_of])
    index = torch.from_numpy(places_of)
    variants_of = []
    with guarded():
        for epoch in range(variants):
            draws = augmenter.draws(len(part), seed=seed, epoch=epoch)
            variants_of.append(augmenter.apply(images, index=index, draws=draws, seed=seed, epoch=epoch))
    top = raw.streams[name].top or 1.0
    return [
        Preview(
            _pixels(images[number], top),
            tuple(_pixels(changed[number], top) for changed in variants_of),
            _label(raw, int(place)),
        )
        for number, place in enumerate(places_of)
    ]


def _pixels(image: torch.Tensor, top: float) -> Array:
    scaled = (image.to(torch.float32) * (255.0 / top)).round().clamp(0, 255).to(torch.uint8)
    return scaled.permute(1, 2, 0).contiguous().numpy()


def _label(raw: Raw, place: int) -> str:
    for name, target in raw.targets.items():
        if target.classes:
            return target.classes[int(raw.parts[TRAIN].targets[name][place])]
    return ""
