"""New, open, save, drop: what is asked before anything could be lost, and what stays whole when the disk refuses."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from engine.examples import load_example
from engine.project import Project
from engine.projectfile import read_project, to_json, write_project
from engine.runfiles import RunInfo
from engine.runs import create_run
from gui import settings
from gui.window import MainWindow
from tests.gui.helpers import answering, opened_window, press_keys, world


@pytest.fixture
def window(qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    with opened_window(qtbot, tmp_path / "home", monkeypatch, started=False) as made:
        yield made


@pytest.fixture
def saved(window: MainWindow, tmp_path: Path) -> Path:
    path = tmp_path / "mine.lwr"
    window.document.save(path)
    return path


def change(window: MainWindow) -> None:
    world(window).select("relu1")
    window.actions_["delete"].trigger()


def save_dialog(monkeypatch: pytest.MonkeyPatch, path: Path | None) -> list[str]:
    """The system's dialog answers with a path; the list holds what it was offered."""
    offered: list[str] = []

    def ask(_parent: object, _title: str, wanted: str, _filter: str) -> tuple[str, str]:
        offered.append(wanted)
        return str(path or ""), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    return offered


def drop(window: MainWindow, path: Path) -> bool:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    actions, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPointF(400, 300).toPoint(), actions, data, left, none)
    QApplication.sendEvent(window, enter)
    event = QDropEvent(QPointF(400, 300), actions, data, left, none)
    QApplication.sendEvent(window, event)
    return enter.isAccepted()


def test_what_is_saved_opens_again_as_it_was(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(window)
    project = window.document.project
    path = tmp_path / "digits"
    save_dialog(monkeypatch, path)
    press_keys(window, Qt.Key.Key_S)
    assert not window.document.dirty
    window.actions_["new"].trigger()
    assert not window.document.graph.nodes
    assert window.files.open(path.with_suffix(".lwr"))
    assert window.document.project == project
    assert settings.recent_files.get()[0] == str(path.with_suffix(".lwr"))
    assert "digits.lwr" in window.windowTitle()


def test_a_second_save_asks_nothing(window: MainWindow, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = save_dialog(monkeypatch, None)
    change(window)
    assert window.windowTitle().startswith("mine.lwr*")
    press_keys(window, Qt.Key.Key_S)
    assert not offered
    assert read_project(saved).project == window.document.project
    assert "*" not in window.windowTitle()


def test_undoing_every_change_is_saved_again(window: MainWindow, saved: Path) -> None:
    change(window)
    assert window.document.dirty
    window.document.undo()
    assert not window.document.dirty


@pytest.mark.parametrize(("answer", "left"), [("Cancel", False), ("Discard", True), ("Save", True)])
def test_leaving_a_changed_project_asks(window: MainWindow, saved: Path, answer: str, left: bool) -> None:
    change(window)
    changed = window.document.project
    with answering(answer) as hand:
        window.actions_["new"].trigger()
    assert "Unsaved changes" in hand.asked[0]
    assert (not window.document.graph.nodes) is left
    assert (read_project(saved).project == changed) is (answer == "Save")


def test_leaving_an_unchanged_project_asks_nothing(window: MainWindow, saved: Path) -> None:
    with answering():
        window.actions_["new"].trigger()
    assert not window.document.graph.nodes


def test_giving_up_the_dialog_gives_up_leaving(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    save_dialog(monkeypatch, None)
    change(window)
    changed = window.document.project
    with answering("Save"):
        window.actions_["new"].trigger()
    assert window.document.project is changed


def test_closing_a_changed_project_asks_and_stays_when_told_so(window: MainWindow) -> None:
    change(window)
    with answering("Cancel"):
        assert not window.close()
    assert window.isVisible()


def test_a_full_disk_keeps_the_old_file_and_says_so(
    window: MainWindow, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_text("utf-8")
    change(window)

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.projectfile.os.fsync", full)
    with answering("OK") as hand:
        window.actions_["save"].trigger()
        _until(lambda: bool(hand.asked))
    assert "No space left" in hand.asked[0]
    assert saved.read_text("utf-8") == before
    assert sorted(one.name for one in saved.parent.iterdir() if one.is_file()) == ["mine.lwr"]
    assert window.document.dirty


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"format": 1}', "\x00\x01", '{"format": "one", "graph": {}}'])
def test_a_broken_file_is_refused_and_the_open_project_stays(window: MainWindow, tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.lwr"
    path.write_text(text, "utf-8")
    before = window.document.project
    with answering("OK") as hand:
        assert not window.files.open(path)
        _until(lambda: bool(hand.asked))
    assert window.document.project is before
    assert len(hand.asked[0]) > 20


def test_a_newer_file_opens_read_only_and_is_never_overwritten(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "newer.lwr"
    text = json.dumps({**to_json(load_example("digits-mlp")), "format": 99})
    path.write_text(text, "utf-8")
    with answering("OK") as hand:
        assert window.files.open(path)
        _until(lambda: bool(hand.asked))
    assert "newer version" in hand.asked[0]
    assert window.document.read_only
    assert "Read only" in window.menu_bar._state.text()
    change(window)
    offered = save_dialog(monkeypatch, path)
    with answering("OK") as second:
        assert not window.files.save()
        _until(lambda: bool(second.asked))
    assert "stays as it is" in second.asked[0]
    assert Path(offered[0]).name != path.name
    assert path.read_text("utf-8") == text
    save_dialog(monkeypatch, tmp_path / "copy.lwr")
    assert window.files.save()
    assert not window.document.read_only


def test_a_project_dropped_on_the_window_opens(window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "dropped.lwr"
    write_project(replace(load_example("spirals"), name="dropped"), path)
    assert drop(window, path)
    assert window.document.path == path


def test_a_table_dropped_on_the_window_becomes_its_data(window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "iris.csv"
    path.write_text("a,b,kind\n" + "1,2,x\n3,4,y\n" * 20, "utf-8")
    assert drop(window, path)
    data = window.document.project.recipe.get("data")
    assert data["type"] == "csv"
    assert Path(data["path"]).name == "iris.csv"
    window.document.undo()
    assert window.document.project.recipe.get("data")["type"] == "digits"


def test_a_run_dropped_on_the_window_shows_its_curves(window: MainWindow, tmp_path: Path) -> None:
    info = create_run(tmp_path / "runs", Project(name="old"), info=RunInfo(name="old run", epochs=3))
    assert drop(window, info.path)
    assert window.runflow.shown == info.path
    assert window.document.project.name == "digits-mlp"


def test_text_without_a_file_is_not_taken(window: MainWindow) -> None:
    data = QMimeData()
    data.setText("hello")
    event = QDragEnterEvent(
        QPointF(10, 10).toPoint(), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    event.ignore()
    QApplication.sendEvent(window, event)
    assert not event.isAccepted()


def test_recent_files_are_listed_newest_first(window: MainWindow, tmp_path: Path) -> None:
    for name in ("one", "two"):
        window.document.save(tmp_path / f"{name}.lwr")
        assert window.files.open(tmp_path / f"{name}.lwr")
    menu = next(action.menu() for action in window.menu_bar._menus["file"].actions() if action.text() == "Open recent")
    menu.aboutToShow.emit()  # type: ignore[union-attr]
    assert [action.text() for action in menu.actions()] == ["two.lwr", "one.lwr"]  # type: ignore[union-attr]


def _until(check: object) -> None:
    from PySide6.QtCore import QEventLoop, QTimer

    loop, poll = QEventLoop(), QTimer()
    poll.timeout.connect(lambda: check() and loop.quit())  # type: ignore[operator]
    poll.start(10)
    guard = QTimer()
    guard.setSingleShot(True)
    guard.timeout.connect(loop.quit)
    guard.start(5000)
    loop.exec()
    poll.stop()
    guard.stop()
    assert check()  # type: ignore[operator]
