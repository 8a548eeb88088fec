"""Everything a person can ask of the canvas, with the small fields, the search and the problem card it needs.

Owns those helpers and when they open. What a press or key means stands in `view.py`.
"""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QWidget

from engine.graph import INPUT, OUTPUT
from engine.problem import Fix
from gui.canvas import measures as m
from gui.canvas.boxes import Box, Kind, NodeKey, Socket
from gui.canvas.card_place import place as card_place
from gui.canvas.clipping import Clipping
from gui.canvas.gestures.palette import ghost
from gui.canvas.inline import InlineEditor
from gui.canvas.moving import Moving
from gui.canvas.previews import Previewer
from gui.canvas.problem_card import AROUND, ProblemCard
from gui.canvas.search_box import Request, SearchBox
from gui.canvas.search_model import Offer
from gui.canvas.wires import Wire
from gui.document import Document


class Commands(Clipping, Moving):
    """A board with all its commands."""

    previewer: Previewer | None = None
    """Who can check projects that do not exist yet; the search shows resulting shapes once somebody can."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(document, parent)
        self.inline = InlineEditor(self)
        self.card = ProblemCard(self)
        self.search: SearchBox | None = None
        self._dismissed: NodeKey | None = None
        self.card.mended.connect(self._mend)
        self.card.closed.connect(self._dismiss)
        document.selection.changed.connect(self._reselected)
        document.analyzed.connect(lambda _: self.settle_card())
        self.synced.connect(self.settle_card)
        self.camera_moved.connect(self.settle_card)

    def rename(self) -> None:
        """Opens a field over the name of the selected layer."""
        key = self.document.selection.node
        box = self.scene.box(key) if key is not None else None
        if box is not None:
            self.inline.rename(box)

    def search_layer(self) -> None:
        """Opens the search at the pointer, or in the middle; what is found is wired behind the selected layer."""
        local = QPointF(self.mapFromGlobal(QCursor.pos()))
        if not self.underMouse() or not QRectF(self.rect()).contains(local):
            local = QPointF(self.width() / 2, self.height() / 3)
        feeding = self._feeding()
        request = Request(self.to_scene(local), *self.scene.level_at(self.to_scene(local)))
        if feeding is not None and request.definition == feeding[0].key[0]:
            request.source = feeding
        self.open_search(request)

    def search_at(self, place: QPointF) -> None:
        """Opens the search at a point of the scene, wired to nothing."""
        self.open_search(Request(place, *self.scene.level_at(place)))

    def search_from(self, box: Box, socket: Socket, place: QPointF) -> None:
        """Opens the search at the end of a released wire."""
        request = Request(place, box.key[0], box.path)
        if socket.out:
            request.source = (box, socket)
        else:
            request.target = (box, socket)
        self.open_search(request)

    def search_into(self, wire: Wire, place: QPointF) -> None:
        """Opens the search for a layer to put into a wire."""
        self.open_search(Request(place, wire.definition, wire.path, wire=wire))

    def open_search(self, request: Request) -> None:
        """Opens the search for a request; an open one closes."""
        self.close_search()
        self.card.hide()
        box = SearchBox(self, request, self.previewer)
        box.chosen.connect(self._found)
        box.closed.connect(self._search_closed)
        self.search = box
        at = self.to_view(request.place)
        aside = 344 if request.target is not None else 0
        box.place_at(QPoint(round(at.x()) + (12 if request.source else 0) - aside, round(at.y())))
        self.update()

    def close_search(self) -> None:
        """Closes the search, if it is open."""
        if self.search is not None:
            self.search.close_box()

    def settle_card(self) -> None:
        """Shows the problems of the one selected node beside it, and keeps the card out of the way."""
        key = self.document.selection.node
        box = self.scene.box(key) if key is not None else None
        found = self.shown.findings.problems(key) if key is not None else []
        if box is None or not found or key == self._dismissed or self.search is not None:
            self.card.hide()
            return
        if found != self.card.problems:
            self.card.show_problems(found)
        node = self.camera.rect_to_view(box.rect.adjusted(-4, -16, 4, 4))
        if not node.intersects(QRectF(self.rect())):
            self.card.hide()
            return
        size = QSizeF(self.card.size()) - QSizeF(2 * AROUND, 2 * AROUND)
        corner, pointing = card_place(node, size, QRectF(self.rect()), self._keep_clear(box), self._neighbours(box))
        corner -= QPointF(AROUND, AROUND)
        above = -1.0 if corner.y() + AROUND > node.top() else 1e6
        self.card.pointing = QPointF(node.center().x() - corner.x(), above) if pointing else QPointF()
        self.card.move(corner.toPoint())
        self.card.show()
        self.card.raise_()
        self.card.update()

    def _keep_clear(self, box: Box) -> list[QRectF]:
        """Small rectangles along the wires that a problem may speak of: those that arrive."""
        found = []
        for wire in self.scene.wires_at(box):
            for (ax, ay), (bx, by) in pairwise(wire.points):
                piece = QRectF(QPointF(ax, ay), QPointF(bx, by)).normalized().adjusted(-3, -3, 3, 3)
                found.append(self.camera.rect_to_view(piece))
        return found

    def _neighbours(self, box: Box) -> list[QRectF]:
        """The boxes that a box is wired to, where they are seen."""
        others = {wire.source if wire.target is box else wire.target for wire in self.scene.wires_at(box)}
        return [self.camera.rect_to_view(other.rect) for other in others if other.kind is not Kind.PORT]

    def _found(self, offer: Offer, request: Request) -> None:
        kind = offer.declaration
        place = self.scene.to_level(request.path, request.place)
        wide = ghost(self, kind.type).rect.width()
        left = place.x() - (wide if request.target else wide / 2 if request.wire or not request.end else 0)
        corner = QPointF(m.snapped(left), m.snapped(place.y() - m.ANCHOR))
        if request.wire is not None:
            corner.setY(place.y() - m.ANCHOR)
        self.add(
            request.definition, kind.type, corner, source=request.source, target=request.target, wire=request.wire,
            params=offer.params or None if kind.type not in (INPUT, OUTPUT) else None,
        )  # fmt: skip

    def _search_closed(self) -> None:
        self.search = None
        self.setFocus()
        self.settle_card()
        self.update()

    def _mend(self, fix: Fix) -> None:
        if fix.apply is not None:
            self.card.hide()
            self.document.edit(fix.title, fix.apply)

    def _dismiss(self) -> None:
        self._dismissed = self.document.selection.node
        self.setFocus()

    def _reselected(self) -> None:
        if self.document.selection.node != self._dismissed:
            self._dismissed = None
        self.settle_card()


def opens(box: Box) -> bool:
    """Whether a double-click opens a box instead of renaming it."""
    return box.kind in (Kind.CARD, Kind.STACK, Kind.FRAME)
