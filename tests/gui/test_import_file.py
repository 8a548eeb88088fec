"""ONNX files in the window: dropped or chosen, adopted when whole; what cannot be read changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog, QInputDialog
from pytestqt.qtbot import QtBot

pytest.importorskip("onnx")

from gui.window import MainWindow
from tests.engine.onnx_files import drawn, model_of, node, written
from tests.gui.helpers import opened_window, wait_for_check


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    with opened_window(qtbot, tmp_path, monkeypatch) as made:
        yield made


def written_net(path: Path, *shape: Any) -> Path:
    nodes = [node("Conv", ["x", "conv.weight"], ["a"]), node("GlobalAveragePool", ["a"], ["b"]),
             node("Flatten", ["b"], ["y"])]  # fmt: skip
    return written(path, model_of(nodes, {"x": shape}, {"conv.weight": drawn(4, 3, 3, 3)}))


def test_a_dropped_file_becomes_the_open_project_with_its_weights(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    window.files.open(written_net(tmp_path / "small_net.onnx", "n", 3, 8, 8))
    qtbot.waitUntil(lambda: window.document.project.name == "small net", timeout=30_000)
    analysis = wait_for_check(qtbot, window)
    assert not analysis.errors
    assert analysis.parameters == 108
    assert window.document.project.weights is not None
    assert window.document.dirty, "nobody has saved it yet"


def test_a_chosen_file_with_open_sizes_asks_for_them(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written_net(tmp_path / "open.onnx", "n", 3, "h", "w")
    asked: list[str] = []

    def answer(_parent: Any, _title: str, words: str, *_: int) -> tuple[int, bool]:
        asked.append(words)
        return 12, True

    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QInputDialog, "getInt", answer)
    window.actions_["import_file"].trigger()
    qtbot.waitUntil(lambda: window.document.project.name == "open", timeout=30_000)
    assert "3×?×?" in asked[0]
    (entry,) = window.document.project.graph.of_type("input")
    assert tuple(entry.params["shape"]) == (3, 12, 12)


def test_what_cannot_be_read_is_one_dialog_that_names_all_operators_and_nothing_changes(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [node("Det", ["x"], ["a"], "one"), node("NonZero", ["x"], ["y"], "two")]
    path = written(tmp_path / "strange.onnx", model_of(nodes, {"x": ["n", 2, 2]}, {}))
    told: list[Any] = []
    monkeypatch.setattr(window.notifier, "problem", told.append)
    before = window.document.project
    window.files.open(path)
    qtbot.waitUntil(lambda: bool(told), timeout=30_000)
    assert "Det" in told[0].happened
    assert "NonZero" in told[0].happened
    assert window.document.project is before
