"""A drawing, or a picture of a character, brought into the form of a data set's images. Numpy and Pillow only.

What a person draws fills a pad anyhow; the images of a set were cut out, scaled and centred before anybody trained with
them, and a network has only ever seen that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from engine.datasets.raw import Array
from engine.datasets.strokes import Strokes

FAINT = 0.1
"""Ink below this is the soft edge of a stroke, which does not belong to the box around a character."""
PAPER = 0.25
"""Below this share of the darkest ink a photograph shows paper."""


@dataclass(frozen=True)
class Framed:
    """A drawing as an image of the set: (height, width) floats from 0 (empty) to 1 (ink), and what was done."""

    ink: Array
    said: tuple[str, ...]


def frame(ink: Array, size: tuple[int, int], strokes: Strokes | None) -> Framed:
    """Ink (H, W), 0 to 1, as an image of `size` (height, width): cut out, scaled and centred as `strokes` say.

    Without strokes the whole drawing is scaled. A drawing without ink gives an empty image.
    """
    height, width = size
    if strokes is None:
        words = f"scaled from {ink.shape[1]}×{ink.shape[0]} to {width}×{height}; not centred"
        return Framed(_scaled(ink, (height, width)), (words,))
    rows, columns = np.nonzero(ink > FAINT)
    if not len(rows):
        return Framed(np.zeros(size, np.float32), ("nothing is drawn",))
    cut = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    factor = strokes.box * min(height / cut.shape[0], width / cut.shape[1])
    box = (max(1, round(cut.shape[0] * factor)), max(1, round(cut.shape[1] * factor)))
    small = _scaled(cut, box)
    result = np.zeros(size, np.float32)
    if strokes.centre == "mass":
        at = [(side - 1) / 2 - place for side, place in zip(size, _mass(small), strict=True)]
    else:
        at = [(side - part) / 2 for side, part in zip(size, box, strict=True)]
    # Never over the edge: a long stroke far from its mass would lose its end.
    top, left = (min(max(0, round(one)), side - part) for one, side, part in zip(at, size, box, strict=True))
    result[top : top + box[0], left : left + box[1]] = small
    middle = "by its centre of mass" if strokes.centre == "mass" else "by its box"
    return Framed(result, (f"cut out, scaled to {box[1]}×{box[0]}, centred {middle} in {width}×{height}",))


def ink_of(pixels: Array) -> tuple[Array, tuple[str, ...]]:
    """A picture (C, H, W) uint8 of a character as ink (H, W), 0 to 1, and what was done.

    Dark on light is turned round (the rim of the picture is taken for the paper), and the paper becomes 0.
    """
    grey = pixels.astype(np.float32).mean(0)
    paper = float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    if paper == 0 and float(grey.max()) == 255:  # a drawing, or already as the data is
        return grey / np.float32(255), ()
    turned = paper > float(grey.mean())
    ink = paper - grey if turned else grey - paper
    most = float(ink.max())
    if most <= 0:
        return np.zeros_like(grey), ("the picture is of one colour",)
    ink = np.clip((ink / most - PAPER) / (1 - PAPER), 0, 1)
    said = ("dark on light was turned round",) if turned else ()
    return ink, (*said, "the paper was made even")


def _scaled(ink: Array, size: tuple[int, int]) -> Array:
    """Scaled to (height, width); a smaller picture holds the mean ink under each of its pixels."""
    image = Image.fromarray(np.ascontiguousarray(ink, np.float32))
    smaller = size[0] <= ink.shape[0] and size[1] <= ink.shape[1]
    way = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    scaled: Array = np.clip(np.asarray(image.resize((size[1], size[0]), way), np.float32), 0, 1)
    return scaled


def _mass(ink: Array) -> tuple[float, float]:
    total = float(ink.sum()) or 1.0
    down, across = np.arange(ink.shape[0]), np.arange(ink.shape[1])
    return float((ink.sum(1) * down).sum()) / total, float((ink.sum(0) * across).sum()) / total
