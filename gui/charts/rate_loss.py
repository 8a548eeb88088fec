"""Loss against learning rate, as a range test finds it, with a marker that is dragged to the rate one wants.

Owns its painting and the marker. Never runs the test and never changes a project.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.range_test import RangeTest
from gui.charts import text
from gui.charts.curves import Curve, Frame, draw_curve
from gui.charts.ticks import linear_ticks, log_ticks
from gui.numbers import number
from gui.theme import color

_LEFT, _TOP, _RIGHT, _FOOT = 46, 26, 16, 40
_GRIP = 12.0
"""Pixels beside the marker within which the pointer takes hold of it."""
_NUDGE = 0.02
"""Decades that an arrow key moves the marker."""


class RateLossChart(QWidget):
    """Raw losses thin, smoothed ones on top; the loss from 0 to the first plus the least, the rate on a log scale."""

    chosen = Signal(float)
    """The rate that the marker was dragged to, in two figures."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._low, self._high = 1e-6, 10.0
        self._rates, self._losses, self._smoothed = np.empty(0), np.empty(0), np.empty(0)
        self._found: RangeTest | None = None
        self._dragged = False
        self.marker: float | None = None
        self.present: float | None = None
        """The rate that the recipe has now."""
        self.setMinimumSize(360, 200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Loss against learning rate"))
        self.setToolTip(self.tr("Drag the marker, or move it with the arrow keys"))

    def sizeHint(self) -> QSize:
        """Room in which a curve can be read."""
        return QSize(640, 300)

    def set_range(self, low: float, high: float) -> None:
        """The rates that the axis spans."""
        self._low, self._high = low, high
        self.update()

    def show_points(self, rates: Sequence[float], losses: Sequence[float], smoothed: Sequence[float]) -> None:
        """Shows what there is so far."""
        self._found = None
        self._rates, self._losses, self._smoothed = np.array(rates), np.array(losses), np.array(smoothed)
        self.update()

    def show_result(self, found: RangeTest) -> None:
        """Shows a finished test with what it noticed."""
        self.show_points(found.rates, found.losses, found.smoothed)
        self._found = found
        self.setAccessibleDescription(found.why)

    def set_marker(self, rate: float | None) -> None:
        """Puts the marker at a rate, or takes it away."""
        self.marker = rate
        self.update()

    def x_of(self, rate: float) -> float:
        """The pixel column of a rate."""
        return float(self._frame().x(log10(rate)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("panel"))
        frame = self._frame()
        self._paint_axes(painter, frame)
        if len(self._rates):
            painter.save()
            painter.setClipRect(frame.rect.adjusted(-1, -1, 1, 1))
            self._paint_curves(painter, frame)
            painter.restore()
            self._paint_notes(painter, frame)
        if self.present is not None and self._low <= self.present <= self._high:
            x = round(float(frame.x(log10(self.present)))) + 0.5
            painter.setPen(QPen(color("text3"), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(x, frame.rect.top()), QPointF(x, frame.rect.bottom()))
            words = self.tr("now")
            text.draw(painter, x - text.width(words) - 5, frame.rect.bottom() - 8, words, color=color("text3"))
        if self.marker is not None:
            self._paint_marker(painter, frame, self.marker)
        painter.end()

    def _frame(self) -> Frame:
        rect = QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_FOOT)
        top = float(self._losses[0] + self._losses.min()) if len(self._losses) else 1.0
        return Frame(rect, log10(self._low), log10(self._high), 0.0, top if top > 0 else 1.0)

    def _paint_axes(self, painter: QPainter, frame: Frame) -> None:
        rect = frame.rect
        for tick in linear_ticks(frame.bottom, frame.top, rect.height(), 26.0):
            y = round(float(frame.y(tick.at))) + 0.5
            painter.setPen(QPen(color("border" if tick.at > frame.bottom else "border2"), 1))
            painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))
            if len(self._rates):
                wide = text.width(tick.label)
                text.draw(painter, rect.left() - 8 - wide, y + 4, tick.label, color=color("text3"))
        for tick in log_ticks(frame.low, frame.high, rect.width(), 52.0):
            x = float(frame.x(tick.at)) - text.width(tick.label) / 2
            text.draw(painter, x, rect.bottom() + 16, tick.label, color=color("text3"))
        words = self.tr("learning rate")
        text.draw(painter, rect.right() - text.width(words), rect.bottom() + 33, words, color=color("text3"))
        text.draw(painter, rect.left(), rect.top() - 12, self.tr("loss of the batch"), color=color("text3"))

    def _paint_curves(self, painter: QPainter, frame: Frame) -> None:
        at = np.log10(self._rates)
        raw = Curve("raw", self._rates, self._losses, "series.0", width=1.0, share=0.45, x=at, y=self._losses)
        smooth = Curve("smoothed", self._rates, self._smoothed, "series.0", width=2.0, x=at, y=self._smoothed)
        draw_curve(painter, raw, frame)
        draw_curve(painter, smooth, frame)

    def _paint_notes(self, painter: QPainter, frame: Frame) -> None:
        """Where the loss falls fastest (a dot) and where it shoots up (a dashed line)."""
        found = self._found
        if found is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if found.steepest is not None:
            loss = float(np.interp(log10(found.steepest), np.log10(self._rates), self._smoothed))
            place = QPointF(float(frame.x(log10(found.steepest))), float(frame.y(loss)))
            painter.setPen(QPen(color("panel"), 1.5))
            painter.setBrush(color("series.0"))
            painter.drawEllipse(place, 4.5, 4.5)
            words = self.tr("falls fastest")
            wide = text.width(words)
            text.draw(painter, max(frame.rect.left(), place.x() - wide - 9), place.y() + 14, words,
                      color=color("text2"))  # fmt: skip
        if found.risen is not None:
            x = round(float(frame.x(log10(found.risen)))) + 0.5
            painter.setPen(QPen(color("warn"), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, frame.rect.top()), QPointF(x, frame.rect.bottom()))
            words = self.tr("shoots up")
            left = min(x + 6, frame.rect.right() - text.width(words))
            text.draw(painter, left, frame.rect.bottom() - 8, words, color=color("warn"))

    def _paint_marker(self, painter: QPainter, frame: Frame, rate: float) -> None:
        x = float(frame.x(log10(rate)))
        if not frame.rect.left() - 1 <= x <= frame.rect.right() + 1:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(color("accent"), 2))
        painter.drawLine(QPointF(x, frame.rect.top() - 2), QPointF(x, frame.rect.bottom()))
        painter.setBrush(color("accent"))
        painter.drawEllipse(QPointF(x, frame.rect.bottom()), 5, 5)
        words = number(rate, 2)
        wide = text.width(words, "strong") + 12
        box = QRectF(min(max(x - wide / 2, 2.0), self.width() - wide - 2), frame.rect.top() - 22, wide, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("accent_fill"))
        painter.drawRoundedRect(box, 4, 4)
        text.draw(painter, box.left() + 6, box.bottom() - 5, words, color=color("on_accent"), kind="strong")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the marker; a press anywhere in the plot brings it there."""
        if event.button() == Qt.MouseButton.LeftButton and self.marker is not None:
            self._dragged = True
            self._drag(event.position().x())
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The marker follows the pointer."""
        if self._dragged:
            self._drag(event.position().x())
        elif self.marker is not None:
            near = abs(event.position().x() - self.x_of(self.marker)) <= _GRIP
            self.setCursor(Qt.CursorShape.SizeHorCursor if near else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let it go."""
        self._dragged = False
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys move the marker; with Shift ten times as far."""
        way = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if not way or self.marker is None:
            super().keyPressEvent(event)
            return
        far = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        self._choose(10 ** (log10(self.marker) + way * far * _NUDGE), before=self.marker, way=way)

    def _drag(self, x: float) -> None:
        self._choose(10 ** self._frame().time(x))

    def _choose(self, rate: float, *, before: float | None = None, way: int = 0) -> None:
        found = float(f"{min(max(rate, self._low), self._high):.2g}")
        if before is not None and found == before:
            # Two figures are coarser than the key's step: one unit of the last figure at least.
            unit = 10.0 ** (int(f"{before:e}".split("e")[1]) - 1)
            found = float(f"{min(max(before + way * unit, self._low), self._high):.2g}")
        if found != self.marker:
            self.set_marker(found)
            self.chosen.emit(found)
