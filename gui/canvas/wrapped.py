"""Text in several lines, for painted cards. Breaks at spaces only, also in Korean; Qt does the same."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

_FLAGS = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)


def wrapped_height(text: str, font: QFont, wide: float) -> float:
    """How high a text becomes in a column."""
    return QFontMetricsF(font).boundingRect(QRectF(0, 0, wide, 10_000), _FLAGS, text).height()


def paint_wrapped(painter: QPainter, area: QRectF, text: str, font: QFont) -> None:
    """Draws a text in a column, from its top, in the painter's pen."""
    painter.setFont(font)
    painter.drawText(area, _FLAGS, text)
