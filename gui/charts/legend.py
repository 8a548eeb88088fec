"""The legend inside the plot, names at the ends of curves, and the box beside the crosshair.

Owns their layout and painting. Never reads a timeline: it gets finished words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from gui.charts import text
from gui.charts.curves import Curve, Frame
from gui.charts.placing import spread
from gui.theme import color

SWATCH, SPACE, BETWEEN = 16, 6, 14
ROW = 17
"""Least distance between two names, in pixels."""

MOST_ENDS = 6
"""Curves that may carry their names at their ends; more would be a list, which the legend is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a legend: the curve (for its look), its name and its newest value."""

    curve: Curve
    name: str
    value: str

    def width(self, valued: bool) -> float:
        """Pixels that the entry needs."""
        value = SPACE + text.width(self.value, "mono") if valued and self.value else 0.0
        return SWATCH + SPACE + text.width(self.name, "name") + value


def draw_legend(painter: QPainter, frame: Frame, entries: Sequence[Entry], *, rows: int = MOST_ENDS) -> QRectF:
    """One row at the top right, or one above the other when it is too wide; returns the space taken."""
    if not entries:
        return QRectF()
    room = frame.rect.width() - 4
    for valued in (True, False):
        widths = [entry.width(valued) for entry in entries]
        total = sum(widths) + BETWEEN * (len(entries) - 1)
        if total <= room:
            area = QRectF(frame.rect.right() - total - 4, frame.rect.top() - 4, total + 8, 18)
            _backdrop(painter, area)
            x = area.left() + 4
            for entry, wide in zip(entries, widths, strict=True):
                _draw_entry(painter, entry, x, area.top() + 13, wide, valued)
                x += wide + BETWEEN
            return area
    return _draw_column(painter, frame, entries, room, rows) if rows > 1 else QRectF()


def _draw_column(painter: QPainter, frame: Frame, entries: Sequence[Entry], room: float, rows: int) -> QRectF:
    fitting = max(1, int((frame.rect.height() * 0.6) // ROW))
    shown = entries[: max(1, min(fitting, rows))]
    wide = min(max(entry.width(True) for entry in shown), room * 0.62)
    left_out = len(entries) - len(shown)
    area = QRectF(frame.rect.right() - wide - 4, frame.rect.top() - 4, wide + 8, ROW * len(shown) + 3)
    if left_out:
        area.setHeight(area.height() + ROW)
    _backdrop(painter, area)
    baseline = area.top() + 13
    for entry in shown:
        _draw_entry(painter, entry, area.left() + 4, baseline, wide, True)
        baseline += ROW
    if left_out:
        text.draw(painter, area.left() + 4 + SWATCH + SPACE, baseline, f"+ {left_out}", color=color("text3"))
    return area


def _backdrop(painter: QPainter, area: QRectF) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(area, color("panel", 0.86))


def _draw_entry(painter: QPainter, entry: Entry, x: float, baseline: float, wide: float, valued: bool) -> None:
    draw_swatch(painter, entry.curve, x, baseline - 4)
    value_wide = text.width(entry.value, "mono") + SPACE if valued and entry.value else 0.0
    name = text.elided(entry.name, wide - SWATCH - SPACE - value_wide, "name")
    text.draw(painter, x + SWATCH + SPACE, baseline, name, color=color("text"), kind="name")
    if value_wide:
        text.draw(painter, x + wide - value_wide + SPACE, baseline, entry.value, color=color("text2"), kind="mono")


def draw_swatch(painter: QPainter, curve: Curve, x: float, y: float) -> None:
    """A short piece of the curve: colour, dash and dots as in the plot."""
    pen = curve.pen()
    pen.setWidthF(2.0)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(pen)
    painter.drawLine(QLineF(x, y, x + SWATCH, y))
    if curve.dots:
        painter.setPen(QPen(color("panel"), 1))
        painter.setBrush(curve.ink())
        painter.drawEllipse(QPointF(x + SWATCH / 2, y), 3, 3)


def ends_width(entries: Sequence[Entry]) -> float:
    """Room that names at the ends need beside the plot."""
    return min(max(entry.width(True) for entry in entries) + 14, 190)


def draw_ends(painter: QPainter, frame: Frame, entries: Sequence[Entry]) -> None:
    """Each name beside the right edge, near the height at which its curve ends, joined to it by a hairline."""
    drawn = [entry for entry in entries if len(entry.curve.y)]
    ends = [float(frame.y(entry.curve.y[-1])) for entry in drawn]
    places = spread(ends, ROW, frame.rect.top() + 4, frame.rect.bottom() - 4)
    room = ends_width(drawn) - 14 if drawn else 0.0
    for entry, end, place in zip(drawn, ends, places, strict=True):
        start = min(float(frame.x(entry.curve.x[-1])), frame.rect.right())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(entry.curve.ink(), 1))
        right = frame.rect.right()
        if start > right - 40:
            painter.drawLine(QLineF(start, end, right + 9, place))
        else:
            painter.drawLine(QLineF(right + 1, place, right + 9, place))
        value_wide = text.width(entry.value, "mono")
        name = text.elided(entry.name, room - value_wide - SPACE, "name")
        text.draw(painter, right + 12, place + 4, name, color=color("text"), kind="name")
        x = right + 12 + room - value_wide
        text.draw(painter, x, place + 4, entry.value, color=color("text2"), kind="mono")


def draw_box(painter: QPainter, frame: Frame, x: float, title: str, entries: Sequence[Entry]) -> None:
    """The values below the crosshair, beside it on whichever side has room."""
    wide = max([text.width(title, "strong"), *(_box_row(entry) for entry in entries)]) + 20
    high = 28 + ROW * len(entries)
    left = x + 10 if x + 10 + wide <= frame.rect.right() + SPACE else x - 10 - wide
    left = max(left, frame.rect.left() - 20)
    top = max(min(frame.rect.top() + 32, frame.rect.bottom() - high), frame.rect.top() - 6)
    area = QRectF(round(left) + 0.5, round(top) + 0.5, round(wide), round(high))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(color("border2"), 1))
    painter.setBrush(color("raised"))
    painter.drawRoundedRect(area, 8, 8)
    text.draw(painter, area.left() + 10, area.top() + 17, title, color=color("text"), kind="strong")
    baseline = area.top() + 17 + ROW
    for entry in entries:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(entry.curve.ink())
        painter.drawRoundedRect(QRectF(area.left() + 10, baseline - 8, 8, 8), 2, 2)
        text.draw(painter, area.left() + 24, baseline, entry.name, color=color("text2"))
        value_x = area.right() - 10 - text.width(entry.value, "mono")
        text.draw(painter, value_x, baseline, entry.value, color=color("text"), kind="mono")
        baseline += ROW


def _box_row(entry: Entry) -> float:
    return 14 + text.width(entry.name) + 20 + text.width(entry.value, "mono")
