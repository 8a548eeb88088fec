"""The rows of the search: glyph, name with the found letters marked, settings, resulting shape.

Owns their painting and which one is current. Never adds a layer.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui.canvas.boxes import elided, text_width
from gui.canvas.paint.ink import LEFT, RIGHT, font, ink, mono
from gui.canvas.paint.layer import paint_tile
from gui.canvas.search_model import Offer
from gui.canvas.words import GLYPHS
from gui.widgets.box import paint_box

ROW, MOST = 44, 7


class SearchRows(QWidget):
    """Up to seven rows are seen; the wheel and the keys show the others."""

    chosen = Signal(int)
    current_changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.offers: list[Offer] = []
        self.current = 0
        self.first = 0
        self._words: list[str] = []
        self.setMouseTracking(True)

    def show_offers(self, offers: list[Offer], words: list[str], *, keep: bool = False) -> None:
        """Shows other offers; `keep` stays at the current row (the same offers, told more)."""
        self.offers, self._words = offers, words
        if not keep:
            self.current = self.first = 0
        self.current = min(self.current, max(len(offers) - 1, 0))
        self.setFixedHeight(max(1, min(len(offers), MOST)) * ROW)
        self.update()

    def step(self, rows: int) -> None:
        """Moves the current row, around both ends."""
        if self.offers:
            self.current = (self.current + rows) % len(self.offers)
            self.first = min(max(self.first, self.current - MOST + 1), self.current)
            self.update()
            self.current_changed.emit()

    def seen(self) -> range:
        """The rows in view."""
        return range(self.first, min(self.first + MOST, len(self.offers)))

    def sizeHint(self) -> QSize:
        """Seven rows at most."""
        return QSize(344, max(1, min(len(self.offers), MOST)) * ROW)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scrolls by rows."""
        rows = -1 if event.angleDelta().y() > 0 else 1
        self.first = min(max(self.first + rows, 0), max(len(self.offers) - MOST, 0))
        self.update()
        self.current_changed.emit()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The row under the pointer becomes current."""
        row = self._row_at(event)
        if row is not None and row != self.current:
            self.current = row
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Chooses the row under the pointer."""
        row = self._row_at(event)
        if row is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(row)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws the rows in view."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.offers:
            painter.setFont(font(12))
            painter.setPen(ink("text3"))
            painter.drawText(QRectF(16, 0, self.width() - 32, ROW), LEFT, self.tr("No layer answers to this"))
        for place, index in enumerate(self.seen()):
            self._paint_row(painter, QRectF(0, place * ROW, self.width(), ROW), self.offers[index], index)
        painter.end()

    def _paint_row(self, painter: QPainter, rect: QRectF, offer: Offer, index: int) -> None:
        if index == self.current:
            paint_box(painter, rect.adjusted(6, 1, -6, -1), fill=ink("selected"), edge=ink("accent"), radius=6)
        painter.setOpacity(1.0 if offer.fits else 0.45)
        kind = offer.declaration
        tile = QRectF(rect.x() + 16, rect.center().y() - 10, 20, 20)
        paint_tile(painter, tile, kind.family, GLYPHS.get(kind.type, f"family-{kind.family}"))
        painter.setOpacity(1.0 if offer.fits else 0.75)
        side = offer.shape if offer.fits else offer.reason
        side_font = mono(11) if offer.fits else font(11)
        taken = QFontMetricsF(side_font).horizontalAdvance(side) + 16 if side else 0.0
        room = rect.width() - 48 - 16
        if not offer.fits:
            # The reason matters more than the layer's settings: it takes the second line's place.
            side, taken = "", 0.0
        self._paint_title(painter, QRectF(48, rect.y() + 4, room - taken, 20), kind.title)
        painter.setFont(font(11))
        painter.setPen(ink("text2" if offer.fits else "text3"))
        detail = offer.detail if offer.fits else offer.reason
        painter.drawText(QRectF(48, rect.y() + 22, room, 18), LEFT, elided(detail, room, 11, 400))
        if side:
            painter.setFont(side_font)
            painter.setPen(ink("text"))
            painter.drawText(QRectF(rect.right() - 16 - taken, rect.y() + 4, taken, 20), RIGHT, side)
        painter.setOpacity(1.0)

    def _paint_title(self, painter: QPainter, area: QRectF, title: str) -> None:
        """The name; letters that were typed stand in accent."""
        painter.setFont(font(12, 600))
        left, at = area.x(), 0
        for start, length in self._found(title):
            for text, token in ((title[at:start], "text"), (title[start : start + length], "accent")):
                painter.setPen(ink(token))
                painter.drawText(QRectF(left, area.y(), area.right() - left, area.height()), LEFT, text)
                left += text_width(text, 12, 600)
            at = start + length
        painter.setPen(ink("text"))
        painter.drawText(QRectF(left, area.y(), max(area.right() - left, 0), area.height()), LEFT, title[at:])

    def _found(self, title: str) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = []
        for word in self._words:
            start = title.lower().find(word)
            if start >= 0 and all(start >= a + n or start + len(word) <= a for a, n in spans):
                spans.append((start, len(word)))
        return sorted(spans)

    def _row_at(self, event: QMouseEvent) -> int | None:
        row = self.first + int(event.position().y() // ROW)
        return row if 0 <= row < len(self.offers) and self.rect().contains(event.position().toPoint()) else None
