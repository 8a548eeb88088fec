"""What every typed field shares: one line, words below it, committing once and giving back what was there.

Owns the line edit with unit and steppers, and when a value counts as entered. Never knows what a value means:
subclasses turn text into a value and a value into text.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from gui.icons import paint_icon
from gui.style import set_property
from gui.theme import color, metrics, mono_font, ui_font

STEPPER = 18
MARK = 14


class Field(QWidget):
    """A line edit and, when there is something to say, words below. Emits `committed(value)` once per new value.

    A value is entered by Enter, by leaving the field or by a stepper; Esc brings back the last good one. What cannot be
    understood stays as typed, with the reason below, and is not committed.
    """

    committed = Signal(object)
    edited = Signal(str)

    def __init__(self, *, dense: bool = False, steppers: bool = False, mono: bool = False, unit: str = "") -> None:
        super().__init__()
        self.entry = Entry(self, steppers=steppers, unit=unit)
        self.entry.setProperty("dense", dense)
        if mono:
            self.entry.setFont(mono_font(12))
        self.message = QLabel()
        self.message.setProperty("role", "hint")
        self.message.setWordWrap(True)
        self.message.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(metrics.half)
        layout.addWidget(self.entry)
        layout.addWidget(self.message)
        self.setFocusProxy(self.entry)
        self._value: Any = None
        self._outside_error = ""
        self.entry.textEdited.connect(self._typed)
        self.entry.editingFinished.connect(self._finish)
        self.entry.stepped.connect(self.step)
        self.entry.given_up.connect(self.restore)

    def value(self) -> Any:
        """The last value that was set or committed."""
        return self._value

    def set_value(self, value: Any) -> None:
        """Show `value`; emits nothing, and leaves text alone that somebody is typing and that means the same."""
        self._value = value
        if not (self.entry.hasFocus() and self.entry.isModified()):
            self.restore()

    def set_error(self, words: str) -> None:
        """Say from outside what is wrong with the value (a rule that needs the whole network), or "" for nothing."""
        self._outside_error = words
        self._say("", words)

    def restore(self) -> None:
        """Show the last good value again."""
        self.entry.setText(self.format(self._value))
        self.entry.setModified(False)
        self._say("", self._outside_error)

    def parse(self, text: str) -> Any:
        """The value that `text` means; raises ValueError with words for the person."""
        raise NotImplementedError

    def format(self, value: Any) -> str:
        """How `value` is written in the field."""
        raise NotImplementedError

    def explain(self, text: str) -> str:
        """What to say below while `text` is typed, such as the value of a sum; "" for nothing."""
        return ""

    def step(self, steps: int) -> None:
        """Go up or down by `steps`; fields without an order ignore it."""

    def commit(self, value: Any) -> None:
        """Take `value` as entered and say so, but only when it is new."""
        new = value != self._value or type(value) is not type(self._value)
        self._value = value
        self._outside_error = "" if new else self._outside_error
        self.restore()
        if new:
            self.committed.emit(value)

    def _typed(self, text: str) -> None:
        try:
            self.parse(text)
        except ValueError as problem:
            self._say("", str(problem))
        else:
            self._say(self.explain(text), "")
        self.edited.emit(text)

    def _finish(self) -> None:
        if not self.entry.isModified():
            return
        try:
            value = self.parse(self.entry.text())
        except ValueError as problem:
            self._say("", str(problem))
            return
        self.commit(value)

    def _say(self, hint: str, error: str) -> None:
        words = error or hint
        set_property(self.entry, "invalid", bool(error))
        set_property(self.message, "role", "error" if error else "hint")
        self.message.setText(words)
        self.message.setVisible(bool(words))
        self.entry.setAccessibleDescription(words)


class Entry(QLineEdit):
    """A line edit that paints a unit, steppers and the mark of an error at its right end."""

    stepped = Signal(int)
    given_up = Signal()

    def __init__(self, parent: QWidget, *, steppers: bool, unit: str) -> None:
        super().__init__(parent)
        self._steppers, self._unit = steppers, unit
        self._over = 0
        self.setProperty("focusRadius", metrics.radius_field)
        self.setMouseTracking(steppers)
        self.textChanged.connect(self._make_room)
        self._make_room()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the keys this widget knows and leave the rest to its parent."""
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}
        if self._steppers and event.key() in steps and not self.isReadOnly():
            self.stepped.emit(steps[Qt.Key(event.key())])
        elif event.key() == Qt.Key.Key_Escape and self.isModified():
            self.given_up.emit()
            self.selectAll()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Take the wheel only while the keyboard is here, so that scrolling a form changes nothing."""
        if self._steppers and self.hasFocus() and event.angleDelta().y():
            self.stepped.emit(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take a press on a part that acts."""
        part = self._part(event.position())
        if part and event.button() == Qt.MouseButton.LeftButton and self.isEnabled():
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.stepped.emit(part)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show which part the pointer is on."""
        self._over = self._part(event.position())
        self.setCursor(Qt.CursorShape.ArrowCursor if self._over else Qt.CursorShape.IBeamCursor)
        super().mouseMoveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        super().paintEvent(event)
        painter = QPainter(self)
        right = self.width() - 8.0
        quiet = color("text3" if self.isEnabled() else "border2")
        middle = self.height() / 2
        if self.property("invalid"):
            paint_icon(painter, "error", QRectF(right - MARK, middle - MARK / 2, MARK, MARK), color("error"))
            right -= MARK + 6
        elif self._steppers:
            for part, name in ((1, "chevron-up"), (-1, "chevron-down")):
                ink = color("text") if self._over == part and self.underMouse() else quiet
                top = middle - 10 if part > 0 else middle
                paint_icon(painter, name, QRectF(right - 10, top, 10, 10), ink)
            right -= STEPPER
        if self._unit:
            painter.setFont(ui_font(11))
            painter.setPen(quiet)
            side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRectF(0, 0, right, self.height()), side, self._unit)
        painter.end()

    def _part(self, place: QPointF) -> int:
        if not self._steppers or self.property("invalid") or place.x() < self.width() - STEPPER - 6:
            return 0
        return 1 if place.y() < self.height() / 2 else -1

    def _make_room(self) -> None:
        room = STEPPER if self._steppers else 0
        if self._unit:
            room += round(QFontMetricsF(ui_font(11)).horizontalAdvance(self._unit)) + 6
        if self.textMargins().right() != room:
            self.setTextMargins(0, 0, room, 0)
