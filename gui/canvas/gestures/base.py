"""What all gestures share."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QPointF, Qt
from PySide6.QtGui import QPainter

from gui.canvas.board import Board

NO_KEYS = Qt.KeyboardModifier.NoModifier


class Gesture:
    """A drag from press to release. Points are in view pixels. Nothing is edited before `finish`."""

    cursor: Qt.CursorShape = Qt.CursorShape.ArrowCursor

    def __init__(self, board: Board) -> None:
        self.board = board

    def start(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """The press."""

    def move(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """The pointer went there."""

    def finish(self, point: QPointF, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """The release: makes the edit."""

    def cancel(self) -> None:
        """Esc, or the window lost the mouse: as if it had never begun."""

    def paint(self, painter: QPainter) -> None:
        """Draws what is dragged, over the scene, in view pixels."""


def tr(text: str) -> str:
    """The text in the chosen language."""
    return QCoreApplication.translate("Canvas", text)
