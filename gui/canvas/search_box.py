"""Search to add: a box at the pointer that finds layers by words and numbers and adds the chosen one, wired.

Owns the box. What is offered stands in `search_model.py`; adding is the board's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from engine.analysis import Analysis
from engine.tensor import TensorInfo
from gui.canvas.board import Board
from gui.canvas.boxes import Box, Path, Socket
from gui.canvas.paint.ink import LEFT, RIGHT, font, ink, mono
from gui.canvas.previews import Previewer, outcome, tried
from gui.canvas.search_model import Offer, number_spans, offers, with_shape
from gui.canvas.search_rows import SearchRows
from gui.canvas.wires import Wire
from gui.icons import paint_icon
from gui.shadow import paint_shadow
from gui.theme import metrics
from gui.widgets.box import paint_box
from gui.widgets.fade import fade_in

WIDE, FIELD, FOOT = 344, 48, 32
AROUND = metrics.popup_margin


@dataclass
class Request:
    """Where a layer is wanted, and what it is to be wired to."""

    place: QPointF
    """In the scene: the pointer."""
    definition: str = ""
    path: Path = ()
    source: tuple[Box, Socket] | None = None
    target: tuple[Box, Socket] | None = None
    wire: Wire | None = None

    @property
    def end(self) -> tuple[Box, Socket] | None:
        """The port that the new layer will be wired to."""
        return self.source or self.target


class SearchBox(QWidget):
    """344 wide, with room for its shadow around. Esc closes, Enter adds, Tab goes to the next number."""

    chosen = Signal(object, object)
    """An `Offer` and the `Request`."""
    closed = Signal()

    def __init__(self, board: Board, request: Request, previewer: Previewer | None) -> None:
        super().__init__(board)
        self._board, self.request, self._previewer = board, request, previewer
        self._asked = 0
        self._info = self._arriving()
        self.field = QLineEdit(self)
        self.field.setProperty("bare", True)
        self.field.setPlaceholderText(self.tr("Find a layer, and its numbers: conv 64 3"))
        self.field.setAccessibleName(self.tr("Find a layer"))
        self.field.setFont(font(13))
        self.field.installEventFilter(self)
        self.field.textChanged.connect(self._search)
        self.rows = SearchRows(self)
        self.rows.chosen.connect(self._choose)
        self.rows.current_changed.connect(self._preview)
        self._search("")

    def place_at(self, point: QPoint) -> None:
        """Puts the field beside a point of the canvas, wholly inside it."""
        wide, high = WIDE + 2 * AROUND, FIELD + 7 * 44 + FOOT + 2 * AROUND
        board = self._board
        x = min(max(point.x() - AROUND, -AROUND + 12), board.width() - wide + AROUND - 12)
        lowest = max(board.height() - high + AROUND - 12, -AROUND + 12)
        y = min(max(point.y() - AROUND - FIELD // 2, -AROUND + 12), lowest)
        self.move(x, y)
        self.show()
        self.raise_()
        fade_in(self)
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def anchor(self) -> QPointF:
        """Where the released wire ends: the middle of the field's near edge, on the canvas."""
        right = self.request.target is not None
        return QPointF(self.pos()) + QPointF(AROUND + (WIDE if right else 0), AROUND + FIELD / 2)

    def close_box(self) -> None:
        """Goes away without adding."""
        self.hide()
        self.deleteLater()
        self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The keys of the list, typed into the field."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key(event)
        if event.type() == QEvent.Type.FocusOut and self.isVisible() and self._board.isVisible():
            self.close_box()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Shadow, card, field line and foot."""
        painter = QPainter(self)
        card = QRectF(self.rect()).adjusted(AROUND, AROUND, -AROUND, -AROUND)
        paint_shadow(painter, card, metrics.radius_popup, "popup")
        paint_box(painter, card, fill=ink("raised"), edge=ink("border2"), radius=metrics.radius_popup)
        paint_icon(painter, "search", QRectF(card.x() + 14, card.y() + 16, 16, 16), ink("text2"))
        if self._info is not None:
            painter.setFont(font(11))
            painter.setPen(ink("text3"))
            text = self.tr("fits {0}").format(self._info)
            painter.drawText(QRectF(card.right() - 114, card.y(), 100, FIELD), RIGHT, text)
        painter.setPen(ink("border"))
        for y in (card.y() + FIELD, card.bottom() - FOOT):
            painter.drawLine(QPointF(card.x() + 1, y), QPointF(card.right() - 1, y))
        self._paint_keys(painter, card)
        painter.end()

    def _paint_keys(self, painter: QPainter, card: QRectF) -> None:
        left, middle = card.x() + 14, card.bottom() - FOOT / 2
        verb = self.tr("add and wire") if self.request.end or self.request.wire else self.tr("add")
        for key, text in (("↵", verb), ("Tab", self.tr("next number")), ("Esc", self.tr("close"))):
            painter.setFont(mono(10, 600))
            wide = QFontMetricsF(mono(10, 600)).horizontalAdvance(key) + 10
            chip = QRectF(left, middle - 9, wide, 18)
            paint_box(painter, chip, fill=ink("node"), edge=ink("border2"), radius=4)
            painter.setPen(ink("text"))
            painter.drawText(chip, int(Qt.AlignmentFlag.AlignCenter), key)
            painter.setFont(font(11))
            painter.setPen(ink("text2"))
            painter.drawText(QRectF(left + wide + 6, middle - 10, 120, 20), LEFT, text)
            left += wide + 6 + QFontMetricsF(font(11)).horizontalAdvance(text) + 14

    def _key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.close_box()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.rows.current)
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.rows.step(1 if key == Qt.Key.Key_Down else -1)
        elif key == Qt.Key.Key_Tab:
            self._next_number()
        else:
            return False
        return True

    def _next_number(self) -> None:
        spans = number_spans(self.field.text())
        if not spans:
            self.field.setText(self.field.text().rstrip() + " ")
            return
        at = self.field.selectionStart() if self.field.hasSelectedText() else -1
        start, length = next((span for span in spans if span[0] > at), spans[0])
        self.field.setSelection(start, length)

    def _search(self, text: str) -> None:
        request = self.request
        found = offers(text, self._info, nested=bool(request.definition), before=request.target is not None)
        if request.end or request.wire:
            # What cannot be wired here at all is no offer: an input behind a layer, an output before one.
            found = [offer for offer in found if self._can_wire(offer)]
        self.rows.show_offers(found, [part for part in text.lower().split() if not part.isdigit()])
        self._arrange()
        self._preview()

    def _can_wire(self, offer: Offer) -> bool:
        kind = offer.declaration
        needs_input = self.request.source is not None or self.request.wire is not None
        needs_output = self.request.target is not None or self.request.wire is not None
        return not (needs_input and not kind.inputs) and not (needs_output and not kind.outputs)

    def _preview(self) -> None:
        """Asks for the shapes of the rows in view; answers to an older text are dropped."""
        self._asked += 1
        asked, rows = self._asked, [index for index in self.rows.seen() if self.rows.offers[index].fits]
        if self._previewer is None or not rows:
            return
        project, definition = self._board.document.project, self.request.definition
        source = self.request.source or _source_of(self.request.wire)
        made = [tried(project, definition, self.rows.offers[index], source) for index in rows]

        def told(analyses: Sequence[Analysis]) -> None:
            if asked != self._asked or not self.isVisible():
                return
            known = list(self.rows.offers)
            for index, (_, node), analysis in zip(rows, made, analyses, strict=False):
                shape, reason = outcome(analysis, definition, node) if node else ("", "")
                known[index] = with_shape(known[index], shape, reason)
            self.rows.offers = known
            self.rows.update()

        self._previewer.preview([project for project, _ in made], told)

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self.rows.offers):
            offer, request = self.rows.offers[row], self.request
            self.close_box()
            self.chosen.emit(offer, request)

    def _arriving(self) -> TensorInfo | None:
        source = self.request.source or _source_of(self.request.wire)
        if source is None:
            return None
        facts = self._board.shown.findings.facts(source[0].key)
        return facts.outputs.get(source[1].port) if facts else None

    def _arrange(self) -> None:
        high = FIELD + self.rows.height() + FOOT + 8
        self.resize(WIDE + 2 * AROUND, high + 2 * AROUND)
        self.field.setGeometry(AROUND + 40, AROUND + 8, WIDE - 40 - (118 if self._info else 14), FIELD - 16)
        self.rows.setGeometry(AROUND, AROUND + FIELD + 4, WIDE, self.rows.height())


def _source_of(wire: Wire | None) -> tuple[Box, Socket] | None:
    return (wire.source, wire.output) if wire is not None else None
