"""A small curve of the last values of one quantity. Owns its painting and its log scale, never the values' meaning."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.icons import paint_icon
from gui.theme import color

KEPT = 36
LEAST_DECADES = 0.5
HEIGHT = 14
DOT = 1.8


class Sparkline(QWidget):
    """The last 36 values on a log scale of at least half a decade, with a dot at the newest one."""

    def __init__(self, *, token: str = "text2", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._token = token
        self._ink: QColor | None = None
        self._values: tuple[float, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_values(self, values: Sequence[float], ink: QColor | None = None) -> None:
        """Show the end of `values`; `ink` overrides the colour, for a curve in the colour of the gradient scale."""
        self._values = tuple(values[-KEPT:])
        self._ink = ink
        self.update()

    def sizeHint(self) -> QSize:
        """The size at which everything shows."""
        return QSize(88, HEIGHT + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        middle = self.height() / 2
        area = QRectF(2, middle - HEIGHT / 2, self.width() - 6, HEIGHT)
        paint_sparkline(painter, area, self._values, self._ink or color(self._token))
        painter.end()


def sparkline_path(area: QRectF, values: Sequence[float]) -> tuple[QPainterPath, QPointF | None, bool]:
    """The curve of `values` inside `area`, where it ends, and whether it ends because a value is not finite.

    Zero and negative values lie on the lower edge: a log scale has no place for them.
    """
    good = [value for value in values if math.isfinite(value)]
    logs = [math.log10(value) for value in good if value > 0]
    path = QPainterPath()
    if not logs:
        return path, None, len(good) < len(values)
    low, high = min(logs), max(logs)
    spare = max(0.0, LEAST_DECADES - (high - low)) / 2
    low, high = low - spare, high + spare
    end: QPointF | None = None
    stride = area.width() / max(len(values) - 1, 1)
    for index, value in enumerate(values):
        if not math.isfinite(value):
            return path, end, True
        share = (math.log10(value) - low) / (high - low) if value > 0 else 0.0
        spot = QPointF(area.left() + index * stride, area.bottom() - share * area.height())
        if end is None:
            path.moveTo(spot)
        else:
            path.lineTo(spot)
        end = spot
    return path, end, False


def paint_sparkline(painter: QPainter, area: QRectF, values: Sequence[float], ink: QColor) -> None:
    """Draw the curve and the dot at its end; a cross in the error colour where it stopped being finite."""
    path, end, broken = sparkline_path(area, values)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(ink, 1.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPath(path)
    if broken:
        spot = end or area.center()
        paint_icon(painter, "close", QRectF(spot.x() - 1, area.top() - 2, 9, 9), color("error"))
    elif end is not None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(end, DOT, DOT)
