"""The charts panel as a person meets it: what is shown, what the mouse does, what comes out as a file."""

from __future__ import annotations

import csv
from itertools import pairwise
from math import nan
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QWheelEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QPushButton

from engine import events
from engine.problem import ProblemError
from engine.timeline import Timeline
from gui.charts.kinds import NAMES, kinds
from gui.charts.overdepth import PAUSE
from gui.charts.panel import DEFAULT, ChartPanel
from gui.charts.state import ChartSeries
from gui.charts.timechart import STILL, TimeChart
from gui.theme import DARK, LIGHT, themes

BASIC = ("loss", "rate", "depth")
"""The charts on show at first of a run that does not clip."""

LAYERS = ("conv_in", *(f"blocks.{copy}.{name}" for copy in range(2) for name in ("norm1", "conv1")), "head.linear")


def run(epochs: int = 4, done: int = 3, steps: int = 50, rate: float = 0.1, fail: bool = False) -> Timeline:
    timeline = Timeline()
    timeline.add(
        events.RunStarted(
            "r", "r", "cpu", 1, 0, epochs, steps, 1600, 100, 10, 10, LAYERS, ("accuracy",), "cross_entropy"
        )
    )
    for step in range(1, done * steps + 1):
        loss = 2.0 * np.exp(-step / 80) + 0.1 * np.sin(step) ** 2 + 0.1
        timeline.add(events.Step(step, (step - 1) // steps + 1, rate, float(loss), (), 900.0, step / 10))
        if step % 10 == 0:
            norms = {layer: 10.0 ** (index - 5) * (1 + step / 1000) for index, layer in enumerate(LAYERS)}
            timeline.add(events.Probed(step, 1, norms, dict.fromkeys(LAYERS, 1.0)))
        if step % steps == 0:
            epoch = step // steps
            figures = {"train_accuracy": 0.5 + epoch / 10, "val_accuracy": 0.4 + epoch / 10}
            timeline.add(events.EpochEnded(epoch, step, 0.5, 0.9 / epoch, rate, 5.0, 900.0, 0.0, figures, best=True))
            timeline.add(events.CheckpointSaved("last", step, epoch))
    timeline.add(events.Edited(60, 2, "recipe.optimizer.lr", 0.1, 0.05, "rate ×0.5 by hand"))
    if fail:
        timeline.add(events.Step(done * steps + 1, done + 1, rate, nan))
    return timeline


@pytest.fixture
def panel(qtbot):
    themes.set_mode("dark")
    made = ChartPanel()
    qtbot.addWidget(made)
    made.resize(816, 216)
    made.show()
    qtbot.waitExposed(made)
    return made


def shown(panel: ChartPanel, *timelines: Timeline) -> ChartPanel:
    panel.show_timelines([ChartSeries(timeline, f"run {row}", row) for row, timeline in enumerate(timelines)])
    QApplication.processEvents()
    return panel


def move(chart: TimeChart, at: QPointF) -> None:
    viewport = chart.plot.viewport()
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, at, viewport.mapToGlobal(at), none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(viewport, event)


def wheel(chart: TimeChart, at: QPointF, turns: int = 1) -> None:
    viewport = chart.plot.viewport()
    event = QWheelEvent(
        at, viewport.mapToGlobal(at), QPoint(), QPoint(0, 120 * turns), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(viewport, event)


def test_every_chart_is_listed_by_the_name_that_it_bears():
    assert tuple(kinds()) == NAMES


def test_without_runs_the_panel_says_what_to_do_and_its_buttons_do_it(panel, qtbot, qtlog):
    assert panel.empty.isVisible()
    train, open_run = panel.empty.findChildren(QPushButton)
    with qtbot.waitSignal(panel.train_requested):
        qtbot.mouseClick(train, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.open_run_requested):
        qtbot.mouseClick(open_run, Qt.MouseButton.LeftButton)
    assert qtlog.records == []


def test_three_charts_show_a_run_in_the_smallest_window(panel, qtlog):
    shown(panel, run())
    visible = [name for name, chart in panel.charts.items() if chart.isVisible()]
    assert visible == list(BASIC)
    assert not panel.empty.isVisible()
    for name in BASIC:
        assert panel.charts[name].plot.frame().rect.width() > 120
    assert panel.grab().size() == panel.size()
    assert qtlog.records == []


def test_a_chart_shows_the_numbers_of_the_timeline(panel):
    timeline = run()
    values = shown(panel, timeline).charts["loss"].values()
    assert values["train, raw"].tolist() == timeline.loss.points()[1].tolist()
    assert values["validation"].tolist() == pytest.approx([0.9, 0.45, 0.3])
    assert values["validation.step"].tolist() == [50, 100, 150]
    assert set(panel.charts["rate"].values()["rate"].tolist()) == {0.1}
    depth = panel.charts["depth"].values()
    assert depth["layer"].tolist() == list(LAYERS)
    assert depth["mean"] == pytest.approx(timeline.depth().mean)


def test_new_events_appear_at_the_next_tick_and_nothing_is_drawn_without_any(panel, monkeypatch):
    timeline = run()
    chart = shown(panel, timeline).charts["loss"]
    drawn = []
    refresh = chart.refresh
    monkeypatch.setattr(chart, "refresh", lambda: (drawn.append(1), refresh()))
    panel.tick()
    assert drawn == []
    timeline.add(events.Step(151, 4, 0.1, 0.123))
    panel.tick()
    assert drawn == [1]
    assert chart.values()["train, raw"][-1] == 0.123


def test_hidden_charts_are_not_drawn(panel, monkeypatch):
    timeline = run()
    shown(panel, timeline).choose(["loss"])
    rate = panel.charts["rate"]
    drawn = []
    refresh = rate.refresh
    monkeypatch.setattr(rate, "refresh", lambda: (drawn.append(1), refresh()))
    timeline.add(events.Step(151, 4, 0.01, 0.2))
    panel.tick()
    assert drawn == []
    panel.choose(["loss", "rate"])
    assert drawn
    assert rate.values()["rate"][-1] == 0.01


def test_the_time_axis_spans_the_whole_plan_in_every_unit(panel, qtbot):
    shown(panel, run(epochs=4, steps=50))
    loss = panel.charts["loss"]
    for index, (unit, end) in enumerate([("epoch", 4.0), ("step", 200.0), ("seconds", 20.0)]):
        panel.axis_choice.setCurrentIndex(index)
        panel.axis_choice.activated.emit(index)
        low, high = loss.plot.view.viewRange()[0]
        assert (low, high) == pytest.approx((0.0, end), abs=1e-6)
        assert loss.plot.time_axis.unit == unit


@pytest.mark.parametrize("width", [640, 816, 1140, 1560])
def test_tick_labels_never_touch_each_other_or_the_unit(panel, width):
    from gui.charts import text

    shown(panel, run(epochs=300)).resize(width, 216)
    QApplication.processEvents()
    for name in ("loss", "rate"):
        plot = panel.charts[name].plot
        low, high = plot.view.viewRange()[0]
        wide = plot.time_axis.size().width()
        places = [
            (wide * tick.at / high - text.width(tick.label) / 2, wide * tick.at / high + text.width(tick.label) / 2)
            for tick in plot.time_axis.ticks(low, high, wide)
        ]
        assert len(places) > 1
        assert all(after[0] - before[1] >= 8 for before, after in pairwise(places))
        height = plot.view.rect().height()
        low, high = plot.view.viewRange()[1]
        rows = sorted(height * (high - tick.at) / (high - low) for tick in plot.value_axis.ticks)
        assert len(rows) > 1
        assert np.diff(rows).min() >= 12


def test_the_range_of_values_grows_in_steps_and_never_shrinks(panel):
    timeline = run()
    chart = shown(panel, timeline).charts["loss"]
    before = chart.range.current((0, 0))
    timeline.add(events.Step(151, 4, 0.1, 1.0))
    panel.tick()
    assert chart.range.current((0, 0)) == before
    timeline.add(events.Step(152, 4, 0.1, 55.0))
    panel.tick()
    assert chart.range.high == pytest.approx(np.log10(60))
    timeline.add(events.RunResumed(150, 3, 4, 50))
    panel.tick()
    assert chart.range.high == pytest.approx(np.log10(60))


def test_the_wheel_zooms_every_chart_over_time_and_a_double_click_fits(panel, qtbot):
    shown(panel, run())
    loss, rate = panel.charts["loss"], panel.charts["rate"]
    wheel(loss, QPointF(loss.plot.frame().rect.center()), 3)
    low, high = loss.plot.view.viewRange()[0]
    assert 0 < low < high < 4
    assert rate.plot.view.viewRange()[0] == pytest.approx([low, high])
    place = loss.plot.frame().rect.center().toPoint()
    qtbot.mouseDClick(loss.plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert rate.plot.view.viewRange()[0] == pytest.approx([0, 4])


def test_dragging_pans_a_zoomed_chart(panel, qtbot):
    shown(panel, run())
    chart = panel.charts["loss"]
    place = chart.plot.frame().rect.center().toPoint()
    wheel(chart, QPointF(place), 5)
    before = chart.plot.view.viewRange()[0]
    viewport = chart.plot.viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=place)
    left = Qt.MouseButton.LeftButton
    for offset in (15, 30, 45):
        at = QPointF(place.x() - offset, place.y())
        event = QMouseEvent(
            QEvent.Type.MouseMove, at, viewport.mapToGlobal(at), left, left, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(viewport, event)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=place - QPoint(45, 0))
    after = chart.plot.view.viewRange()[0]
    assert after[0] > before[0]
    assert after[1] - after[0] == pytest.approx(before[1] - before[0])


def test_the_crosshair_takes_the_depth_chart_to_its_step(panel):
    timeline = run()
    shown(panel, timeline)
    loss, depth = panel.charts["loss"], panel.charts["depth"]
    frame = loss.plot.frame()
    move(loss, QPointF(float(frame.x(1.0)), frame.rect.center().y()))
    assert panel.state.pointer == pytest.approx(50, abs=2)
    assert depth.values()["mean"] == pytest.approx(timeline.depth_at(panel.state.pointer).mean)
    assert "step" in depth.subtitle()
    QApplication.sendEvent(loss.plot, QEvent(QEvent.Type.Leave))
    assert panel.state.pointer is None
    assert depth.values()["mean"] == pytest.approx(timeline.depth().mean)


def test_several_runs_share_a_chart_with_a_colour_and_a_name_each(panel):
    panel.resize(1560, 300)
    first, second = run(), run(done=2, rate=0.01)
    panel.show_timelines([ChartSeries(first, "wide", 3), ChartSeries(second, "from scratch", 0, baseline=True)])
    QApplication.processEvents()
    entries = panel.charts["loss"].entries()
    assert [entry.name for entry in entries] == ["wide", "from scratch"]
    assert [entry.curve.color for entry in entries] == ["series.3", "baseline"]
    assert entries[1].curve.dash is not None
    assert entries[1].value == "0.450"
    assert set(panel.charts["rate"].values()) >= {"wide: rate", "from scratch: rate"}


def test_the_plan_is_drawn_beyond_what_is_done(panel):
    shown(panel, run())
    panel.set_plan([(0, 0.1), (200, 1e-3)], unedited=[(60, 0.2), (200, 2e-3)])
    values = panel.charts["rate"].values()
    assert values["planned.step"].tolist() == [0, 200]
    assert values["without edits"].tolist() == [0.2, 2e-3]


def test_the_depth_chart_ends_in_a_sentence(panel):
    shown(panel, run())
    depth = panel.charts["depth"]
    assert depth.verdict.level == "warning"
    assert "vanish" in depth.verdict.title
    assert "weakest conv_in" in depth.toolTip()
    failed = run(fail=True)
    shown(panel, failed)
    assert depth.verdict.level == "error"


def test_the_scale_of_the_depth_chart_widens_and_never_narrows(panel, monkeypatch):
    monkeypatch.setattr("gui.charts.overdepth.PAUSE", 0.0)
    timeline = run()
    depth = shown(panel, timeline).charts["depth"]
    timeline.add(events.Probed(151, 4, dict.fromkeys(LAYERS, 3e-9), {}))
    panel.tick()
    assert depth.domain == (-9.0, 1.0)
    for step in range(152, 260):
        timeline.add(events.Probed(step, 4, dict.fromkeys(LAYERS, 0.1), {}))
    panel.tick()
    assert depth.domain == (-9.0, 1.0)


def test_a_metric_is_chosen_from_those_that_the_run_carries(panel):
    panel.choose(["metric", "gradient", "speed"])
    shown(panel, run())
    assert panel.charts["metric"].title() == "Accuracy"
    assert panel.charts["metric"].values()["validation"].tolist() == pytest.approx([0.5, 0.6, 0.7])
    assert set(panel.charts["gradient"].values()) >= {"head.linear", "conv_in"}
    assert panel.charts["speed"].values()["speed"] == pytest.approx(np.full(150, 900.0))


def test_linear_scale_and_smoothing_are_in_the_menu(panel):
    shown(panel, run())
    chart = panel.charts["loss"]
    menu = chart.build_menu()
    log = next(action for action in menu.actions() if action.isCheckable())
    assert log.isChecked()
    log.trigger()
    assert not chart.log
    assert chart.plot.view.viewRange()[1][0] == 0.0
    smoothing = next(action.menu() for action in menu.actions() if action.menu())
    before = chart.values()["train"]
    next(action for action in smoothing.actions() if not action.isChecked()).trigger()
    QApplication.processEvents()
    assert panel.state.smoothing == "off"
    assert "train" not in chart.values()
    assert len(before)


def test_a_chart_is_written_as_picture_drawing_and_table(panel, tmp_path: Path, qtlog):
    shown(panel, run())
    for name in BASIC:
        chart = panel.charts[name]
        panel.export(name, tmp_path / f"{name}.png")
        assert QImage(str(tmp_path / f"{name}.png")).size() == chart.size() * 2
        panel.export(name, tmp_path / f"{name}.svg")
        assert QSvgRenderer(str(tmp_path / f"{name}.svg")).isValid()
        assert "<polyline" in (tmp_path / f"{name}.svg").read_text() or name == "depth"
        panel.export(name, tmp_path / f"{name}.csv")
        rows = list(csv.DictReader((tmp_path / f"{name}.csv").read_text().splitlines()))
        assert list(rows[0]) == list(chart.values())
    loss = list(csv.DictReader((tmp_path / "loss.csv").read_text().splitlines()))
    assert float(loss[2]["validation"]) == pytest.approx(0.3)
    assert loss[3]["validation"] == ""
    assert qtlog.records == []


def test_an_export_that_cannot_be_written_says_why(panel, tmp_path: Path):
    shown(panel, run())
    with pytest.raises(ProblemError, match="png, svg or csv"):
        panel.export("loss", tmp_path / "loss.gif")
    with pytest.raises(ProblemError, match="cannot be written"):
        panel.export("loss", tmp_path / "missing" / "loss.png")
    assert not list(tmp_path.rglob("loss*"))


def test_the_theme_changes_while_charts_are_shown(panel):
    shown(panel, run())
    assert panel.grab().toImage().pixelColor(2, 210).name() == DARK.panel.lower()
    themes.set_mode("light")
    QApplication.processEvents()
    image = panel.grab().toImage()
    assert image.pixelColor(2, 210).name() == LIGHT.panel.lower()
    assert panel.charts["loss"].grab().toImage().pixelColor(4, 150).name() == LIGHT.panel.lower()
    themes.set_mode("dark")


def test_the_charts_on_show_are_chosen_in_a_menu(panel, qtbot):
    shown(panel, run())
    menu = panel.chart_choice.menu()
    menu.aboutToShow.emit()
    words = {action.text(): action for action in menu.actions()}
    assert [text for text, action in words.items() if action.isChecked()] == [
        "Loss", "Learning rate", "Gradient flow over depth",
    ]  # fmt: skip
    with qtbot.waitSignal(panel.choice_changed):
        words["Speed"].trigger()
    narrow = tuple(name for name in DEFAULT if name != "activations")
    assert panel.chosen == (*narrow, "speed")
    assert panel.charts["speed"].isVisible()
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == "Activations over depth").trigger()
    assert panel.charts["activations"].isVisible(), "asked for, it stands there however narrow"


def test_activations_stand_beside_the_others_where_there_is_room(panel):
    shown(panel, run())
    assert "activations" not in panel.charts
    panel.resize(1400, 216)
    panel.tick()
    assert panel.charts["activations"].isVisible()
    panel.resize(900, 216)
    panel.tick()
    assert not panel.charts["activations"].isVisible()


def test_a_title_bar_may_take_the_choices(panel):
    corner = panel.take_corner()
    assert corner.parent() is None
    assert corner.isAncestorOf(panel.axis_choice)
    corner.deleteLater()


def test_showing_nothing_again_brings_the_empty_state_back(panel):
    shown(panel, run())
    panel.show_timelines([])
    assert panel.empty.isVisible()


def test_the_depth_chart_follows_a_run_a_few_times_a_second_and_its_end_at_once(panel, monkeypatch):
    timeline = run(epochs=10, done=3)
    depth = shown(panel, timeline).charts["depth"]
    now = [monotonic() + 10]
    monkeypatch.setattr("gui.charts.overdepth.monotonic", lambda: now[0])
    painted: list[int] = []
    refresh = depth.refresh
    monkeypatch.setattr(depth, "refresh", lambda: (painted.append(timeline.step), refresh()))

    def tick(step: int) -> None:
        timeline.add(events.Probed(step, 4, dict.fromkeys(LAYERS, 0.1), {}))
        timeline.add(events.Step(step, 4, 0.1, 0.3))
        depth.tick()

    for step in (151, 152, 153):
        tick(step)
    assert painted == [151]
    now[0] += PAUSE
    tick(154)
    assert painted == [151, 154]
    timeline.add(events.RunEnded("completed", "", 154, 4, {}, None))
    depth.tick()
    assert painted == [151, 154, 154]


def test_a_chart_that_would_look_the_same_is_not_painted_again(panel, monkeypatch):
    """A long training creeps along its plan: curves move by a pixel every few seconds, and painting costs it speed."""
    timeline = run(epochs=10_000, done=3)
    chart = shown(panel, timeline).charts["loss"]
    now = [monotonic() + 10]
    monkeypatch.setattr("gui.charts.timechart.monotonic", lambda: now[0])
    painted: list[int] = []
    refresh = chart.refresh
    monkeypatch.setattr(chart, "refresh", lambda: (painted.append(timeline.step), refresh()))
    timeline.add(events.Step(151, 4, 0.1, 0.3))
    chart.tick()
    painted.clear()
    for step in range(152, 160):
        timeline.add(events.Step(step, 4, 0.1, 0.3))
        chart.tick()
    assert painted == []
    now[0] += STILL
    chart.tick()
    assert painted == [159]
    chart.tick()
    assert painted == [159]
    timeline.add(events.EpochEnded(4, 160, 0.5, 0.2, 0.1, 5.0, 900.0, 0.0, {"val_accuracy": 0.9}))
    chart.tick()
    assert len(painted) == 2
    assert chart.values()["validation"][-1] == pytest.approx(0.2)
    timeline.add(events.Step(161 + 50 * 400, 404, 0.1, 0.3))
    chart.tick()
    assert len(painted) == 3
