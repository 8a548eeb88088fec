"""Samples of two features as points in the plane, one colour and one shape per class. Owns painting only."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QWidget

from gui.numbers import number
from gui.panels.data_look import Points
from gui.theme import color, line_height, ui_font

FOOT = 20
SIDE = 34
KEY = 12
STALE = 0.6
REACH = 2.6
"""Half the size of a point."""


class Scatter(QWidget):
    """Both axes have the same scale, so that a circle is round."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: Points | None = None
        self._stale = False
        self.setMinimumSize(120, 90)
        self.setAccessibleName(self.tr("Samples in the plane"))

    def show_points(self, points: Points) -> None:
        """Shows other points."""
        self._shown, self._stale = points, False
        self.setToolTip(self.tr("{0} points; {1} to the right, {2} upwards").format(len(points.places), *points.axes))
        self.update()

    def set_stale(self, stale: bool) -> None:
        """Pales what is shown while something newer is on its way."""
        self._stale = stale
        self.update()

    def sizeHint(self) -> QSize:
        """A square."""
        return QSize(220, 200)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw axes, points and the names of the classes."""
        if self._shown is None or not len(self._shown.places):
            return
        painter = QPainter(self)
        painter.setOpacity(STALE if self._stale else 1.0)
        painter.setFont(ui_font(11))
        key = self._key_width()
        room = QRectF(SIDE, 4, self.width() - SIDE - key - 4, self.height() - FOOT - 4)
        side = min(room.width(), room.height())
        frame = QRectF(room.left(), room.top(), side, min(side, room.height()))
        low, high = self._range()
        self._paint_axes(painter, frame, low, high)
        self._paint_points(painter, frame, low, high)
        self._paint_key(painter, QRectF(frame.right() + 16, frame.top(), key, frame.height()))
        painter.end()

    def _range(self) -> tuple[np.ndarray, np.ndarray]:
        assert self._shown is not None
        low, high = self._shown.places.min(0), self._shown.places.max(0)
        middle, reach = (low + high) / 2, float((high - low).max()) * 0.53 or 1.0
        return middle - reach, middle + reach

    def _paint_axes(self, painter: QPainter, frame: QRectF, low: np.ndarray, high: np.ndarray) -> None:
        painter.setPen(color("border2"))
        painter.drawLine(frame.bottomLeft(), frame.bottomRight())
        for value in round_values(float(low[1]), float(high[1])):
            y = round(frame.bottom() - (value - low[1]) / (high[1] - low[1]) * frame.height()) + 0.5
            painter.setPen(color("border"))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(color("text3"))
            words = QRectF(0, y - 8, frame.left() - 6, 16)
            painter.drawText(words, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number(value, 2))
        for value in round_values(float(low[0]), float(high[0])):
            x = frame.left() + (value - low[0]) / (high[0] - low[0]) * frame.width()
            words = QRectF(x - 30, frame.bottom() + 3, 60, FOOT - 3)
            painter.drawText(words, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, number(value, 2))

    def _paint_points(self, painter: QPainter, frame: QRectF, low: np.ndarray, high: np.ndarray) -> None:
        assert self._shown is not None
        shares = (self._shown.places - low) / (high - low)
        x = frame.left() + shares[:, 0] * frame.width()
        y = frame.bottom() - shares[:, 1] * frame.height()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if not len(self._shown.classes):
            painter.setBrush(color("series.0", 0.85))
        for at, (left, top) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
            place = int(self._shown.classes[at]) if len(self._shown.classes) else 0
            painter.setBrush(color(f"series.{place}", 0.85))
            draw_mark(painter, place, QPointF(left, top), REACH)

    def _paint_key(self, painter: QPainter, room: QRectF) -> None:
        assert self._shown is not None
        height = line_height(11) + 4
        fits = max(1, int(room.height() // height))
        names = self._shown.names[:fits]
        metrics = QFontMetricsF(painter.font())
        for place, name in enumerate(names):
            middle = room.top() + (place + 0.5) * height
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color(f"series.{place}"))
            draw_mark(painter, place, QPointF(room.left() + 4, middle), 4)
            painter.setPen(color("text2"))
            words = QRectF(room.left() + KEY + 2, middle - height / 2, room.width() - KEY - 2, height)
            left_out = len(self._shown.names) - fits
            more = place == fits - 1 and left_out > 0
            said = self.tr("{0} more").format(left_out + 1) if more else name
            shown = metrics.elidedText(said, Qt.TextElideMode.ElideRight, words.width())
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, shown)

    def _key_width(self) -> float:
        if self._shown is None or not self._shown.names:
            return 0.0
        metrics = QFontMetricsF(ui_font(11))
        return min(120.0, max(metrics.horizontalAdvance(name) for name in self._shown.names) + KEY + 24)


def round_values(low: float, high: float, most: int = 4) -> list[float]:
    """At most `most` values between two ends, in steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / most
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
    first = int(np.ceil(low / step))
    return [float(round(place * step, 12)) for place in range(first, int(np.floor(high / step)) + 1)]


def draw_mark(painter: QPainter, place: int, at: QPointF, reach: float) -> None:
    """The shape of a class: circle, square, triangle, diamond in turn, so that colour is never alone."""
    x, y = at.x(), at.y()
    kind = place % 4
    if kind == 0:
        painter.drawEllipse(at, reach, reach)
    elif kind == 1:
        painter.drawRect(QRectF(x - reach * 0.9, y - reach * 0.9, reach * 1.8, reach * 1.8))
    elif kind == 2:
        points = [QPointF(x, y - reach * 1.2), QPointF(x + reach * 1.1, y + reach * 0.9)]
        painter.drawPolygon(QPolygonF([*points, QPointF(x - reach * 1.1, y + reach * 0.9)]))
    else:
        points = [QPointF(x, y - reach * 1.3), QPointF(x + reach * 1.3, y)]
        painter.drawPolygon(QPolygonF([*points, QPointF(x, y + reach * 1.3), QPointF(x - reach * 1.3, y)]))
