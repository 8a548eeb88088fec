"""Wires and what is written on them.

Owns their colours, widths and dashes. Where a wire runs is settled before (`gui.canvas.wires`).
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from gui.canvas import measures as m
from gui.canvas.paint.ink import CENTER, ink, mono, readable, scale_color
from gui.canvas.wires import Wire

UNKNOWN, DRAWN = (2.0, 3.0), (4.0, 3.0)
"""Dashes, in scene pixels."""


Line = tuple[QColor, float, tuple[float, float] | None]
"""Colour, width and dash of a wire."""


def paint_edge_of(painter: QPainter, wire: Wire, line: Line, under: QColor) -> None:
    """An edge in the colour below a wire, so that crossings can be told from joins."""
    edge = QPen(under, line[1] + 2 * m.WIRE_EDGE)
    edge.setCapStyle(Qt.PenCapStyle.FlatCap)
    _trace(painter, wire, edge)


def paint_wire(painter: QPainter, wire: Wire, line: Line) -> None:
    """One wire."""
    _trace(painter, wire, dashed(*line))
    if wire.broken and wire.level >= 0:
        _cross(painter, wire.middle)


def paint_drawn(painter: QPainter, path: QPainterPath, *, fits: bool) -> None:
    """A wire while it is being drawn."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(dashed(ink("accent" if fits else "error"), m.WIRE, DRAWN))
    painter.drawPath(path)


def paint_label(painter: QPainter, wire: Wire, text: str, zoom: float, under: QColor) -> None:
    """A shape on its chip: above a level wire, else on it. Numbers that do not fit are underlined."""
    size = readable(11, zoom)
    font = mono(size)
    metrics = QFontMetricsF(font)
    wide, high = metrics.horizontalAdvance(text) + 10, m.LABEL_HIGH * size / 11
    level = wire.lane is not None or abs(wire.start.y() - wire.end.y()) < 2
    middle = QPointF(wire.middle)
    if not wire.fault:
        if wire.end.x() - wire.start.x() < wide:
            return  # It would stand half behind a layer.
        if level:
            middle -= QPointF(0, m.LABEL_RAISE * size / 11)
    chip = QRectF(middle.x() - wide / 2, middle.y() - high / 2, wide, high)
    painter.setPen(QPen(ink("error"), 1.0) if wire.fault else Qt.PenStyle.NoPen)
    painter.setBrush(under)
    painter.drawRoundedRect(chip, 5, 5)
    painter.setFont(font)
    painter.setPen(ink("error" if wire.fault else "text2"))
    painter.drawText(chip, CENTER, text)
    if wire.fault and wire.marks:
        underline(painter, text, wire.marks, chip.left() + 5, chip.bottom() - 3.5, metrics, 1.4)


def underline(
    painter: QPainter, shape: str, marks: Sequence[bool], left: float, y: float, metrics: QFontMetricsF, wide: float
) -> None:
    """A line in error colour under each marked number of a shape text."""
    painter.setPen(QPen(ink("error"), wide))
    used = ""
    for part, marked in zip(shape.split("×"), marks, strict=False):
        first = left + metrics.horizontalAdvance(used)
        if marked:
            painter.drawLine(QLineF(first + 0.5, y, first + metrics.horizontalAdvance(part) - 0.5, y))
        used += part + "×"


def dashed(color: QColor, wide: float, dash: tuple[float, float] | None) -> QPen:
    """A pen in scene pixels; Qt counts dashes in line widths, we in pixels."""
    made = QPen(color, wide)
    if dash is not None:
        made.setDashPattern([length / wide for length in dash])
        made.setCapStyle(Qt.PenCapStyle.FlatCap)
    return made


def line_of(wire: Wire, *, chosen: bool = False, hovered: bool = False) -> Line:
    """How a wire is drawn now."""
    if wire.fault:
        return ink("error"), m.WIRE + (1 if chosen else 0), DRAWN
    if chosen:
        return ink("accent"), max(m.WIRE + 0.5, m.WIRE + m.WIRE_MORE * max(wire.level, 0)), None
    if wire.broken:
        return ink("error"), m.WIRE, None
    if wire.level >= 0:
        return scale_color(wire.level), m.WIRE + m.WIRE_MORE * wire.level, None
    if wire.info is None and not wire.unchecked:
        return ink("text3" if hovered else "control"), m.WIRE, UNKNOWN
    return ink("text2" if hovered else "control"), m.WIRE, None


def _trace(painter: QPainter, wire: Wire, pen: QPen) -> None:
    painter.setPen(pen)
    if len(wire.points) == 2:
        # Most wires are level, and a line costs a fifth of a curve.
        painter.drawLine(wire.start, wire.end)
    else:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(wire.curve)


def _cross(painter: QPainter, middle: QPointF) -> None:
    painter.setPen(QPen(ink("error"), 1.8))
    for sign in (1, -1):
        painter.drawLine(QLineF(middle.x() - 4, middle.y() - 4 * sign, middle.x() + 4, middle.y() + 4 * sign))
