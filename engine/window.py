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

    def __len__(self) -> int:
        return len(self._probes)

    @property
    def newest(self) -> Probed | None:
        """The last probe, or None."""
        return self._probes[-1] if self._probes else None

    def add(self, probe: Probed) -> None:
        """Add a probe; the oldest falls out."""
        self._probes.append(probe)

    def drop_after(self, step: int) -> None:
        """Forget the probes beyond `step`."""
        kept = [probe for probe in self._probes if probe.step <= step]
        self._probes = deque(kept, maxlen=self._probes.maxlen)

    def depth(self, layers: Sequence[str]) -> Depth:
        """Mean, least and greatest norm of each layer over the window."""
        size = len(layers)
        mean, least, greatest = (np.full(size, np.nan) for _ in range(3))
        for row, layer in enumerate(layers):
            found = [probe.gradient[layer] for probe in self._probes if layer in probe.gradient]
            norms = np.array([norm for norm in found if isfinite(norm)])
            if not len(norms):
                continue
            positive = norms[norms > 0]
            mean[row] = np.exp(np.log(positive).mean()) if len(positive) else 0.0
            least[row], greatest[row] = norms.min(), norms.max()
        last = self.newest
        bad = tuple(layer for layer in layers if last and layer in last.gradient and not isfinite(last.gradient[layer]))
        return Depth(tuple(layers), mean, least, greatest, len(self._probes), bad)
