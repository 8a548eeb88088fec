"""Dragging the view."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt

from gui.canvas.gestures.base import NO_KEYS, Gesture


class PanGesture(Gesture):
    """The scene follows the pointer."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def start(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Remembers where the view stood."""
        self._last = self._first = point

    def move(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Pans by as much as the pointer moved."""
        away = point - self._last
        self._last = point
        self.board.pan(away.x(), away.y())

    def cancel(self) -> None:
        """Back to where the view stood."""
        away = self._first - self._last
        self.board.pan(away.x(), away.y())
