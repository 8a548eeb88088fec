"""One sentence about gradient flow, beside the zoom. The words come from `engine.verdict`."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from gui.canvas.board import Board
from gui.canvas.paint.ink import LEFT, ink
from gui.icons import paint_icon
from gui.theme import metrics, ui_font
from gui.widgets.box import paint_box

LOOKS = {
    "good": ("check", "ok"), "warning": ("warning", "warn"), "error": ("error", "error"), "unknown": ("clock", "text3"),
}  # fmt: skip


class VerdictChip(QWidget):
    """Icon, finding, numbers; only its icon on a narrow canvas."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._board = board
        self.folded = False
        self._room = 10_000
        self.setFixedHeight(30)
        board.evidence_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Follows the board."""
        found = self._board.verdict
        self.setVisible(found is not None)
        if found is not None:
            self.setToolTip(str(found))
            self.setAccessibleName(str(found))
            self.setFixedWidth(min(self.sizeHint().width(), self._room))
            self.update()

    def fold(self, folded: bool, *, room: int) -> None:
        """Shows the icon only, or the words too, of which the end is elided beyond `room` pixels."""
        room = max(room, 30)
        if (folded, room) != (self.folded, self._room):
            self.folded, self._room = folded, room
            self.refresh()

    def sizeHint(self) -> QSize:
        """As wide as its words."""
        found = self._board.verdict
        if found is None or self.folded:
            return QSize(30, 30)
        title = QFontMetricsF(ui_font(12, 600)).horizontalAdvance(found.title)
        detail = QFontMetricsF(ui_font(12)).horizontalAdvance(found.detail)
        return QSize(round(32 + title + (12 + detail if found.detail else 0) + 15), 30)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws the sentence."""
        found = self._board.verdict
        if found is None:
            return
        painter = QPainter(self)
        paint_box(painter, QRectF(self.rect()), fill=ink("raised"), edge=ink("border"), radius=metrics.radius_node)
        name, token = LOOKS[found.level]
        paint_icon(painter, name, QRectF(8, 7, 16, 16), ink(token))
        if not self.folded:
            bold = ui_font(12, 600)
            painter.setFont(bold)
            painter.setPen(ink("text"))
            painter.drawText(QRectF(32, 0, self.width(), 30), LEFT, found.title)
            left = 32 + QFontMetricsF(bold).horizontalAdvance(found.title) + 12
            plain = ui_font(12)
            painter.setFont(plain)
            painter.setPen(ink("text2"))
            room = self.width() - 14 - left
            detail = QFontMetricsF(plain).elidedText(found.detail, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QRectF(left, 0, room + 2, 30), LEFT, detail)
        painter.end()
