"""What stands on boxes: ports, the ring of the selection, hover, problem badges, the repeat badge.

Owns their drawing only. All of these change without the box changing.
"""

from __future__ import annotations

from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from engine.problem import Severity
from gui.canvas import measures as m
from gui.canvas.boxes import Box
from gui.canvas.paint.ink import CENTER, font, ink, pen, readable
from gui.canvas.paint.layer import radius_of

TOKENS = {Severity.ERROR: "error", Severity.WARNING: "warn", Severity.ADVICE: "accent"}


def paint_port(painter: QPainter, place: QPointF, *, wired: bool, under: QColor) -> None:
    """A port at rest: filled when wired, hollow when free."""
    if wired:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink("text2"))
        painter.drawEllipse(place, m.PORT_RADIUS, m.PORT_RADIUS)
    else:
        painter.setPen(pen("text2", 1.5))
        painter.setBrush(under)
        painter.drawEllipse(place, m.PORT_RADIUS - 0.75, m.PORT_RADIUS - 0.75)


def paint_port_wiring(painter: QPainter, place: QPointF, *, fits: bool, near: bool) -> None:
    """A port while a wire is drawn: grown in accent when the wire fits, faded when it does not."""
    if fits:
        painter.setPen(pen("accent", 1.5))
        painter.setBrush(ink("accent") if near else ink("node"))
        painter.drawEllipse(place, m.PORT_GROWN - 0.75, m.PORT_GROWN - 0.75)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink("text2", 0.35))
        painter.drawEllipse(place, m.PORT_RADIUS, m.PORT_RADIUS)


def paint_edge(painter: QPainter, box: Box, token: str, wide: float = 1.0) -> None:
    """Another edge over the box's own: hover, a problem, a possible drop."""
    inset = wide / 2
    painter.setPen(pen(token, wide))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    radius = radius_of(box)
    painter.drawRoundedRect(box.rect.adjusted(inset, inset, -inset, -inset), radius, radius)


def paint_ring(painter: QPainter, box: Box) -> None:
    """The selection: 2 px, 2 px off the box."""
    reach = m.RING + m.RING / 2
    painter.setPen(pen("accent", m.RING))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    radius = radius_of(box) + 3
    painter.drawRoundedRect(box.rect.adjusted(-reach, -reach, reach, reach), radius, radius)


def paint_focus(painter: QPainter, box: Box) -> None:
    """Where the keyboard is, when that is not what is selected: a dashed line inside the box."""
    line = QPen(ink("accent"), 1.0)
    line.setDashPattern([3.0, 3.0])
    painter.setPen(line)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box.rect.adjusted(3.5, 3.5, -3.5, -3.5), 5, 5)


def paint_row_ring(painter: QPainter, rect: QRectF) -> None:
    """A selected row of a stack."""
    painter.setPen(pen("accent", 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(4, 1.5, -4, -0.5), 5, 5)


def paint_problem(painter: QPainter, box: Box, severity: Severity, under: QColor) -> None:
    """The badge at the top right corner: octagon, triangle or circle, with a 2 px gap cut around it."""
    middle = QPointF(box.rect.right() - 8, box.rect.top() - 7)
    gap = QPen(under, 4.0)
    gap.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    paint_sign(painter, middle, m.PROBLEM / 2, severity, gap)


def paint_sign(painter: QPainter, middle: QPointF, radius: float, severity: Severity, gap: QPen | None = None) -> None:
    """The shape of a severity around a point."""
    color = ink(TOKENS[severity])
    shape = _shape(middle, radius, severity)
    for line, brush in ((gap, None), (Qt.PenStyle.NoPen, color)):
        if line is None:
            continue
        painter.setPen(line)
        painter.setBrush(brush if brush is not None else Qt.BrushStyle.NoBrush)
        if shape is None:
            painter.drawEllipse(middle, radius, radius)
        else:
            painter.drawPolygon(shape)
    size = radius / 10
    down = 1.5 * size if severity is Severity.WARNING else 0.0
    painter.setPen(QPen(ink("window"), 2.0 * size, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    x, y = middle.x(), middle.y() + down
    if severity is Severity.ADVICE:
        painter.drawLine(QPointF(x, y - 0.5 * size), QPointF(x, y + 4.5 * size))
        painter.drawPoint(QPointF(x, y - 4.3 * size))
    else:
        painter.drawLine(QPointF(x, y - 4.5 * size), QPointF(x, y + 0.5 * size))
        painter.drawPoint(QPointF(x, y + 4.3 * size))


def paint_repeat(painter: QPainter, box: Box, zoom: float, *, hovered: bool) -> None:
    """The badge ×N on the top edge; below 70 % at constant size on the screen."""
    rect = box.badge_rect()
    size = readable(12, zoom)
    grow = size / 12
    if grow > 1:
        right, middle = rect.right(), rect.center().y()
        rect = QRectF(right - rect.width() * grow, middle - rect.height() * grow / 2, rect.width() * grow, 0)
        rect.setHeight(m.BADGE_HIGH * grow)
    painter.setPen(pen("accent" if hovered else "control", 1.0 * grow))
    painter.setBrush(ink("raised"))
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), rect.height() / 2, rect.height() / 2)
    painter.setFont(font(size, 600))
    painter.setPen(ink("text"))
    painter.drawText(rect, CENTER, f"×{box.node.repeat}")


def _shape(middle: QPointF, radius: float, severity: Severity) -> QPolygonF | None:
    if severity is Severity.ADVICE:
        return None
    if severity is Severity.WARNING:
        x, y, r = middle.x(), middle.y(), radius
        return QPolygonF([QPointF(x, y - 0.9 * r), QPointF(x + r, y + 0.85 * r), QPointF(x - r, y + 0.85 * r)])
    corners = [(2 * step + 1) * pi / 8 for step in range(8)]
    return QPolygonF([QPointF(middle.x() + radius * cos(a), middle.y() + radius * sin(a)) for a in corners])
