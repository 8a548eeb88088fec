"""Cutting wires with a line."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QPainter, QPen

from engine import edits
from engine.graph import Graph
from gui.canvas import curves
from gui.canvas.gestures.base import NO_KEYS, Gesture, tr
from gui.canvas.paint.ink import ink
from gui.canvas.wires import Wire


class CutGesture(Gesture):
    """Every wire that the line crosses goes, in one edit."""

    cursor = Qt.CursorShape.CrossCursor

    def start(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """One end of the line."""
        self._first = self._last = self.board.to_scene(point)

    def move(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """The other end."""
        self._last = self.board.to_scene(point)
        self.board.update()

    def finish(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Takes the crossed wires away."""
        self.move(point, keys)
        cut = [(wire.definition, wire.edge) for wire in self._crossed()]

        def change(graph: Graph) -> Graph:
            for definition, edge in cut:
                graph = edits.disconnect(graph, definition, edge)
            return graph

        if cut:
            self.board.document.edit_graph(tr("Cut wires"), change)
        self.board.update()

    def cancel(self) -> None:
        """Cuts nothing."""
        self.board.update()

    def paint(self, painter: QPainter) -> None:
        """The line, and the wires that it would take."""
        board = self.board
        painter.setPen(QPen(ink("error"), 1.5, Qt.PenStyle.DashLine))
        painter.drawLine(board.to_view(self._first), board.to_view(self._last))
        painter.translate(board.camera.x, board.camera.y)
        painter.scale(board.camera.zoom, board.camera.zoom)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(ink("error"), 3.0))
        for wire in self._crossed():
            painter.drawPath(wire.curve)
        painter.resetTransform()

    def _crossed(self) -> list[Wire]:
        line = QLineF(self._first, self._last)
        return [wire for wire in self.board.scene.wires.values() if curves.crosses(wire.points, line)]
