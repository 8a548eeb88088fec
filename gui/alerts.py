"""What a running training noticed, told as toasts: thresholds that were crossed, edits that it refused.

Owns what is told and what would only repeat. Charts carry every alert as a mark; a toast that comes back each epoch
would be noise. Never shows anything itself.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from PySide6.QtCore import QObject, QTimer, Signal

from engine.events import Alerted

REPEAT = 15.0
"""Seconds for which an alert about the same thing is only counted."""

SPACING = 2.0
"""Seconds that a toast may be read before the next one replaces it."""

MOST_WAITING = 4
"""Alerts that wait for their turn; more at once are told as a number."""


class Alerts(QObject):
    """Takes the alerts of the live training; `said` carries title and words of each toast."""

    said = Signal(str, str)

    def __init__(self, parent: QObject | None = None, *, now: Callable[[], float] = monotonic) -> None:
        super().__init__(parent)
        self._now = now
        self._told: dict[str, float] = {}
        self._counted: dict[str, int] = {}
        self._waiting: list[tuple[str, str]] = []
        self._left_out = 0
        self._last = float("-inf")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._tell_next)

    def begin(self) -> None:
        """A training begins: what an earlier one told is forgotten."""
        self._timer.stop()
        self._told, self._counted, self._waiting, self._left_out = {}, {}, [], 0

    def take(self, event: Alerted) -> None:
        """Tells an alert now, in a moment, or not at all when the same was told a moment ago."""
        key, now = event.figure or event.words, self._now()
        if now - self._told.get(key, float("-inf")) < REPEAT:
            self._counted[key] = self._counted.get(key, 0) + 1
            return
        if len(self._waiting) >= MOST_WAITING:
            self._left_out += 1
            return
        self._told = {name: at for name, at in self._told.items() if now - at < REPEAT or name in self._counted}
        self._told[key] = now
        title, words = self._words(event)
        if again := self._counted.pop(key, 0):
            words = f"{words} · " + self.tr("{0} times more since the last").format(again)
        self._waiting.append((title, words))
        self._tell_next()

    def _tell_next(self) -> None:
        if not self._waiting or self._timer.isActive():
            return
        rest = self._last + SPACING - self._now()
        if rest > 0:
            self._timer.start(int(rest * 1000) + 1)
            return
        title, words = self._waiting.pop(0)
        if not self._waiting and self._left_out:
            words = f"{words} · " + self.tr("{0} more: see the charts").format(self._left_out)
            self._left_out = 0
        self._last = self._now()
        self.said.emit(title, words.strip(" ·"))
        if self._waiting:
            self._tell_next()

    def _words(self, event: Alerted) -> tuple[str, str]:
        """A title that fits on a toast, and the rest."""
        title, found, rest = event.words.partition(" in epoch ")
        if event.figure and found:
            return title, self.tr("Epoch {0}").format(rest)
        title, found, rest = event.words.partition(": ")
        if found and " " in title:
            return title, rest
        return self.tr("Training noticed, in epoch {0}").format(event.epoch), event.words
