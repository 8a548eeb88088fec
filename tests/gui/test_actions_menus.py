"""The table of commands: every one has words, a tip, keys of its own and something it does; menus show them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from engine.examples import chapter_names, example_names
from gui.actions import COMMANDS, MENUS
from gui.dialogs.commands import CommandBox
from gui.dialogs.help import Page
from gui.dialogs.settings import SettingsDialog
from gui.families import families
from gui.window import MainWindow
from tests.gui.helpers import node_named, opened_window, press, press_keys, world

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    with opened_window(qtbot, tmp_path, monkeypatch, started=False) as made:
        yield made


def submenu(window: MainWindow, menu: str, words: str) -> QMenu:
    found = [action.menu() for action in window.menu_bar._menus[menu].actions() if action.text() == words]
    assert isinstance(found[0], QMenu)
    return found[0]


def pages(window: MainWindow, kind: type) -> list:  # type: ignore[type-arg]
    return [one for one in window.findChildren(kind) if one.isVisible()]


def test_every_command_has_words_a_tip_and_a_menu() -> None:
    menus = {name for name, _ in MENUS}
    for command in COMMANDS:
        assert command.text, command.id
        assert len(command.tip) > 3, command.id
        assert command.menu in menus, command.id
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)


def test_no_two_commands_share_a_key() -> None:
    keys = Counter(QKeySequence(key).toString() for command in COMMANDS for key in command.keys)
    assert "" not in keys
    assert not [key for key, times in keys.items() if times > 1]


def test_the_keys_that_people_expect_are_there() -> None:
    expected = {
        "undo": "Ctrl+Z", "redo": "Ctrl+Y", "copy": "Ctrl+C", "paste": "Ctrl+V", "cut": "Ctrl+X", "save": "Ctrl+S",
        "open": "Ctrl+O", "new": "Ctrl+N", "duplicate": "Ctrl+D", "group": "Ctrl+G", "ungroup": "Ctrl+Shift+G",
        "train": "Ctrl+Return", "delete": "Del", "hide_docks": "F11", "select_all": "Ctrl+A",
    }  # fmt: skip
    keys = {command.id: command.keys for command in COMMANDS}
    for name, key in expected.items():
        assert key in keys[name], name
    assert "Ctrl+Shift+Z" in keys["redo"]


def test_every_command_does_something(window: MainWindow) -> None:
    for command, action in window.actions_.all():
        assert action.receivers("2triggered(bool)") > 0, f"{command.id} does nothing"


def test_every_command_stands_in_its_menu_with_its_tip(window: MainWindow) -> None:
    for command, action in window.actions_.all():
        menu = window.menu_bar._menus[command.menu]
        assert action in menu.actions(), command.id
        assert menu.toolTipsVisible()
        assert action.toolTip().startswith(command.tip[:10]) or not action.isEnabled(), command.id


def test_a_command_without_a_table_entry_cannot_be_asked_for(window: MainWindow) -> None:
    with pytest.raises(KeyError):
        window.actions_["fly"]


def test_every_layer_can_be_inserted_from_the_menu(window: MainWindow) -> None:
    menu = window.menu_bar._menus["insert"]
    found = {
        action.text() for part in menu.actions() if isinstance(part.menu(), QMenu) for action in part.menu().actions()
    }
    assert found == {layer.title for layers in families().values() for layer in layers}


def test_a_layer_chosen_in_the_menu_stands_on_the_canvas(window: MainWindow) -> None:
    menu = submenu(window, "insert", "Regularisation")
    before = world(window).names()
    next(action for action in menu.actions() if action.text() == "Dropout").trigger()
    assert len(world(window).names() - before) == 1


def test_every_built_in_project_opens_from_the_menu(window: MainWindow) -> None:
    actions = submenu(window, "file", "Examples").actions()
    named = [action.text() for action in actions if not action.isSeparator() and action.menu() is None]
    assert named == example_names()
    next(action for action in actions if action.text() == "spirals").trigger()
    assert window.document.project.name == "spirals"


def test_the_textbook_s_experiments_open_from_a_menu_of_their_own(window: MainWindow) -> None:
    chapter = next(action.menu() for action in submenu(window, "file", "Examples").actions() if action.menu())
    assert chapter.isEmpty()
    chapter.aboutToShow.emit()
    chapter.aboutToShow.emit()
    assert [action.text().split()[0] for action in chapter.actions()] == [
        name.rpartition("/")[2] for name in chapter_names()
    ]
    found = next(action for action in chapter.actions() if action.text().startswith("E34"))
    assert "Dropout" in found.toolTip()
    found.trigger()
    assert window.document.project.name == "E34"


def test_undo_says_what_it_would_take_back(window: MainWindow) -> None:
    undo = window.actions_["undo"]
    assert not undo.isEnabled()
    world(window).select("relu1")
    window.actions_["delete"].trigger()
    assert undo.isEnabled()
    assert undo.text() != "Undo"
    undo.trigger()
    assert "relu1" in world(window).names()
    assert window.actions_["redo"].isEnabled()


def test_delete_in_a_text_field_leaves_the_layers_alone(window: MainWindow) -> None:
    canvas = world(window)
    canvas.select("relu1")
    window.palette_panel.search.setFocus()
    QTest.keyClicks(window.palette_panel.search, "conv")
    QTest.keyClick(window.palette_panel.search, Qt.Key.Key_Home)
    QTest.keyClick(window.palette_panel.search, Qt.Key.Key_Delete)
    assert window.palette_panel.search.text() == "onv"
    QTest.keyClick(window.palette_panel.search, Qt.Key.Key_Backspace)
    assert "relu1" in canvas.names()
    window.canvas.setFocus()
    press_keys(window, Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier)
    assert "relu1" not in canvas.names()


@pytest.mark.parametrize(("key", "keys"), [(Qt.Key.Key_Y, CTRL), (Qt.Key.Key_Z, CTRL | SHIFT)])
def test_both_keys_of_redo_work(window: MainWindow, key: Qt.Key, keys: Qt.KeyboardModifier) -> None:
    canvas = world(window)
    window.canvas.setFocus()
    canvas.select("relu1")
    press_keys(window, Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier)
    press_keys(window, Qt.Key.Key_Z)
    assert "relu1" in canvas.names()
    press_keys(window, key, keys)
    assert "relu1" not in canvas.names()


def test_the_command_box_finds_a_command_and_enter_does_it(window: MainWindow, qtbot: QtBot) -> None:
    window.document.selection.clear()
    press(window.toolbar.command_box)
    box = pages(window, CommandBox)[0]
    QTest.keyClicks(box.search, "select all")
    QTest.keyClick(box.search, Qt.Key.Key_Return)
    assert len(window.document.selection.nodes) == len(window.document.graph.nodes)


def test_the_command_box_adds_a_layer(window: MainWindow) -> None:
    press(window.toolbar.command_box)
    box = pages(window, CommandBox)[0]
    QTest.keyClicks(box.search, "batchnorm1d")
    QTest.keyClick(box.search, Qt.Key.Key_Return)
    assert any(node.type == "batch_norm1d" for node in window.document.graph.nodes.values())


def test_the_command_box_says_when_nothing_answers(window: MainWindow) -> None:
    press(window.toolbar.command_box)
    box = pages(window, CommandBox)[0]
    QTest.keyClicks(box.search, "qqqq")
    assert "qqqq" in box.list.item(0).text()
    QTest.keyClick(box.search, Qt.Key.Key_Return)
    box.close()


def test_the_page_of_keys_names_every_key(window: MainWindow) -> None:
    window.actions_["shortcuts"].trigger()
    page = pages(window, Page)[0]
    words = page.text.toPlainText()
    for command in COMMANDS:
        for key in command.keys:
            assert QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) in words, command.id
    page.close()


def test_help_tells_about_the_selected_layer(window: MainWindow) -> None:
    window.document.selection.select([node_named(window.document, "hidden1")])
    QTest.keyClick(window, Qt.Key.Key_F1)
    page = pages(window, Page)[0]
    assert "Linear" in page.windowTitle()
    assert "Units" in page.text.toPlainText()
    page.close()


def test_settings_hold_at_once(window: MainWindow) -> None:
    from gui import settings
    from gui.theme import themes

    window.actions_["settings"].trigger()
    dialog = pages(window, SettingsDialog)[0]
    dialog.theme.setCurrentIndex(2)
    dialog.theme.activated.emit(2)
    assert settings.theme.get() == "light"
    assert themes.current.name == "light"
    dialog.close()
    themes.set_mode("dark")


def test_no_action_of_the_menus_is_without_a_tip(window: MainWindow) -> None:
    def walk(menu: QMenu) -> Iterator[QAction]:
        for action in menu.actions():
            if isinstance(action.menu(), QMenu):
                yield from walk(action.menu())
            elif not action.isSeparator():
                yield action

    for menu in window.menu_bar._menus.values():
        for action in walk(menu):
            assert action.toolTip().strip(), action.text()
