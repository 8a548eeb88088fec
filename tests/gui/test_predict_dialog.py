"""The dialog that asks a run about a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from engine import edits, wires
from engine.examples import load_example
from engine.places import Places
from engine.runtime.predict import Prediction, predict
from engine.runtime.restore import load_run
from engine.runtime.session import run as train
from gui.dialogs.predict import PredictDialog
from gui.jobs import Jobs
from gui.numbers import number


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    project = load_example("digits-mlp")
    project = replace(project, recipe=project.recipe.with_value("epochs", 2))
    events = list(train(project, runs=folder, places=Places(None, None, folder), device="cpu", threads=1))
    return Path(events[0].run)  # type: ignore[union-attr]


def test_every_class_gets_a_bar_and_its_probability(qtbot: QtBot, finished: Path, tmp_path: Path) -> None:
    file = tmp_path / "digit.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 8), dtype=np.uint8)).save(file)
    jobs = Jobs()
    dialog = PredictDialog(jobs, finished)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.show_file(file)
    qtbot.waitUntil(dialog.table.isVisible, timeout=30_000)
    said = next(iter(predict(load_run(finished), [file])))
    assert isinstance(said, Prediction)
    scores = next(iter(said.answers.values())).scores
    rows = [dialog.table.topLevelItem(row) for row in range(dialog.table.topLevelItemCount())]
    assert [(row.text(0), row.text(2)) for row in rows] == [(name, number(score)) for name, score in scores]
    assert len(rows) == 10
    assert all(dialog.table.itemWidget(row, 1) is not None for row in rows)
    dialog.mc.set_value(True)
    dialog._predict()
    qtbot.waitUntil(dialog.banner.isVisible, timeout=30_000)
    assert not dialog.table.isVisible()
    jobs.close()


def test_with_dropout_the_deviation_of_each_class_is_told(qtbot: QtBot, tmp_path: Path) -> None:
    project = load_example("digits-mlp")
    graph = project.graph
    edge = next(edge for edge in graph.edges if graph.nodes[edge.target].type == "linear")
    graph, drop = edits.add_node(graph, "", "dropout", name="drop", params={"rate": 0.4})
    project = replace(
        project, graph=wires.insert_on_edge(graph, "", edge, drop.id), recipe=project.recipe.with_value("epochs", 1)
    )
    events = list(train(project, runs=tmp_path, places=Places(None, None, tmp_path), device="cpu", threads=1))
    run = Path(events[0].run)  # type: ignore[union-attr]
    file = tmp_path / "digit.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 8), dtype=np.uint8)).save(file)
    jobs = Jobs()
    dialog = PredictDialog(jobs, run)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.mc.set_value(True)
    dialog.show_file(file)
    qtbot.waitUntil(dialog.table.isVisible, timeout=30_000)
    said = next(iter(predict(load_run(run), [file], mc=100)))
    assert isinstance(said, Prediction)
    spread = next(iter(said.answers.values())).deviations
    rows = [dialog.table.topLevelItem(row) for row in range(dialog.table.topLevelItemCount())]
    assert {row.text(0): row.text(3) for row in rows} == {name: f"± {number(item)}" for name, item in spread.items()}
    assert not dialog.table.isColumnHidden(3)
    jobs.close()


def test_a_file_that_cannot_be_read_is_told(qtbot: QtBot, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no image")
    jobs = Jobs()
    dialog = PredictDialog(jobs, finished)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.show_file(tmp_path / "x.png")
    qtbot.waitUntil(dialog.banner.isVisible, timeout=30_000)
    jobs.close()
