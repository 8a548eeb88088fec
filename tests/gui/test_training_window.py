"""Training in the window: start, hold, step, go on, edit, stop, fail, close."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine import edits
from engine.examples import load_example
from engine.project import Project
from engine.runfiles import read_info
from engine.runtime.checkpoint import exists
from gui.training import IDLE, PAUSED, RUNNING
from gui.window import MainWindow
from tests.gui.helpers import LONG, answering, opened_window, press


def _project(**recipe: object) -> Project:
    project = load_example("digits-mlp")
    made = project.recipe
    for name, value in recipe.items():
        made = made.with_value(name, value)
    return replace(project, recipe=made)


@pytest.fixture
def window(qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    with opened_window(qtbot, tmp_path, monkeypatch, project=_project(epochs=400)) as made:
        yield made


def _begin(qtbot: QtBot, window: MainWindow) -> None:
    press(window.toolbar.run_controls.train)
    qtbot.waitUntil(lambda: window.training.state == RUNNING and window.training.timeline.step > 20, timeout=LONG)


def _hold(qtbot: QtBot, window: MainWindow) -> int:
    press(window.toolbar.run_controls.pause)
    assert window.training.state == PAUSED
    qtbot.wait(300)
    return window.training.timeline.step


def test_train_pause_step_continue_and_stop_do_what_they_say(qtbot: QtBot, window: MainWindow) -> None:
    controls = window.toolbar.run_controls
    _begin(qtbot, window)
    assert window.workspaces.current == 1
    assert controls.step.toolTip().endswith("pause first  Ctrl+.")
    held = _hold(qtbot, window)
    assert controls.step.toolTip().endswith("step  Ctrl+.")
    qtbot.wait(300)
    assert window.training.timeline.step == held
    press(controls.step)
    qtbot.waitUntil(lambda: window.training.timeline.step == held + 1)
    qtbot.wait(200)
    assert window.training.timeline.step == held + 1
    press(controls.pause)
    qtbot.waitUntil(lambda: window.training.timeline.step > held + 50, timeout=LONG)
    window.actions_["halve_rate"].trigger()
    qtbot.waitUntil(lambda: any(mark.kind == "edit" for mark in window.training.timeline.marks), timeout=LONG)
    press(controls.stop)
    qtbot.waitUntil(lambda: window.training.state == IDLE, timeout=LONG)
    run = window.runflow.shown
    assert run is not None
    assert read_info(run).status == "stopped"
    assert exists(run / "checkpoints", "last")
    assert read_info(run).step >= held + 50


def test_charts_and_layers_show_the_training(qtbot: QtBot, window: MainWindow) -> None:
    _begin(qtbot, window)
    qtbot.waitUntil(lambda: len(window.training.timeline.epochs) > 3, timeout=LONG)
    window.charts.tick()
    values = window.charts.charts["loss"].values()
    assert any(len(column) > 3 for column in values.values())
    assert window.canvas.verdict is not None
    assert set(window.training.timeline.gradients) == {"hidden1", "hidden2", "digits"}
    assert "Epoch" in window.toolbar.run_controls.epoch.text()
    assert "training on" in window.status.totals.text()


def test_a_stopped_run_is_continued_to_the_epoch_that_is_asked_for(qtbot: QtBot, window: MainWindow) -> None:
    _begin(qtbot, window)
    press(window.toolbar.run_controls.stop)
    qtbot.waitUntil(lambda: window.training.state == IDLE, timeout=LONG)
    run = window.runflow.shown
    assert run is not None
    epoch = read_info(run).epoch
    window.runflow.continue_run(run, epoch + 3)
    qtbot.waitUntil(lambda: window.training.state == IDLE and read_info(run).epoch == epoch + 3, timeout=LONG)
    assert read_info(run).status == "completed"


def test_closing_while_training_asks_and_keeps_training_when_told_so(qtbot: QtBot, window: MainWindow) -> None:
    _begin(qtbot, window)
    with answering("Keep training") as hand:
        assert not window.close()
    assert "training is running" in hand.asked[0]
    assert window.isVisible()
    step = window.training.timeline.step
    qtbot.waitUntil(lambda: window.training.timeline.step > step, timeout=LONG)


def test_closing_while_training_stops_and_saves_when_told_so(qtbot: QtBot, window: MainWindow) -> None:
    _begin(qtbot, window)
    with answering("Stop and save"):
        assert window.close()
    run = window.runflow.shown
    assert run is not None
    assert read_info(run).status == "stopped"
    assert exists(run / "checkpoints", "last")


def test_a_training_that_breaks_names_the_layer(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = _project(optimizer={"type": "sgd", "lr": 100.0}, schedule={"type": "constant"}, epochs=50)
    # Without activations nothing dies quietly: three linear layers at such a rate run away within a few steps.
    project = project.with_graph(edits.remove_and_bridge(project.graph, "", ["relu1", "relu2"]))
    with opened_window(qtbot, tmp_path, monkeypatch, project=project) as window:
        with answering("OK") as hand:
            press(window.toolbar.run_controls.train)
            qtbot.waitUntil(lambda: bool(hand.asked), timeout=20_000)
        assert "finite" in hand.asked[0]
        assert any(name in hand.asked[0] for name in ("hidden1", "hidden2", "digits"))
        qtbot.waitUntil(lambda: window.training.state == IDLE, timeout=LONG)
        assert window.runflow.shown is not None
        assert read_info(window.runflow.shown).status == "failed"


def test_a_grey_train_button_says_why(qtbot: QtBot, window: MainWindow) -> None:
    controls = window.toolbar.run_controls
    window.document.edit_graph("Units", lambda graph: edits.set_param(graph, "", "digits", "units", 3))
    qtbot.waitUntil(lambda: not controls.train.isEnabled(), timeout=LONG)
    assert "1 error" in controls.reason.text()
    press(controls.reason)
    assert window.docks.in_front("problems")
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(controls.train.isEnabled, timeout=LONG)
