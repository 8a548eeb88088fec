"""Freezing by key, menu and inspector: the look of boxes, what trains, undo, and a training that leaves it alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.analysis import Analysis
from engine.edits import set_param
from engine.examples import load_example
from engine.runtime import checkpoint
from engine.runtime.build import build
from gui import freezing
from gui.canvas.menus import menu_for
from gui.panels.inspector_frozen import FrozenRow
from gui.window import MainWindow
from tests.gui.helpers import opened_window, press_keys, wait_for_check, world

CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
CTRL_ALT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    with opened_window(qtbot, tmp_path, monkeypatch) as made:
        wait_for_check(qtbot, made)
        yield made


def frozen(window: MainWindow) -> str:
    return str(window.document.project.recipe.get("frozen"))


def checked(qtbot: QtBot, window: MainWindow) -> Analysis:
    return wait_for_check(qtbot, window)


def test_a_key_freezes_what_is_selected_and_lets_it_train_again(qtbot: QtBot, window: MainWindow) -> None:
    at = world(window)
    window.canvas.setFocus()
    window.document.selection.select([at.key("hidden1"), at.key("relu1")])
    press_keys(window, Qt.Key.Key_K, CTRL_SHIFT)
    assert frozen(window) == "hidden1"
    checked(qtbot, window)
    assert (at.box("hidden1").frozen, at.box("relu1").frozen, at.box("hidden2").frozen) == ("all", "", "")
    assert "2,410 train, 4,160 frozen" in window.status.totals.text()
    press_keys(window, Qt.Key.Key_K, CTRL_SHIFT)
    checked(qtbot, window)
    assert (frozen(window), at.box("hidden1").frozen) == ("", "")
    assert "all training" in window.status.totals.text()
    window.document.undo()
    assert frozen(window) == "hidden1"
    assert window.document.undo_label == "Freeze hidden1"


def test_everything_below_a_layer_is_frozen_and_all_let_go(qtbot: QtBot, window: MainWindow) -> None:
    at = world(window)
    window.canvas.setFocus()
    window.document.selection.select([at.key("hidden2")])
    press_keys(window, Qt.Key.Key_K, CTRL_ALT)
    assert frozen(window) == "hidden1, hidden2"
    checked(qtbot, window)
    window.actions_["unfreeze_all"].trigger()
    assert frozen(window) == ""


def test_a_block_shows_half_a_flake_and_its_menu_freezes_the_rest(qtbot: QtBot, window: MainWindow) -> None:
    window.document.adopt(load_example("digits-cnn"))
    checked(qtbot, window)
    at = world(window)
    window.document.edit("x", lambda p: p.with_recipe(p.recipe.with_value("frozen", "features.conv1")))
    checked(qtbot, window)
    box = at.box("features")
    assert box.frozen == "some"
    assert [row.frozen for row in box.rows if row.node.type == "conv2d"] == ["all", ""]
    menu = menu_for(window.canvas, box.rect.center())
    entry = next(action for action in menu.actions() if action.text().startswith("Freeze\t"))
    entry.trigger()
    assert frozen(window) == "features"
    checked(qtbot, window)
    assert at.box("features").frozen == "all"
    menu = menu_for(window.canvas, box.rect.center())
    assert any(action.text().startswith("Unfreeze") for action in menu.actions())


def test_the_inspector_says_it_and_its_box_changes_it(qtbot: QtBot, window: MainWindow) -> None:
    at = world(window)
    window.docks.reveal("inspector")
    window.document.selection.select([at.key("relu1")])
    row = window.inspector.findChild(FrozenRow)
    assert row is not None
    assert not row.isVisible(), "what has no weights cannot be frozen"
    window.document.selection.select([at.key("hidden1")])
    window.document.edit_graph(
        "norm", lambda graph: set_param(graph, *at.key("hidden1"), "normalization", {"type": "batch_norm"})
    )
    checked(qtbot, window)
    row = window.inspector.findChild(FrozenRow)
    assert row is not None
    QTest.mouseClick(row.check, Qt.MouseButton.LeftButton, pos=row.check.rect().center())
    assert frozen(window) == "hidden1"
    checked(qtbot, window)
    assert row.check.isChecked()
    assert row.words.text() == "statistics held"
    assert at.box("hidden1").frozen == "held"


def test_a_strategy_is_one_change_that_the_canvas_shows(qtbot: QtBot, window: MainWindow) -> None:
    at, before = world(window), window.document.project
    menu = freezing.strategy_menu(window.document, window)
    next(action for action in menu.actions() if action.text().startswith("Freeze, then")).trigger()
    checked(qtbot, window)
    assert len(window.document.project.recipe.get("phases")) == 2
    assert (at.box("hidden1").frozen, at.box("digits").frozen) == ("all", "")
    window.actions_["unfreeze_all"].trigger()
    assert [item["frozen"] for item in window.document.project.recipe.get("phases")] == ["", ""]
    window.document.undo()
    window.document.undo()
    assert window.document.project == before


def test_a_training_leaves_what_is_frozen_as_it_was(qtbot: QtBot, window: MainWindow) -> None:
    window.document.edit("x", lambda p: p.with_recipe(
        p.recipe.with_value("frozen", "hidden1").with_value("epochs", 2).with_value("batch_size", 256)
    ))  # fmt: skip
    checked(qtbot, window)
    window.runflow.train()
    qtbot.waitUntil(lambda: window.training.timeline.outcome is not None, timeout=60_000)
    assert window.training.timeline.run is not None
    last = checkpoint.load(Path(window.training.timeline.run.run) / "checkpoints", "last")
    assert last is not None
    torch.manual_seed(window.document.project.recipe.seed)
    first = build(window.document.project).model.state_dict()
    assert torch.equal(first["hidden1.weight"], last.weights["hidden1.weight"])
    assert not torch.equal(first["hidden2.weight"], last.weights["hidden2.weight"])
    assert "hidden1" not in window.training.timeline.gradients
    assert "hidden2" in window.training.timeline.gradients
