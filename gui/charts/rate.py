"""Learning rate over time: what was used, what is planned, what would have been. Owns only the choice of curves."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter, QPen, QPolygonF

from engine.timeline import Timeline
from gui.charts.curves import Curve, Frame
from gui.charts.legend import Entry
from gui.charts.state import ChartState
from gui.charts.ticks import GrowingRange
from gui.charts.timechart import TimeChart, series_color, series_dash
from gui.theme import color

DECADES = 4.0
"""A cosine ends at zero: below four decades of the highest rate the curve may leave the chart at its foot."""

LEGEND = 24.0
"""Height of the legend's row."""

_PLANS = ("planned", "next run")


class RateChart(TimeChart):
    """The rate so far, solid; the plan, dashed to its end; the plan without edits by hand, dotted. Before a run, the
    plan alone; after one whose recipe was changed, the next run's plan in grey.
    """

    name = "rate"
    legend_rows = 1

    def __init__(self, state: ChartState) -> None:
        super().__init__(state)
        self.range = GrowingRange(least_decades=1.0, most_decades=DECADES)

    def title(self) -> str:
        """What the chart is."""
        return self.tr("Learning rate")

    def subtitle(self) -> str:
        """The scale."""
        scale = self.tr("log") if self.log else self.tr("linear")
        if not self.state.series:
            return self.tr("planned, {0}").format(scale)
        last = self.state.series[0].timeline.momentum.last
        return scale if last is None else self.tr("momentum {0} · {1}").format(f"{last[1]:.3f}", scale)

    def include(self, low: float, high: float) -> None:
        """Whole decades: rates are spoken of in powers of ten."""
        if self.log:
            low = max(low, high / 10**DECADES)
            self.range.include_log(10 ** np.floor(np.log10(low) + 1e-9), 10 ** np.ceil(np.log10(high) - 1e-9))
        else:
            self.range.include_linear(0.0, high)

    def curves(self) -> Iterable[tuple[Timeline, Curve]]:
        """Dotted, dashed, solid: what really happened lies on top."""
        first = self.state.first
        alone = len(self.state.series) == 1
        yield from self._next_plan()
        if first is not None and self.state.unedited:
            step, rate = self.state.unedited
            yield first, Curve("without edits", step, rate, "text3", width=1.2, dash=(1.5, 3.5), legend=False)
        if first is not None and self.state.plan:
            step, rate = self.state.plan
            tint = "series.0" if alone else series_color(self.state.series[0])
            plan = Curve("planned", step, rate, tint, width=1.5, dash=(5, 4), smooth=True, label=self.tr("planned"))
            plan.legend = alone
            yield first, plan
        for item in reversed(self.state.series):
            step, rate = item.timeline.lr.points()
            tint = "series.0" if alone else series_color(item)
            name = "rate" if alone else f"{item.name}: rate"
            now = Curve(name, step, rate, tint, width=1.8, label=self.tr("now") if alone else item.name)
            now.dash = None if alone else series_dash(item)
            yield item.timeline, now

    def _next_plan(self) -> Iterable[tuple[Timeline, Curve]]:
        """What would come if Train were pressed now; nobody knows how many seconds that takes."""
        outline, plan = self.state.outline, self.state.next_plan
        if outline is None or plan is None or self.state.time_axis == "seconds":
            return
        step, rate = plan
        if self.state.series:
            curve = Curve("next run", step, rate, "text2", width=1.2, dash=(5, 4), smooth=True)
            curve.label = self.tr("next run")
        else:
            curve = Curve("planned", step, rate, "series.0", width=1.5, dash=(5, 4), smooth=True)
            curve.label = self.tr("planned")
        yield outline, curve

    def refresh(self) -> None:
        """The momentum of now stands in the title row."""
        super().refresh()
        if self.state.first is not None and self.state.first.momentum.last is not None:
            self.head.update()
            self.update()

    def paint_under(self, painter: QPainter, frame: Frame) -> None:
        """Below the rates the momentum of runs whose schedule moves it, from 0 at the foot to 1 below the legend."""
        for item in self.state.series:
            steps, values = item.timeline.momentum.points()
            if len(steps) < 2:
                continue
            along = np.asarray(frame.x(self.state.position(item.timeline, steps)), dtype=float)
            heights = frame.rect.bottom() - values * (frame.rect.height() - LEGEND)
            pen = QPen(color("text3"), 1.25)
            pen.setDashPattern([3, 3])
            painter.setPen(pen)
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in zip(along, heights, strict=True)]))
        super().paint_under(painter, frame)

    def values(self) -> dict[str, np.ndarray]:
        """The curves, and the momentum of the leading run where its schedule moves it."""
        found = super().values()
        first = self.state.first
        if first is not None and first.momentum.last is not None:
            found["momentum.step"], found["momentum"] = first.momentum.points()
        return found

    def entries(self) -> list[Entry]:
        """The rate of now first, then the plan, though the plan is drawn below."""
        order = {name: place for place, name in enumerate(_PLANS, 1)}
        return sorted(super().entries(), key=lambda entry: order.get(entry.curve.name, 0))

    def _newest(self, curve: Curve) -> str:
        return "" if curve.name in _PLANS else super()._newest(curve)
