"""Where short texts go so that they never touch: legend rows, names at curve ends, words of marks.

Plain calculations on widths and positions; never draws.
"""

from __future__ import annotations

from collections.abc import Sequence


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions near `wanted`, in the same order, at least `gap` apart and within `low` to `high` if they fit."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = [min(max(wanted[index], low), high) for index in order]
    for index in range(1, len(placed)):
        placed[index] = max(placed[index], placed[index - 1] + gap)
    if placed and placed[-1] > high:
        placed[-1] = high
        for index in range(len(placed) - 2, -1, -1):
            placed[index] = min(placed[index], placed[index + 1] - gap)
    found = [0.0] * len(wanted)
    for index, at in zip(order, placed, strict=True):
        found[index] = at
    return found


class Row:
    """One line of texts: takes each interval once."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, float]] = []

    def take(self, start: float, end: float) -> bool:
        """Reserve `start` to `end`; False when something is there already."""
        if any(start < other_end and other_start < end for other_start, other_end in self._taken):
            return False
        self._taken.append((start, end))
        return True
