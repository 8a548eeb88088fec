"""What a wire carries: the shape of one sample (without the batch) and its type. Knows no torch."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

FLOAT = "float32"
INT = "int64"


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Shape of one sample, without the batch axis, and dtype by torch's name (`float32`, `int64`)."""

    shape: tuple[int, ...]
    dtype: str = FLOAT

    def __str__(self) -> str:
        return shape_text(self.shape)

    @property
    def rank(self) -> int:
        """Number of axes of one sample."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values in one sample."""
        return prod(self.shape)

    @property
    def channels(self) -> int:
        """First axis of an image or signal, (channels, ...)."""
        return self.shape[0] if self.shape else 1

    @property
    def features(self) -> int:
        """Last axis, which dense layers act upon."""
        return self.shape[-1] if self.shape else 1

    @property
    def spatial(self) -> tuple[int, ...]:
        """All axes but the first: (height, width) of an image."""
        return self.shape[1:]


def shape_text(shape: tuple[int, ...]) -> str:
    """`3×32×32`; a single number per sample is `1`."""
    return "×".join(str(size) for size in shape) if shape else "1"
