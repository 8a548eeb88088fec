"""What a panel shows in place of content or above it: nothing yet, all well, take care, something is wrong.

Owns the arrangement of icon, words and buttons. Never knows what the words are about.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui.icons import paint_icon
from gui.theme import color, metrics, themes, tint
from gui.widgets.box import paint_box

TONES = {"ok": "check", "warn": "warning", "error": "error", "frozen": "snowflake", "accent": "bulb", "text3": "info"}


class IconLabel(QWidget):
    """One drawing at a fixed size in the colour of a token, sharp at every scale."""

    def __init__(self, name: str, *, size: int = 16, token: str = "text2", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._token = name, token
        self.setFixedSize(size, size)

    def set_icon(self, name: str, token: str) -> None:
        """Show another drawing or colour."""
        self._name, self._token = name, token
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        paint_icon(painter, self._name, QRectF(self.rect()), color(self._token))
        painter.end()


class EmptyState(QFrame):
    """Icon, a line of what is missing, a line of what to do, and the buttons that do it."""

    def __init__(
        self,
        icon_name: str,
        title: str,
        text: str = "",
        *buttons: QPushButton,
        framed: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._framed = framed
        self.icon = IconLabel(icon_name, size=24, token="text3")
        self.title = _words(title, "title")
        self.text = _words(text, "label")
        words = QVBoxLayout()
        words.setSpacing(metrics.half)
        words.addWidget(self.title)
        words.addWidget(self.text)
        _hide_empty(self.text)
        if buttons:
            row = QHBoxLayout()
            row.setContentsMargins(0, metrics.grid, 0, 0)
            row.setSpacing(metrics.grid)
            for button in buttons:
                row.addWidget(button)
            row.addStretch(1)
            words.addLayout(row)
        layout = QHBoxLayout(self)
        edge = 24 if framed else metrics.panel_padding
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(metrics.panel_padding)
        layout.addWidget(self.icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)

    def set_text(self, title: str, text: str = "") -> None:
        """Say something else is missing."""
        self.title.setText(title)
        self.text.setText(text)
        self.text.setVisible(bool(text))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        if not self._framed:
            return
        painter = QPainter(self)
        rect = QRectF(self.rect())
        paint_box(painter, rect, fill=color("panel"), edge=None, radius=metrics.radius_node)
        painter.setPen(QPen(color("border2"), 1, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), metrics.radius_node, metrics.radius_node)
        painter.end()


class Banner(QFrame):
    """A tinted panel with icon, title and a line of text; `tone` is "ok", "warn", "error", "frozen" or "accent"."""

    def __init__(
        self, tone: str, title: str, text: str = "", *buttons: QPushButton, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._tone = tone
        self.icon = IconLabel(TONES[tone], token=tone)
        self.title = _words(title, "strong")
        self.text = _words(text, "label")
        _hide_empty(self.text)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.text)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(metrics.control_padding, metrics.grid, metrics.control_padding, metrics.grid)
        layout.setSpacing(10)
        layout.addWidget(self.icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        for button in buttons:
            layout.addWidget(button)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        # The icon stands at the height of the title, not of the box.
        self.icon.setFixedSize(QSize(16, 18))

    def sizeHint(self) -> QSize:
        """As high as the words need at the width that the banner has: more lines where it is narrow."""
        hint = super().sizeHint()
        if self.width() >= self.minimumSizeHint().width() and self.hasHeightForWidth():
            hint.setHeight(self.heightForWidth(self.width()))
        return hint

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may need other lines."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()

    def set_state(self, tone: str, title: str, text: str = "") -> None:
        """Change tone and words together."""
        self._tone = tone
        self.icon.set_icon(TONES[tone], tone)
        self.title.setText(title)
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.updateGeometry()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        fill = tint(color(self._tone), color("panel"), themes.current.tint_share)
        paint_box(painter, QRectF(self.rect()), fill=fill, edge=None, radius=metrics.radius_button)
        painter.end()


class Card(QFrame):
    """A box with a line around it for a group of content; add to `content`."""

    def __init__(self, title: str = "", hint: str = "", *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.content = QVBoxLayout(self)
        edge = metrics.control_padding
        self.content.setContentsMargins(edge, edge, edge, edge)
        self.content.setSpacing(metrics.grid)
        if title:
            head = QHBoxLayout()
            head.setSpacing(metrics.grid)
            head.addWidget(_words(title, "section"))
            head.addWidget(_words(hint, "hint"), 1)
            self.content.addLayout(head)


def _hide_empty(label: QLabel) -> None:
    # Showing a label that has no parent yet would open it as a window of its own for a moment.
    if not label.text():
        label.hide()


def _words(text: str, role: str) -> QLabel:
    made = QLabel(text)
    made.setProperty("role", role)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(role in ("label", "strong", "title"))
    return made
