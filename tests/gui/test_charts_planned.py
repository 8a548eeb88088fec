"""The rate that the recipe plans, on the chart before anything trains, while it trains, and for the next run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.examples import load_example
from engine.plan import known_steps_per_epoch, planned_rates
from engine.project import Project
from gui.training import IDLE
from gui.window import MainWindow
from tests.gui.helpers import LONG, opened_window, press, press_keys, write


def _project(**recipe: object) -> Project:
    project = load_example("digits-mlp")
    made = project.recipe
    for name, value in recipe.items():
        made = made.with_value(name, value)
    return replace(project, recipe=made)


def _values(window: MainWindow) -> dict[str, np.ndarray]:
    window.charts.tick()
    return window.charts.charts["rate"].values()


def _set(window: MainWindow, name: str, value: object) -> None:
    window.document.edit("Set", lambda it: it.with_recipe(it.recipe.with_value(name, value)))


def test_the_plan_stands_beside_the_empty_state_and_follows_the_recipe(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = _project(epochs=5, schedule={"type": "one_cycle"})
    with opened_window(qtbot, tmp_path, monkeypatch, project=project, size=(1280, 720)) as window:
        assert "rate" not in window.charts.charts, "made before anybody can see it"
        press(window.toolbar.switch.segment(1))
        qtbot.waitUntil(window.charts.isVisible)
        chart = window.charts.charts["rate"]
        assert (chart.isVisible(), window.charts.empty.isVisible()) == (True, True)
        assert [name for name, made in window.charts.charts.items() if made.isVisible()] == ["rate"]
        planned = planned_rates(project, points=400)
        values = _values(window)
        assert values["planned"].tolist() == pytest.approx([item.rate for item in planned])
        assert values["planned.step"][-1] == planned[-1].step == 5 * known_steps_per_epoch(project)
        (entry,) = chart.entries()  # type: ignore[attr-defined]
        assert entry.name == "planned"
        assert entry.curve.dash is not None
        assert "planned" in chart.subtitle()
        assert chart.plot.view.viewRange()[0] == pytest.approx([0, 5])
        window.show_dock("recipe")
        write(window.recipe.form_for("epochs").editor("epochs"), "3")
        assert _values(window)["planned.step"][-1] == 3 * known_steps_per_epoch(project)
        assert chart.plot.view.viewRange()[0] == pytest.approx([0, 3])
        window.canvas.setFocus()
        press_keys(window, Qt.Key.Key_Z)
        assert _values(window)["planned.step"][-1] == planned[-1].step


def test_the_plan_of_a_run_stays_and_the_next_runs_plan_appears_when_the_recipe_changes(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = _project(epochs=3, schedule={"type": "cosine"})
    with opened_window(qtbot, tmp_path, monkeypatch, project=project) as window:
        press(window.toolbar.run_controls.train)
        qtbot.waitUntil(lambda: window.training.state == IDLE and window.training.last is not None, timeout=LONG)
        assert not window.charts.empty.isVisible()
        values = _values(window)
        assert values["planned"].tolist() == pytest.approx([it.rate for it in planned_rates(project, points=400)])
        assert "next run" not in values
        # What was planned is what was done.
        assert np.interp(values["rate.step"], values["planned.step"], values["planned"]) == pytest.approx(
            values["rate"], abs=1e-4
        )
        _set(window, "seed", 5)
        assert "next run" not in _values(window)
        _set(window, "schedule", {"type": "constant"})
        after = _values(window)
        assert len(set(after["next run"].tolist())) == 1
        assert after["planned"].tolist() == values["planned"].tolist()
        window.document.undo()
        assert "next run" not in _values(window)


def test_a_reopened_run_brings_its_own_plan(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_window(qtbot, tmp_path, monkeypatch, project=_project(epochs=2)) as window:
        paths = []
        for schedule in ("constant", "cosine"):
            _set(window, "schedule", {"type": schedule})
            window.training.last = None
            press(window.toolbar.run_controls.train)
            qtbot.waitUntil(lambda: window.training.state == IDLE and window.training.last is not None, timeout=LONG)
            paths.append(window.runflow.shown)
        assert len(set(_values(window)["planned"].tolist())) > 2
        assert paths[0] is not None
        window.runflow.open_run(paths[0])
        assert len(set(_values(window)["planned"].tolist())) == 1


def test_the_recipes_preview_draws_and_tells_the_momentum_that_a_cycle_moves(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = _project(
        epochs=4, optimizer={"type": "sgd", "lr": 0.1, "momentum": 0.9},
        schedule={"type": "one_cycle", "cycle_momentum": True},
    )  # fmt: skip
    with opened_window(qtbot, tmp_path, monkeypatch, project=moving, started=False) as window:
        rates = window.recipe.rates
        planned = [item.momentum for item in planned_rates(moving, points=400)]
        assert rates.moved_momentum() == planned
        assert max(planned) > min(planned) > 0  # type: ignore[type-var]
        assert "Momentum, dashed" in rates.toolTip()
        window.show_dock("recipe")
        qtbot.waitUntil(rates.isVisible)
        with_both = rates.grab().toImage()
        _set(window, "schedule", {"type": "one_cycle"})
        assert rates.moved_momentum() == []
        assert "Momentum" not in rates.toolTip()
        assert rates.grab().toImage() != with_both


def test_the_momentum_that_a_cycle_moves_is_drawn_with_the_rate(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = _project(epochs=3, schedule={"type": "one_cycle", "cycle_momentum": True},
                       optimizer={"type": "sgd", "lr": 0.01, "momentum": 0.9})  # fmt: skip
    with opened_window(qtbot, tmp_path, monkeypatch, project=project) as window:
        press(window.toolbar.run_controls.train)
        qtbot.waitUntil(lambda: window.training.active, timeout=LONG)
        qtbot.waitUntil(lambda: not window.training.active, timeout=LONG)
        chart = window.charts.charts["rate"]
        qtbot.waitUntil(lambda: "momentum" in chart.values(), timeout=5000)
        moved = chart.values()["momentum"]
        assert moved.min() < 0.87
        assert moved.max() > 0.94
        assert f"momentum {moved[-1]:.3f}" in chart.subtitle()
        with_it = chart.plot.grab().toImage()
        window.training.timeline.momentum.drop_after(-1)
        chart.refresh()
        assert chart.plot.grab().toImage() != with_it
