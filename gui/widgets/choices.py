"""Choosing one of several and yes or no. Owns committing the value that a label stands for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPaintEvent, QPalette, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QListView,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from gui.icons import icon
from gui.theme import metrics

LEAST_WIDTH = 72


class Choice(QComboBox):
    """A list of labels, each standing for a value. Emits `committed(value)` when the person chooses a new one."""

    committed = Signal(object)

    def __init__(
        self,
        options: Iterable[tuple[Any, str]] = (),
        value: Any = None,
        *,
        dense: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        # Without a view of its own the popup takes the system's look and ignores the sheet.
        self.setView(QListView(self))
        self.setProperty("dense", dense)
        self.setProperty("focusRadius", metrics.radius_field)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMaxVisibleItems(16)
        # A long option must not push the form wider than its dock; the popup still shows it whole.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(5)
        self._values: list[Any] = []
        self._last = -1
        self.set_options(options)
        self.set_value(value)
        self.activated.connect(self._activated)

    def set_options(self, options: Iterable[tuple[Any, str]]) -> None:
        """Replace all options by (value, label) pairs, keeping the chosen value where it still exists."""
        kept = self.value()
        self.clear()
        self._values = []
        for value, label in options:
            self.add_option(value, label)
        self.set_value(kept)

    def add_option(self, value: Any, label: str, *, icon_name: str = "", tip: str = "") -> None:
        """Add one option at the end."""
        self._values.append(value)
        if icon_name:
            self.addItem(icon(icon_name), label)
        else:
            self.addItem(label)
        if tip:
            self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    def value(self) -> Any:
        """The chosen value, or None when there is none."""
        index = self.currentIndex()
        return self._values[index] if 0 <= index < len(self._values) else None

    def set_value(self, value: Any) -> None:
        """Choose `value` without emitting; a value that is not offered leaves nothing chosen when options exist."""
        matches = [index for index, one in enumerate(self._values) if one == value and type(one) is type(value)]
        self.setCurrentIndex(matches[0] if matches else (0 if value is None and self._values else -1))
        self._last = self.currentIndex()

    def minimumSizeHint(self) -> QSize:
        """Narrow enough to stand beside a label and a button in the narrowest dock; long words are cut there."""
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), LEAST_WIDTH), hint.height())

    def room(self) -> int:
        """Pixels that the chosen words have."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        part, field = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(part, option, field, self).width()
        return room if option.currentIcon.isNull() else room - option.iconSize.width() - 4

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws the chosen words, their end replaced by an ellipsis where they are too long."""
        painter = QStylePainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        option.currentText = option.fontMetrics.elidedText(option.currentText, Qt.TextElideMode.ElideRight, self.room())
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Take the wheel only while the keyboard is here, so that scrolling a form changes nothing."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def _activated(self, index: int) -> None:
        if index != self._last:
            self._last = index
            self.committed.emit(self._values[index])


class Check(QCheckBox):
    """Yes or no. Emits `committed(bool)` when the person changes it, not when code does."""

    committed = Signal(bool)

    def __init__(self, text: str = "", value: bool = False, *, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setChecked(value)
        self.clicked.connect(self.committed)

    def value(self) -> bool:
        """Whether it is ticked."""
        return self.isChecked()

    def set_value(self, value: bool) -> None:
        """Tick or clear it without emitting."""
        self.setChecked(bool(value))
