"""A field for finding: lens at the left, its key at the right, a cross once something is typed. Owns no search."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QInputMethodEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from gui.icons import paint_icon
from gui.theme import color, metrics, ui_font

LENS = 14


class SearchField(QLineEdit):
    """Emits `searched` with the text, counting what is still being composed, so that Hangul filters while typed.

    `moved` carries Up, Down, Page Up and Page Down as steps for the list below; Esc clears, a second Esc goes on.
    """

    searched = Signal(str)
    moved = Signal(int)

    def __init__(self, placeholder: str = "", *, key: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = key
        self._composing = ""
        self.setPlaceholderText(placeholder)
        self.setProperty("focusRadius", metrics.radius_field)
        room = 22 if not key else max(22, round(QFontMetricsF(ui_font(11)).horizontalAdvance(key)) + 10)
        self.setTextMargins(LENS + 6, 0, room, 0)
        self.textChanged.connect(self._tell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the keys this widget knows and leave the rest to its parent."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -8, Qt.Key.Key_PageDown: 8}
        if event.key() in steps:
            self.moved.emit(steps[Qt.Key(event.key())])
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Search for syllables that are still being put together."""
        self._composing = event.preeditString()
        super().inputMethodEvent(event)
        self._tell()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take a press on a part that acts."""
        if self.text() and event.position().x() > self.width() - 26:
            self.clear()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show which part the pointer is on."""
        over = bool(self.text()) and event.position().x() > self.width() - 26
        self.setCursor(Qt.CursorShape.ArrowCursor if over else Qt.CursorShape.IBeamCursor)
        super().mouseMoveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        super().paintEvent(event)
        painter = QPainter(self)
        top = round((self.height() - LENS) / 2)
        paint_icon(painter, "search", QRectF(8, top, LENS, LENS), color("text2"))
        if self.text():
            paint_icon(painter, "close", QRectF(self.width() - 8 - 12, top + 1, 12, 12), color("text3"))
        elif self._key:
            painter.setFont(ui_font(11))
            painter.setPen(color("text3"))
            area = QRectF(self.rect()).adjusted(0, 0, -10, 0)
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._key)
        painter.end()

    def _tell(self) -> None:
        place = self.cursorPosition()
        self.searched.emit(self.text()[:place] + self._composing + self.text()[place:])
