"""The regions of the window, round which F6 takes the keyboard: toolbar, left, centre, right, bottom.

Owns the order and where the keyboard was in each. A region that is closed, or holds nothing that takes the keyboard,
is passed over.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QTabBar, QWidget
from shiboken6 import isValid

_AREAS = (Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea,
          Qt.DockWidgetArea.BottomDockWidgetArea)  # fmt: skip


class Regions(QObject):
    """Moves the keyboard from region to region; a region gives it back to the widget that had it last."""

    def __init__(self, window: QMainWindow, toolbar: QWidget, in_front: Callable[[QDockWidget], bool]) -> None:
        super().__init__(window)
        self._window, self._toolbar, self._in_front = window, toolbar, in_front
        self._last: dict[int, weakref.ref[QWidget]] = {}
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._note)

    def move(self, by: int) -> None:
        """Gives the keyboard to the next region (`by` 1) or the one before (-1), in turn."""
        regions = self._regions()
        now = next((place for place, parts in enumerate(regions) if self._holds(parts)), -1 if by > 0 else 0)
        for step in range(1, len(regions) + 1):
            place = (now + by * step) % len(regions)
            target = self._target(place, regions[place])
            if target is not None:
                target.window().activateWindow()
                # As by a key, so that the ring shows where the keyboard went.
                target.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return

    def _regions(self) -> list[list[QWidget]]:
        docks = [dock for dock in self._window.findChildren(QDockWidget) if self._in_front(dock)]
        left, right, bottom = (
            [dock for dock in docks if not dock.isFloating() and self._window.dockWidgetArea(dock) == area]
            for area in _AREAS
        )
        centre = self._window.centralWidget()
        assert centre is not None
        floating = [[dock] for dock in docks if dock.isFloating()]
        found: list[list[QWidget]] = [[self._toolbar], [*left], [centre], [*right], [*bottom]]
        return [*found, *([*parts] for parts in floating)]

    def _holds(self, parts: list[QWidget]) -> bool:
        now = QApplication.focusWidget()
        return now is not None and any(part is now or part.isAncestorOf(now) for part in parts)

    def _target(self, place: int, parts: list[QWidget]) -> QWidget | None:
        last = self._last[place]() if place in self._last else None
        if last is not None and isValid(last) and _takes_keys(last) and any(part.isAncestorOf(last) for part in parts):
            return last
        return next((widget for part in parts for widget in _in_order(part) if _takes_keys(widget)), None)

    def _note(self, _old: QWidget | None, new: QWidget | None) -> None:
        if new is None or not isValid(self) or new.window() is not self._window:
            return
        for place, parts in enumerate(self._regions()):
            if any(part is new or part.isAncestorOf(new) for part in parts):
                self._last[place] = weakref.ref(new)


def _in_order(part: QWidget) -> Iterator[QWidget]:
    """A widget and all inside it in the order of the Tab key."""
    yield part
    now = part.nextInFocusChain()
    while now is not None and now is not part:
        if part.isAncestorOf(now):
            yield now
        now = now.nextInFocusChain()


def _takes_keys(widget: QWidget) -> bool:
    by_tab = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    return by_tab and widget.isVisible() and widget.isEnabled() and not isinstance(widget, QTabBar)
