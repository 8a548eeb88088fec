"""A changed project is never lost: what a crash leaves is offered again, what lives or was closed is left alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.examples import load_example
from engine.project import Project
from gui import recovery
from gui.document import Document
from tests.gui.helpers import own_home

CRASH = """
import os
from PySide6.QtCore import QCoreApplication
from engine.examples import load_example
from gui.document import Document
from gui.recovery import Recovery
app = QCoreApplication([])
document = Document()
kept = Recovery(document)
document.adopt(load_example("spirals"), saved=False)
kept.write()
os._exit(9)
"""


@pytest.fixture(autouse=True)
def home(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with own_home(tmp_path / "home", monkeypatch) as folder:
        yield folder


def test_work_of_a_crashed_process_is_found_and_can_be_thrown_away() -> None:
    ended = subprocess.run([sys.executable, "-c", CRASH], cwd=Path(__file__).parents[2], timeout=30, check=False)
    assert ended.returncode == 9
    found = recovery.find()
    assert [one.project for one in found] == [load_example("spirals")]
    assert found[0].path is None
    recovery.discard(found[0].file)
    assert recovery.find() == []


def test_a_dirty_project_is_kept_not_offered_while_we_live_and_removed_on_a_clean_close() -> None:
    document = Document()
    kept = recovery.Recovery(document)
    try:
        kept.write()
        assert not kept.file.exists(), "nothing has changed, so there is nothing to keep"
        document.adopt(load_example("spirals"), saved=False)
        kept.write()
        assert kept.file.exists()
        assert recovery.find() == [], "the work of a living window was offered"
    finally:
        kept.close()
    assert not kept.file.exists()


def test_saving_removes_the_recovery_file(tmp_path: Path) -> None:
    document = Document()
    kept = recovery.Recovery(document)
    document.adopt(load_example("spirals"), saved=False)
    kept.write()
    assert kept.file.exists()
    document.save(tmp_path / "saved.lwr")
    assert not kept.file.exists()
    document.adopt(Project())
    kept.close()
