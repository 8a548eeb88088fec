"""Dragging a layer from the palette: our own gesture with a ghost, so that it works the same on every platform."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from engine.declare import find
from engine.graph import Node
from gui.canvas import measures as m
from gui.canvas.board import Board
from gui.canvas.boxes import Box, Kind, size_of, sockets
from gui.canvas.gestures.base import NO_KEYS, Gesture
from gui.canvas.gestures.move import clear_drop, drop_wire, mark_drop, paint_takes
from gui.canvas.paint.layer import paint_layer, paint_merge
from gui.canvas.wires import Wire
from gui.canvas.words import words


class PaletteGesture(Gesture):
    """A ghost of the layer follows the pointer; a release over the canvas says where (`place`, `wire`)."""

    cursor = Qt.CursorShape.DragCopyCursor

    def __init__(self, board: Board, type_name: str) -> None:
        super().__init__(board)
        self.type_name = type_name
        self.wire: Wire | None = None
        self.place: QPointF | None = None
        """Where its middle was let go, in the scene; None outside the canvas."""
        self._ghost = ghost(board, type_name)
        self._over = False
        self.wide = self._ghost.rect.width()

    def move(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """The ghost follows; a wire below it lights up."""
        self._over = QRectF(self.board.rect()).contains(point)
        middle = self.board.to_scene(point)
        size = self._ghost.rect.size()
        corner = middle - QPointF(size.width() / 2, size.height() / 2)
        if keys & Qt.KeyboardModifier.ShiftModifier:
            corner = QPointF(m.snapped(corner.x()), m.snapped(corner.y()))
        self._ghost.rect.moveTo(corner)
        if self._over and self._ghost.inputs and self._ghost.outputs:
            mark_drop(self.board, middle, None)
        else:
            clear_drop(self.board)
        self.board.update()

    def finish(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Settles where it was let go; the view adds the layer."""
        self.move(point, keys)
        self.wire = drop_wire(self.board)
        self.place = self._ghost.rect.center() if self._over else None
        clear_drop(self.board)
        self.board.update()

    def cancel(self) -> None:
        """Nothing is added."""
        clear_drop(self.board)
        self.board.update()

    def paint(self, painter: QPainter) -> None:
        """The ghost."""
        board = self.board
        if not self._over:
            return
        painter.save()
        painter.translate(board.camera.x, board.camera.y)
        painter.scale(board.camera.zoom, board.camera.zoom)
        painter.setOpacity(0.8)
        (paint_merge if self._ghost.kind is Kind.MERGE else paint_layer)(painter, self._ghost, board.camera.zoom)
        painter.restore()
        if board.shown.drop is not None:
            paint_takes(board, painter, self._ghost)


def ghost(board: Board, type_name: str) -> Box:
    """A box of a layer that does not exist yet, at the origin."""
    project = board.document.project
    node = Node(id="", name=type_name, type=type_name)
    said = words(project, board.level, node)
    kind = Kind.MERGE if said.merge else Kind.LAYER
    size = size_of(kind, said, evidence=False, num_rows=0)
    declaration = find("layer", type_name)
    return Box(
        key=("", ""), path=(), node=node, kind=kind, words=said, rect=QRectF(0, 0, *size),
        inputs=sockets(declaration.inputs if declaration else (), out=False, size=size),
        outputs=sockets(declaration.outputs if declaration else (), out=True, size=size),
    )  # fmt: skip
