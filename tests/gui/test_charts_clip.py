"""The chart of gradient clipping: there only for runs that clip, and right in how often and how hard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine import events
from engine.examples import load_example
from engine.runs import read_events
from engine.timeline import Timeline
from gui.charts.panel import DEFAULT, ChartPanel
from gui.charts.state import ChartSeries
from gui.training import IDLE
from tests.gui.helpers import LONG, opened_window, press


def _run(*told: tuple[int, int, float, float]) -> Timeline:
    """Reports of (count, steps, norm, factor), one after the other."""
    line, step = Timeline(), 0
    line.add(events.RunStarted("r", "r", "cpu", 1, 0, 2, 100, 640, 100, 10, 10, ("a",)))
    for count, steps, norm, factor in told:
        step += steps
        line.add(events.Clipped(step, 1, count, norm, steps, factor))
        line.add(events.Step(step, 1, 0.1, 0.5, (), 900.0, step / 10))
    if not told:
        line.add(events.Step(1, 1, 0.1, 0.5, (), 900.0, 0.1))
    return line


@pytest.fixture
def panel(qtbot: QtBot) -> ChartPanel:
    made = ChartPanel()
    qtbot.addWidget(made)
    made.resize(1016, 216)
    made.show()
    qtbot.waitExposed(made)
    return made


def _show(panel: ChartPanel, *lines: Timeline) -> list[str]:
    panel.show_timelines([ChartSeries(line, f"run {row}", row) for row, line in enumerate(lines)])
    QApplication.processEvents()
    return _visible(panel)


def _visible(panel: ChartPanel) -> list[str]:
    return [name for name, chart in panel.charts.items() if chart.isVisible()]


def _choices(panel: ChartPanel) -> list[str]:
    menu = panel.chart_choice.menu()
    menu.aboutToShow.emit()
    return [action.text() for action in menu.actions()]


def test_a_run_that_does_not_clip_has_no_such_chart(panel: ChartPanel) -> None:
    assert _show(panel, _run()) == ["loss", "rate", "depth"]
    assert "clip" not in panel.charts, "what is not shown is not even made"
    assert "Clipping" not in _choices(panel)


def test_the_chart_appears_with_the_first_report_and_shows_how_often_and_how_hard(panel: ChartPanel) -> None:
    line = _run()
    _show(panel, line)
    told = [(5, 10, 3.0, 0.5), (0, 10, 0.8, 1.0), (10, 10, 9.0, 0.25)]
    for row, (count, steps, norm, factor) in enumerate(told):
        line.add(events.Clipped(10 * (row + 1), 1, count, norm, steps, factor))
        line.add(events.Step(10 * (row + 1), 1, 0.1, 0.5))
    panel.tick()
    QApplication.processEvents()
    assert _visible(panel) == [name for name in DEFAULT if name != "activations"]
    assert "Clipping" in _choices(panel)
    chart = panel.charts["clip"]
    values = chart.values()
    assert values["steps cut.step"].tolist() == [10, 20, 30]
    assert values["steps cut"].tolist() == [0.5, 0.0, 1.0]
    # A report without a cut says nothing about how hard: it must not pull the curve towards 1.
    assert values["size kept.step"].tolist() == [10, 30]
    assert values["size kept"].tolist() == [0.5, 0.25]
    entries = [(entry.name, entry.value) for entry in chart.entries()]  # type: ignore[attr-defined]
    assert entries == [("cut", "1"), ("kept", "0.250")]
    assert "Largest size met at the last record: 9." in chart.head.toolTip()
    assert chart.plot.view.viewRange()[1][0] == 0.0
    panel.choose(["loss", "clip"])
    assert _visible(panel) == ["loss", "clip"]
    assert _show(panel, _run()) == ["loss"]


def test_a_hidden_clip_chart_costs_nothing(panel: ChartPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    line = _run((1, 2, 3.0, 0.5))
    _show(panel, line)
    chart = panel.charts["clip"]
    drawn: list[int] = []
    refresh = chart.refresh
    monkeypatch.setattr(chart, "refresh", lambda: (drawn.append(1), refresh()))
    panel.choose(["loss"])
    line.add(events.Clipped(4, 1, 1, 3.0, 2, 0.1))
    panel.tick()
    assert drawn == []
    panel.choose(["loss", "clip"])
    assert drawn
    assert chart.values()["size kept"].tolist() == [0.5, 0.1]


def test_several_runs_have_a_colour_each(panel: ChartPanel) -> None:
    _show(panel, _run((1, 2, 3.0, 0.5)), _run((2, 2, 3.0, 0.1)), _run())
    values = panel.charts["clip"].values()
    assert values["run 0: steps cut"].tolist() == [0.5]
    assert values["run 1: size kept"].tolist() == [0.1]
    assert values["run 2: steps cut"].tolist() == []


def test_a_training_that_clips_fills_the_chart(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = load_example("digits-mlp")
    recipe = project.recipe.with_value("epochs", 2).with_value("clip", {"type": "norm", "limit": 0.05})
    with opened_window(qtbot, tmp_path, monkeypatch, project=replace(project, recipe=recipe)) as window:
        press(window.toolbar.run_controls.train)
        qtbot.waitUntil(lambda: window.training.state == IDLE and window.training.last is not None, timeout=LONG)
        window.charts.tick()
        assert window.charts.charts["clip"].isVisible()
        values = window.charts.charts["clip"].values()
        run = window.runflow.shown
        assert run is not None
        told = [event for event in read_events(run) if isinstance(event, events.Clipped)]
        assert values["steps cut.step"].tolist() == [event.step for event in told]
        assert values["steps cut"].max() > 0.5
        assert 0 < values["size kept"].min() < 1
