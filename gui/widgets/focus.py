"""The ring that shows where the keyboard is: one overlay per window, following the focus.

Owns when and where it shows. Never takes a mouse press, and never shows because of one.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QMenuBar,
    QTabBar,
    QWidget,
)
from shiboken6 import isValid

from gui.theme import color, metrics, themes
from gui.widgets.box import paint_box

RING = 2
OFF = 1
FIELDS = (QLineEdit, QAbstractSpinBox, QComboBox)
# Lists, canvases and menus show the focus inside themselves, at the row or layer that has it.
OWN_FOCUS = (QAbstractScrollArea, QMenu, QMenuBar)


class FocusRing(QWidget):
    """Follows the keyboard focus within one window; a widget opts out with the property `focusRing` set to False."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._watched: list[QObject] = []
        self._target: QWidget | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        themes.changed.connect(self.update)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._focus_changed)

    @property
    def target(self) -> QWidget | None:
        """The widget the ring is around now, or None."""
        return self._target

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the widget and what it lies in; give way to the mouse."""
        kind = event.type()
        if kind in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show):
            self._place()
        elif kind == QEvent.Type.Hide or (kind == QEvent.Type.MouseButtonPress and watched is self._target):
            self._release()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        if self._target is None or not isValid(self._target):
            return
        given = self._target.property("focusRadius")
        radius = given if isinstance(given, int) else metrics.radius_button
        painter = QPainter(self)
        whole = self._around(self._target).translated(-self.pos())
        paint_box(painter, QRectF(whole), fill=None, edge=color("accent"), radius=radius + RING, width=RING)
        painter.end()

    def _focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if not isValid(self):
            return
        window = self.window()
        # Arrow keys move on from a widget that has the ring without Qt calling it a keyboard change.
        onward = self._target is not None and old is self._target and not QApplication.mouseButtons()
        by_keyboard = onward or window.testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
        if new is not None and new.window() is window:
            # Qt only ever sets this attribute; clearing it tells the next press of the mouse from a key.
            window.setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange, False)
        self._release()
        if by_keyboard and new is not None and new.window() is window and _wants_ring(new):
            self._hold(new)

    def _hold(self, target: QWidget) -> None:
        self._target = target
        part: QWidget | None = target
        while part is not None and part is not self.window():
            part.installEventFilter(self)
            self._watched.append(part)
            part = part.parentWidget()
        self._place()
        self.show()
        self.raise_()

    def _release(self) -> None:
        for part in self._watched:
            if isValid(part):
                part.removeEventFilter(self)
        self._watched.clear()
        self._target = None
        self.hide()

    def _place(self) -> None:
        if self._target is None or not isValid(self._target):
            return
        area = self._around(self._target)
        part = self._target.parentWidget()
        while part is not None and part is not self.window():
            if isinstance(part, QAbstractScrollArea):
                shown = part.viewport()
                area &= QRect(shown.mapTo(self.window(), QPoint(0, 0)), shown.size())
            part = part.parentWidget()
        self.setGeometry(area)
        self.update()

    def _around(self, target: QWidget) -> QRect:
        reach = RING + (0 if isinstance(target, FIELDS) else OFF)
        corner = target.mapTo(self.window(), QPoint(0, 0))
        return QRect(corner, target.size()).adjusted(-reach, -reach, reach, reach)


def _wants_ring(widget: QWidget) -> bool:
    return (not isinstance(widget, (*OWN_FOCUS,)) and widget.property("focusRing") is not False) or isinstance(
        widget, QTabBar
    )
