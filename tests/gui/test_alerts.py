"""Alerts of a running training as toasts: told once, not each epoch, and with the reason when they end it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine.events import Alerted
from engine.examples import load_example
from engine.project import Project
from gui.alerts import MOST_WAITING, REPEAT, SPACING, Alerts
from gui.training import IDLE, RUNNING
from gui.window import MainWindow
from tests.gui.helpers import LONG, opened_window, press


class Told:
    """Alerts with a clock of the test."""

    def __init__(self) -> None:
        self.now = 100.0
        self.heard: list[tuple[str, str]] = []
        self.alerts = Alerts(now=lambda: self.now)
        self.alerts.said.connect(lambda title, words: self.heard.append((title, words)))

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.alerts._timer.stop()
        self.alerts._tell_next()


def _alert(epoch: int, figure: str = "val_loss") -> Alerted:
    return Alerted(epoch * 10, epoch, f"{figure} 0.09 is below 0.1 in epoch {epoch}; saved", figure, 0.09, "save")


def test_the_same_alert_is_told_once_in_a_while_with_the_number_of_those_between(qtbot: QtBot) -> None:
    told = Told()
    for epoch in range(1, 8):
        told.alerts.take(_alert(epoch))
    assert told.heard == [("val_loss 0.09 is below 0.1", "Epoch 1; saved")]
    told.pass_by(REPEAT)
    told.alerts.take(_alert(8))
    assert told.heard[1:] == [("val_loss 0.09 is below 0.1", "Epoch 8; saved · 6 times more since the last")]
    told.pass_by(REPEAT)
    told.alerts.take(_alert(9))
    assert told.heard[2:] == [("val_loss 0.09 is below 0.1", "Epoch 9; saved")]


def test_alerts_that_come_together_are_told_one_after_the_other_and_too_many_as_a_number(qtbot: QtBot) -> None:
    told = Told()
    for row in range(MOST_WAITING + 4):
        told.alerts.take(_alert(1, f"figure{row}"))
    assert len(told.heard) == 1
    for shown in range(2, MOST_WAITING + 2):
        told.pass_by(SPACING)
        assert len(told.heard) == shown
    assert told.heard[-1][1] == "Epoch 1; saved · 3 more: see the charts"
    told.pass_by(SPACING)
    assert len(told.heard) == MOST_WAITING + 1


def test_a_new_training_starts_with_nothing_told(qtbot: QtBot) -> None:
    told = Told()
    told.alerts.take(_alert(1))
    told.pass_by(SPACING)
    told.alerts.begin()
    told.alerts.take(_alert(1))
    assert len(told.heard) == 2


def _project(then: str) -> Project:
    alert = {"type": "alert", "figure": "val_accuracy", "when": "above", "value": 0.05, "then": then}
    project = load_example("digits-mlp")
    return replace(project, recipe=project.recipe.with_value("epochs", 400).with_value("callbacks", [alert]))


def _toast(window: MainWindow) -> str:
    return window.toasts.toast.accessibleName() if window.toasts.toast is not None else ""


def test_a_crossed_threshold_and_a_refused_edit_are_told_while_it_trains(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_window(qtbot, tmp_path, monkeypatch, project=_project("notify")) as window:
        press(window.toolbar.run_controls.train)
        qtbot.waitUntil(lambda: _toast(window).startswith("val_accuracy"), timeout=LONG)
        assert "is above 0.05 Epoch 1" in _toast(window)
        assert window.training.state == RUNNING
        window.training.edit("recipe.epochs", 3)
        qtbot.waitUntil(lambda: "recipe.epochs was not changed" in _toast(window), timeout=LONG)
        assert "can be changed" in _toast(window)
        assert [mark.kind for mark in window.training.timeline.marks] == ["alert", "alert"]
        press(window.toolbar.run_controls.stop)
        qtbot.waitUntil(lambda: window.training.state == IDLE, timeout=LONG)
        run = window.runflow.shown
        assert run is not None
        window.toasts.dismiss()
        window.runflow.open_run(run)
        qtbot.wait(50)
        assert _toast(window) == ""


def test_a_training_that_an_alert_ended_says_so(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_window(qtbot, tmp_path, monkeypatch, project=_project("stop")) as window:
        press(window.toolbar.run_controls.train)
        qtbot.waitUntil(lambda: window.training.last is not None, timeout=LONG)
        qtbot.waitUntil(lambda: _toast(window).startswith("Stopped by an alert"), timeout=LONG)
        assert "val_accuracy" in _toast(window)
        assert "training stops" in _toast(window)


def test_what_is_told_is_seen_on_the_page_of_runs_too(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_window(qtbot, tmp_path, monkeypatch, started=False) as window:
        window.alerts.take(_alert(1))
        toast = window.toasts.toast
        assert toast is not None
        for workspace in (2, 0):
            press(window.toolbar.switch.segment(workspace))
            assert toast.isVisible()
            middle = toast.mapTo(window.centre, toast.rect().center())
            assert window.centre.childAt(middle) in (toast, *toast.findChildren(QWidget)), "something lies above it"
        qtbot.mouseClick(toast.close_button, Qt.MouseButton.LeftButton)
        assert window.toasts.toast is None
