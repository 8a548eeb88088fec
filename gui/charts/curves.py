"""One curve: its numbers, how it looks, and its painting.

Owns the thinning for the screen. Never reads a timeline.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gui.charts.thin import Array, thin, thin_smooth
from gui.theme import color, mix, themes

DOTS_UNTIL = 60
"""Validation points get dots while they are at least a few pixels apart."""


def _none() -> Array:
    return np.empty(0)


@lru_cache(maxsize=512)
def _ink(theme: str, token: str, share: float) -> QColor:
    """Colours are asked for several times per curve and repaint; `theme` only tells the two themes apart."""
    return color(token) if share >= 1 else mix(color(token), color("panel"), share)


@dataclass(slots=True)
class Curve:
    """A named line over steps. `x` and `y` are chart units, filled in by the chart; `step` and `value` are real."""

    name: str
    step: Array
    value: Array
    color: str
    width: float = 2.0
    share: float = 1.0
    """Opacity over the panel."""
    dash: tuple[float, float] | None = None
    dots: bool = False
    smooth: bool = False
    """Already smooth: it may be thinned to means."""
    legend: bool = True
    label: str = ""
    """What legend and value box call it; "" leaves it out of both."""
    x: Array = field(default_factory=_none)
    y: Array = field(default_factory=_none)

    def at(self, step: float) -> float | None:
        """The value at the newest point at or before `step`."""
        found = int(np.searchsorted(self.step, step, side="right")) - 1
        return float(self.value[found]) if found >= 0 else None

    def ink(self) -> QColor:
        """The colour as it looks on the panel: opaque, because Qt draws opaque lines several times faster."""
        return _ink(themes.current.name, self.color, self.share)

    def pen(self) -> QPen:
        """The pen of the line."""
        pen = QPen(self.ink(), self.width)
        pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin if self.width <= 1 else Qt.PenJoinStyle.RoundJoin)
        if self.dash:
            pen.setDashPattern([part / max(self.width, 1.0) for part in self.dash])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        return pen


@dataclass(frozen=True, slots=True)
class Frame:
    """The plot's rectangle in pixels and its range in chart units."""

    rect: QRectF
    low: float
    high: float
    bottom: float
    top: float

    def x(self, at: Array | float) -> Array:
        """Pixel column of a position in time."""
        return self.rect.left() + (np.asarray(at) - self.low) * (self.rect.width() / (self.high - self.low))

    def y(self, at: Array | float) -> Array:
        """Pixel row of a value in chart units."""
        return self.rect.bottom() - (np.asarray(at) - self.bottom) * (self.rect.height() / (self.top - self.bottom))

    def time(self, x: float) -> float:
        """Position in time of a pixel column."""
        return self.low + (x - self.rect.left()) * (self.high - self.low) / max(self.rect.width(), 1.0)


def draw_curve(painter: QPainter, curve: Curve, frame: Frame) -> None:
    """Draw the part of a curve that lies in the frame, thinned to the pixels there are."""
    if not len(curve.x):
        return
    first = max(int(np.searchsorted(curve.x, frame.low)) - 1, 0)
    last = int(np.searchsorted(curve.x, frame.high, side="right")) + 1
    x, y = frame.x(curve.x[first:last]), frame.y(curve.y[first:last])
    # Beyond a few thousand pixels Qt clips slowly; a steep line leaves the plot at the same place either way.
    y = np.clip(y, frame.rect.top() - 500, frame.rect.bottom() + 500)
    line_x, line_y = thin_smooth(x, y) if curve.smooth else thin(x, y)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, curve.width > 1)
    painter.setPen(curve.pen())
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(pg.functions.arrayToQPolygonF(line_x, line_y))
    if curve.dots and len(x) <= DOTS_UNTIL:
        _draw_dots(painter, curve, x, y)


def _draw_dots(painter: QPainter, curve: Curve, x: Array, y: Array) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(color("panel"), 1))
    painter.setBrush(curve.ink())
    for dot_x, dot_y in zip(x.tolist(), y.tolist(), strict=True):
        painter.drawEllipse(QPointF(dot_x, dot_y), 2.7, 2.7)
