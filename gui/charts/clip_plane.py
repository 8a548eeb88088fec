"""A gradient of two numbers that can be dragged, and what clipping by value and by norm make of it.

Owns the picture, the mouse and the arrow keys. The arithmetic is the engine's (`engine.clip_vector`).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, cos, degrees, floor, hypot, log10, radians, sin

import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from engine.clip_vector import EXAMPLE, clip_vector
from gui.charts import text
from gui.charts.curves import Frame
from gui.charts.ticks import plain
from gui.numbers import number
from gui.theme import color, themes

AROUND = 2.1
"""How many limits the picture shows on each side of zero."""

TINTS = {"given": "text2", "value": "series.1", "norm": "series.0"}

_KEYS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Down: (0, -1), Qt.Key.Key_Up: (0, 1),
}  # fmt: skip


class ClipPlane(pg.PlotWidget):
    """The square of the largest numbers, the circle of the largest norm, and three arrows. `moved(x, y)`: dragged."""

    moved = Signal(float, float)

    def __init__(self) -> None:
        axes = {side: _Axis(side) for side in ("left", "bottom")}
        super().__init__(axisItems=axes, background=color("panel"))
        self._axes = list(axes.values())
        self.vector: tuple[float, float] = EXAMPLE
        self.limit = 1.0
        self.whole = False
        """Shows the whole gradient instead of the surroundings of the limit."""
        self._held = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setMinimumSize(300, 300)
        self.plotItem.hideButtons()
        self.plotItem.setMenuEnabled(False)
        self.plotItem.disableAutoRange()
        self.plotItem.setMouseEnabled(x=False, y=False)
        self.plotItem.vb.setAspectLocked(True)
        self._picture = _Picture(self)
        self.setAccessibleName(self.tr("Gradient of two numbers"))
        self.setToolTip(self.tr("Drag the gradient, or move it with the arrow keys; Shift moves it further"))
        themes.changed.connect(self.restyle)
        self.restyle()
        self.fit()

    def show_vector(self, vector: tuple[float, float], limit: float) -> None:
        """Shows another gradient or another limit."""
        self.vector, self.limit = vector, limit
        self.fit()
        self._picture.update()

    def set_whole(self, whole: bool) -> None:
        """Shows the whole gradient, or the surroundings of the limit."""
        self.whole = whole
        self.fit()
        self._picture.update()

    def fit(self) -> None:
        """Chooses the range; a gradient that is being dragged must not move the ground under it."""
        if self._held:
            return
        reach = 1.15 * max(*map(abs, self.vector), self.limit) if self.whole else AROUND * self.limit
        self.plotItem.vb.setRange(xRange=(-reach, reach), yRange=(-reach, reach), padding=0, disableAutoRange=False)

    def frame(self) -> Frame:
        """Rectangle and range of the plot now."""
        view = self.plotItem.vb
        (low, high), (bottom, top) = view.viewRange()
        return Frame(view.mapRectToItem(self.plotItem, view.rect()), low, high, bottom, top)

    def place_of(self, vector: Sequence[float]) -> QPointF:
        """The pixel of a point, in the coordinates of the widget's viewport."""
        frame = self.frame()
        inside = QPointF(float(frame.x(vector[0])), float(frame.y(vector[1])))
        return QPointF(self.mapFromScene(self.plotItem.mapToScene(inside)))

    def restyle(self) -> None:
        """Follow the theme."""
        self.setBackground(color("panel"))
        for axis in self._axes:
            axis.setPen(color("border2"))
            axis.setTextPen(color("text3"))
            axis.setStyle(tickFont=text.font(), tickLength=-4)
        self._picture.update()

    def mousePressEvent(self, ev: QMouseEvent) -> None:
        """Take hold of the gradient; a press anywhere in the plot brings it there."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if ev.button() == Qt.MouseButton.LeftButton:
            self._held = True
            self._drag(ev)

    def mouseMoveEvent(self, ev: QMouseEvent) -> None:
        """The gradient follows the pointer."""
        if self._held:
            self._drag(ev)

    def mouseReleaseEvent(self, ev: QMouseEvent) -> None:
        """Let it go."""
        self._held = False
        self.fit()
        ev.accept()

    def keyPressEvent(self, ev: QKeyEvent) -> None:
        """Arrow keys move the gradient by a fiftieth of the picture; with Shift ten times as far."""
        way = _KEYS.get(Qt.Key(ev.key()))
        if way is None:
            QWidget.keyPressEvent(self, ev)  # Esc belongs to the dialog; pyqtgraph would keep it
            return
        far = self._span() / 50 * (10 if ev.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        self._move(self.vector[0] + way[0] * far, self.vector[1] + way[1] * far)
        ev.accept()

    def focusInEvent(self, ev: QFocusEvent) -> None:
        """The frame shows that the arrow keys act here."""
        super().focusInEvent(ev)
        self._picture.update()

    def focusOutEvent(self, ev: QFocusEvent) -> None:
        """They act elsewhere."""
        super().focusOutEvent(ev)
        self._picture.update()

    def _span(self) -> float:
        frame = self.frame()
        return (frame.top - frame.bottom) / 2

    def _drag(self, ev: QMouseEvent) -> None:
        place = self.plotItem.mapFromScene(self.mapToScene(ev.position().toPoint()))
        frame = self.frame()
        y = frame.bottom + (frame.rect.bottom() - place.y()) * (frame.top - frame.bottom) / frame.rect.height()
        self._move(frame.time(place.x()), y)
        ev.accept()

    def _move(self, x: float, y: float) -> None:
        # Two hundred places on each side of zero: finer than the hand, and short enough to be read.
        digits = -floor(log10(self._span() / 200))
        self.vector = (round(x, digits) + 0.0, round(y, digits) + 0.0)
        self.fit()
        self._picture.update()
        self.moved.emit(*self.vector)


class _Axis(pg.AxisItem):
    """Ticks written as all numbers of the window are."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """The words of the ticks."""
        return [plain(round(value, 12)) for value in values]


class _Picture(QGraphicsItem):
    """Everything inside the axes, in pixels."""

    def __init__(self, plane: ClipPlane) -> None:
        super().__init__(plane.plotItem)
        self._plane = plane
        self.setZValue(5)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def boundingRect(self) -> QRectF:
        """The whole plot."""
        return self._plane.plotItem.rect()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the two bounds, the three arrows and the angle."""
        plane, frame = self._plane, self._plane.frame()
        if frame.rect.width() < 8:
            return
        value, norm = (clip_vector(plane.vector, mode, plane.limit) for mode in ("value", "norm"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.save()
        painter.setClipRect(frame.rect)
        self._paint_bounds(painter, frame)
        self._paint_arrow(painter, frame, plane.vector, "given", 1.6)
        self._paint_arrow(painter, frame, value.after, "value", 2.4)
        self._paint_arrow(painter, frame, norm.after, "norm", 2.4)
        self._paint_angle(painter, frame, value.after, value.turned)
        self._paint_handle(painter, frame)
        painter.restore()
        if plane.hasFocus():
            painter.setPen(QPen(color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(frame.rect)

    def _paint_bounds(self, painter: QPainter, frame: Frame) -> None:
        limit, zero = self._plane.limit, _at(frame, (0.0, 0.0))
        painter.setPen(QPen(color("border"), 1))
        painter.drawLine(QLineF(zero.x(), frame.rect.top(), zero.x(), frame.rect.bottom()))
        painter.drawLine(QLineF(frame.rect.left(), zero.y(), frame.rect.right(), zero.y()))
        square = QRectF(_at(frame, (-limit, limit)), _at(frame, (limit, -limit)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for token, draw in (("value", painter.drawRect), ("norm", painter.drawEllipse)):
            painter.setPen(QPen(color(TINTS[token], 0.75), 1.2, Qt.PenStyle.DashLine))
            draw(square)
        if square.width() > 150:
            ink = color("text2")
            words = self._plane.tr("each number at most {0}").format(number(limit))
            text.draw(painter, square.left() + 4, square.bottom() + 14, words, color=ink)
            words = self._plane.tr("norm at most {0}").format(number(limit))
            text.draw(painter, zero.x() - text.width(words) / 2, square.bottom() - 10, words, color=ink)

    def _paint_arrow(self, painter: QPainter, frame: Frame, vector: Sequence[float], name: str, wide: float) -> None:
        start, end = _at(frame, (0.0, 0.0)), _at(frame, vector)
        long = hypot(end.x() - start.x(), end.y() - start.y())
        tint = color(TINTS[name])
        pen = QPen(tint, wide)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if name == "given":
            pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.drawLine(start, end)
        if long > 8:
            way = atan2(end.y() - start.y(), end.x() - start.x())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint)
            sides = [end - 10 * QPointF(cos(way + turn), sin(way + turn)) for turn in (-0.4, 0.4)]
            painter.drawPolygon(QPolygonF([end, *sides]))

    def _paint_angle(self, painter: QPainter, frame: Frame, clipped: Sequence[float], turned: float) -> None:
        """An arc from the direction that was to the one that clipping by value makes of it, with its degrees."""
        if turned < 0.5:
            return
        zero, vector = _at(frame, (0.0, 0.0)), self._plane.vector
        begin, end = degrees(atan2(vector[1], vector[0])), degrees(atan2(clipped[1], clipped[0]))
        way = (end - begin + 180) % 360 - 180
        radius = min(64.0, 0.6 * hypot(*(_at(frame, clipped) - zero).toTuple()))
        if radius < 14:
            return
        around = QRectF(zero.x() - radius, zero.y() - radius, 2 * radius, 2 * radius)
        painter.setPen(QPen(color("warn"), 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawArc(around, round(begin * 16), round(way * 16))
        # Between the arrows where there is room, else beside the one that was turned.
        middle = radians(begin + way / 2 if abs(way) > 35 else end + (22 if way > 0 else -22))
        words = f"{turned:.1f}°"
        x = zero.x() + (radius + 18) * cos(middle) - text.width(words, "strong") / 2
        y = zero.y() - (radius + 12) * sin(middle) + 4
        text.draw(painter, x, y, words, color=color("warn"), kind="strong")

    def _paint_handle(self, painter: QPainter, frame: Frame) -> None:
        """A ring to take hold of; where the gradient leaves the picture, how long it is."""
        zero, end = _at(frame, (0.0, 0.0)), _at(frame, self._plane.vector)
        inside = frame.rect.adjusted(6, 6, -6, -6)
        if inside.contains(end):
            painter.setPen(QPen(color("text"), 2))
            painter.setBrush(color("panel", 0.6))
            painter.drawEllipse(end, 6, 6)
            return
        edges = ((inside.left(), inside.right()), (inside.top(), inside.bottom()))
        shares = [
            (edge - start) / (to - start)
            for start, to, pair in zip(zero.toTuple(), end.toTuple(), edges, strict=True)
            for edge in pair
            if (to - start) * (edge - start) > 0
        ]
        edge = zero + min(shares) * (end - zero)
        words = self._plane.tr("goes on, to a length of {0}").format(number(hypot(*self._plane.vector)))
        x = edge.x() + 8 if edge.x() + 8 + text.width(words) < inside.right() else edge.x() - 8 - text.width(words)
        y = min(max(edge.y() + 12, inside.top() + 12), inside.bottom() - 4)
        text.draw(painter, x, y, words, color=color("text2"))


def _at(frame: Frame, vector: Sequence[float]) -> QPointF:
    return QPointF(float(frame.x(vector[0])), float(frame.y(vector[1])))
