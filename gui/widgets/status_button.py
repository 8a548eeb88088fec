"""A button of the status bar that shows and hides a dock: icon, words, and a count or a dot when something happened.

Owns its painting. Never opens a dock by itself.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from gui.icons import paint_icon
from gui.theme import color, row_height, tint, ui_font
from gui.widgets.box import paint_box

ICON = 14
PADDING = 8
GAP = 6
BADGE = 16
DOT = 6


class StatusButton(QAbstractButton):
    """Down while its dock is open. `clicked` toggles; `set_count` and `set_dot` say that there is something to see."""

    def __init__(self, icon_name: str, text: str, *, tip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon_name, self._token = icon_name, "text2"
        self._count, self._count_token = 0, "accent"
        self._dot: str | None = None
        self.setText(text)
        self.setToolTip(tip)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setProperty("focusRadius", 5)

    def set_icon(self, name: str, token: str = "text2") -> None:
        """Show another drawing or colour, such as the octagon in the error colour."""
        self._icon_name, self._token = name, token
        self.update()

    def set_label(self, text: str) -> None:
        """Change the words; the button takes the room they need."""
        self.setText(text)
        self.updateGeometry()
        self.update()

    def set_count(self, count: int, token: str = "accent") -> None:
        """Show a number in a badge; 0 shows none."""
        self._count, self._count_token = count, token
        self.updateGeometry()
        self.update()

    def set_dot(self, token: str | None) -> None:
        """Show a dot of that colour after the words, or none."""
        self._dot = token
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """The size at which everything shows."""
        width = 2 * PADDING + ICON + GAP + QFontMetricsF(ui_font(12, 600)).horizontalAdvance(self.text())
        if self._count:
            width += GAP + self._badge_width()
        if self._dot:
            width += GAP + DOT
        return QSize(round(width + 0.5), row_height(12, 22, 4))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        rect = QRectF(self.rect())
        if self.isChecked() or self.underMouse():
            paint_box(painter, rect, fill=color("hover"), edge=None, radius=5)
        middle = rect.center().y()
        ink = self._token if self.isEnabled() else "text3"
        if self.isChecked() and ink == "text2":
            ink = "text"
        left = float(PADDING)
        paint_icon(painter, self._icon_name, QRectF(left, round(middle - ICON / 2), ICON, ICON), color(ink))
        left += ICON + GAP
        font = ui_font(12, 600 if self.isChecked() else 500)
        painter.setFont(font)
        painter.setPen(color("text" if self.isEnabled() else "text3"))
        painter.drawText(rect.adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text())
        left += QFontMetricsF(font).horizontalAdvance(self.text()) + GAP
        if self._count:
            self._paint_badge(painter, QRectF(left, middle - BADGE / 2, self._badge_width(), BADGE))
            left += self._badge_width() + GAP
        if self._dot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color(self._dot))
            painter.drawEllipse(QRectF(left, middle - DOT / 2, DOT, DOT))
        painter.end()

    def _badge_width(self) -> float:
        return max(BADGE, QFontMetricsF(ui_font(11, 600)).horizontalAdvance(f"{self._count:,}") + 10)

    def _paint_badge(self, painter: QPainter, area: QRectF) -> None:
        fill = tint(color(self._count_token), color("window"), 0.25)
        paint_box(painter, area, fill=fill, edge=None, radius=BADGE / 2)
        painter.setFont(ui_font(11, 600))
        painter.setPen(color("text"))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, f"{self._count:,}")
