"""Wires of the scene: from which socket to which, along which curve, and what is written on them.

Owns `Wire` as plain geometry. What a wire says (`label`, `fault`, `unknown`) is set by `findings.py`, its place on the
gradient scale by `evidence.py`. Never paints.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from engine.graph import Edge
from engine.tensor import TensorInfo
from gui.canvas import curves
from gui.canvas import measures as m
from gui.canvas.boxes import Box, Path, Socket
from gui.canvas.lanes import Lane

TURN = 16.0
"""A wire reaches its lane, and leaves it, this far beneath the box that it passes round."""

WireKey = tuple[Path, Edge]


@dataclass(slots=True, eq=False)
class Wire:
    """One wire between two boxes of a level."""

    edge: Edge
    path: Path
    definition: str
    source: Box
    target: Box
    output: Socket
    input: Socket
    start: QPointF = field(default_factory=QPointF)
    end: QPointF = field(default_factory=QPointF)
    curve: QPainterPath = field(default_factory=QPainterPath)
    points: tuple[tuple[float, float], ...] = ()
    middle: QPointF = field(default_factory=QPointF)
    """Where words about it stand."""
    bounds: QRectF = field(default_factory=QRectF)
    lane: Lane | None = None
    """The level stretch on which it passes round other boxes; None where nothing is in its way."""
    settled: Lane | None = None
    """The lane that its curve was made for."""
    info: TensorInfo | None = None
    """What it carries; None while unknown."""
    label: str = ""
    """Written always: the shape changed here."""
    marks: tuple[bool, ...] = ()
    """Per number of the label: whether it is one of those that do not fit."""
    fault: bool = False
    unchecked: bool = False
    """Nothing was checked yet: what it carries is not unknown, only not asked."""
    layers: tuple[str, ...] = ()
    """Instance paths whose value colours it."""
    level: float = -1.0
    """Position on the scale of the value on show, 0 to 1; negative when there is none."""
    broken: bool = False
    """The value on show is not finite."""

    @property
    def key(self) -> WireKey:
        """The wire's own key."""
        return self.path, self.edge

    def settle(self) -> bool:
        """Takes its ends from the boxes; True when it moved."""
        start, end = self.source.place(self.output), self.target.place(self.input)
        if start == self.start and end == self.end and self.lane == self.settled and self.points:
            return False
        self.start, self.end, self.settled = start, end, self.lane
        self._bend()
        reach = m.WIRE + m.WIRE_MORE + m.WIRE_EDGE
        # The control rectangle holds the whole curve; the label may stand above a level wire.
        label = QRectF(self.middle - QPointF(50, 32), self.middle + QPointF(50, 14))
        self.bounds = self.curve.controlPointRect().adjusted(-reach, -reach, reach, reach).united(label)
        return True

    def _bend(self) -> None:
        start, end, lane = self.start, self.end, self.lane
        if lane is None:
            self.curve, self.points = curves.curve(start, end), curves.points(start, end)
            self.middle = curves.middle(start, end)
            return
        # A box that is being dragged may have taken an end past the lane.
        first = QPointF(max(lane.left + TURN, start.x() + TURN), lane.y)
        second = QPointF(max(min(lane.right - TURN, end.x() - TURN), first.x()), lane.y)
        self.curve = curves.along_lane(start, first, second, end)
        self.points = curves.lane_points(start, first, second, end)
        self.middle = (first + second) / 2

    def distance(self, point: QPointF) -> float:
        """How far a point of the scene is from the wire."""
        return curves.distance(self.points, point)
