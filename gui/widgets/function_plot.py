"""A small plot of functions of one number with their derivatives. Owns its painting and its range of values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.fonts import mono_font
from gui.numbers import number
from gui.theme import color

HIGH = 132
MOST = 3.0
"""Values beyond this many times 1 are cut off: what matters of an activation lies around 0."""


@dataclass(frozen=True)
class Line:
    """One function: its name, where it was evaluated, its values, its derivative, and its colour token."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    slope: NDArray[np.float64]
    token: str


class FunctionPlot(QWidget):
    """Functions solid, derivatives dashed, both axes through 0."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines: tuple[Line, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Shows these; the last lies on top."""
        self.lines = tuple(lines)
        self.update()

    def sizeHint(self) -> QSize:
        """The size at which everything shows."""
        return QSize(220, HIGH)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(1, 4, self.width() - 2, self.height() - 8)
        painter.fillRect(area, color("sunken"))
        if not self.lines:
            painter.end()
            return
        left, right = float(self.lines[0].x[0]), float(self.lines[0].x[-1])
        low, high = self._range()

        def place(x: float, y: float) -> QPointF:
            return QPointF(
                area.x() + (x - left) / (right - left) * area.width(),
                area.bottom() - (y - low) / (high - low) * area.height(),
            )

        painter.setClipRect(area)
        painter.setPen(QPen(color("border2"), 1))
        for y in range(int(np.ceil(low)), int(np.floor(high)) + 1):
            painter.drawLine(place(left, y), place(right, y))
        painter.setPen(QPen(color("text3"), 1))
        painter.drawLine(place(left, 0), place(right, 0))
        painter.drawLine(place(0, low), place(0, high))
        for line in self.lines:
            for values, dashed in ((line.slope, True), (line.y, False)):
                pen = QPen(color(line.token), 1.25 if dashed else 2.0)
                if dashed:
                    pen.setDashPattern([3, 3])
                painter.setPen(pen)
                painter.drawPolyline(
                    QPolygonF([place(float(x), float(y)) for x, y in zip(line.x, values, strict=True)])
                )
        painter.setPen(color("text3"))
        painter.setFont(mono_font(10))
        inside = area.adjusted(4, 2, -4, -2)
        painter.drawText(inside, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, number(left))
        painter.drawText(inside, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignRight, number(right))
        top = int(np.floor(high))
        painter.drawText(place(left, top) + QPointF(4, 11), number(top))
        painter.end()

    def _range(self) -> tuple[float, float]:
        values = np.concatenate([part for line in self.lines for part in (line.y, line.slope)])
        values = values[np.isfinite(values)]
        low, high = max(float(values.min()), -MOST), min(float(values.max()), MOST)
        room = 0.06 * max(high - low, 0.5)
        return low - room, high + room
