"""What is known of tensors without their values: of a network's `state_dict`, of a file. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COUNTER = "num_batches_tracked"
"""Batch norm's counter of steps: files of old torch lack it, and nothing reads it at its usual momentum."""


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """What is known of a tensor without its values."""

    shape: tuple[int, ...]
    dtype: str
    """As torch calls it: float32, int64."""

    @property
    def is_real(self) -> bool:
        """Whether it holds numbers with fractions (or complex ones): what weights are made of."""
        return self.dtype.startswith(("float", "bfloat", "complex"))

    def __str__(self) -> str:
        return " × ".join(map(str, self.shape)) if self.shape else "one number"


Facts = Mapping[str, TensorFacts]
