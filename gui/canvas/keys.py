"""Which key does what while the canvas has the keyboard. Owns the table; the commands stand elsewhere.

The window's own shortcuts come first; these are the keys of a canvas by itself, and those that are no menu entry.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from gui.canvas import measures as m
from gui.canvas.commands import Commands

_CTRL, _SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
_ALT, _NONE = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.NoModifier

COMMANDS: dict[tuple[Qt.Key, Qt.KeyboardModifier], str] = {
    (Qt.Key.Key_Delete, _NONE): "delete",
    (Qt.Key.Key_Backspace, _NONE): "delete",
    (Qt.Key.Key_Delete, _CTRL): "delete_bridge",
    (Qt.Key.Key_F2, _NONE): "rename",
    (Qt.Key.Key_A, _CTRL): "select_all",
    (Qt.Key.Key_C, _CTRL): "copy",
    (Qt.Key.Key_X, _CTRL): "cut",
    (Qt.Key.Key_V, _CTRL): "paste",
    (Qt.Key.Key_D, _CTRL): "duplicate",
    (Qt.Key.Key_G, _CTRL): "group",
    (Qt.Key.Key_G, _CTRL | _SHIFT): "ungroup",
    (Qt.Key.Key_F, _CTRL | _SHIFT): "tidy",
    (Qt.Key.Key_F, _NONE): "fit_selection",
    (Qt.Key.Key_Home, _NONE): "fit",
    (Qt.Key.Key_0, _CTRL): "fit",
    (Qt.Key.Key_1, _CTRL): "zoom_reset",
    (Qt.Key.Key_Plus, _CTRL): "zoom_in",
    (Qt.Key.Key_Equal, _CTRL): "zoom_in",
    (Qt.Key.Key_Minus, _CTRL): "zoom_out",
    (Qt.Key.Key_Up, _ALT): "leave_group",
}
ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


def press(board: Commands, event: QKeyEvent) -> bool:
    """Does what a key stands for; False when it stands for nothing."""
    key = Qt.Key(event.key())
    keys = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    command = COMMANDS.get((key, keys))
    if command is not None:
        getattr(board, command)()
        return True
    if key in ARROWS and keys in (_NONE, _SHIFT, _CTRL):
        _arrow(board, ARROWS[key], keys)
        return True
    if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and keys in (_NONE, _ALT):
        _enter(board)
        return True
    if board.card.isVisible() and Qt.Key.Key_1 <= key <= Qt.Key.Key_9 and keys == _NONE:
        return board.card.press(key - Qt.Key.Key_0)
    return False


def _arrow(board: Commands, way: tuple[int, int], keys: Qt.KeyboardModifier) -> None:
    if keys == _CTRL:
        board.go_aside(*way)
        return
    grid = m.GRID_COARSE if keys == _SHIFT else m.GRID
    board.nudge(way[0] * grid, way[1] * grid)


def _enter(board: Commands) -> None:
    focus, selection = board.shown.focus, board.document.selection
    if focus is not None and focus not in selection.nodes:
        selection.select([focus])
    elif selection.node is not None:
        board.enter_group()
