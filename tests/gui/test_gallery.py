"""The gallery of networks: found by search, imported with a new head, and what happens when nothing can be fetched."""

from __future__ import annotations

import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gui.dialogs.gallery import GalleryDialog
from gui.window import MainWindow
from tests.gui.helpers import opened_window, press_keys, wait_for_check


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with opened_window(qtbot, tmp_path, monkeypatch) as made:
        wait_for_check(qtbot, made)
        yield made


def opened(qtbot: QtBot, window: MainWindow) -> GalleryDialog:
    press_keys(window, Qt.Key.Key_I)
    (dialog,) = window.findChildren(GalleryDialog)
    qtbot.waitUntil(lambda: dialog.table.num_shown > 0, timeout=30_000)
    return dialog


def searched(qtbot: QtBot, dialog: GalleryDialog, words: str, left: int) -> None:
    QTest.keyClicks(dialog.search.focusProxy() or dialog.search, words)
    qtbot.waitUntil(lambda: dialog.table.num_shown == left)


def test_a_network_is_found_and_imported_with_a_head_for_other_classes(qtbot: QtBot, window: MainWindow) -> None:
    dialog = opened(qtbot, window)
    assert dialog.table.num_shown >= 80
    searched(qtbot, dialog, "squeezenet1_1", 1)
    assert dialog.title.text() == "squeezenet1_1"
    assert dialog.weights.value() == "IMAGENET1K_V1"
    assert "MB are fetched from download.pytorch.org" in dialog.about.text()
    QTest.keyClick(dialog.weights, Qt.Key.Key_Home)
    assert "drawn from the seed" in dialog.about.text()
    assert not dialog.browse.isEnabled()
    dialog.classes.set_value(3)
    QTest.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    assert not dialog.take.isEnabled()
    qtbot.waitUntil(lambda: window.document.project.name == "squeezenet1_1", timeout=60_000)
    analysis = wait_for_check(qtbot, window)
    assert not analysis.errors
    assert analysis.parameters == 1_235_496 - 1_000 * 513 + 3 * 513
    assert window.document.dirty, "nobody has saved it yet"
    assert not dialog.isVisible()


def test_what_cannot_be_fetched_is_told_and_nothing_changes(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_given: Any, **_more: Any) -> Any:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refused)
    before = window.document.project
    dialog = opened(qtbot, window)
    dialog.table.choose("squeezenet1_1")
    QTest.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(dialog.banner.isVisible, timeout=30_000)
    assert dialog.isVisible()
    assert dialog.take.isEnabled()
    assert window.document.project is before
    searched(qtbot, dialog, "no such network", 0)
    assert not dialog.take.isEnabled()
    dialog.reject()
