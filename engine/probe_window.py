"""The newest gradient probes of a run, and their spread per layer.

Owns `ProbeWindow` (the last 100 probes) and `Depth` (what the chart over depth shows). Never judges, never draws.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from engine.events import Probed
from engine.series import Array

WINDOW = 100
"""Probes that the depth chart looks back on."""


@dataclass(frozen=True, slots=True)
class Depth:
    """Gradient norm per layer, input side first; each array is `(len(layers),)`, nan where nothing is known."""

    layers: tuple[str, ...]
    mean: Array
    """Geometric mean of the finite positive norms; 0 where every norm was exactly zero."""
    least: Array
    greatest: Array
    num_probes: int
    non_finite: tuple[str, ...]
    """Layers whose norm was nan or inf in the newest probe."""


class ProbeWindow:
    """The last `size` probes, in order."""

    def __init__(self, size: int = WINDOW) -> None:
        self._probes: deque[Probed] = deque(maxlen=size)
        self._num_added = self._num_read = 0
        self._columns: tuple[str, ...] = ()
        self._rows: deque[list[float]] = deque(maxlen=size)

    def __len__(self) -> int:
        return len(self._probes)

    @property
    def newest(self) -> Probed | None:
        """The last probe, or None."""
        return self._probes[-1] if self._probes else None

    def recent(self, count: int) -> tuple[Probed, ...]:
        """The newest `count` probes, oldest first."""
        return tuple(self._probes)[-count:]

    def add(self, probe: Probed) -> None:
        """Add a probe; the oldest falls out."""
        self._probes.append(probe)
        self._num_added += 1

    def drop_after(self, step: int) -> None:
        """Forget the probes beyond `step`."""
        kept = [probe for probe in self._probes if probe.step <= step]
        self._probes = deque(kept, maxlen=self._probes.maxlen)
        # The rows follow: read all of what is left again.
        self._columns, self._num_read = (), 0
        self._num_added = len(kept)

    def depth(self, layers: Sequence[str]) -> Depth:
        """Mean, least and greatest norm of each layer over the window."""
        norms = self._table(layers)
        usable = np.isfinite(norms)
        seen = usable.any(axis=0)
        positive = usable & (norms > 0)
        counts = positive.sum(axis=0)
        logs = np.log(np.where(positive, norms, 1.0)).sum(axis=0)
        mean = np.where(counts > 0, np.exp(logs / np.maximum(counts, 1)), np.where(seen, 0.0, np.nan))
        least = np.where(seen, np.where(usable, norms, np.inf).min(axis=0, initial=np.inf), np.nan)
        greatest = np.where(seen, np.where(usable, norms, -np.inf).max(axis=0, initial=-np.inf), np.nan)
        last = self.newest
        bad = tuple(layer for layer in layers if last and layer in last.gradient and not isfinite(last.gradient[layer]))
        return Depth(tuple(layers), mean, least, greatest, len(self._probes), bad)

    def _table(self, layers: Sequence[str]) -> Array:
        """Norms `(num_probes, len(layers))`, nan where a probe lacks a layer; only new probes are read."""
        known = tuple(layers)
        if known != self._columns:
            self._columns, self._rows = known, deque(maxlen=self._probes.maxlen)
            self._num_read = 0
        fresh = min(self._num_added - self._num_read, len(self._probes))
        for probe in list(self._probes)[len(self._probes) - fresh :]:
            self._rows.append([probe.gradient.get(layer, np.nan) for layer in known])
        self._num_read = self._num_added
        return np.array(self._rows, dtype=float).reshape(len(self._rows), len(known))
