"""Drawing a wire: from an output, backwards from an input, or taking one end of a wire that is there."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QToolTip

from engine import edits
from engine.accept import ACCEPTED
from engine.declare import find
from engine.graph import Edge, Graph
from gui.canvas import curves
from gui.canvas import measures as m
from gui.canvas.board import Board
from gui.canvas.boxes import Box, Socket
from gui.canvas.gestures.base import NO_KEYS, Gesture, tr
from gui.canvas.paint.ink import ink
from gui.canvas.paint.marks import paint_port
from gui.canvas.paint.wire import paint_drawn
from gui.canvas.wires import Wire


class WireGesture(Gesture):
    """A wire follows the pointer from `socket`; ports that it may end at are lit, others say why not."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, board: Board, box: Box, socket: Socket, *, taken: Wire | None = None) -> None:
        super().__init__(board)
        self.box, self.socket = box, socket
        self.taken = taken
        """The wire whose other end has been taken off."""
        self.end = board.to_view(box.place(socket))
        self._near: tuple[Box, Socket] | None = None

    @property
    def forward(self) -> bool:
        """True when the wire is drawn from an output to an input."""
        return self.socket.out

    def start(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Finds every port that the wire may end at."""
        board, definition, node = self.board, self.box.key[0], self.box.node.id
        graph = board.document.graph
        find_ports = edits.possible_targets if self.forward else edits.possible_sources
        possible = find_ports(graph, definition, node, self.socket.port)
        board.shown.fitting = frozenset(
            (box.item, socket.port, socket.out)
            for box in board.scene.boxes.values()
            if box.path == self.box.path
            for socket in (box.inputs if self.forward else box.outputs)
            if (box.node.id, socket.port) in possible and not self.misfit(box)
        )
        board.shown.hidden_wire = self.taken.key if self.taken else None
        board.invalidate_all()
        self.end = point

    def misfit(self, box: Box) -> str:
        """Why the tensor does not fit a box that it could be wired to; empty when it does, or nothing is known."""
        source, target = (self.box, box) if self.forward else (box, self.box)
        facts = self.board.shown.findings.facts(source.key)
        port = self.socket.port if self.forward else next((one.port for one in box.outputs), "")
        info = facts.outputs.get(port) if facts else None
        declaration = find("layer", target.node.type)
        if info is None or declaration is None or ACCEPTED[declaration.accepts].fits(info):
            return ""
        return tr("{0} needs {1}; {2} arrives").format(target.words.name, ACCEPTED[declaration.accepts].words, info)

    def move(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Follows the pointer; says why a port does not fit."""
        self.end = point
        self._near = self._target(point)
        self.board.shown.near = self._near[1] if self._near else None
        self.board.invalidate([self._near[0].bounds()] if self._near else [])
        reason = self._reason()
        if reason:
            QToolTip.showText(self.board.mapToGlobal(point.toPoint()), reason, self.board)
        else:
            QToolTip.hideText()
        self.board.update()

    def finish(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Connects, or takes the old wire away. On empty canvas the view opens the search instead."""
        self.move(point, keys)
        near, taken, definition = self._near, self.taken, self.box.key[0]
        self._rest()
        if near is None:
            if taken is not None:
                self.board.document.edit_graph(
                    tr("Delete wire"), lambda graph: edits.disconnect(graph, definition, taken.edge)
                )
            return
        box, socket = near
        ends = (self.box.node.id, self.socket.port, box.node.id, socket.port)
        if not self.forward:
            ends = (box.node.id, socket.port, self.box.node.id, self.socket.port)
        if taken is not None and _same(taken.edge, ends):
            return

        def change(graph: Graph) -> Graph:
            if taken is not None:
                graph = edits.disconnect(graph, definition, taken.edge)
            return edits.connect(graph, definition, *ends)

        self.board.document.edit_graph(tr("Connect") if taken is None else tr("Rewire"), change)

    def cancel(self) -> None:
        """No wire was drawn, and none taken."""
        self._rest()

    def on_empty(self) -> bool:
        """Whether the pointer is over nothing, and the wire is a new one: then a search offers what fits."""
        over = self.board.scene.box_at(self.board.to_scene(self.end))
        return self._near is None and self.taken is None and over is None

    def paint(self, painter: QPainter) -> None:
        """The wire."""
        board = self.board
        start, end = self.box.place(self.socket), board.to_scene(self.end)
        if self._near is not None:
            end = self._near[0].place(self._near[1])
        path = curves.curve(start, end) if self.forward else curves.curve(end, start)
        painter.save()
        painter.translate(board.camera.x, board.camera.y)
        painter.scale(board.camera.zoom, board.camera.zoom)
        paint_drawn(painter, path, fits=not self._reason())
        if self._near is None:
            paint_port(painter, end, wired=False, under=ink("canvas"))
        painter.restore()

    def _target(self, point: QPointF) -> tuple[Box, Socket] | None:
        """The port under the pointer, or the first free one of the box under it."""
        scene, place = self.board.scene, self.board.to_scene(point)
        found = scene.socket_at(place, m.PORT_HIT / self.board.camera.zoom)
        if found is not None and found[1].out != self.forward and found[0] is not self.box:
            return found if found[0].path == self.box.path else None
        box = scene.box_at(place)
        if box is None or box is self.box or box.path != self.box.path:
            return None
        side = box.inputs if self.forward else box.outputs
        free = next((socket for socket in side if not socket.wired), None) or next(iter(side), None)
        return (box, free) if free is not None else None

    def _reason(self) -> str:
        if self._near is None:
            return ""
        box, socket = self._near
        ends = (self.box.node.id, self.socket.port, box.node.id, socket.port)
        if not self.forward:
            ends = (*ends[2:], *ends[:2])
        graph = self.board.document.graph
        return edits.can_connect(graph, self.box.key[0], *ends) or self.misfit(box)

    def _rest(self) -> None:
        shown = self.board.shown
        shown.fitting, shown.near, shown.hidden_wire = None, None, None
        QToolTip.hideText()
        self.board.invalidate_all()


def _same(edge: Edge, ends: tuple[str, str, str, str]) -> bool:
    return (edge.source, edge.output, edge.target, edge.input) == ends
