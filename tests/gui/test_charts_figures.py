"""What the training figures on the charts are: averages while the weights move, or the set evaluated anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from engine import events
from engine.examples import load_example
from engine.timeline import Timeline
from gui.charts.chart import Chart
from gui.charts.panel import ChartPanel
from gui.charts.state import ChartSeries
from gui.theme import themes
from gui.training import IDLE
from gui.window import MainWindow
from tests.gui.helpers import LONG, opened_window, press, press_keys

LEFT = Qt.MouseButton.LeftButton


def _run(definition: str, epochs: int = 3) -> Timeline:
    """Batch losses of 2, epochs' losses of 1 / epoch; the running figures lie above those."""
    line = Timeline()
    line.add(events.RunStarted("r", "r", "cpu", 1, 0, epochs, 20, 640, 100, 10, 10, ("a",), ("accuracy",), "mse"))
    for step in range(1, 20 * epochs + 1):
        line.add(events.Step(step, (step - 1) // 20 + 1, 0.1, 2.0, (), 900.0, step / 10))
        if step % 20 == 0:
            epoch = step // 20
            figures = {"train_accuracy": 0.5 + epoch / 10, "val_accuracy": 0.4 + epoch / 10}
            if definition == "evaluated":
                figures |= {"running_loss": 1.5 / epoch, "running_accuracy": 0.3 + epoch / 10}
            line.add(events.EpochEnded(epoch, step, 1 / epoch, 0.9 / epoch, 0.1, 5.0, 900.0, 0.0, figures, False,
                                       definition))  # fmt: skip
    return line


@pytest.fixture
def panel(qtbot: QtBot) -> ChartPanel:
    themes.set_mode("dark")
    made = ChartPanel()
    qtbot.addWidget(made)
    made.resize(1000, 240)
    made.choose(["loss", "metric"])
    made.show()
    qtbot.waitExposed(made)
    return made


def _shown(panel: ChartPanel, *lines: Timeline) -> ChartPanel:
    panel.show_timelines([ChartSeries(line, f"run {row}", row) for row, line in enumerate(lines)])
    QApplication.processEvents()
    return panel


def test_with_running_figures_the_epoch_means_are_drawn_and_the_title_row_says_what_they_are(panel: ChartPanel) -> None:
    loss = _shown(panel, _run("running")).charts["loss"]
    values = loss.values()
    assert values["train, epoch mean"].tolist() == [1.0, 0.5, pytest.approx(1 / 3)]
    assert values["train, epoch mean.step"].tolist() == [20, 40, 60]
    assert set(values["train"].tolist()) == {2.0}
    assert "running, dropout on" in loss.subtitle()
    assert "dropout on" in loss.head.toolTip()
    assert "running" not in panel.charts["metric"].values()
    assert "running, dropout on" in panel.charts["metric"].subtitle()


def test_with_evaluated_figures_both_definitions_are_drawn(panel: ChartPanel) -> None:
    loss, metric = (_shown(panel, _run("evaluated")).charts[name] for name in ("loss", "metric"))
    assert loss.values()["train"].tolist() == [1.0, 0.5, pytest.approx(1 / 3)]
    assert set(loss.values()["running"].tolist()) == {2.0}
    assert metric.values()["train"].tolist() == pytest.approx([0.6, 0.7, 0.8])
    assert metric.values()["running"].tolist() == pytest.approx([0.4, 0.5, 0.6])
    for chart in (loss, metric):
        entries = {entry.name: entry.curve for entry in chart.entries()}  # type: ignore[attr-defined]
        assert sorted(entries) == ["running", "train", "validation"]
        assert next(iter(entries)) == "train"
        assert entries["running"].dash is not None
        assert entries["train"].dash is None
        assert entries["running"].color == entries["train"].color == "series.0"
        assert "re-evaluated, dropout off" in chart.subtitle()
        assert "dropout off" in chart.head.toolTip()


def test_runs_that_differ_in_their_definition_are_told_apart(panel: ChartPanel) -> None:
    loss = _shown(panel, _run("running"), _run("evaluated")).charts["loss"]
    assert "as each run defines it" in loss.subtitle()
    labels = {curve.name: curve.label for curve in loss.drawn}  # type: ignore[attr-defined]
    assert labels["run 0: train"] == "run 0, train"
    assert labels["run 1: train"] == "run 1, train, re-evaluated"
    assert loss.values()["run 1: train"].tolist() == [1.0, 0.5, pytest.approx(1 / 3)]


def _opened_menu(qtbot: QtBot, chart: Chart) -> QMenu:
    press(chart._menu_button)
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def _click(menu: QMenu, action: QAction) -> None:
    QTest.mouseMove(menu, menu.actionGeometry(action).center())
    QTest.mouseClick(menu, LEFT, Qt.KeyboardModifier.NoModifier, menu.actionGeometry(action).center())


def test_the_definition_is_chosen_in_the_charts_menu_for_the_next_run_and_undone(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = load_example("digits-mlp")
    project = replace(project, recipe=project.recipe.with_value("epochs", 2))
    with opened_window(qtbot, tmp_path, monkeypatch, project=project) as window:
        _train(qtbot, window)
        loss = window.charts.charts["loss"]
        assert "running, dropout on" in loss.subtitle()
        menu = _opened_menu(qtbot, loss)
        line = next(action for action in menu.actions() if action.menu() and "Training figures" in action.text())
        _click(menu, line)
        sub = line.menu()
        assert isinstance(sub, QMenu)
        qtbot.waitUntil(sub.isVisible)
        assert [action.isChecked() for action in sub.actions()] == [True, False]
        _click(sub, sub.actions()[1])
        assert window.document.project.recipe.get("train_figures") == "evaluated"
        assert window.toasts.toast is not None
        assert "next run" in window.toasts.toast.accessibleName()
        assert "running, dropout on" in loss.subtitle()
        _train(qtbot, window)
        assert "re-evaluated" in loss.subtitle()
        values = loss.values()
        assert len(values["train"]) == 2
        assert len(values["running"]) > 2
        press_keys(window, Qt.Key.Key_Z)
        assert window.document.project.recipe.get("train_figures") == "running"


def _train(qtbot: QtBot, window: MainWindow) -> None:
    window.training.last = None
    press(window.toolbar.run_controls.train)
    qtbot.waitUntil(lambda: window.training.state == IDLE and window.training.last is not None, timeout=LONG)
    window.charts.tick()


def test_the_tip_of_the_title_row_leaves_the_curves_alone(panel: ChartPanel) -> None:
    loss = _shown(panel, _run("running")).charts["loss"]
    head = loss.childAt(QPointF(loss.width() / 2, 12).toPoint())
    assert head is not None
    assert head.toolTip() == loss.head.toolTip() != ""
    assert loss.toolTip() == loss.plot.toolTip() == ""
