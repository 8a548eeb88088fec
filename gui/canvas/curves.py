"""The shape of wires: a cubic from left to right, or round a box along a lane; how far a point is, where a cut meets.

Owns geometry only; never draws.
"""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QLineF, QPointF
from PySide6.QtGui import QPainterPath

from gui.canvas.measures import LEAST_HANDLE

STEPS = 16
"""Straight pieces that stand for a wire when it is hit or cut; at 24 px a piece nobody can tell the difference."""


def curve(start: QPointF, end: QPointF) -> QPainterPath:
    """A wire from an output to an input; handles half the distance and at least 24.

    A wire that runs backwards gets longer handles, so that it leaves and arrives in the reading direction.
    """
    first, second = _handles(start, end)
    path = QPainterPath(start)
    path.cubicTo(first, second, end)
    return path


def points(start: QPointF, end: QPointF) -> tuple[tuple[float, float], ...]:
    """`STEPS + 1` points along a wire."""
    first, second = _handles(start, end)
    if start.y() == end.y() and first.x() <= second.x():
        return ((start.x(), start.y()), (end.x(), end.y()))
    return _sampled(start, first, second, end)


def along_lane(start: QPointF, first: QPointF, second: QPointF, end: QPointF) -> QPainterPath:
    """A wire that goes over to a level lane from `first` to `second`, and from there to its end."""
    path = QPainterPath(start)
    for place, (a, b) in ((first, _turn(start, first)), (end, _turn(second, end))):
        if place is end:
            path.lineTo(second)
        path.cubicTo(a, b, place)
    return path


def lane_points(start: QPointF, first: QPointF, second: QPointF, end: QPointF) -> tuple[tuple[float, float], ...]:
    """Points along such a wire."""
    return _sampled(start, *_turn(start, first), first) + _sampled(second, *_turn(second, end), end)


def middle(start: QPointF, end: QPointF) -> QPointF:
    """The point halfway along a wire: the handles are symmetric, so it is halfway between its ends."""
    return (start + end) / 2


def distance(places: tuple[tuple[float, float], ...], point: QPointF) -> float:
    """How far a point is from a line through `places`."""
    px, py = point.x(), point.y()
    least = float("inf")
    for (ax, ay), (bx, by) in pairwise(places):
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        t = 0.0 if length == 0 else min(max(((px - ax) * dx + (py - ay) * dy) / length, 0.0), 1.0)
        ox, oy = ax + t * dx - px, ay + t * dy - py
        least = min(least, ox * ox + oy * oy)
    return least**0.5


def crosses(places: tuple[tuple[float, float], ...], line: QLineF) -> bool:
    """Whether a straight cut meets the line through `places`."""
    for (ax, ay), (bx, by) in pairwise(places):
        kind, _ = QLineF(ax, ay, bx, by).intersects(line)
        if kind == QLineF.IntersectionType.BoundedIntersection:
            return True
    return False


def _handles(start: QPointF, end: QPointF) -> tuple[QPointF, QPointF]:
    along = end.x() - start.x()
    reach = max(abs(along) / 2, LEAST_HANDLE) if along >= 0 else max(LEAST_HANDLE, min(-along, 160.0) / 2 + 40.0)
    return QPointF(start.x() + reach, start.y()), QPointF(end.x() - reach, end.y())


def _turn(start: QPointF, end: QPointF) -> tuple[QPointF, QPointF]:
    half = max((end.x() - start.x()) * 0.55, LEAST_HANDLE)
    return QPointF(start.x() + half, start.y()), QPointF(end.x() - half, end.y())


def _sampled(start: QPointF, first: QPointF, second: QPointF, end: QPointF) -> tuple[tuple[float, float], ...]:
    found = []
    for step in range(STEPS + 1):
        t = step / STEPS
        s = 1 - t
        a, b, c, d = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
        found.append(
            (
                a * start.x() + b * first.x() + c * second.x() + d * end.x(),
                a * start.y() + b * first.y() + c * second.y() + d * end.y(),
            )
        )
    return tuple(found)
