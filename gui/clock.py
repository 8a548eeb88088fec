"""One timer for everything that is repainted while something runs.

Owns the rhythm: ten ticks a second, only while somebody visible listens. Never knows what is drawn. One timer for all
keeps charts, canvas and toolbar in step and leaves the processor to the training.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

INTERVAL_MS = 100


class Clock(QObject):
    """Calls each subscriber ten times a second while its widget is visible; holds widgets and callbacks weakly."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._callbacks: dict[int, tuple[weakref.ref[QWidget], Callable[[], Callable[[], object] | None]]] = {}
        self._timer: QTimer | None = None

    @property
    def running(self) -> bool:
        """Whether the timer ticks: only while a subscribed widget is visible."""
        return self._timer is not None and self._timer.isActive()

    def subscribe(self, widget: QWidget, callback: Callable[[], object]) -> None:
        """Call `callback` at each tick while `widget` is visible; a second subscription replaces the first.

        Bound methods are held weakly. A plain function is held through the widget, so that it lives as long as it.
        """
        if hasattr(callback, "__self__"):
            held: Callable[[], Callable[[], object] | None] = weakref.WeakMethod(callback)
        else:
            widget.__dict__["_clock_callback"] = callback
            held = weakref.ref(callback)
        key = id(widget)
        if key not in self._callbacks:
            widget.installEventFilter(self)
        self._callbacks[key] = (weakref.ref(widget, lambda _: self._drop(key)), held)
        self._settle()

    def unsubscribe(self, widget: QWidget) -> None:
        """Stop calling for `widget`; harmless when it never subscribed."""
        if id(widget) in self._callbacks:
            widget.removeEventFilter(self)
            self._drop(id(widget))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Start and stop with the widgets that are shown and hidden."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide):
            # The widget counts as shown or hidden only after the event has been delivered.
            QTimer.singleShot(0, self, self._settle)
        return False

    def tick(self) -> None:
        """Call every subscriber whose widget is visible now; drop those that are gone."""
        for key, (widget_ref, callback_ref) in list(self._callbacks.items()):
            widget, callback = widget_ref(), callback_ref()
            if widget is None or callback is None or not isValid(widget):
                self._callbacks.pop(key, None)
            elif widget.isVisible():
                callback()
        self._settle()

    def _drop(self, key: int) -> None:
        self._callbacks.pop(key, None)
        if isValid(self):
            self._settle()

    def _settle(self) -> None:
        wanted = any(_visible(widget_ref()) for widget_ref, _ in self._callbacks.values())
        if wanted and not self.running:
            if self._timer is None:
                self._timer = QTimer(self)
                self._timer.setTimerType(Qt.TimerType.CoarseTimer)
                self._timer.timeout.connect(self.tick)
            self._timer.start(INTERVAL_MS)
        elif not wanted and self._timer is not None:
            self._timer.stop()


def _visible(widget: QWidget | None) -> bool:
    return widget is not None and isValid(widget) and widget.isVisible()


clock = Clock()
"""The one clock of the window."""
