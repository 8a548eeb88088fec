"""Where a wire passes round the boxes that lie between its ends, as a skip connection does below the body it skips.

Owns the choice of the lane: how high it runs, and between which columns. Never draws and knows no zoom.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF

from engine.graph import Edge, Graph
from gui.canvas import curves
from gui.canvas import measures as m
from gui.canvas.boxes import Box, Kind, Socket, socket_of

CLEAR = 20.0
"""Between a lane and the nearest box."""
_TOUCH = 4.0
"""A wire may come this close to the corner of a box before it counts as running through it."""
_MOST_TRIES = 12


class Lane(NamedTuple):
    """A level stretch of a wire: its height, and where it begins and ends."""

    y: float
    left: float
    right: float

    def moved(self, by: QPointF) -> Lane:
        """The same lane elsewhere."""
        return Lane(self.y + by.y(), self.left + by.x(), self.right + by.x())


def lanes_of(level: Graph, boxes: Sequence[Box], rects: Sequence[QRectF]) -> dict[Edge, Lane]:
    """The lanes of the wires of a level that would run through boxes; `rects` says where each box stands."""
    places = {box.node.id: (box, rect) for box, rect in zip(boxes, rects, strict=True)}
    solid = [
        rect.adjusted(0, 0, 0, 16) if box.kind is Kind.MERGE else rect
        for box, rect in places.values()
        if box.kind is not Kind.PORT
    ]
    free, found = Lanes(solid), {}
    for edge in level.edges:
        if edge.source not in places or edge.target not in places:
            continue
        (source, left), (target, right) = places[edge.source], places[edge.target]
        if right.left() - left.right() <= m.NODE_LEAST:
            continue
        first, last = socket_of(source.outputs, edge.output, 0), socket_of(target.inputs, edge.input, edge.slot)
        if first is None or last is None:
            continue
        side = None if len(target.inputs) < 2 else last.dy > right.height() / 2
        lane = free.find(_at(left, first), _at(right, last), below=side)
        if lane is not None:
            found[edge] = lane
    return found


def _at(rect: QRectF, socket: Socket) -> QPointF:
    # The ports of a group stand at the height of their own wires, wherever the frame ends.
    if rect.isEmpty():
        return QPointF(rect.x(), rect.y())
    return QPointF(rect.x() + socket.dx, rect.y() + socket.dy)


class Lanes:
    """Finds lanes among the boxes of one level; each lane it gave is kept free from the next one."""

    def __init__(self, rects: Iterable[QRectF]) -> None:
        self._rects = sorted(rects, key=QRectF.left)
        self._lefts = [rect.left() for rect in self._rects]
        self._widest = max((rect.width() for rect in self._rects), default=0.0)

    def find(self, start: QPointF, end: QPointF, *, below: bool | None = None) -> Lane | None:
        """The lane of a wire, or None where it runs freely. `below` says which side suits the socket it ends at."""
        if end.x() - start.x() <= m.NODE_LEAST:
            return None
        between = self._between(start.x() + _TOUCH, end.x() - _TOUCH)
        hit = _hit(between, start, end)
        if not hit:
            return None
        middle = (start.y() + end.y()) / 2
        under, over = _free(between, hit, 1), _free(between, hit, -1)
        near_under = abs(under.y - middle) <= abs(over.y - middle)
        lane = under if (near_under if below is None else below) else over
        self._keep(QRectF(lane.left, lane.y - 1, lane.right - lane.left, 2))
        return lane

    def _between(self, left: float, right: float) -> list[QRectF]:
        first = bisect_left(self._lefts, left - self._widest)
        last = bisect_right(self._lefts, right)
        return [rect for rect in self._rects[first:last] if rect.right() > left]

    def _keep(self, rect: QRectF) -> None:
        place = bisect_left(self._lefts, rect.left())
        self._rects.insert(place, rect)
        self._lefts.insert(place, rect.left())
        self._widest = max(self._widest, rect.width())


def _hit(rects: list[QRectF], start: QPointF, end: QPointF) -> list[QRectF]:
    top, bottom = sorted((start.y(), end.y()))
    near = [rect for rect in rects if rect.top() + _TOUCH < bottom + 1 and rect.bottom() - _TOUCH > top - 1]
    if not near:
        return []
    if top == bottom:
        return near
    places = curves.points(start, end)
    inner = [rect.adjusted(_TOUCH, _TOUCH, -_TOUCH, -_TOUCH) for rect in near]
    return [rect for rect, area in zip(near, inner, strict=True) if any(area.contains(x, y) for x, y in places)]


def _free(rects: list[QRectF], hit: list[QRectF], side: int) -> Lane:
    """The nearest level line beyond what was hit that touches nothing else; `side` is 1 below, -1 above."""
    found = list(hit)
    for _ in range(_MOST_TRIES):
        y = max(rect.bottom() for rect in found) + CLEAR if side > 0 else min(rect.top() for rect in found) - CLEAR
        left, right = min(rect.left() for rect in found), max(rect.right() for rect in found)
        more = [
            rect
            for rect in rects
            if rect.left() < right
            and rect.right() > left
            and rect.top() - CLEAR / 2 < y < rect.bottom() + CLEAR / 2
            and rect not in found
        ]
        if not more:
            break
        found += more
    return Lane(y, left, right)
