"""Push buttons with icon, words and the key that does the same; small tool buttons.

Owns their painting. Never knows an action: connect `clicked`.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QStylePainter, QToolButton, QWidget

from gui.icons import icon, paint_icon
from gui.theme import color, metrics, row_height, themes, ui_font

ICON = 16
GAP = 6
HINT_GAP = 16


class Button(QPushButton):
    """A push button: `kind` is "", "primary", "quiet", "danger" or "link"; `hint` is the key shown at its right."""

    def __init__(
        self,
        text: str,
        *,
        icon_name: str = "",
        kind: str = "",
        hint: str = "",
        tip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self._icon_name, self._hint = icon_name, hint
        self.setAutoDefault(False)
        self.setProperty("kind", kind)
        self.setToolTip(tip)
        if kind == "link":
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_icon_name(self, name: str) -> None:
        """Show another drawing, or none for an empty name."""
        self._icon_name = name
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """The size at which everything shows."""
        words = QFontMetricsF(self._font()).horizontalAdvance(self.text().replace("&", ""))
        width = words + (ICON + GAP if self._icon_name else 0) + 2 * self._padding()
        if self._hint:
            width += HINT_GAP + QFontMetricsF(ui_font(11)).horizontalAdvance(self._hint)
        height = 20 if self.property("kind") == "link" else row_height(12, metrics.field, 6)
        return QSize(round(width + 0.5), height)

    def minimumSizeHint(self) -> QSize:
        """The least size that can be used."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        self._paint_content(painter)
        painter.end()

    def _paint_content(self, painter: QPainter) -> None:
        ink = self._ink()
        room = QRectF(self.rect()).adjusted(self._padding(), 0, -self._padding(), 0)
        font = self._font()
        words = QFontMetricsF(font).horizontalAdvance(self.text().replace("&", ""))
        left = room.left()
        if not self._hint and self.property("kind") != "link":
            content = words + (ICON + GAP if self._icon_name else 0)
            left = max(left, room.center().x() - content / 2)
        if self._icon_name:
            area = QRectF(left, round(room.center().y() - ICON / 2), ICON, ICON)
            paint_icon(painter, self._icon_name, area, ink)
            left += ICON + GAP
        painter.setFont(font)
        painter.setPen(ink)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextShowMnemonic
        painter.drawText(QRectF(left, 0, words + 2, self.height()), flags, self.text())
        if self._hint:
            painter.setFont(ui_font(11))
            painter.setPen(self._quiet_ink(ink))
            side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(room, side, self._hint)

    def _ink(self) -> QColor:
        if not self.isEnabled():
            return color("text3")
        kind = self.property("kind")
        if kind == "link":
            return color("text" if self.underMouse() else "accent")
        return color({"primary": "on_accent", "danger": "error"}.get(kind, "text"))

    def _quiet_ink(self, ink: QColor) -> QColor:
        # On the filled button only white itself keeps the contrast that small text needs.
        return ink if self.property("kind") == "primary" else themes.current.color("text3")

    def _font(self) -> QFont:
        strong = self.property("kind") in ("primary", "link") or self.isChecked()
        return ui_font(12, 600 if strong else 500)

    def _padding(self) -> int:
        return {"link": 0, "quiet": 8}.get(self.property("kind"), metrics.control_padding)


def tool_button(
    icon_name: str, tip: str, *, token: str = "text2", size: int = 16, dense: bool = False, checkable: bool = False
) -> QToolButton:
    """A button that is only an icon; `tip` says what it does and is also its name for screen readers."""
    made = QToolButton()
    made.setIcon(icon(icon_name, token, on_token="accent" if checkable else None))
    made.setIconSize(QSize(size, size))
    made.setToolTip(tip)
    made.setAccessibleName(tip)
    made.setCheckable(checkable)
    made.setProperty("dense", dense)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made
