"""A switch of a few segments, of which exactly one holds: Build, Train, Compare; sd, standard error, 95 %.

Owns its painting and keys. Never does what the choice stands for: it says which segment was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from gui.theme import color, metrics, row_height, ui_font
from gui.widgets.box import paint_box

PADDING = 12
DOT = 6


class SegmentedSwitch(QWidget):
    """Joined buttons of which one is down. `currentChanged` is emitted by the person and by `set_current` alike."""

    currentChanged = Signal(int)

    def __init__(
        self, labels: Sequence[str], *, least_width: int = 0, dense: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        height = row_height(12, metrics.field_dense if dense else metrics.field, 6)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for index, label in enumerate(labels):
            segment = _Segment(label, least_width, height)
            self._group.addButton(segment, index)
            layout.addWidget(segment)
        if labels:
            self._group.button(0).setChecked(True)
        self._group.idToggled.connect(self._toggled)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    @property
    def current(self) -> int:
        """The index of the segment that is down."""
        return self._group.checkedId()

    def set_current(self, index: int) -> None:
        """Press a segment from code; emits only when it was not down."""
        self._group.button(index).setChecked(True)

    def segment(self, index: int) -> QAbstractButton:
        """One segment, for its tip, its shortcut or to disable it."""
        return self._group.button(index)

    def set_dot(self, index: int, token: str | None) -> None:
        """Show a dot of that colour on a segment (a training runs there), or none."""
        segment = self._group.button(index)
        if isinstance(segment, _Segment):
            segment.dot = token
            segment.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        edge = color("border2" if self.isEnabled() else "border")
        fill = color("raised" if self.isEnabled() else "panel")
        paint_box(painter, QRectF(self.rect()), fill=fill, edge=edge, radius=metrics.radius_button)
        painter.end()

    def _toggled(self, index: int, down: bool) -> None:
        self.update()
        for segment in self._group.buttons():
            segment.update()
        if down:
            self.currentChanged.emit(index)


class _Segment(QAbstractButton):
    """One segment; draws only itself, the frame around all belongs to the switch."""

    def __init__(self, label: str, least_width: int, height: int) -> None:
        super().__init__()
        self.dot: str | None = None
        self._least_width, self._height = least_width, height
        self.setText(label)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:
        """The size at which everything shows."""
        # Measured at the weight of the chosen one, so that choosing never moves a neighbour.
        text = QFontMetricsF(ui_font(12, 600)).horizontalAdvance(self.text().replace("&", ""))
        room = 2 * (PADDING + DOT) if self.dot else 2 * PADDING
        return QSize(max(self._least_width, round(text) + room), self._height)

    def minimumSizeHint(self) -> QSize:
        """The least size that can be used."""
        text = QFontMetricsF(ui_font(12, 600)).horizontalAdvance(self.text().replace("&", ""))
        return QSize(round(text) + PADDING, self._height)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        rect = QRectF(self.rect())
        radius = metrics.radius_button
        if self.isChecked():
            edge = color("accent" if self.isEnabled() else "border2")
            paint_box(painter, rect, fill=color("selected"), edge=edge, radius=radius)
        elif self.underMouse() and self.isEnabled():
            inner = rect.adjusted(2, 2, -2, -2)
            paint_box(painter, inner, fill=color("hover"), edge=None, radius=radius - 2)
        elif self._follows_plain():
            line = QRectF(0, rect.height() / 2 - 6, 1, 12)
            painter.fillRect(line, color("border2"))
        painter.setFont(ui_font(12, 600 if self.isChecked() else 500))
        painter.setPen(color("text" if self.isEnabled() else "text3"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextShowMnemonic, self.text())
        if self.dot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color(self.dot))
            painter.drawEllipse(QRectF(rect.right() - 7 - DOT, rect.center().y() - DOT / 2, DOT, DOT))
        painter.end()

    def _follows_plain(self) -> bool:
        """Whether the segment to the left is also not down: only then is a line between them."""
        group = self.group()
        place = group.id(self)
        return place > 0 and not group.button(place - 1).isChecked()
