"""How handwritten characters stand in the images of a data set. Values only; `engine.drawing` uses them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Strokes:
    """Characters that are light on dark, scaled to a box and centred."""

    box: float
    """Longer side of the box around a character, as a share of the image's side."""
    centre: str
    """What lies in the middle of the image: `mass` (the centre of mass of the ink) or `box` (the middle of the box)."""
    pen: float
    """Width of a stroke, as a share of the character's longer side."""


MNIST = Strokes(20 / 28, "mass", 0.12)
"""LeCun, Cortes and Burges: scaled with smooth edges into 20×20, centred by mass in 28×28."""
DIGITS = Strokes(1.0, "box", 0.17)
"""Alpaydin and Kaynak: bitmaps of 32×32 that the character fills, ink counted in cells of 4×4."""
