"""The window as a whole: it opens on the example, warms up behind itself, closes with every thread ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.problem import Severity
from gui.window import MainWindow
from tests.gui.helpers import opened_window, wait_for_check, world


@pytest.fixture
def window(qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    with opened_window(qtbot, tmp_path, monkeypatch) as made:
        yield made


def test_the_window_opens_on_the_example_with_shapes_and_no_problem(window: MainWindow) -> None:
    analysis = window.document.analysis
    assert not [one for one in analysis.problems if one.severity is Severity.ERROR]
    assert "images" in world(window).names()
    assert all(facts.inputs or facts.outputs for facts in analysis.nodes.values())
    assert "6,570 parameters" in window.status.totals.text()
    assert "CPU" in window.status.totals.text() or "GPU" in window.status.totals.text()
    assert "digits-mlp" in window.windowTitle()


def test_an_edit_is_checked_and_its_cost_stands_in_the_status_bar(qtbot: QtBot, window: MainWindow) -> None:
    from engine import edits

    window.document.edit_graph("Units", lambda graph: edits.set_param(graph, "", "hidden1", "units", 128))
    wait_for_check(qtbot, window)
    assert "12,778 parameters" in window.status.totals.text()


def test_the_whole_network_is_in_view_when_a_project_opens(window: MainWindow) -> None:
    canvas = world(window)
    for name in canvas.names():
        assert window.canvas.rect().contains(canvas.middle(name)), f"{name} is out of sight"


def test_a_narrow_window_keeps_every_control_of_the_toolbar(window: MainWindow) -> None:
    window.resize(1024, 640)
    for button in (window.toolbar.run_controls.train, window.toolbar.command_box, window.toolbar.switch):
        left = button.mapTo(window, button.rect().topLeft()).x()
        assert 0 <= left <= left + button.width() <= window.width(), "a control is cut off"


def test_f11_shows_only_the_canvas_and_brings_everything_back(qtbot: QtBot, window: MainWindow) -> None:
    before = {name for name, dock in window.docks.by_name.items() if dock.isVisible()}
    assert before
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert not [name for name, dock in window.docks.by_name.items() if dock.isVisible()]
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert {name for name, dock in window.docks.by_name.items() if dock.isVisible()} == before


def test_no_thread_begins_once_the_window_has_closed(qtbot: QtBot, window: MainWindow) -> None:
    done: list[object] = []
    assert window.close()
    job = window.jobs.start("late", "Late", lambda _progress, _cancel: 1, done=done.append)
    qtbot.wait(50)
    assert not job.isRunning()
    assert not window.jobs.busy
    assert not done
