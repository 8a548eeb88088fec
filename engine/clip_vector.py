"""What clipping does to one small gradient: the demonstration of when its direction is kept and when it turns.

Owns arithmetic on a few plain numbers, for a picture. The training clips in `engine.runtime.clipping_ways`, and a test
holds the two together. Knows no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, degrees, hypot

EXAMPLE = (0.9, 100.0)
"""The textbook's vector: by value it turns from 89.5° to 48.0°, by norm it keeps 89.5° and its first part vanishes."""


@dataclass(frozen=True, slots=True)
class ClippedVector:
    """A gradient before and after clipping."""

    before: tuple[float, ...]
    after: tuple[float, ...]

    @property
    def factor(self) -> float:
        """Length after over length before."""
        length = hypot(*self.before)
        return hypot(*self.after) / length if length else 1.0

    @property
    def turned(self) -> float:
        """Degrees between the two; 0 when the direction is kept."""
        lengths = hypot(*self.before) * hypot(*self.after)
        if not lengths:
            return 0.0
        unit = [value / hypot(*self.before) for value in self.before]
        other = [value / hypot(*self.after) for value in self.after]
        # Twice the half angle's tangent: exact for tiny angles too, where an arc cosine is not.
        apart = hypot(*(a - b for a, b in zip(unit, other, strict=True)))
        along = hypot(*(a + b for a, b in zip(unit, other, strict=True)))
        return degrees(2 * atan2(apart, along))

    @property
    def angles(self) -> tuple[float, float]:
        """Direction before and after in degrees from the first axis, for vectors of two numbers."""
        return degrees(atan2(self.before[1], self.before[0])), degrees(atan2(self.after[1], self.after[0]))


def clip_vector(
    vector: Sequence[float], mode: str, limit: float, *, weights: Sequence[float] = (), eps: float = 1e-3
) -> ClippedVector:
    """One gradient clipped as the declared `mode` does it (none, value, norm, norm_each, adaptive).

    The vector is one tensor, so `norm` and `norm_each` do the same. `adaptive` compares it with `weights` of as many
    numbers. ValueError for another mode.
    """
    before = tuple(float(value) for value in vector)
    length = hypot(*before)
    if mode == "none":
        return ClippedVector(before, before)
    if mode == "value":
        return ClippedVector(before, tuple(min(max(value, -limit), limit) for value in before))
    if mode in ("norm", "norm_each"):
        factor = min(1.0, limit / (length + 1e-6))
    elif mode == "adaptive":
        allowed = limit * max(hypot(*weights), eps)
        factor = allowed / max(length, 1e-6) if length > allowed else 1.0
    else:
        raise ValueError(f"{mode!r} is no way to clip")
    return ClippedVector(before, tuple(factor * value for value in before))
