"""The chart of activations over depth, and what the inspector tells of a layer's results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from engine import events
from engine.examples import load_example
from engine.runtime.activity import figures
from engine.timeline import Timeline
from gui.charts.activations import FAR, ActivationsChart
from gui.charts.panel import ChartPanel
from gui.charts.state import ChartSeries
from gui.theme import color, themes
from tests.gui.helpers import LONG, opened_window, press


@pytest.fixture
def panel(qtbot: QtBot) -> ChartPanel:
    made = ChartPanel()
    qtbot.addWidget(made)
    made.resize(600, 240)
    made.show()
    qtbot.waitExposed(made)
    made.choose(("activations",))
    return made


def layer(deviation: float, *, activation: bool = True, dead: int = 0, seed: int = 0) -> dict[str, object]:
    values = torch.randn(64, 20, generator=torch.Generator().manual_seed(seed)) * deviation
    values[:, :dead] = 0.0
    return figures(values) | ({"activation": True, "flat": 0.25, "saturates": False} if activation else {})


def line(*told: dict[str, dict[str, object]]) -> Timeline:
    found = Timeline()
    found.add(events.RunStarted("r", "r", "cpu", 1, 0, 9, 100, 640, 100, 10, 10, ("fc",)))
    for index, layers in enumerate(told):
        found.add(events.Activated(100 * index, index + 1, 64, layers))
        found.add(events.Step(100 * index + 1, index + 1, 0.1, 0.5, (), 900.0, 1.0 + index))
    return found


def shown(panel: ChartPanel, *told: dict[str, dict[str, object]]) -> ActivationsChart:
    panel.show_timelines([ChartSeries(line(*told), "one", 0)])
    QApplication.processEvents()
    chart = panel.charts["activations"]
    assert isinstance(chart, ActivationsChart)
    assert chart.isVisible()
    return chart


def test_activations_stand_side_by_side_and_all_layers_can_be_chosen(panel: ChartPanel) -> None:
    chart = shown(panel, {"fc": layer(1.0, activation=False), "act1": layer(1.0), "act2": layer(0.5)})
    assert chart.layers == ("act1", "act2")
    assert chart.verdict.title == "Every activation is alive"
    chart.choose("all")
    assert chart.layers == ("fc", "act1", "act2")
    assert list(chart.values()["std"]) == pytest.approx([1.0, 1.0, 0.5], rel=0.1)
    assert "64 samples" in chart.subtitle()


def test_without_activations_every_layer_is_shown(panel: ChartPanel) -> None:
    chart = shown(panel, {"fc": layer(1.0, activation=False), "out": layer(1.0, activation=False)})
    assert chart.layers == ("fc", "out")


def test_the_crosshair_leads_back_to_an_earlier_epoch(panel: ChartPanel) -> None:
    chart = shown(panel, {"act": layer(1.0)}, {"act": layer(3.0)}, {"act": layer(5.0)})
    assert chart.values()["std"][0] == pytest.approx(5.0, rel=0.1)
    panel.state.point_at(150.0)
    assert chart.values()["std"][0] == pytest.approx(3.0, rel=0.1)
    assert "step 100" in chart.subtitle()
    panel.state.point_at(None)
    assert chart.values()["std"][0] == pytest.approx(5.0, rel=0.1)


def test_one_layer_far_out_does_not_flatten_the_others(panel: ChartPanel) -> None:
    chart = shown(panel, {"a": layer(1.0), "b": layer(1.0), "c": layer(1e6)})
    low, high = chart.plot.view.viewRange()[1]
    assert high - low < 3 * FAR
    assert (chart.verdict.level, chart.verdict.title) == ("warning", "The signal grows with depth")


def test_a_layer_with_dead_units_is_red_and_told(panel: ChartPanel) -> None:
    chart = shown(panel, {"a": layer(1.0), "b": layer(1.0, dead=5)})
    assert chart.verdict.title == "25% of b is dead"
    picture = chart.plot.grab().toImage()
    hue = color("error").hueF()

    def reds(first: int, last: int) -> int:
        pixels = (picture.pixelColor(x, y) for x in range(first, last, 2) for y in range(0, picture.height() - 45, 2))
        return sum(abs(one.hueF() - hue) < 0.03 and one.saturationF() > 0.35 for one in pixels)

    middle = picture.width() // 2
    assert reds(middle, picture.width()) > 50
    assert reds(60, middle - 20) == 0


def test_the_card_below_the_pointer_says_the_figures(panel: ChartPanel) -> None:
    chart = shown(panel, {"a": layer(1.0), "b": layer(1.0, dead=5)})
    words = [text for text, _ in chart.card(1)]
    assert words[0] == "b"
    assert words[2] == "5 dead of 20 · 25% of slopes below 0.01"
    before = chart.plot.grab().toImage()
    frame = chart.plot.frame()
    QTest.mouseMove(chart.plot.viewport(), QPoint(round(float(frame.x(1.0))), round(frame.rect.center().y())))
    chart._hover(frame.rect.center())
    assert chart.plot.grab().toImage() != before


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_numbers_that_broke_and_single_values_are_painted(panel: ChartPanel, theme: str) -> None:
    themes.set_mode(theme)
    broken = figures(torch.full((8, 4), float("nan"))) | {"activation": True}
    chart = shown(panel, {"a": layer(1.0), "b": broken, "c": figures(torch.zeros(8, 4)) | {"activation": True}})
    assert chart.verdict.level == "error"
    assert not chart.grab().toImage().isNull()
    assert np.isfinite(chart.plot.view.viewRange()).all()


def test_a_run_without_measurements_says_when_there_are_some(panel: ChartPanel) -> None:
    chart = shown(panel, {})
    assert chart.layers == ()
    assert chart.subtitle() == "64 samples, evaluation mode, step 0"


def test_a_training_fills_the_chart_and_the_inspector(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = load_example("digits-mlp")
    project = project.with_recipe(project.recipe.with_value("epochs", 3))
    with opened_window(qtbot, tmp_path, monkeypatch, project=project) as window:
        window.charts.choose(("loss", "activations"))
        press(window.toolbar.run_controls.train)
        qtbot.waitUntil(lambda: window.training.active, timeout=LONG)
        qtbot.waitUntil(lambda: not window.training.active, timeout=LONG)
        chart = window.charts.charts["activations"]
        assert isinstance(chart, ActivationsChart)
        qtbot.waitUntil(lambda: chart.layers == ("relu1", "relu2"), timeout=5000)
        window.document.selection.select([("", "relu1")])
        window.docks.reveal("inspector")
        labels = [label.text() for label in window.inspector.findChildren(QLabel) if label.isVisible()]
        assert "Output σ" in labels
        assert "Gradient norm" not in labels, "an activation has no weights"
        window.document.selection.select([("", "hidden1")])
        labels = [label.text() for label in window.inspector.findChildren(QLabel) if label.isVisible()]
        assert {"Output σ", "Gradient norm", "Dead units"} <= set(labels)
