"""What each layer gives, from the input side to the output side: a histogram standing upright per layer.

Owns the shapes, the dots of the means and the range of values. The numbers and the sentence come from the engine.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QMenu

from engine.activity import Spread
from engine.activity_verdict import DEAD, activity_verdict
from engine.verdict import spoken
from gui.charts.curves import Frame
from gui.charts.overdepth import OverDepth, draw_cross
from gui.charts.state import ChartState
from gui.numbers import number
from gui.theme import color

WIDEST = 30.0
"""Half of a histogram's width in pixels at most."""

FAR = 20.0
"""Values further out than this many spreads of the median layer are cut: one layer must not flatten all others."""


class ActivationsChart(OverDepth):
    """Histograms of activations over depth; for networks without activations, of every layer with weights."""

    name = "activations"

    def __init__(self, state: ChartState) -> None:
        super().__init__(state)
        self.log = False
        self.plot.value_axis.log = False
        self.all_layers = False
        """Show every layer that was measured, not activations only."""
        self._spread: Spread | None = None

    @property
    def spread(self) -> Spread | None:
        """What is on show."""
        return self._spread

    def title(self) -> str:
        """What the chart is."""
        return self.tr("Activations over depth")

    def subtitle(self) -> str:
        """Of which samples, when; the run, where several are shown."""
        found = self._spread
        if found is None:
            return self.tr("measured at ends of epochs")
        said = self.tr("{samples} samples, evaluation mode, step {step}").format(
            samples=f"{found.samples:,}", step=f"{found.step:,}"
        )
        return f"{self.state.series[0].name}, {said}" if len(self.state.series) > 1 else said

    def add_choices(self, menu: QMenu) -> None:
        """Activations, or every layer."""
        words = {"activations": self.tr("Activations"), "all": self.tr("All layers")}
        self.add_choice(menu, self.tr("Show"), words, "all" if self.all_layers else "activations", self.choose)

    def choose(self, which: str) -> None:
        """Shows `all` layers or `activations`."""
        self.all_layers = which == "all"
        self.invalidate()
        self.tick()

    def stale(self) -> object:
        """Measurements come at ends of epochs at most: the steps between them need no new picture."""
        lines = [item.timeline for item in self.state.series]
        return [(line, len(line.activity), line.activity.last_step) for line in lines]

    def refresh(self) -> None:
        """Read the newest measurement, or that below the crosshair, and repaint."""
        timeline = self.state.first
        if timeline is None:
            return
        found = timeline.activity.at(self.state.pointer)
        self.say(activity_verdict(found))
        self._spread = found if found is None or self.all_layers else found.activations
        self.show_layers(self._spread.layers if self._spread else (), _range(self._spread))
        self.update()  # the step stands in the title row

    def values(self) -> dict[str, np.ndarray]:
        """Layer paths with their figures."""
        found = self._spread
        if found is None:
            return {}
        names = np.array(found.layers, dtype=object)
        return {"layer": names, "mean": found.mean, "std": found.std, "dead": found.dead, "flat": found.flat}

    def paint_under(self, painter: QPainter, frame: Frame) -> None:
        """The line of zero, histograms and means."""
        found = self._spread
        if found is None or not found.layers:
            return
        slot = frame.rect.width() / len(found.layers)
        half = max(min(WIDEST, slot * 0.42), 0.8)
        zero = round(float(frame.y(0.0))) + 0.5
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(color("border2"), 1))
        painter.drawLine(QLineF(frame.rect.left(), zero, frame.rect.right(), zero))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for row in range(len(found.layers)):
            middle = float(frame.x(float(row)))
            if np.isfinite(found.std[row]):
                self._draw_shape(painter, frame, found, row, middle, half)
            else:
                draw_cross(painter, middle, frame.rect.top() + 8)

    def _draw_shape(self, painter: QPainter, frame: Frame, found: Spread, row: int, middle: float, half: float) -> None:
        dying = bool(found.dead[row] >= DEAD)
        ink = QColor(color("error" if dying else "series.0"))
        counts = found.counts[row]
        low, high = float(found.low[row]), float(found.high[row])
        painter.setPen(Qt.PenStyle.NoPen)
        if high <= low or not counts.sum():
            painter.setBrush(ink)
            at = float(frame.y(low))
            painter.drawRoundedRect(QRectF(middle - half, at - 1.5, 2 * half, 3), 1.5, 1.5)
        else:
            edges = np.linspace(low, high, len(counts) + 1)
            # A lone high bar (ReLU's zeros) would shrink all others to a line: widths grow with the square root.
            wide = np.sqrt(counts / counts.max()) * half
            ys = np.asarray(frame.y(edges), dtype=float)
            right = [
                QPointF(middle + w, y) for w, top, foot in zip(wide, ys[:-1], ys[1:], strict=True) for y in (top, foot)
            ]
            left = [QPointF(2 * middle - point.x(), point.y()) for point in reversed(right)]
            fill = QColor(ink)
            fill.setAlphaF(0.55)
            painter.setBrush(fill)
            painter.drawPolygon(QPolygonF([*right, *left]))
        at = float(frame.y(float(found.mean[row])))
        if half >= 3:
            painter.setBrush(color("text"))
            painter.drawEllipse(QPointF(middle, at), 2.5, 2.5)

    def card(self, row: int) -> list[tuple[str, str]]:
        """The layer, its mean and spread, its dead units and flat slopes."""
        found = self._spread
        if found is None:
            return []
        figures = self.tr("mean {0} · σ {1}").format(number(float(found.mean[row])), number(float(found.std[row])))
        return [
            (spoken(found.layers[row], found.layers), "strong"),
            (figures, "mono"),
            (_shares(self, found, row), "name"),
        ]


def _shares(chart: ActivationsChart, found: Spread, row: int) -> str:
    said = [chart.tr("{0} dead of {1}").format(round(found.dead[row] * found.units[row]), f"{found.units[row]:,.0f}")]
    if np.isfinite(found.flat[row]):
        said.append(chart.tr("{0} of slopes below 0.01").format(f"{found.flat[row]:.0%}"))
    return " · ".join(said)


def _range(found: Spread | None) -> tuple[float, float]:
    """Range of values that holds the histograms, zero and the means, but not those that lie very far out."""
    if found is None:
        return -1.0, 1.0
    rows = np.flatnonzero(np.isfinite(found.std) & np.isfinite(found.low))
    if not len(rows):
        return -1.0, 1.0
    far = FAR * max(float(np.median(found.std[rows])), 1e-12)
    low = float(np.clip(np.minimum(found.low[rows], 0.0), -far, 0.0).min())
    high = float(np.clip(np.maximum(found.high[rows], 0.0), 0.0, far).max())
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room
