"""Work is never lost: it is kept while it is unsaved, offered after a crash, and gone once it is not needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine import edits, places
from engine.examples import load_example
from engine.problem import Problem
from engine.project import Project
from gui import recovery, settings
from gui.document import Document
from gui.recovery import Recovery
from tests.gui.helpers import answering, opened_window, own_home, world

ROOT = Path(__file__).resolve().parents[2]
CRASH = """
import os, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from PySide6.QtWidgets import QApplication
app = QApplication([])
from engine import edits
from engine.examples import load_example
from gui.document import Document
from gui.recovery import Recovery
document = Document()
keeper = Recovery(document)
document.adopt(load_example("digits-mlp"), {path})
document.edit_graph("Units", lambda graph: edits.set_param(graph, "", "hidden1", "units", 77))
keeper.write()
print(keeper.file, flush=True)
{end}
"""


def crash(home: Path, *, path: str = "None", end: str = "os._exit(9)") -> subprocess.CompletedProcess[str]:
    """A window's process that ends without a word, with unsaved work."""
    environment = {**os.environ, places.HOME: str(home), "QT_QPA_PLATFORM": "offscreen"}
    text = CRASH.format(root=str(ROOT), path=path, end=end)
    return subprocess.run(
        [sys.executable, "-c", text], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def change(document: Document, units: int = 77) -> None:
    document.edit_graph("Units", lambda graph: edits.set_param(graph, "", "hidden1", "units", units))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(places.HOME, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def document(home: Path, qapp: QApplication) -> Document:
    made = Document()
    made.adopt(load_example("digits-mlp"))
    return made


def files(home: Path) -> list[str]:
    return [one.name for one in home.rglob("*") if one.is_file() and "recovery" in str(one)]


def test_unsaved_work_is_kept_within_the_chosen_time(document: Document, home: Path, qtbot: QtBot) -> None:
    settings.autosave_seconds.set(1)
    keeper = Recovery(document)
    with qtbot.waitSignal(keeper.saved, timeout=4000):
        change(document)
    assert keeper.file.exists()
    keeper.close()


def test_saving_removes_what_was_kept(document: Document, home: Path, tmp_path: Path) -> None:
    keeper = Recovery(document)
    change(document)
    keeper.write()
    assert keeper.file.exists()
    document.save(tmp_path / "mine.lwr")
    assert not keeper.file.exists()
    keeper.close()
    assert not files(home)


def test_nothing_is_kept_when_nothing_has_changed(document: Document, home: Path) -> None:
    keeper = Recovery(document)
    keeper.write()
    assert not keeper.file.exists()
    keeper.close()


def test_the_work_of_a_crashed_process_is_found(home: Path, qapp: QApplication) -> None:
    assert crash(home, path="Path('/somewhere/mine.lwr')").returncode == 9
    found = recovery.find()
    assert len(found) == 1
    assert found[0].path == Path("/somewhere/mine.lwr")
    assert found[0].project.graph.nodes["hidden1"].params["units"] == 77
    recovery.discard(found[0].file)
    assert not files(home)


def test_the_work_of_a_window_that_lives_is_left_alone(document: Document, home: Path) -> None:
    keeper = Recovery(document)
    change(document)
    keeper.write()
    assert recovery.find() == []
    keeper.close()


def test_a_process_with_the_number_of_the_crashed_one_loses_nothing(document: Document, home: Path) -> None:
    crash(home)
    found = recovery.find()[0].file
    keeper = Recovery(document)
    document.adopt(Project())
    assert keeper.file.stem.split("-")[0] == str(os.getpid())
    assert keeper.file != found
    assert found.exists()
    keeper.close()


def test_a_torn_recovery_file_is_passed_over(home: Path, qapp: QApplication) -> None:
    crash(home)
    found = recovery.find()[0].file
    found.write_text(found.read_text("utf-8")[:40], "utf-8")
    assert recovery.find() == []


def test_a_disk_that_refuses_is_told_once_and_not_every_half_minute(
    document: Document, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Recovery(document)
    heard: list[Problem] = []
    keeper.failed.connect(heard.append)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("engine.projectfile.os.fsync", full)
        change(document)
        keeper.write()
        keeper.write()
    assert len(heard) == 1
    assert "No space left" in heard[0].happened
    keeper.write()
    assert keeper.file.exists()
    keeper.close()


def test_a_home_that_cannot_be_written_does_not_keep_the_window_shut(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder", "utf-8")
    monkeypatch.setenv(places.HOME, str(tmp_path / "file"))
    document = Document()
    keeper = Recovery(document)
    heard: list[Problem] = []
    keeper.failed.connect(heard.append)
    document.adopt(load_example("digits-mlp"))
    change(document)
    keeper.write()
    assert len(heard) == 1
    keeper.close()


def test_the_window_offers_what_a_crash_left(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash(tmp_path)
    with answering("Open") as hand, opened_window(qtbot, tmp_path, monkeypatch) as window:
        qtbot.waitUntil(lambda: bool(hand.asked), timeout=5000)
        qtbot.waitUntil(lambda: window.document.dirty, timeout=5000)
        assert window.document.graph.nodes["hidden1"].params["units"] == 77
        assert "digits-mlp" in hand.asked[0]
        assert window.recovery.file.exists(), "a second crash must not lose what the first one left"
        with own_home(tmp_path, monkeypatch):
            assert recovery.find() == []
    assert not files(tmp_path)


def test_what_is_thrown_away_is_not_offered_again(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash(tmp_path)
    with answering("Throw away") as hand, opened_window(qtbot, tmp_path, monkeypatch) as window:
        qtbot.waitUntil(lambda: bool(hand.asked), timeout=5000)
        assert "hidden1" in world(window).names()
        assert not window.document.dirty
    assert not files(tmp_path)


def test_a_fault_of_ours_keeps_the_work_before_it_says_so(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with opened_window(qtbot, tmp_path, monkeypatch, started=False) as window:
        change(window.document)
        with answering("Close") as hand:
            window.notifier.crash_later("Traceback: a fault made for this test")
            qtbot.waitUntil(lambda: bool(hand.asked), timeout=5000)
        assert window.recovery.file.exists()
        assert "recovery file" in hand.asked[0]
        assert "a fault made for this test" in capsys.readouterr().err
        assert window.isVisible()


def test_the_report_of_a_fault_is_copied(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_window(qtbot, tmp_path, monkeypatch, started=False) as window:
        with answering("Copy report") as hand:
            window.notifier.crash("Traceback: one more")
            qtbot.waitUntil(lambda: bool(hand.asked), timeout=5000)
        text = QApplication.clipboard().text()
        assert "Traceback: one more" in text
        assert "PySide6" in text
        QApplication.clipboard().clear()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_another_thread_reaches_the_same_dialog(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from gui.notify import install_hooks

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    heard: list[str] = []
    install_hooks(heard.append)

    def fail() -> None:
        raise RuntimeError("in a thread")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert "RuntimeError: in a thread" in heard[0]
