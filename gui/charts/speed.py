"""Samples per second over time. Owns only the choice of curves."""

from __future__ import annotations

from collections.abc import Iterable

from engine.timeline import Timeline
from gui.charts.curves import Curve
from gui.charts.state import ChartState
from gui.charts.thin import moving_mean
from gui.charts.timechart import TimeChart, series_color, series_dash

SHARE = 0.01
"""Share of all points that one drawn value is the mean of: single steps jitter with the machine."""


class SpeedChart(TimeChart):
    """How fast each run trained; linear from zero, so that half as high is half as fast."""

    name = "speed"

    def __init__(self, state: ChartState) -> None:
        super().__init__(state)
        self.set_log(False)

    def title(self) -> str:
        """What the chart is."""
        return self.tr("Speed")

    def subtitle(self) -> str:
        """The unit."""
        return self.tr("samples per second")

    def include(self, low: float, high: float) -> None:
        """From zero on a linear scale."""
        super().include(low if self.log else 0.0, high)

    def curves(self) -> Iterable[tuple[Timeline, Curve]]:
        """One curve per run."""
        alone = len(self.state.series) == 1
        for item in reversed(self.state.series):
            step, value = item.timeline.speed.means()
            tint = "series.0" if alone else series_color(item)
            name = "speed" if alone else f"{item.name}: speed"
            curve = Curve(name, step, moving_mean(value, SHARE), tint, width=1.8, smooth=True)
            curve.label = self.tr("now") if alone else item.name
            curve.dash = None if alone else series_dash(item)
            yield item.timeline, curve
