"""ONNX files opened from the menu or dropped: asked for, read beside the window, adopted when whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog, QInputDialog

from engine.problem import Problem
from gui.importing import bring_file

if TYPE_CHECKING:
    from gui.window import MainWindow

SUFFIX = ".onnx"
_JOB, _OPEN_SIZES = "import", "onnx-size"
_USUAL, _LARGEST = 224, 4096


def import_file(window: MainWindow, adopt: Callable[[Any], None], path: Path | None = None) -> None:
    """Makes a file's network the open project; without a path a dialog asks for one. Nothing changes before it is
    whole.
    """
    chosen = path or _asked(window)
    if chosen is not None:
        _start(window, adopt, chosen, None)


def _asked(window: MainWindow) -> Path | None:
    kinds = window.tr("ONNX networks (*.onnx);;All files (*)")
    found, _ = QFileDialog.getOpenFileName(window, window.tr("Import a file"), "", kinds)
    return Path(found) if found else None


def _start(window: MainWindow, adopt: Callable[[Any], None], path: Path, size: int | None) -> None:
    window.jobs.start(
        _JOB, window.tr("Reading {0}").format(path.name), bring_file(path, size),
        done=lambda brought: _done(window, adopt, brought),
        failed=lambda problem: _failed(window, adopt, path, problem),
    )  # fmt: skip


def _done(window: MainWindow, adopt: Callable[[Any], None], brought: Any) -> None:
    adopt(brought)
    for problem in brought.problems:
        window.toast("warn", str(problem.where), problem.happened)


def _failed(window: MainWindow, adopt: Callable[[Any], None], path: Path, problem: Problem) -> None:
    if problem.code != _OPEN_SIZES:
        window.notifier.problem(problem)
        return
    words = window.tr("{0}.\nThe side of its images, or the number of its steps:").format(problem.happened)
    size, agreed = QInputDialog.getInt(window, window.tr("Size of a sample"), words, _USUAL, 1, _LARGEST)
    if agreed:
        _start(window, adopt, path, size)
