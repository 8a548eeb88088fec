"""Gradient norm per layer over time. Owns only the choice of curves."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.series import Array, Series
from engine.timeline import Timeline
from engine.verdict import spoken
from gui.charts.curves import Curve
from gui.charts.state import ChartState
from gui.charts.thin import moving_mean
from gui.charts.ticks import GrowingRange
from gui.charts.timechart import TimeChart

MOST_COLOURED = 5
"""Layers that get a colour and a name of their own; more could not be told apart, so the rest are grey."""

RAW_SHARE = 0.30
"""Opacity of raw norms below the smoothed ones: spikes are seen, the trend is read."""

LAYERS_PER_REFRESH = 16
"""Layers whose curves may be drawn again at every probe."""

SHARE = 0.03
"""Share of all probes that one smoothed norm is the geometric mean of."""


class GradientTimeChart(TimeChart):
    """Every layer of the leading run; the first, the last, the weakest and the strongest stand out."""

    name = "gradient"

    def __init__(self, state: ChartState) -> None:
        super().__init__(state)
        self.range = GrowingRange(least_decades=1.0, most_decades=24.0)
        self._colors: dict[str, int] = {}

    def stale(self) -> object:
        """Only probes change this chart; with many layers not even each of them is worth drawing all curves again."""
        first = self.state.first
        every = 1 + len(first.layers) // LAYERS_PER_REFRESH if first else 1
        steady = first and (first.num_probes // every, first.outcome is None, len(first.marks), first.first_non_finite)
        return self.state.series, steady

    def title(self) -> str:
        """What the chart is."""
        return self.tr("Gradient norm")

    def subtitle(self) -> str:
        """Of what, and the scale."""
        return self.tr("per layer, log") if self.log else self.tr("per layer")

    def curves(self) -> Iterable[tuple[Timeline, Curve]]:
        """Grey layers below, named ones on top."""
        first = self.state.first
        if first is None:
            return
        named = self._named(first)
        for layer in first.layers:
            series = first.gradients.get(layer)
            if series is None or layer in named:
                continue
            step, value = _smoothed(series)
            yield first, Curve(layer, step, value, "control", width=1.0, share=0.5, smooth=True)
        self._assign(named)
        for layer in named:
            step, value = first.gradients[layer].points()
            yield (
                first,
                Curve(f"{layer}, raw", step, value, f"series.{self._colors[layer]}", width=1.0, share=RAW_SHARE),
            )
        for layer in named:
            step, value = _smoothed(first.gradients[layer])
            curve = Curve(layer, step, value, f"series.{self._colors[layer]}", width=1.8, smooth=True)
            curve.label = spoken(layer, first.layers)
            yield first, curve

    def _assign(self, named: list[str]) -> None:
        """Give each named layer the first free colour; one that stays named keeps its own."""
        self._colors = {layer: index for layer, index in self._colors.items() if layer in named}
        for layer in named:
            if layer not in self._colors:
                taken = set(self._colors.values())
                self._colors[layer] = next(index for index in range(len(named)) if index not in taken)

    def _named(self, timeline: Timeline) -> list[str]:
        """The layers that stand out, input side first."""
        probed = [layer for layer in timeline.layers if layer in timeline.gradients]
        if len(probed) <= MOST_COLOURED:
            return probed
        depth = timeline.depth()
        means = zip(depth.layers, depth.mean.tolist(), strict=True)
        norms = {layer: norm for layer, norm in means if np.isfinite(norm)}
        chosen = {probed[0], probed[-1]}
        if norms:
            chosen |= {min(norms, key=lambda layer: norms[layer]), max(norms, key=lambda layer: norms[layer])}
        return [layer for layer in probed if layer in chosen]


def _smoothed(series: Series) -> tuple[Array, Array]:
    """Moving geometric mean: norms differ by factors. Norms of exactly zero have no logarithm and are left out."""
    step, value = series.points()
    step, value = step[value > 0], value[value > 0]
    return step, np.exp(moving_mean(np.log(value), SHARE))
