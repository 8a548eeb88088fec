"""Where ticks stand, what they say, and ranges that grow in whole steps.

Plain calculations: positions are in chart units (the decadic logarithm on a log scale). Never draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from gui.numbers import MINUS, number, power_of_ten

WHOLE = (1, 2, 3, 4, 6, 8)
"""Steps within a decade at which a logarithmic range may end: each about a third above the one before."""

_WANTED = (1, 2, 4, 6, 3, 8)
"""Which of them get a label first when there is not room for all."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A position in chart units and its words."""

    at: float
    label: str


def log_ticks(low: float, high: float, pixels: float, least_gap: float = 22.0) -> list[Tick]:
    """The densest set of whole values between 10**low and 10**high whose labels keep `least_gap` pixels apart."""
    if high <= low or pixels <= 0:
        return []
    per_decade = pixels / (high - low)
    if high - low < 1.999:
        found = _within_decades(low, high, per_decade, least_gap)
        if len(found) > 1:
            return [Tick(at, plain(10**at)) for at in found]
    every = max(1, ceil(least_gap / per_decade))
    whole = [float(at) for at in range(ceil(low - 1e-9), floor(high + 1e-9) + 1)]
    if not whole:
        return [Tick(low, plain(10**low))]
    return [Tick(at, _power(at)) for at in whole if round(at - whole[-1]) % every == 0]


def _within_decades(low: float, high: float, per_decade: float, least_gap: float) -> list[float]:
    """The ends of the range, then the rounder values first, each where it keeps clear of those chosen before."""
    wanted = [
        (priority, decade + log10(step))
        for decade in range(floor(low) - 1, ceil(high) + 1)
        for priority, step in enumerate(_WANTED)
        if low - 1e-9 <= decade + log10(step) <= high + 1e-9
    ]
    ends = [(-1, pick(at for _, at in wanted)) for pick in (max, min)] if wanted else []
    chosen: list[float] = []
    for _, at in [*ends, *sorted(wanted)]:
        if all(abs(at - other) * per_decade >= least_gap for other in chosen):
            chosen.append(at)
    return sorted(chosen)


def _power(at: float) -> str:
    return power_of_ten(round(at))


def plain(value: float) -> str:
    """A whole value of a scale without the zeros that three significant figures would add: 0.4, 20, 3e-4."""
    text = number(float(f"{value:.3g}"))
    mantissa, mark, exponent = text.partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}{mark}{exponent}"


def linear_ticks(
    low: float, high: float, pixels: float, least_gap: Callable[[str], float] | float, *, whole: bool = False
) -> list[Tick]:
    """Multiples of 1, 2 or 5 times a power of ten; `least_gap` may depend on a label (its width, on a time axis).

    `whole` keeps to whole numbers: there is no epoch 2.5.
    """
    if high <= low or pixels <= 0:
        return []
    scale = pixels / (high - low)
    exponent = floor(log10(high - low)) - 3
    while exponent < 300:
        for factor in (1, 2, 5):
            step = factor * 10.0**exponent
            if whole and step < 1:
                continue
            if step * scale < 6:
                continue
            ticks = _multiples(low, high, step)
            gap = least_gap if isinstance(least_gap, float | int) else max(map(least_gap, (t.label for t in ticks)))
            if step * scale >= gap:
                return ticks
        exponent += 1
    return []


def _multiples(low: float, high: float, step: float) -> list[Tick]:
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    fixed = step >= 1e-4 and abs(high) < 1e6
    decimals = max(0, -floor(log10(step) + 1e-9))
    found = []
    for index in range(first, last + 1):
        value = float(f"{index * step:.12g}")
        label = f"{value:,.{decimals}f}".replace("-", MINUS) if fixed else plain(value)
        found.append(Tick(value, label))
    return found or [Tick(low, "")]


class GrowingRange:
    """A range of values that only grows, in whole steps, until `reset`: a chart that breathes cannot be read."""

    def __init__(self, *, least_decades: float = 0.5, most_decades: float = 12.0) -> None:
        self.low: float | None = None
        self.high: float | None = None
        self._least, self._most = least_decades, most_decades

    def reset(self) -> None:
        """Forget: other runs are shown, or the scale changed between linear and logarithmic."""
        self.low = self.high = None

    def include_log(self, low: float, high: float) -> tuple[float, float]:
        """Chart range (logarithms) that holds the positive values from `low` to `high`."""
        if not (0 < low <= high and isfinite(high)):
            return self.current((-1.0, 0.0))
        top = _whole_above(high)
        bottom = max(_whole_below(low), top - self._most)
        while top - bottom < self._least:
            top, bottom = _whole_above(10 ** (top + 0.02)), _whole_below(10 ** (bottom - 0.02))
        return self._grow(bottom, top)

    def include_linear(self, low: float, high: float, *, num_steps: int = 5) -> tuple[float, float]:
        """Chart range that holds the values from `low` to `high`, ending at whole multiples of a round step."""
        if not (isfinite(low) and isfinite(high)):
            return self.current((0.0, 1.0))
        if self.low is not None and self.high is not None and self.low <= low and high <= self.high:
            return self.low, self.high
        spread = (high - low) or abs(high) or 1.0
        raw = spread / num_steps
        power = 10.0 ** floor(log10(raw))
        step = next(factor for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999) * power
        bottom, top = floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step
        return self._grow(bottom, top if top > bottom else bottom + step)

    def current(self, otherwise: tuple[float, float]) -> tuple[float, float]:
        """The range so far, or `otherwise` while nothing was included."""
        return otherwise if self.low is None or self.high is None else (self.low, self.high)

    def _grow(self, low: float, high: float) -> tuple[float, float]:
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)
        return self.low, self.high


def _whole_above(value: float) -> float:
    decade = floor(log10(value) + 1e-9)
    return next(decade + log10(step) for step in (*WHOLE, 10) if step * 10.0**decade >= value * (1 - 1e-9))


def _whole_below(value: float) -> float:
    decade = floor(log10(value) + 1e-9)
    return next(decade + log10(step) for step in reversed(WHOLE) if step * 10.0**decade <= value * (1 + 1e-9))


def round_up(value: float) -> float:
    """The next value of two leading figures at or above `value`: a time axis that grows in whole steps."""
    if value <= 0:
        return 1.0
    step = 10.0 ** (floor(log10(value)) - 1) * 5
    return ceil(value / step - 1e-9) * step
