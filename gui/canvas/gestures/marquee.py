"""Selecting by a rectangle."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from gui.canvas.board import Board
from gui.canvas.boxes import NodeKey, Path
from gui.canvas.gestures.base import NO_KEYS, Gesture
from gui.canvas.paint.ink import ink, pen

ADDING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class MarqueeGesture(Gesture):
    """Every box that the rectangle touches is selected; Ctrl or Shift adds to what is selected already."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, board: Board, path: Path = ()) -> None:
        super().__init__(board)
        self._path = path
        """Inside an opened group only its layers are meant."""

    def start(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """The first corner."""
        selection = self.board.document.selection
        self._before = selection.nodes
        self._before_edges = selection.edges
        self._kept: frozenset[NodeKey] = selection.nodes if keys & ADDING else frozenset()
        self._first = self.board.to_scene(point)
        self._area = QRectF(self._first, self._first)
        if not keys & ADDING:
            selection.clear()

    def move(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Selects what the rectangle touches now."""
        self._area = QRectF(self._first, self.board.to_scene(point)).normalized()
        found = [box for box in self.board.scene.boxes_in(self._area) if box.path[: len(self._path)] == self._path]
        outer = {box.item for box in found}
        # A frame that lies wholly inside stands for what is in it.
        picked = {box.key for box in found if not any((box.path[:i], one) in outer for i, one in enumerate(box.path))}
        self.board.document.selection.select(self._kept | picked)
        self.board.update()

    def finish(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """What is selected stays so."""
        self.board.update()

    def cancel(self) -> None:
        """Selects again what was selected before."""
        self.board.document.selection.select(self._before, self._before_edges)
        self.board.update()

    def paint(self, painter: QPainter) -> None:
        """The rectangle."""
        painter.setPen(pen("accent", 1.0))
        painter.setBrush(ink("accent", 0.1))
        painter.drawRect(self.board.camera.rect_to_view(self._area))
