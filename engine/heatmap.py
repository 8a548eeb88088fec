"""A saliency map over its picture: orange where the input speaks for an answer, blue where it speaks against it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from engine.datasets.raw import Array

FOR, AGAINST = (238, 122, 18), (74, 125, 240)
DIM = 0.55
"""How much of the picture is left under the map, in grey."""
LEAST_SIDE = 224
"""A smaller picture is written enlarged, by whole multiples."""


def strength(saliency: Array) -> Array:
    """A map (H, W) or (C, H, W) as (H, W) from -1 to 1: channels added up, the 99th percentile of sizes at 1."""
    flat = saliency.sum(0) if saliency.ndim == 3 else saliency
    size = float(np.percentile(np.abs(flat), 99)) or float(np.abs(flat).max()) or 1.0
    found: Array = np.clip(flat / size, -1, 1)
    return found


def overlay(picture: Array, saliency: Array) -> Array:
    """A picture (H, W, 3) uint8 in dim grey under its map, as (h, w, 3) uint8 of the map's size."""
    shares = strength(saliency)
    height, width = shares.shape
    grey = Image.fromarray(picture).convert("L")
    if grey.size != (width, height):
        grey = grey.resize((width, height), Image.Resampling.BILINEAR)
    ground = np.repeat(np.asarray(grey, np.float32)[:, :, None] * DIM, 3, 2)
    ink = np.where(shares[:, :, None] >= 0, np.array(FOR), np.array(AGAINST))
    cover = np.abs(shares)[:, :, None]
    laid: Array = np.clip(ground * (1 - cover) + ink * cover + 0.5, 0, 255).astype(np.uint8)
    return laid


def write_overlay(file: Path, picture: Array, saliency: Array) -> None:
    """Writes the overlay as an image, by the ending of its name; OSError or ValueError when it cannot be written."""
    image = Image.fromarray(overlay(picture, saliency))
    times = max(1, -(-LEAST_SIDE // max(image.size)))
    image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST).save(file)
