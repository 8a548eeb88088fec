"""The scale of the value on show: whole decades that widen when needed and never narrow within a run.

Owns the domain and the position of a value on it. Knows no colour.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, isfinite, log10

LOW, HIGH = -5, 0
LEVELS = 32
"""Colours told apart on a wire: finer steps would repaint wires without anybody seeing why."""


class Scale:
    """Decades from 10**low to 10**high."""

    def __init__(self, low: int = LOW, high: int = HIGH) -> None:
        self.low, self.high = low, high
        self.widened = False
        """True once a value did not fit the first domain: the legend marks it."""

    def cover(self, values: Iterable[float]) -> bool:
        """Widens to hold all finite positive values; True when it changed."""
        logs = [log10(value) for value in values if isfinite(value) and value > 0]
        if not logs:
            return False
        # A norm can underflow to 1e-45: twelve decades are as many as the eye can use.
        low = max(min(self.low, floor(min(logs) + 1e-9)), -12)
        high = min(max(self.high, ceil(max(logs) - 1e-9)), 12)
        changed = (low, high) != (self.low, self.high)
        self.low, self.high, self.widened = low, high, self.widened or changed
        return changed

    def position(self, value: float) -> float:
        """0 at the weak end to 1 at the strong end; values outside stand at the ends, zero at the weak one."""
        if not value > 0:
            return 0.0
        return min(max((log10(value) - self.low) / (self.high - self.low), 0.0), 1.0)

    def level(self, value: float) -> float:
        """The position, rounded to what the eye can tell apart on a wire."""
        return round(self.position(value) * LEVELS) / LEVELS

    def ticks(self) -> list[int]:
        """Exponents to write under the scale: at most seven, both ends always."""
        step = max(1, ceil((self.high - self.low) / 6))
        # None closer to the low end than the others are to each other: their words would touch.
        found = list(range(self.high, self.low + step - 1, -step))
        return [self.low, *reversed(found)]
