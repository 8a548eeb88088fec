"""A picture from a file or the clipboard as pixels, and what is odd about it: each oddity is one warning.

What a camera or an image program adds (turning, transparency, several frames, 16 bits) is treated as the training data
was read, or as a person sees the picture; the warning says which. Never resizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from engine.datasets.images import BAD, pixels_of
from engine.datasets.raw import Array
from engine.problem import Problem, ProblemError, Where, error, warning

ORIENTATION = 0x0112
"""The EXIF tag that says how a camera was held."""


@dataclass(frozen=True)
class Picture:
    """Pixels (channels, height, width) uint8, and warnings."""

    pixels: Array
    remarks: tuple[Problem, ...] = ()


def read_picture(source: Path | Array, channels: int, *, as_stored: bool, label: str = "") -> Picture:
    """A picture in 1 (grey) or 3 channels. `source`: a file, or pixels (height, width, 1, 3 or 4) uint8.

    `as_stored` keeps what the file holds, as image folders are read for training: not turned as the camera says,
    transparency dropped. Otherwise it becomes what a person sees: turned, transparent parts on white. ProblemError
    when it cannot be read.
    """
    name = label or str(source)
    where = Where(label=name, file=str(source) if isinstance(source, Path) else "")
    if not isinstance(source, Path):
        shown = source[:, :, 0] if source.shape[2] == 1 else source
        return _read(Image.fromarray(np.ascontiguousarray(shown)), channels, where, as_stored)
    try:
        with Image.open(source) as image:
            return _read(image, channels, where, as_stored)
    except BAD:
        raise ProblemError(
            error(where, "This image cannot be read: it is cut off, broken or no image at all",
                  "An image file that is whole", "Replace it", code="predict-input")
        ) from None  # fmt: skip


def _read(image: Image.Image, channels: int, where: Where, as_stored: bool) -> Picture:
    remarks = tuple(_remarks(image, where, as_stored))
    if not as_stored:
        if int(image.getexif().get(ORIENTATION, 1)) > 1:
            image = ImageOps.exif_transpose(image)
        if _is_transparent(image):
            seen = image.convert("RGBA")
            white = Image.new("RGBA", seen.size, "white")
            white.alpha_composite(seen)
            image = white.convert("RGB")
    return Picture(pixels_of(image, channels), remarks)


def _remarks(image: Image.Image, where: Where, as_stored: bool) -> Iterator[Problem]:
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1:
        yield warning(where, f"The picture has {frames} frames: the first one was used", "A picture of one frame",
                      "Save the frame that is meant", code="predict-frames")  # fmt: skip
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        happened = "The picture has 16 bits per pixel: the upper 8 were used, as in training"
        yield warning(where, happened, "8 bits per pixel",
                      "Save it with 8 bits, if it came out too dark", code="predict-deep")  # fmt: skip
    if int(image.getexif().get(ORIENTATION, 1)) > 1:
        done = "it was used as it is stored, as in training" if as_stored else "it was turned"
        yield warning(where, f"The camera was held at an angle: {done}", "A picture stored upright",
                      "Turn it and save it again, if it came out wrong", code="predict-turned")  # fmt: skip
    if _is_transparent(image):
        done = "the colours beneath were used, as in training" if as_stored else "they were laid on white"
        yield warning(where, f"Parts of the picture are transparent: {done}", "A picture without transparency",
                      "Save it on a plain background", code="predict-transparent")  # fmt: skip


def _is_transparent(image: Image.Image) -> bool:
    """True when a pixel lets anything through; an opaque alpha channel changes nothing."""
    if "A" in image.mode or "transparency" in image.info:
        low, _ = image.convert("RGBA").getchannel("A").getextrema()
        return isinstance(low, (int, float)) and low < 255
    return False
