"""Editing in place: the name of a layer, the repeat of a block. Owns the two small fields and when they close."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractSpinBox, QLineEdit, QSpinBox, QWidget

from engine.graph import MAX_REPEAT
from gui.canvas.board import Board
from gui.canvas.boxes import Box, Kind
from gui.canvas.editing import Editing
from gui.theme import ui_font
from gui.widgets.spin import align_text


class InlineEditor(QObject):
    """At most one field at a time. Enter and leaving it accept, Esc does not."""

    def __init__(self, board: Editing) -> None:
        super().__init__(board)
        self._board = board
        self.field: QWidget | None = None
        self._accept: Callable[[], object] = lambda: None
        board.camera_moved.connect(self.accept)

    def rename(self, box: Box) -> None:
        """Opens a field over a box's name."""
        self.accept()
        text = box.words.name
        field = QLineEdit(text, self._board)
        field.setFont(ui_font(13, 600))
        field.setToolTip(self.tr("A name of letters, digits and underscores; a block takes any words"))
        field.selectAll()
        area = name_rect(self._board, box)
        key = box.key
        self._open(field, area, lambda: self._renamed(field, text, key))

    def repeat(self, box: Box) -> None:
        """Opens a spin box over a block's badge."""
        self.accept()
        field = QSpinBox(self._board)
        field.setRange(1, MAX_REPEAT)
        field.setPrefix("×")
        align_text(field)
        field.setValue(box.node.repeat)
        field.setToolTip(self.tr("How often this block is repeated, one copy after the other"))
        field.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.UpDownArrows)
        field.selectAll()
        badge = self._board.camera.rect_to_view(box.badge_rect()).toRect()
        area = QRect(0, 0, 84, 28)
        area.moveCenter(badge.center())
        key = box.key
        self._open(field, area, lambda: self._board.repeat_to(key, field.value()))

    def accept(self) -> None:
        """Closes the field and takes what it says."""
        if self.field is not None:
            accept = self._accept
            if isinstance(self.field, QSpinBox):
                self.field.interpretText()
            self._close()
            accept()

    def cancel(self) -> None:
        """Closes the field as if it had not been opened."""
        if self.field is not None:
            self._close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter, Esc, and losing the keyboard."""
        if watched is not self.field:
            return False
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.accept()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.cancel()
                return True
        if event.type() == QEvent.Type.FocusOut and self._board.isVisible():
            self.accept()
        return False

    def _renamed(self, field: QLineEdit, before: str, key: tuple[str, str]) -> None:
        if field.text().strip() != before:
            self._board.rename_to(key, field.text())

    def _open(self, field: QWidget, area: QRect, accept: Callable[[], object]) -> None:
        self.field, self._accept = field, accept
        corner = QPoint(
            min(max(area.x(), 4), self._board.width() - area.width() - 4),
            min(max(area.y(), 4), self._board.height() - area.height() - 4),
        )
        field.setGeometry(QRect(corner, area.size()))
        field.installEventFilter(self)
        field.show()
        field.setFocus(Qt.FocusReason.PopupFocusReason)

    def _close(self) -> None:
        field, self.field = self.field, None
        if field is not None:
            field.removeEventFilter(self)
            field.hide()
            field.deleteLater()
            self._board.setFocus()


def name_rect(board: Board, box: Box) -> QRect:
    """Where a box's name stands, in view pixels, at least 120 wide."""
    seen = board.camera.rect_to_view(box.rect).toRect()
    if box.kind is Kind.MERGE:
        area = QRect(0, 0, 120, 28)
        area.moveCenter(QPoint(seen.center().x(), seen.bottom() + 14))
        return area
    left = min(round(32 * board.camera.zoom), 40)
    return QRect(seen.x() + left, seen.y() + 4, max(seen.width() - left - 6, 120), 28)
