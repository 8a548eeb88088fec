"""A chart over time: curves of one or several runs, marks, legend, crosshair.

Owns how curves become pixels and ranges. Subclasses only say which curves there are (`curves`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from time import monotonic

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPainter, QPen

from engine.timeline import Timeline
from gui.charts.chart import Chart
from gui.charts.curves import Curve, Frame, draw_curve
from gui.charts.legend import MOST_ENDS, Entry, draw_box, draw_ends, draw_legend, ends_width
from gui.charts.marks import Marks, diamond
from gui.charts.plot import SIDE
from gui.charts.state import ChartSeries, ChartState
from gui.charts.ticks import GrowingRange
from gui.numbers import number
from gui.theme import color

HEADROOM = 17
"""Pixels above the highest step, for the legend."""

STILL = 0.5
"""Seconds that a chart may keep its picture while its curves have not reached another pixel: in a long training they
creep, and what is repainted all the same is taken from the training. Only the newest value in the legend is older."""

ENDS_FROM = 420
"""Width from which a chart has room for names at the ends of its curves."""


class TimeChart(Chart):
    """Base of the charts over time."""

    legend_rows = MOST_ENDS
    """Rows that the legend may take where one is too narrow."""

    def __init__(self, state: ChartState) -> None:
        super().__init__(state)
        self.range = GrowingRange()
        self.drawn: list[Curve] = []
        self._led: list[Curve] = []
        """Those of the leading run."""
        self._marks = Marks(state)
        self.plot.zoomed.connect(lambda low, high: state.set_window((low, high)))
        self.plot.fitted.connect(lambda: state.set_window(None))
        self.plot.pointed.connect(self._point)
        self._place: QPointF | None = None
        self._reached: object = None
        self._drawn_at = 0.0
        state.pointed.connect(self.plot.refresh)
        state.window_changed.connect(self._apply_range)

    def resizeEvent(self, event: object) -> None:
        """Names at the ends of curves come and go with the width."""
        super().resizeEvent(event)
        self._apply_range()

    @abstractmethod
    def curves(self) -> Iterable[tuple[Timeline, Curve]]:
        """The curves on show, with the run that each belongs to; the last is drawn on top."""

    def reset_range(self) -> None:
        """Let the range of values start anew."""
        self.range.reset()

    def tick(self) -> None:
        """Refresh if the chart is visible and would look different: see `STILL`."""
        if self.isVisible() and self.stale() != self._shown:
            reached, now = self._reach(), monotonic()
            if self._shown is None or reached != self._reached or now - self._drawn_at >= STILL:
                self._reached, self._drawn_at = reached, now
                super().tick()

    def _reach(self) -> object:
        """Pixel columns at which the curves end, and how much there is beside curves: epochs, marks, the outcome."""
        frame = self.plot.frame()
        found = []
        for item in self.state.series:
            line = item.timeline
            end = frame.x(self.state.position(line, np.array([float(line.step)])))[0]
            kept = tuple(line.checkpoints.values())
            found.append((round(float(end)), len(line.epochs), tuple(line.marks[-1:]), kept, line.outcome is None))
        return found

    def refresh(self) -> None:
        """Read the timelines, place the curves, keep or widen the ranges, repaint."""
        log = self.log
        self.drawn, self._led = [], []
        low, high = np.inf, -np.inf
        for timeline, curve in self.curves():
            keep = curve.value > 0 if log else np.isfinite(curve.value)
            step, value = curve.step[keep], curve.value[keep]
            curve.x = self.state.position(timeline, step)
            curve.y = np.log10(value) if log else value
            self.drawn.append(curve)
            if timeline is self.state.first:
                self._led.append(curve)
            if len(value):
                low, high = min(low, float(value.min())), max(high, float(value.max()))
        if low <= high:
            self.include(low, high)
        self._apply_range()
        self.plot.refresh()

    def include(self, low: float, high: float) -> None:
        """Widen the range of values to hold these."""
        if self.log:
            self.range.include_log(low, high)
        else:
            self.range.include_linear(low, high)

    def values(self) -> dict[str, np.ndarray]:
        """Steps and values of every curve: `train.step`, `train`, ... in real units."""
        found: dict[str, np.ndarray] = {}
        for curve in self.drawn:
            found[f"{curve.name}.step"] = curve.step
            found[curve.name] = curve.value
        return found

    def entries(self) -> list[Entry]:
        """The legend: every curve that has a name, with its newest value."""
        named = [curve for curve in self.drawn if curve.label and curve.legend]
        return [Entry(curve, curve.label, self._newest(curve)) for curve in named]

    def _newest(self, curve: Curve) -> str:
        return number(float(curve.value[-1])) if len(curve.value) else ""

    def paint_under(self, painter: QPainter, frame: Frame) -> None:
        """Marks below, curves above them."""
        self._marks.paint_lines(painter, frame)
        for curve in self.drawn:
            draw_curve(painter, curve, frame)

    def paint_over(self, painter: QPainter, frame: Frame) -> None:
        """Checkpoint, legend, words of marks, crosshair."""
        self._marks.paint_checkpoint(painter, frame)
        self._paint_best(painter, frame)
        self._paint_crosshair_line(painter, frame)
        entries = self.entries()
        taken = QRectF()
        if self._with_ends(entries):
            draw_ends(painter, frame, entries)
        else:
            taken = draw_legend(painter, frame, entries, rows=self.legend_rows)
        self._marks.paint_words(painter, frame, taken, edits=self.first_in_row)
        self._paint_crosshair_box(painter, frame)

    def _paint_best(self, painter: QPainter, frame: Frame) -> None:
        """A filled diamond on the validation curve of the leading run, where its best weights come from."""
        first = self.state.first
        best = [row for row in first.epochs if row.best] if first else []
        curve = next((curve for curve in reversed(self._led) if curve.dots), None)
        if first is None or curve is None or not best:
            return
        value = curve.at(best[-1].step)
        if value is None or (self.log and value <= 0):
            return
        x = frame.x(self.state.position(first, np.array([float(best[-1].step)])))[0]
        y = frame.y(np.log10(value) if self.log else value)
        if frame.rect.left() - 1 <= x <= frame.rect.right() + 1:
            diamond(painter, QPointF(float(x), float(y)), 5.5, curve.color)

    def _with_ends(self, entries: list[Entry]) -> bool:
        runs = len(self.state.series)
        return runs >= 2 and 2 <= len(entries) <= MOST_ENDS and self.width() >= ENDS_FROM

    def _apply_range(self) -> None:
        axis = self.plot.time_axis
        unit, axis.whole = {
            "epochs": (self.tr("epoch"), True),
            "steps": (self.tr("step"), True),
            "seconds": (self.tr("seconds"), False),
        }[self.state.time_axis]
        if axis.unit != unit:
            axis.unit = unit
            axis.update()
        entries = self.entries()
        self.plot.set_margins(ends_width(entries) + 8 if self._with_ends(entries) else SIDE)
        span = self.state.span()
        self.plot.view.setLimits(xMin=0.0, xMax=span)
        low, high = self.range.current((-1.0, 0.0) if self.log else (0.0, 1.0))
        # The legend's row stays free of curves: it lies above the highest whole step.
        height = max(self.plot.view.rect().height(), 2.0 * HEADROOM)
        high += (high - low) * HEADROOM / (height - HEADROOM)
        self.plot.set_range(self.state.window or (0.0, span), (low, high))

    def _point(self, place: QPointF | None) -> None:
        self._place = place
        if place is None:
            self.state.point_at(None)
            return
        self.state.point_at(self.state.step_at(self.plot.frame().time(place.x())))

    def _paint_crosshair_line(self, painter: QPainter, frame: Frame) -> None:
        step, first = self.state.pointer, self.state.first
        if step is None or first is None:
            return
        x = round(float(frame.x(self.state.position(first, np.array([step])))[0])) + 0.5
        if not frame.rect.left() <= x <= frame.rect.right() + 1:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(color("text2"), 1))
        painter.drawLine(QLineF(x, frame.rect.top(), x, frame.rect.bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for curve in self._boxed():
            value = curve.at(step)
            if value is None or (self.log and value <= 0):
                continue
            y = float(frame.y(np.log10(value) if self.log else value))
            if frame.rect.top() - 3 <= y <= frame.rect.bottom() + 3:
                painter.setPen(QPen(color("panel"), 1))
                painter.setBrush(curve.ink())
                painter.drawEllipse(QPointF(x, y), 3.2, 3.2)

    def _boxed(self) -> list[Curve]:
        """The curves that the value box lists."""
        return [curve for curve in self.drawn if curve.label]

    def _paint_crosshair_box(self, painter: QPainter, frame: Frame) -> None:
        """The box stands only on the chart below the pointer: the lines on the others say where."""
        step, first = self.state.pointer, self.state.first
        if step is None or first is None or self._place is None:
            return
        x = float(frame.x(self.state.position(first, np.array([step])))[0])
        entries = []
        for curve in self._boxed():
            value = curve.at(step)
            if value is not None:
                entries.append(Entry(curve, curve.label, number(value)))
        epoch = int(np.floor(first.epoch_of(np.array([max(step - 1, 0.0)]))[0])) + 1
        words = self.tr("epoch {epoch} · step {step}").format(epoch=number(epoch), step=f"{step:,.0f}")
        room = max(1, int((frame.rect.height() - 10) // 17))
        draw_box(painter, frame, x, words, entries[:room])


def series_color(item: ChartSeries) -> str:
    """The colour token of a run."""
    return "baseline" if item.baseline else f"series.{item.color}"


def series_dash(item: ChartSeries) -> tuple[float, float] | None:
    """Dashes of a run: the baseline always, and colours that are used for the second time."""
    return (6, 4) if item.baseline else (8, 3) if item.color >= 8 else None
