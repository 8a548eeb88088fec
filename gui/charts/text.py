"""Fonts of the charts and the widths of short texts, cached, because a repaint asks for the same ones each time.

Never draws anything but one line of text.
"""

from __future__ import annotations

from functools import cache, lru_cache

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from gui.fonts import mono_font, ui_font


@cache
def font(kind: str = "plain") -> QFont:
    """The font for "plain" (ticks, names), "title", "strong" (titles of boxes), "name" (legend) or "mono" (values)."""
    made = {"plain": ui_font(11), "strong": ui_font(11, 600), "name": ui_font(11, 500), "mono": mono_font(11)}
    made["title"] = ui_font(12, 600)
    return made[kind]


@cache
def metrics(kind: str = "plain") -> QFontMetricsF:
    """The measures of `font(kind)`."""
    return QFontMetricsF(font(kind))


@lru_cache(maxsize=4096)
def width(text: str, kind: str = "plain") -> float:
    """The width of one line in pixels."""
    return metrics(kind).horizontalAdvance(text)


def elided(text: str, room: float, kind: str = "plain") -> str:
    """`text`, or its beginning and an ellipsis when it is wider than `room`."""
    return text if width(text, kind) <= room else metrics(kind).elidedText(text, Qt.TextElideMode.ElideRight, room)


def draw(painter: QPainter, x: float, baseline: float, text: str, *, color: QColor, kind: str = "plain") -> None:
    """One line of text with its left end at `x`."""
    painter.setFont(font(kind))
    painter.setPen(color)
    painter.drawText(QPointF(x, baseline), text)
