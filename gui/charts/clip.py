"""How often and how hard gradient clipping acts, over time. Owns only the choice of curves."""

from __future__ import annotations

from collections.abc import Iterable

from engine.timeline import Timeline
from gui.charts.curves import Curve
from gui.charts.legend import Entry
from gui.charts.state import SMOOTHING, ChartState
from gui.charts.thin import moving_mean
from gui.charts.timechart import TimeChart, series_color, series_dash
from gui.numbers import number


class ClipChart(TimeChart):
    """Share of the steps that were cut, and what was left of their size: both from 0 to 1, so one axis serves both."""

    name = "clip"
    can_smooth = True

    def __init__(self, state: ChartState) -> None:
        super().__init__(state)
        self.set_log(False)

    def title(self) -> str:
        """What the chart is."""
        return self.tr("Clipping")

    def subtitle(self) -> str:
        """What the curves are shares of."""
        return self.tr("steps cut, size kept") + (self.tr(", log") if self.log else "")

    def include(self, low: float, high: float) -> None:
        """From 0 to 1 on a linear scale: all and nothing stay where they are."""
        if self.log:
            super().include(low, 1.0)
        else:
            super().include(0.0, 1.0)

    def refresh(self) -> None:
        """Read the timelines; the tip of the title row says what was measured, with the largest norm met."""
        super().refresh()
        first = self.state.first
        last = first.clip_norm.last if first else None
        words = self.tr(
            "Steps cut: share of the steps since the last record whose gradients were cut; 0 never, 1 always. "
            "Size kept: what was left of the gradient of those steps, on average; near 1 they were hardly cut."
        )
        if last is not None:
            words += " " + self.tr("Largest size met at the last record: {0}.").format(number(last[1]))
        self.head.setToolTip(words)

    def entries(self) -> list[Entry]:
        """How often first, though it is drawn on top."""
        return super().entries()[::-1]

    def curves(self) -> Iterable[tuple[Timeline, Curve]]:
        """How often, solid; how hard, dashed; the leading run on top."""
        alone = len(self.state.series) == 1
        share = SMOOTHING[self.state.smoothing]
        for item in reversed(self.state.series):
            prefix = "" if alone else f"{item.name}: "
            step, kept = item.timeline.clip_factor.means()
            tint = "series.2" if alone else series_color(item)
            hard = Curve(
                f"{prefix}size kept", step, moving_mean(kept, share), tint, width=1.8, dash=(5, 4), smooth=True
            )
            hard.label = self.tr("kept") if alone else item.name + self.tr(", size kept")
            hard.legend = alone
            yield item.timeline, hard
            step, cut = item.timeline.clip_share.means()
            tint = "series.0" if alone else series_color(item)
            often = Curve(f"{prefix}steps cut", step, moving_mean(cut, share), tint, width=1.8, smooth=True)
            often.label = self.tr("cut") if alone else item.name
            often.dash = None if alone else series_dash(item)
            yield item.timeline, often
