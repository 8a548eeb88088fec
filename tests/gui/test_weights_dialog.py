"""The dialog that opens weights: what it shows, what it takes, and that the project changes by one edit only."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from engine.examples import load_example
from engine.projectfile import read_project
from engine.runtime import load_weights
from engine.runtime.build import build
from engine.runtime.own_weights import fill_own
from engine.runtime.randomness import guarded
from engine.weightfile import beside
from engine.weightmatch import DIFFERS
from gui.dialogs.weights import STATUSES, WeightsDialog
from gui.document import Document
from gui.jobs import Jobs
from gui.window import MainWindow
from tests.gui.helpers import opened_window, own_home, press, press_keys, wait_for_check, write

MLP = load_example("digits-mlp")


def donor(seed: int = 5) -> dict[str, torch.Tensor]:
    with guarded(seed):
        return dict(build(MLP).model.state_dict())


def saved(path: Path, tensors: object) -> Path:
    torch.save(tensors, path)
    return path


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Document]:
    with own_home(tmp_path / "home", monkeypatch):
        made = Document()
        made.adopt(MLP)
        yield made


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.close()


def opened(qtbot: QtBot, document: Document, jobs: Jobs, file: Path) -> WeightsDialog:
    dialog = WeightsDialog(document, jobs, file)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: not dialog.stop.isEnabled(), timeout=60_000)
    return dialog


def test_what_fits_is_shown_and_taken_by_a_press_and_undo_takes_it_back(
    qtbot: QtBot, document: Document, jobs: Jobs, tmp_path: Path
) -> None:
    dialog = opened(qtbot, document, jobs, saved(tmp_path / "net.pth", {"state_dict": donor()}))
    assert "All 6 tensors" in dialog.banner.title.text()
    assert "'state_dict'" in dialog.banner.text.text()
    assert [row.own for row in dialog.table.shown()] == list(donor())
    assert not dialog.partial.isVisible()
    assert not dialog.parts.isVisible()
    assert document.project.weights is None
    with qtbot.waitSignal(dialog.loaded, timeout=30_000):
        press(dialog.load)
    assert not dialog.isVisible()
    assert document.undo_label == "Open weights"
    with guarded(1):
        model = build(replace(document.project, weights=None)).model
    fill_own(model, document.project)
    assert all(torch.equal(model.state_dict()[key], value) for key, value in donor().items())
    document.undo()
    assert document.project.weights is None
    document.redo()
    assert document.project.weights is not None


def test_a_new_head_is_loaded_in_part_only_when_asked(
    qtbot: QtBot, document: Document, jobs: Jobs, tmp_path: Path
) -> None:
    tensors = {**donor(), "digits.weight": torch.zeros(100, 32), "digits.bias": torch.zeros(100)}
    dialog = opened(qtbot, document, jobs, saved(tmp_path / "net.pt", tensors))
    assert "4 tensors fit; 2 of another shape" in dialog.banner.title.text()
    assert not dialog.load.isEnabled()
    press(dialog.filter.segment(STATUSES.index(DIFFERS)))
    assert [row.own for row in dialog.table.shown()] == ["digits.weight", "digits.bias"]
    assert "100 × 32" in str(dialog.table.model().index(0, 4).data())
    assert dialog.filter.segment(STATUSES.index(DIFFERS)).text() == "Differ 2"
    dialog.partial.click()
    assert dialog.load.isEnabled()
    with qtbot.waitSignal(dialog.loaded, timeout=30_000):
        press_keys(dialog, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
    assert document.project.weights is not None
    assert document.project.weights.partial


def test_searching_narrows_the_rows_and_esc_clears_then_closes(
    qtbot: QtBot, document: Document, jobs: Jobs, tmp_path: Path
) -> None:
    dialog = opened(qtbot, document, jobs, saved(tmp_path / "net.pt", {f"module.{k}": v for k, v in donor().items()}))
    write(dialog.search, "hidden2", enter=False)
    assert [row.own for row in dialog.table.shown()] == ["hidden2.weight", "hidden2.bias"]
    assert dialog.table.shown()[0].theirs == "module.hidden2.weight"
    dialog.table.selectAll()
    dialog.table.setFocus()
    press_keys(dialog.table, Qt.Key.Key_C)
    assert "hidden2.bias\t32\tmodule.hidden2.bias" in QApplication.clipboard().text()
    dialog.search.setFocus()
    press_keys(dialog.search, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    assert len(dialog.table.shown()) == 6
    press_keys(dialog.search, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    assert not dialog.isVisible()
    assert document.project.weights is None


def test_another_part_and_another_file_can_be_chosen(
    qtbot: QtBot, document: Document, jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    average = {key: value.half() for key, value in donor().items()}
    dialog = opened(qtbot, document, jobs, saved(tmp_path / "two.pt", {"model": donor(), "model_ema": average}))
    assert dialog.parts.isVisible()
    dialog.parts.set_value("model_ema")
    dialog.parts.committed.emit("model_ema")
    qtbot.waitUntil(lambda: "float16" in dialog.banner.text.text(), timeout=30_000)
    assert dialog.parts.value() == "model_ema"
    other = saved(tmp_path / "whole.pt", torch.nn.Linear(2, 2))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(other), ""))
    press(dialog.browse)
    qtbot.waitUntil(lambda: "would run code" in dialog.banner.title.text(), timeout=30_000)
    assert dialog.file.text() == "whole.pt"
    assert "state_dict()" in dialog.banner.text.text()
    assert dialog.table.shown() == []
    assert not dialog.load.isEnabled()


def test_weights_paired_by_order_are_told_as_a_proposal(
    qtbot: QtBot, document: Document, jobs: Jobs, tmp_path: Path
) -> None:
    names = {"hidden1": "a", "hidden2": "b", "digits": "c"}
    tensors = {f"{names[key.split('.')[0]]}.{key.split('.')[1]}": value for key, value in donor().items()}
    dialog = opened(qtbot, document, jobs, saved(tmp_path / "net.pt", tensors))
    assert "look whether they belong together" in dialog.banner.text.text()
    assert dialog.load.isEnabled()


def test_cancelling_and_closing_leave_the_project_alone(
    qtbot: QtBot, document: Document, jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    real = load_weights.read_weights

    def slow(*arguments: object, **more: object) -> object:
        go.wait(10)
        return real(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(load_weights, "read_weights", slow)
    dialog = WeightsDialog(document, jobs, saved(tmp_path / "net.pt", donor()))
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.load.isEnabled()
    press(dialog.stop)
    go.set()
    qtbot.waitUntil(lambda: not dialog.stop.isEnabled(), timeout=30_000)
    assert dialog.match is None
    assert not dialog.load.isEnabled()
    press(dialog.close_button)
    assert not dialog.isVisible()
    assert document.project.weights is None


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    with opened_window(qtbot, tmp_path / "home", monkeypatch) as made:
        yield made


def test_a_file_dropped_on_the_window_is_loaded_saved_undone_and_told_in_the_recipe(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    file = saved(tmp_path / "net.pth", donor())
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    actions = Qt.DropAction.CopyAction
    window.dropEvent(
        QDropEvent(QPointF(400, 300), actions, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    )
    dialog = window.findChild(WeightsDialog)
    assert isinstance(dialog, WeightsDialog)
    qtbot.waitUntil(dialog.load.isEnabled, timeout=60_000)
    with qtbot.waitSignal(dialog.loaded, timeout=30_000):
        press(dialog.load)
    assert "net.pth" in window.recipe.weights.words.text()
    window.document.save(tmp_path / "mine.lwr")
    assert beside(tmp_path / "mine.lwr").is_file()
    assert read_project(tmp_path / "mine.lwr").project.weights == window.document.project.weights
    assert not wait_for_check(qtbot, window).errors
    window.activateWindow()
    window.canvas.setFocus()
    qtbot.waitUntil(window.isActiveWindow, timeout=5_000)
    press_keys(window, Qt.Key.Key_Z)
    assert window.document.project.weights is None
    assert window.recipe.weights.words.text() == "Drawn from the seed"
    window.document.redo()
    window.recipe.weights.drop.click()
    assert window.document.project.weights is None
    assert window.document.undo_label == "Take weights out"


def test_the_menu_and_the_recipe_ask_for_a_file(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *words: (asked.append(words[3]), ("", ""))[1])
    window.actions_["open_weights"].trigger()
    window.recipe.weights.load.click()
    assert len(asked) == 2
    assert "*.safetensors" in asked[0]
    assert window.findChild(WeightsDialog) is None
