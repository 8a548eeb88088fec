"""Build, Train and Compare: what each shows, what the switch changes, and that everything comes back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.window import MainWindow
from gui.workspaces import BOTTOM, BUILD, COMPARE, LEFT, RIGHT, TRAIN
from tests.gui.helpers import opened_window, press, world

CTRL_ALT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


@pytest.fixture
def window(qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    with opened_window(qtbot, tmp_path, monkeypatch, started=False) as made:
        made.workspaces.reset()
        qtbot.wait(20)
        yield made


def switch_to(window: MainWindow, workspace: int) -> None:
    press(window.toolbar.switch.segment(workspace))
    QApplication.processEvents()


def seen(window: MainWindow, names: tuple[str, ...]) -> set[str]:
    return {name for name in names if window.docks.by_name[name].isVisible()}


def sizes(window: MainWindow, names: tuple[str, ...] = (*LEFT, *RIGHT)) -> dict[str, tuple[int, int]]:
    docks = window.docks.by_name
    return {name: (docks[name].width(), docks[name].x()) for name in names if window.docks.in_front(name)}


def test_build_opens_with_the_widths_of_the_design(window: MainWindow) -> None:
    assert seen(window, BOTTOM) == set()
    assert window.docks.in_front("palette")
    assert window.docks.in_front("inspector")
    assert abs(window.docks.by_name["palette"].width() - 208) <= 2
    assert abs(window.docks.by_name["inspector"].width() - 288) <= 2


def test_train_differs_from_build_in_the_bottom_dock_only(window: MainWindow) -> None:
    before, width = sizes(window), window.canvas.width()
    switch_to(window, TRAIN)
    assert window.docks.in_front("charts")
    assert abs(window.docks.by_name["charts"].height() - 274) <= 40
    assert (sizes(window), window.canvas.width()) == (before, width)
    switch_to(window, BUILD)
    assert seen(window, BOTTOM) == set()
    assert (sizes(window), window.canvas.width()) == (before, width)


def test_the_network_keeps_zoom_and_the_point_at_the_centre(window: MainWindow) -> None:
    window.canvas.zoom_in()
    zoom = window.canvas.camera.zoom
    middle = window.canvas.to_scene(window.canvas.rect().center().toPointF())
    switch_to(window, TRAIN)
    assert window.canvas.camera.zoom == zoom
    after = window.canvas.to_scene(window.canvas.rect().center().toPointF())
    assert (after - middle).manhattanLength() < 2
    switch_to(window, COMPARE)
    switch_to(window, BUILD)
    back = window.canvas.to_scene(window.canvas.rect().center().toPointF())
    assert (back - middle).manhattanLength() < 2


def test_compare_shows_its_page_and_the_runs_at_the_left(window: MainWindow) -> None:
    before = sizes(window)
    switch_to(window, COMPARE)
    assert window.compare.isVisible()
    assert not window.canvas.isVisible()
    runs = window.docks.by_name["runs"]
    assert window.docks.in_front("runs")
    assert runs.x() < 4
    assert abs(runs.width() - 236) <= 4
    assert seen(window, (*LEFT, *RIGHT)) == set()
    switch_to(window, BUILD)
    assert window.canvas.isVisible()
    assert sizes(window) == before
    assert window.dockWidgetArea(runs) == Qt.DockWidgetArea.BottomDockWidgetArea


def test_the_selection_survives_every_switch(window: MainWindow) -> None:
    world(window).select("hidden1")
    for workspace in (TRAIN, COMPARE, BUILD):
        switch_to(window, workspace)
    assert world(window).selected() == {"hidden1"}


def test_each_workspace_keeps_what_the_person_arranged(window: MainWindow) -> None:
    switch_to(window, TRAIN)
    window.docks.reveal("problems")
    QApplication.processEvents()
    window.docks.by_name["palette"].hide()
    switch_to(window, BUILD)
    assert window.docks.in_front("palette")
    switch_to(window, TRAIN)
    assert window.docks.in_front("problems")
    assert not window.docks.by_name["palette"].isVisible()


def test_reset_puts_everything_back(window: MainWindow, qtbot: QtBot) -> None:
    before = sizes(window)
    for name in ("palette", "inspector", "recipe"):
        window.docks.by_name[name].hide()
    window.docks.by_name["outline"].setFloating(True)
    window.actions_["reset_arrangement"].trigger()
    qtbot.waitUntil(lambda: sizes(window) == before, timeout=2000)
    assert not window.docks.by_name["outline"].isFloating()


def test_the_keys_of_the_workspaces_work(window: MainWindow) -> None:
    for key, workspace in ((Qt.Key.Key_2, TRAIN), (Qt.Key.Key_3, COMPARE), (Qt.Key.Key_1, BUILD)):
        QTest.keyClick(window, key, CTRL_ALT)
        assert window.workspaces.current == workspace
        assert window.toolbar.switch.current == workspace


@pytest.mark.parametrize("name", BOTTOM)
def test_a_button_of_the_status_bar_opens_and_closes_its_dock(window: MainWindow, name: str, qtbot: QtBot) -> None:
    button = getattr(window.status, name)
    before = sizes(window)
    press(button)
    qtbot.waitUntil(lambda: window.docks.in_front(name), timeout=2000)
    assert sizes(window) == before
    press(button)
    qtbot.waitUntil(lambda: not window.docks.in_front(name), timeout=2000)
    assert sizes(window) == before


def test_the_button_of_a_dock_behind_a_tab_brings_it_to_the_front(window: MainWindow, qtbot: QtBot) -> None:
    press(window.status.charts)
    qtbot.waitUntil(lambda: window.docks.in_front("charts"), timeout=2000)
    press(window.status.runs)
    qtbot.waitUntil(lambda: window.docks.in_front("runs"), timeout=2000)
    assert not window.docks.in_front("charts")


def test_the_button_finds_a_dock_that_floats(window: MainWindow, qtbot: QtBot) -> None:
    dock = window.docks.by_name["charts"]
    press(window.status.charts)
    qtbot.waitUntil(lambda: window.docks.in_front("charts"), timeout=2000)
    dock.setFloating(True)
    QApplication.processEvents()
    press(window.status.charts)
    qtbot.waitUntil(lambda: not dock.isVisible(), timeout=2000)
    press(window.status.charts)
    qtbot.waitUntil(dock.isVisible, timeout=2000)
    assert dock.isFloating()
    dock.setFloating(False)


def test_f11_brings_back_only_what_was_open(window: MainWindow) -> None:
    window.docks.by_name["outline"].hide()
    before = seen(window, (*LEFT, *RIGHT, *BOTTOM))
    QTest.keyClick(window, Qt.Key.Key_F11)
    assert seen(window, (*LEFT, *RIGHT, *BOTTOM)) == set()
    QTest.keyClick(window, Qt.Key.Key_F11)
    assert seen(window, (*LEFT, *RIGHT, *BOTTOM)) == before


def test_an_arrangement_is_remembered_for_the_next_start(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_window(qtbot, tmp_path, monkeypatch, started=False) as first:
        first.docks.by_name["palette"].hide()
        first.docks.by_name["outline"].hide()
        first.close()
    with opened_window(qtbot, tmp_path, monkeypatch, started=False) as second:
        assert not second.docks.by_name["palette"].isVisible()
        assert second.docks.in_front("inspector")
