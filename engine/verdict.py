"""One sentence about gradient flow, made only from the numbers of a run.

Owns the thresholds and the words. Never draws; the chart over depth, the canvas and `runs show` say the same sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.probe_window import Depth
from engine.timeline import Timeline

VANISHING_RATIO = 1e4
"""Weakest below strongest by more than this: float32 keeps seven digits and trainings run for 1e3 to 1e5 steps, so a
layer that moves ten thousand times slower than another ends about where it was initialised."""

EXPLODING_NORM = 1e3
"""A plain step at the usual rate of 1e-3 along such a gradient promises to lower the loss by 1e-3 x 1e3 squared = 1000,
hundreds of times more than the losses people train on: the step leaves the region where the gradient means anything."""

Level = Literal["unknown", "good", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`title` is the finding, `detail` its numbers; `weakest` and `strongest` are instance paths or ""."""

    level: Level
    title: str
    detail: str = ""
    weakest: str = ""
    strongest: str = ""

    def __str__(self) -> str:
        return f"{self.title}; {self.detail}" if self.detail else self.title


def verdict(timeline: Timeline) -> Verdict:
    """What the last probes of `timeline` say about gradient flow."""
    bad = timeline.first_non_finite
    if bad:
        place = f" in {spoken(bad.layer, timeline.layers)}" if bad.layer else ""
        return Verdict("error", f"Not finite first{place or ' in the loss'}", f"at step {bad.step:,}", bad.layer)
    depth = timeline.depth()
    known = [int(row) for row in np.flatnonzero(~np.isnan(depth.mean))]
    if not known:
        return Verdict("unknown", "No gradients measured yet")
    return _judge(depth, known)


def _judge(depth: Depth, rows: list[int]) -> Verdict:
    weakest = min(rows, key=lambda row: depth.mean[row])
    strongest = max(rows, key=lambda row: depth.mean[row])
    low, high = float(depth.mean[weakest]), float(depth.mean[strongest])
    names = depth.layers
    weak, strong = spoken(names[weakest], names), spoken(names[strongest], names)
    ends = {"weakest": names[weakest], "strongest": names[strongest]}
    if high == 0.0:
        return Verdict("error", "No gradient reaches any layer", "every norm is exactly zero", **ends)
    if high > EXPLODING_NORM:
        title = f"Gradients explode in {strong}"
        return Verdict("error", title, f"norm {figure(high)}, {_times(high, low)} above {weak}", **ends)
    if low == 0.0 or high / low > VANISHING_RATIO:
        return _vanishing(depth, rows, (weak, strong), ends)
    if weakest == strongest:
        return Verdict("good", "Gradients reach the only layer", f"norm {figure(high)}", **ends)
    return Verdict("good", "Gradients reach every layer", f"weakest {weak}, {_times(high, low)} below {strong}", **ends)


def _vanishing(depth: Depth, rows: list[int], words: tuple[str, str], ends: dict[str, str]) -> Verdict:
    weak, strong = words
    high = max(float(depth.mean[row]) for row in rows)
    starved = [row for row in rows if depth.mean[row] * VANISHING_RATIO < high]
    first_fed = next(row for row in rows if row not in starved)
    low = min(float(depth.mean[row]) for row in rows)
    if first_fed > starved[0]:
        title = f"Gradients vanish below {spoken(depth.layers[first_fed], depth.layers)}"
    else:
        title = f"Gradients do not reach {spoken(depth.layers[starved[0]], depth.layers)}"
    amount = "exactly zero there" if low == 0.0 else f"{_times(high, low)} below {strong}"
    return Verdict("warning", title, f"{len(starved)} of {len(rows)} layers; weakest {weak}, {amount}", **ends)


def spoken(path: str, among: Sequence[str] = ()) -> str:
    """An instance path in words: `blocks.1.body.norm1` is "norm1 in copy 2"; names met twice also get their block."""
    parts = path.split(".")
    leaf = parts[-1]
    copies = [index for index, part in enumerate(parts) if part.isdigit()]
    owner = parts[copies[-1] - 1] if copies and copies[-1] else (parts[0] if len(parts) > 1 else "")
    # Copies of one block share a name and are told apart by number; other blocks with that name need theirs said too.
    families = {_family(other) for other in among if other.split(".")[-1] == leaf}
    block = f"{owner}, " if copies and owner and len(families) > 1 else ""
    if copies:
        return f"{leaf} in {block}copy {int(parts[copies[-1]]) + 1}"
    return f"{leaf} in {owner}" if owner and len(families) > 1 else leaf


def _family(path: str) -> str:
    return ".".join("*" if part.isdigit() else part for part in path.split("."))


def _times(high: float, low: float) -> str:
    return "infinitely" if low == 0.0 else f"{figure(high / low)} times"


def figure(value: float) -> str:
    """Three significant figures; thousands with a comma; scientific from 1e6 and below 1e-3."""
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
