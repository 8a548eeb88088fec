"""The dialog that makes a run smaller: each control reaches the engine, and what was found is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from engine.examples import load_example
from engine.places import Places
from engine.runtime.restore import load_run
from engine.runtime.session import run as train
from gui.dialogs.compress import CompressDialog
from gui.jobs import Jobs


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    project = load_example("digits-mlp")
    project = replace(project, recipe=project.recipe.with_value("epochs", 2))
    events = list(train(project, runs=folder, places=Places(None, None, folder), device="cpu", threads=1))
    return Path(events[0].run)  # type: ignore[union-attr]


@pytest.fixture
def dialog(qtbot: QtBot, finished: Path) -> Iterator[CompressDialog]:
    jobs = Jobs()
    made = CompressDialog(jobs, finished, Places(None, None, finished.parent))
    qtbot.addWidget(made)
    made.show()
    yield made
    jobs.close()


def test_pruning_shows_figures_and_zeros_of_each_layer(qtbot: QtBot, finished: Path, dialog: CompressDialog) -> None:
    dialog.share.set_value(60)
    dialog.each.set_value(True)
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    assert not dialog.start.isEnabled()
    qtbot.waitUntil(lambda: dialog.layers.topLevelItemCount() > 0, timeout=30_000)
    assert dialog.start.isEnabled()
    names = [dialog.figures.topLevelItem(row).text(0) for row in range(dialog.figures.topLevelItemCount())]
    assert {"loss", "accuracy", "bytes", "ms per batch"} <= set(names)
    model = load_run(finished, "pruned").model
    for row in range(dialog.layers.topLevelItemCount()):
        item = dialog.layers.topLevelItem(row)
        weight = model.get_submodule(item.text(0)).weight
        assert isinstance(weight, torch.Tensor)
        assert int((weight == 0).sum()) == round(0.6 * weight.numel())
        assert "(60%)" in item.text(2)


def test_a_file_is_asked_for_its_name(
    qtbot: QtBot, tmp_path: Path, dialog: CompressDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([("", ""), (str(tmp_path / "half.pt2"), "")])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: next(answers))
    dialog.ways.set_value("half")
    dialog._show_way()
    assert not dialog.share.isVisible()
    dialog.start.click()
    assert dialog.start.isEnabled()
    dialog.start.click()
    qtbot.waitUntil(dialog.banner.isVisible, timeout=60_000)
    assert (tmp_path / "half.pt2").stat().st_size > 0
    assert dialog.figures.isVisible()


def test_what_cannot_be_done_is_told_and_can_be_tried_otherwise(qtbot: QtBot, dialog: CompressDialog) -> None:
    dialog.ways.set_value("recalibrate")
    dialog._show_way()
    assert dialog.start.text() == "Recalibrate"
    dialog.figures.show()  # figures of work before must not stand below a fault
    dialog.start.click()
    qtbot.waitUntil(dialog.banner.isVisible, timeout=30_000)
    assert dialog.start.isEnabled()
    assert not dialog.figures.isVisible()


def test_cancelling_ends_a_long_retraining(qtbot: QtBot, finished: Path, dialog: CompressDialog) -> None:
    dialog.retrain.set_value(5_000)
    dialog.start.click()
    qtbot.wait(500)
    dialog.stop.click()
    qtbot.waitUntil(dialog.start.isEnabled, timeout=30_000)
    assert not dialog.figures.isVisible()
