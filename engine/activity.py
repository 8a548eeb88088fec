"""What layers gave in the course of a run.

Owns `ActivityLog` (measurements, thinned) and `Spread` (what the chart over depth shows). Never measures or judges.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from engine.events import BINS, Activated
from engine.series import Array

MOST = 256
"""Measurements kept; beyond it every second one of the older half goes, the first always stays."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What each layer gave at one measurement, in the order in which they were reached; arrays are `(len(layers),)`."""

    layers: tuple[str, ...]
    step: int
    samples: int
    mean: Array
    std: Array
    low: Array
    high: Array
    counts: Array
    """`(len(layers), BINS)`."""
    units: Array
    dead: Array
    """Share of the units that gave the same for every sample."""
    activation: Array
    """1 for activations, else 0."""
    flat: Array
    """Share of the results with hardly any slope; nan for layers that are no function of one number."""
    saturates: Array
    """1 for functions that are flat at both ends and not at 0, else 0."""

    @property
    def activations(self) -> Spread:
        """Of the layers those that are activations; all where there are none."""
        rows = np.flatnonzero(self.activation)
        if not len(rows):
            return self
        columns = {item.name: getattr(self, item.name) for item in fields(self)}
        chosen = {name: value[rows] for name, value in columns.items() if isinstance(value, np.ndarray)}
        return Spread(**columns | chosen | {"layers": tuple(self.layers[row] for row in rows)})


class ActivityLog:
    """The measurements of a run, in order."""

    def __init__(self) -> None:
        self._found: list[Activated] = []

    def __len__(self) -> int:
        return len(self._found)

    @property
    def last_step(self) -> int:
        """Step of the newest measurement; -1 before the first."""
        return self._found[-1].step if self._found else -1

    def add(self, event: Activated) -> None:
        """Adds a measurement."""
        self._found.append(event)
        if len(self._found) > MOST:
            half = MOST // 2
            self._found = [item for i, item in enumerate(self._found) if i >= half or i % 2 == 0]

    def drop_after(self, step: int) -> None:
        """Forgets the measurements beyond `step`."""
        self._found = [item for item in self._found if item.step <= step]

    def at(self, step: float | None = None) -> Spread | None:
        """The newest measurement, or the newest at or before a step; None where there is none."""
        fitting = [item for item in self._found if step is None or item.step <= step]
        return _spread(fitting[-1]) if fitting else None

    def known(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Of some instance paths those that were measured."""
        last = self._found[-1].layers if self._found else {}
        return tuple(path for path in paths if path in last)

    def series(self, layer: str, name: str) -> tuple[Array, Array]:
        """Steps and values of one figure of one layer."""
        rows = [(item.step, item.layers[layer].get(name)) for item in self._found if layer in item.layers]
        kept = [(step, float(value)) for step, value in rows if value is not None]
        return np.array([step for step, _ in kept], dtype=float), np.array([value for _, value in kept], dtype=float)


def _spread(found: Activated) -> Spread:
    rows = list(found.layers.values())

    def column(name: str, missing: float = np.nan) -> Array:
        return np.array([float(row.get(name, missing)) for row in rows], dtype=float)

    counts = np.array([row.get("counts", [0] * BINS) for row in rows], dtype=float).reshape(len(rows), BINS)
    return Spread(
        tuple(found.layers), found.step, found.samples, column("mean"), column("std"), column("low"), column("high"),
        counts, column("units"), column("dead"), column("activation", 0.0), column("flat"), column("saturates", 0.0),
    )  # fmt: skip
