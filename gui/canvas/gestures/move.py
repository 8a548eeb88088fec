"""Dragging layers, also into a wire."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter

from engine import edits
from engine.graph import Graph
from gui.canvas import measures as m
from gui.canvas.board import Board
from gui.canvas.boxes import Box, Kind, NodeKey
from gui.canvas.gestures.base import NO_KEYS, Gesture, tr
from gui.canvas.paint.marks import paint_edge
from gui.canvas.wires import Wire


class MoveGesture(Gesture):
    """The selected boxes follow the pointer; one edit at the end. A single loose layer can be dropped on a wire."""

    cursor = Qt.CursorShape.SizeAllCursor

    def __init__(self, board: Board, grasped: Box, *, unselects: bool = False) -> None:
        super().__init__(board)
        self._grasped = grasped
        self.unselects = unselects
        """A release without a drag takes the box out of the selection."""

    def start(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Gathers what moves."""
        self._first = self.board.to_scene(point)
        self._gone = QPointF()
        self._keys = _movable(self.board, self.board.document.selection.nodes)
        self._corner = QPointF(self._grasped.node.x, self._grasped.node.y)
        self._loose = self._keys == [self._grasped.key] and is_loose(self.board, self._grasped)

    def move(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Moves the boxes for the eye."""
        away = self.board.to_scene(point) - self._first
        if keys & Qt.KeyboardModifier.ShiftModifier:
            grid = m.GRID_COARSE if keys & Qt.KeyboardModifier.ControlModifier else m.GRID
            place = self._corner + away
            away = QPointF(m.snapped(place.x(), grid), m.snapped(place.y(), grid)) - self._corner
        step = away - self._gone
        self._gone = away
        self.board.invalidate(self.board.scene.preview(self._keys, step.x(), step.y()))
        if self._loose:
            mark_drop(self.board, self._grasped.rect.center(), self._grasped)

    def finish(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """One edit: the new places, and the wire that the layer was dropped on."""
        wire = drop_wire(self.board) if self._loose else None
        clear_drop(self.board)
        gone, moved = self._gone, list(self._keys)
        if gone.isNull():
            self.board.sync()
            return

        def change(graph: Graph) -> Graph:
            for definition in dict.fromkeys(owner for owner, _ in moved):
                nodes = graph.level(definition).nodes
                places = {
                    node: (nodes[node].x + gone.x(), nodes[node].y + gone.y())
                    for owner, node in moved
                    if owner == definition
                }
                graph = edits.move(graph, definition, places)
            if wire is not None:
                graph = edits.insert_on_edge(graph, wire.definition, wire.edge, self._grasped.node.id)
            return graph

        label = tr("Insert layer") if wire is not None else tr("Move")
        if not self.board.document.edit_graph(label, change):
            self.board.sync()

    def cancel(self) -> None:
        """Everything back to where the project says."""
        clear_drop(self.board)
        self.board.invalidate(self.board.scene.preview(self._keys, -self._gone.x(), -self._gone.y()))
        self.board.sync()

    def paint(self, painter: QPainter) -> None:
        """The edge of a layer that a wire would take."""
        if self._loose and self.board.shown.drop is not None:
            paint_takes(self.board, painter, self._grasped)


def is_loose(board: Board, box: Box) -> bool:
    """Whether a box has ports on both sides and no wires, so that a wire can take it."""
    return bool(box.inputs and box.outputs) and not board.scene.wires_at(box) and box.kind is not Kind.FRAME


def mark_drop(board: Board, place: QPointF, box: Box | None) -> None:
    """Lights up the wire under the middle of what is dragged."""
    wire = board.scene.wire_at(place, m.WIRE_HIT * 1.5 / board.camera.zoom + 8)
    if wire is not None and box is not None and (wire.path != box.path or box in (wire.source, wire.target)):
        wire = None
    wanted = wire.key if wire is not None else None
    if wanted != board.shown.drop:
        old = board.scene.wires.get(board.shown.drop) if board.shown.drop else None
        board.shown.drop = wanted
        board.invalidate(one.bounds for one in (old, wire) if one is not None)
        board.update()


def drop_wire(board: Board) -> Wire | None:
    """The wire that is lit up."""
    return board.scene.wires.get(board.shown.drop) if board.shown.drop else None


def clear_drop(board: Board) -> None:
    """No wire is lit up any more."""
    wire = drop_wire(board)
    board.shown.drop = None
    if wire is not None:
        board.invalidate([wire.bounds])


def paint_takes(board: Board, painter: QPainter, box: Box) -> None:
    """The accent edge of what a wire would take."""
    painter.save()
    painter.translate(board.camera.x, board.camera.y)
    painter.scale(board.camera.zoom, board.camera.zoom)
    paint_edge(painter, box, "accent", 2.0)
    painter.restore()


def _movable(board: Board, keys: Iterable[NodeKey]) -> list[NodeKey]:
    """Selected nodes that are boxes on show, without those inside a selected frame: they come along."""
    chosen = [box for key in keys for box in board.scene.of(key)]
    frames = {box.inside for box in chosen if box.kind is Kind.FRAME}
    moved = [box for box in chosen if not any(box.path[: len(inside)] == inside for inside in frames)]
    return list(dict.fromkeys(box.key for box in moved))
