"""One sentence about what layers give, made only from the numbers of a run. Owns the thresholds and the words.

The chart over depth and `runs show` say the same sentence.
"""

from __future__ import annotations

from math import isfinite

import numpy as np

from engine.activity import Spread
from engine.verdict import Verdict, figure, spoken

DEAD = 0.1
"""Share of the units from which a layer is said to be dying: a tenth of its width does nothing."""

SATURATED = 0.5
"""Share of the results with hardly any slope from which a function that is flat at both ends is said to be saturated.
ReLU and its like have a flat side by design and are judged by their dead units alone.
"""

SPREAD_RATIO = 100.0
"""Widest above narrowest layer by more than this: a signal that changes its size a hundredfold between input and output
is what initial weights and normalisation are chosen against."""


def activity_verdict(spread: Spread | None) -> Verdict:
    """What a measurement says: broken numbers, dead units, saturation, a spread that shrinks or grows with depth."""
    if spread is None or not spread.layers:
        return Verdict("unknown", "No activations measured yet")
    shown = spread.activations
    names = shown.layers
    broken = [row for row, value in enumerate(shown.std.tolist()) if not isfinite(value)]
    if broken:
        first = names[broken[0]]
        return Verdict("error", f"{spoken(first, names)} gives numbers that are not finite", "", first)
    worst = int(np.argmax(shown.dead))
    if shown.dead[worst] >= DEAD:
        return _dead(shown, worst)
    flat = np.where(shown.saturates > 0, np.nan_to_num(shown.flat), 0.0)
    row = int(np.argmax(flat))
    if flat[row] >= SATURATED:
        where = spoken(names[row], names)
        detail = f"{shown.flat[row]:.0%} of its results lie where the slope is below 0.01"
        return Verdict("warning", f"{where} is saturated", detail, names[row])
    return _sized(shown)


def _dead(shown: Spread, row: int) -> Verdict:
    where = spoken(shown.layers[row], shown.layers)
    dead, units = round(shown.dead[row] * shown.units[row]), round(float(shown.units[row]))
    if dead == units:
        title = f"{where} is dead"
        return Verdict("error", title, f"all {units:,} units give the same for every sample", shown.layers[row])
    title = f"{shown.dead[row]:.0%} of {where} is dead"
    detail = f"{dead:,} of {units:,} units never change: a leaky slope, other initial weights or a smaller rate helps"
    return Verdict("warning", title, detail, shown.layers[row])


def _sized(shown: Spread) -> Verdict:
    names = shown.layers
    narrow, wide = int(np.argmin(shown.std)), int(np.argmax(shown.std))
    low, high = float(shown.std[narrow]), float(shown.std[wide])
    ends = {"weakest": names[narrow], "strongest": names[wide]}
    said = f"σ {figure(low)} in {spoken(names[narrow], names)}, {figure(high)} in {spoken(names[wide], names)}"
    if low == 0.0 or high / low > SPREAD_RATIO:
        word = "shrinks" if narrow > wide else "grows"
        return Verdict("warning", f"The signal {word} with depth", said, **ends)
    if len(names) == 1:
        return Verdict("good", "The only activation is alive", f"σ {figure(high)}", **ends)
    return Verdict("good", "Every activation is alive", said, **ends)
