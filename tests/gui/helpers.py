"""The whole window for a test, and hands that answer its questions and press what a person would press.

Threads of the window starve while QTest waits with Python's lock held: everything here waits in an event loop.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from engine import places
from engine.analysis import Analysis
from engine.examples import load_example
from engine.project import Project
from gui import settings
from gui.document import Document
from gui.window import MainWindow
from tests.gui.canvas_world import World

LEFT = Qt.MouseButton.LeftButton
LONG = 60_000
"""Milliseconds within which even torch has been imported on a busy machine."""


@contextmanager
def own_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """All of the program's own folders below one of the test."""
    with monkeypatch.context() as patch:
        patch.setenv(places.HOME, str(folder))
        yield folder


@contextmanager
def opened_window(
    qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch, *, size: tuple[int, int] = (1600, 1000),
    project: Project | None = None, started: bool = True,
) -> Iterator[MainWindow]:  # fmt: skip
    """The window on a project (the first example when not given), shown, with torch warm and the first check done."""
    settings.motion.set("reduced")
    with own_home(home, monkeypatch):
        hooks = sys.excepthook
        window = MainWindow()
        # The window's own hook would turn a fault of a slot into a dialog; here it must fail the test.
        sys.excepthook = hooks
        window.document.adopt(project or load_example("digits-mlp"))
        window.show_first()
        window.resize(*size)
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=5000)
        if started:
            window.start()
            wait_for_check(qtbot, window)
        yield window
        end(qtbot, window)


def end(qtbot: QtBot, window: MainWindow) -> None:
    """Closes a window for good, whatever state a test left it in."""
    if window.training.active:
        window.training.stop()
        qtbot.waitUntil(lambda: not window.training.active, timeout=LONG)
    window.document.adopt(Project())
    window.close()
    window.deleteLater()
    qtbot.wait(1)


def wait_for_check(qtbot: QtBot, window: MainWindow) -> Analysis:
    """Waits until torch has checked the project as it is now."""

    def is_checked() -> bool:
        analysis = window.document.analysis
        return window.checker.warm and bool(analysis.nodes or analysis.problems) and not _checking(window)

    qtbot.waitUntil(is_checked, timeout=LONG)
    return window.document.analysis


def _checking(window: MainWindow) -> bool:
    checked = getattr(window, "_checked_for_test", None)
    if checked is None:
        seen: list[Project] = []
        window._checked_for_test = seen  # type: ignore[attr-defined]
        window.checker._thread.done.connect(lambda _analysis, project: seen.append(project))
        window.checker.check()
        return True
    return not checked or checked[-1] is not window.document.project


def world(window: MainWindow) -> World:
    """The canvas of a window with the hands that drag on it."""
    return World(window.canvas, window.document)


def press(widget: QWidget, point: QPoint | None = None) -> None:
    """A real click into the middle of a widget, or at a point of it."""
    assert widget.isVisible(), f"{widget.objectName() or type(widget).__name__} cannot be seen"
    QTest.mouseClick(widget, LEFT, Qt.KeyboardModifier.NoModifier, point or widget.rect().center())


def write(field: QWidget, text: str, *, enter: bool = True) -> None:
    """Replaces what stands in a field, as a person types it."""
    entry = field
    while entry.focusProxy() is not None:
        entry = entry.focusProxy()
    entry.setFocus()
    QTest.keyClick(entry, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(entry, text) if text else QTest.keyClick(entry, Qt.Key.Key_Delete)
    if enter:
        QTest.keyClick(entry, Qt.Key.Key_Return)


def press_keys(window: QWidget, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.ControlModifier) -> None:
    """A shortcut, sent to whatever has the keyboard."""
    QTest.keyClick(QApplication.focusWidget() or window, key, keys)


class Answers:
    """Answers modal questions while a test goes on; `asked` holds what they said."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._answers: list[str | Callable[[QDialog], None]] = []
        self._timer = QTimer(QApplication.instance())
        self._timer.setInterval(20)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def give(self, answer: str | Callable[[QDialog], None]) -> None:
        """The next question gets the button with these words pressed, or is handed over."""
        self._answers.append(answer)

    def stop(self) -> None:
        """Every answer must have been asked for."""
        self._timer.stop()
        self._timer.deleteLater()
        assert not self._answers, f"nobody asked for {self._answers}; asked was {self.asked}"

    def _look(self) -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QDialog) or not box.isVisible() or not self._answers:
            return
        answer = self._answers.pop(0)
        self.asked.append(words_of(box))
        if callable(answer):
            answer(box)
            return
        buttons = [button for button in box.findChildren(QAbstractButton) if plain(button.text()) == answer]
        if not buttons:
            box.reject()
            raise AssertionError(f"no button {answer!r} on: {words_of(box)}")
        QTest.mouseClick(buttons[0], LEFT)


@contextmanager
def answering(*answers: str | Callable[[QDialog], None]) -> Iterator[Answers]:
    """Answers the questions that come up inside, in this order."""
    hand = Answers()
    for answer in answers:
        hand.give(answer)
    try:
        yield hand
    finally:
        hand.stop()


def words_of(box: QDialog) -> str:
    """What a dialog says."""
    if isinstance(box, QMessageBox):
        return "\n".join(part for part in (box.windowTitle(), box.text(), box.informativeText()) if part)
    return box.windowTitle()


def plain(text: str) -> str:
    """Words of a button without its mnemonic."""
    return text.replace("&", "")


def node_named(document: Document, name: str) -> tuple[str, str]:
    """(definition, id) of the node of that name."""
    found = ((owner, node) for owner, level in document.graph.levels() for node in level.nodes.values())
    return next((owner, node.id) for owner, node in found if node.name == name)


def eventually(check: Callable[[], object], seconds: float = 10.0) -> None:
    """Waits for something without an event loop: for other processes."""
    end_at = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end_at, "it never happened"
        time.sleep(0.02)
