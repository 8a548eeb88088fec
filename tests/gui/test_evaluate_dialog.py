from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine import edits, wires
from engine.examples import load_example
from engine.places import Places
from engine.runtime.session import run as train
from gui.dialogs.evaluate import EvaluateDialog
from gui.jobs import Jobs
from gui.widgets.matrix import ConfusionMatrix


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    project = load_example("digits-mlp")
    project = replace(project, recipe=project.recipe.with_value("epochs", 2))
    events = list(train(project, runs=folder, places=Places(None, None, folder), device="cpu", threads=1))
    return Path(events[0].run)  # type: ignore[union-attr]


def test_a_run_is_evaluated_on_the_split_that_is_chosen(qtbot: QtBot, finished: Path) -> None:
    jobs = Jobs()
    dialog = EvaluateDialog(jobs, finished, Places(None, None, finished.parent))
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: "359 samples" in dialog.figures.text(), timeout=30_000)
    assert "accuracy" in dialog.figures.text()
    assert dialog.table.topLevelItemCount() == 10
    counted = sum(int(dialog.table.topLevelItem(row).text(4)) for row in range(10))
    assert counted == 359
    qtbot.mouseClick(dialog.splits.segment(2), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "1,438 samples" in dialog.figures.text(), timeout=30_000)
    qtbot.mouseClick(dialog.splits.segment(1), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(dialog.banner.isVisible, timeout=30_000)
    assert not dialog.matrix.isVisible()
    jobs.cancel_all()


def test_mc_dropout_stands_beside_the_plain_figures(qtbot: QtBot, tmp_path: Path) -> None:
    project = load_example("digits-mlp")
    graph = project.graph
    edge = next(edge for edge in graph.edges if graph.nodes[edge.target].type == "linear")
    graph, drop = edits.add_node(graph, "", "dropout", name="drop", params={"rate": 0.4})
    project = replace(project, graph=wires.insert_on_edge(graph, "", edge, drop.id))
    recipe = project.recipe.with_value("epochs", 2)
    recipe = recipe.with_value("callbacks", ({"type": "checkpoint", "every": 1},))
    events = list(
        train(project.with_recipe(recipe), runs=tmp_path, places=Places(None, None, tmp_path), device="cpu", threads=1)
    )
    jobs = Jobs()
    dialog = EvaluateDialog(jobs, Path(events[0].run), Places(None, None, tmp_path))  # type: ignore[union-attr]
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: "359 samples" in dialog.figures.text(), timeout=30_000)
    assert "passes" not in dialog.figures.text()
    assert not dialog.passes.isEnabled()
    qtbot.mouseClick(dialog.mc, Qt.MouseButton.LeftButton, pos=QPoint(8, dialog.mc.height() // 2))
    qtbot.waitUntil(lambda: "mean of 100 passes" in dialog.figures.text(), timeout=30_000)
    plain, many = dialog.figures.text().split("<br>")
    assert "accuracy" in plain
    assert "accuracy" in many
    assert "deviation" in many
    assert dialog.checkpoints.count() >= 3
    dialog.checkpoints.setCurrentIndex(dialog.checkpoints.count() - 1)
    dialog.checkpoints.activated.emit(dialog.checkpoints.count() - 1)
    qtbot.waitUntil(lambda: not jobs.busy, timeout=30_000)
    assert not dialog.banner.isVisible()
    jobs.close()


def test_a_network_without_dropout_says_so(qtbot: QtBot, finished: Path) -> None:
    jobs = Jobs()
    dialog = EvaluateDialog(jobs, finished, Places(None, None, finished.parent))
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.mc.click()
    qtbot.waitUntil(dialog.banner.isVisible, timeout=30_000)
    dialog.mc.click()
    qtbot.waitUntil(lambda: "359 samples" in dialog.figures.text(), timeout=30_000)
    assert not dialog.banner.isVisible()
    jobs.close()


def test_a_cell_of_the_matrix_says_its_count_in_words(qtbot: QtBot) -> None:
    matrix = ConfusionMatrix()
    qtbot.addWidget(matrix)
    matrix.resize(400, 300)
    matrix.show_counts(["ants", "bees"], [[7, 3], [1, 9]])
    found = {matrix.words_at(QPoint(x, y)) for x in range(0, 400, 5) for y in range(0, 300, 5)}
    assert "3 of 10 samples of ants are called bees" in found
    assert "9 of 10 samples of bees are called bees" in found
    assert "" in found
    assert len(found) == 5
