"""The table of commands: words for everyone, no key twice, and every command reaches what it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from gui.actions import COMMANDS, MENUS, Actions, Command
from gui.icons import icon_names
from gui.window import MainWindow
from tests.gui.helpers import opened_window, plain

FUNCTION_KEYS = range(Qt.Key.Key_F1.value, Qt.Key.Key_F35.value + 1)
Calls = list[str]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Which commands were carried out. Their slots are replaced, so that none asks a question or quits."""
    made: Calls = []
    connect = Actions.connect_all

    def connect_all(self: Actions, slots: dict[str, Callable[[], object]]) -> None:
        connect(self, {name: lambda name=name: made.append(name) for name in slots})  # type: ignore[misc]

    monkeypatch.setattr(Actions, "connect_all", connect_all)
    return made


@pytest.fixture
def window(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: Calls
) -> Iterator[MainWindow]:
    with opened_window(qtbot, tmp_path, monkeypatch, started=False) as made:
        yield made


def key_of(text: str) -> str:
    """One spelling for each key."""
    return QKeySequence(text).toString(QKeySequence.SequenceFormat.PortableText)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_a_command_has_words_a_tip_and_a_menu(command: Command) -> None:
    assert command.text.strip() == command.text != ""
    assert command.tip.strip() == command.tip != ""
    assert command.tip != command.text, "the tip says nothing that the words do not"
    assert command.menu in dict(MENUS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_an_icon_of_a_command_has_a_drawing_and_is_shown(command: Command, window: MainWindow) -> None:
    assert not command.icon or command.icon in icon_names()
    assert window.actions_[command.id].icon().isNull() is not bool(command.icon)


def test_no_id_stands_in_the_table_twice() -> None:
    assert [name for name, num in Counter(command.id for command in COMMANDS).items() if num > 1] == []


def test_every_key_of_the_table_is_one_that_qt_knows() -> None:
    for command in COMMANDS:
        for key in command.keys:
            assert QKeySequence(key).count() == 1, f"{key!r} of {command.id}"
            assert QKeySequence(key)[0].key() != Qt.Key.Key_unknown, f"{key!r} of {command.id}"


def test_no_key_belongs_to_two_commands() -> None:
    # On the canvas the keys of the window work too: one that stood in both contexts would do nothing at all.
    keys = Counter(key_of(key) for command in COMMANDS for key in command.keys)
    assert [key for key, num in keys.items() if num > 1] == []


def test_a_key_of_the_whole_window_never_takes_a_character_from_a_text_field() -> None:
    for command in COMMANDS:
        for key in () if command.canvas else command.keys:
            pressed = QKeySequence(key)[0]
            held = pressed.keyboardModifiers() & ~Qt.KeyboardModifier.ShiftModifier
            assert held or pressed.key().value in FUNCTION_KEYS, f"{key} of {command.id} could be typed"


def test_keys_work_in_the_context_that_the_table_says(window: MainWindow) -> None:
    for command, action in window.actions_.all():
        assert [key_of(key) for key in command.keys] == [
            one.toString(QKeySequence.SequenceFormat.PortableText) for one in action.shortcuts()
        ]
        assert (action in window.canvas.actions()) is command.canvas, command.id
        assert (action in window.actions()) is not command.canvas, command.id
        only_there = action.shortcutContext() == Qt.ShortcutContext.WidgetWithChildrenShortcut
        assert only_there is command.canvas, command.id


def test_a_tip_ends_with_the_first_key(qtbot: QtBot) -> None:
    # Without the window, where the state of a training may put a reason in place of the tip.
    host = QWidget()
    qtbot.addWidget(host)
    for command, action in Actions(host).all():
        assert action.toolTip().startswith(command.tip)
        if command.keys:
            shown = QKeySequence(command.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)
            assert action.toolTip().endswith(f"  {shown}")


def test_every_command_is_connected_exactly_once(window: MainWindow, calls: Calls) -> None:
    # Menus listen to each action as well, so a count of the listeners would not tell: the slots have to be reached.
    calls.clear()
    for _, action in window.actions_.all():
        action.setEnabled(True)
        action.trigger()
    assert calls == [command.id for command in COMMANDS]


def test_a_press_of_the_key_carries_a_command_out_once(qtbot: QtBot, window: MainWindow, calls: Calls) -> None:
    window.canvas.setFocus()
    for command, action in window.actions_.all():
        action.setEnabled(True)
        for key in command.keys:
            calls.clear()
            pressed = QKeySequence(key)[0]
            qtbot.keyClick(window.canvas, pressed.key(), pressed.keyboardModifiers())
            assert calls == [command.id], f"{key} was to do {command.id}"


def test_every_action_stands_in_the_menu_of_the_table(window: MainWindow) -> None:
    menus = {plain(menu.title()): menu for menu in window.menu_bar.findChildren(QMenu)}
    for command, action in window.actions_.all():
        assert action in menus[dict(MENUS)[command.menu]].actions(), command.id


def test_a_line_stands_in_a_menu_where_the_table_says(window: MainWindow) -> None:
    for command, action in window.actions_.all():
        menu = next(one for one in window.menu_bar.findChildren(QMenu) if action in one.actions())
        # Submenus may stand between the line and the command.
        above = menu.actions()[: menu.actions().index(action)]
        before = [one for one in above if one.menu() is None]
        assert bool(before and before[-1].isSeparator()) is command.separated, command.id
