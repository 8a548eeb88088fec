"""Labels that give way: text elided at its end, and a name with its value at the right. Owns no values."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from gui.style import set_property
from gui.theme import metrics


class ElidedLabel(QLabel):
    """One line of text, elided at its end when there is no room; the tip then shows all of it."""

    def __init__(self, text: str = "", *, role: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("role", role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._own_tip = ""

    def setToolTip(self, text: str) -> None:
        """A tip that shows whether or not the text is elided."""
        self._own_tip = text
        super().setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """The least size that can be used."""
        return QSize(20, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        room = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        tip = self._own_tip or (self.text() if shown != self.text() else "")
        if super().toolTip() != tip:
            super().setToolTip(tip)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(room, self.alignment() | Qt.TextFlag.TextSingleLine, shown)
        painter.end()


class KeyValueRow(QWidget):
    """A name at the left, its value right-aligned, and perhaps a small widget (a sparkline) between them."""

    def __init__(
        self,
        name: str,
        value: str = "",
        *,
        mono: bool = False,
        between: QWidget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.name = ElidedLabel(name, role="label")
        self.value = QLabel(value)
        self.value.setProperty("role", "mono" if mono else "")
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(metrics.grid)
        layout.addWidget(self.name)
        if between is not None:
            layout.addWidget(between, 1)
        else:
            layout.addStretch(1)
        layout.addWidget(self.value)
        self.setMinimumHeight(metrics.row)

    def set_value(self, text: str, *, role: str | None = None) -> None:
        """Show another value; `role` may turn it into "error", "hint" or "mono"."""
        self.value.setText(text)
        if role is not None:
            set_property(self.value, "role", role)
