"""A small histogram of many numbers around 0, with the range at its foot. Owns its painting, never what is counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.fonts import mono_font
from gui.numbers import number
from gui.theme import color

BINS = 41
FOOT = 14
HIGH = 58


class Histogram(QWidget):
    """Bars over a range that is the same on both sides of 0, so that a shift of the mean is seen."""

    def __init__(self, *, token: str = "series.0", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._token = token
        self._counts: NDArray[np.int64] = np.zeros(0, np.int64)
        self.reach = 0.0
        """The range shown is from −reach to reach."""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_values(self, values: NDArray[np.float32]) -> None:
        """Counts these numbers; none shows an empty range."""
        largest = float(np.abs(values).max()) if len(values) else 0.0
        self.reach = largest * 1.02 or 1.0
        self._counts, _ = np.histogram(values, BINS, (-self.reach, self.reach))
        self.update()

    def sizeHint(self) -> QSize:
        """The size at which everything shows."""
        return QSize(200, HIGH)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        area = QRectF(0, 2, self.width(), self.height() - FOOT - 2)
        painter.setPen(color("border"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        most = int(self._counts.max()) if len(self._counts) else 0
        if most:
            wide = area.width() / BINS
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color(self._token))
            for place, count in enumerate(self._counts):
                high = area.height() * float(count) / most
                painter.drawRect(QRectF(area.x() + place * wide, area.bottom() - high, max(wide - 1, 1), high))
        painter.setPen(color("text3"))
        painter.setFont(mono_font(10))
        foot = QRectF(0, area.bottom() + 1, self.width(), FOOT)
        for side, text in (
            (Qt.AlignmentFlag.AlignLeft, number(-self.reach)), (Qt.AlignmentFlag.AlignHCenter, "0"),
            (Qt.AlignmentFlag.AlignRight, number(self.reach)),
        ):  # fmt: skip
            painter.drawText(foot, side | Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()
