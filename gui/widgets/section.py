"""A part of a panel that folds away under its title. Owns folding; the content is whatever is added to `content`."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from gui.icons import paint_icon
from gui.theme import color, metrics, row_height, ui_font

CHEVRON = 12


class CollapsibleSection(QWidget):
    """Chevron, title and a hint at the right; below it the content, which folds away at once."""

    toggled = Signal(bool)

    def __init__(
        self, title: str, hint: str = "", *, opened: bool = True, line: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._line = line
        self.header = _Header(title, hint)
        self.header.setChecked(opened)
        self.body = QWidget()
        self.content = QVBoxLayout(self.body)
        self.content.setContentsMargins(0, 2, 0, metrics.grid)
        self.content.setSpacing(metrics.half)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(metrics.control_padding, metrics.half, metrics.control_padding, metrics.half)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.body)
        self.body.setVisible(opened)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.header.toggled.connect(self._toggled)

    @property
    def opened(self) -> bool:
        """Whether the content shows."""
        return self.header.isChecked()

    def set_open(self, opened: bool) -> None:
        """Fold or unfold."""
        self.header.setChecked(opened)

    def set_title(self, title: str) -> None:
        """Change the title."""
        self.header.setText(title)

    def set_hint(self, hint: str) -> None:
        """Change the words at the right end ("from project", "live")."""
        self.header.hint = hint
        self.header.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        if self._line:
            painter = QPainter(self)
            painter.fillRect(QRectF(0, 0, self.width(), 1), color("border"))
            painter.end()

    def _toggled(self, opened: bool) -> None:
        self.body.setVisible(opened)
        self.toggled.emit(opened)


class _Header(QAbstractButton):
    """The line that folds; Enter and Space press it, Left and Right close and open."""

    def __init__(self, title: str, hint: str) -> None:
        super().__init__()
        self.hint = hint
        self.setText(title)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:
        """The size at which everything shows."""
        words = QFontMetricsF(ui_font(12, 600)).horizontalAdvance(self.text())
        return QSize(round(words) + 80, row_height(12, metrics.row_tall, 8))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the keys this widget knows and leave the rest to its parent."""
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.setChecked(event.key() == Qt.Key.Key_Right)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        ink = color("text" if self.underMouse() else "text3")
        middle = self.height() / 2
        name = "chevron-down" if self.isChecked() else "chevron-right"
        paint_icon(painter, name, QRectF(0, round(middle - CHEVRON / 2), CHEVRON, CHEVRON), ink)
        rest = QRectF(CHEVRON + 6, 0, self.width() - CHEVRON - 6, self.height())
        painter.setFont(ui_font(12, 600))
        painter.setPen(color("text"))
        painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
        if self.hint:
            painter.setFont(ui_font(11))
            painter.setPen(color("text3"))
            painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self.hint)
        painter.end()
