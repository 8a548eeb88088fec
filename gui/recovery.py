"""A changed project is never lost: it is written to a recovery file every half minute and offered after a crash.

Owns the recovery files in the state folder. Never touches the project's own file.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from PySide6.QtCore import QObject, QTimer, Signal

from engine.places import state_folder
from engine.problem import Problem, ProblemError, Where, warning
from engine.project import Project
from engine.projectfile import read_project, to_text, write_whole
from engine.weightfile import expect
from gui import settings
from gui.document import Document


@dataclass(frozen=True)
class Recovered:
    """Work found after a crash: the project and the file it belongs to (None when it never had one)."""

    project: Project
    path: Path | None
    file: Path


class Recovery(QObject):
    """Writes a file in `<state>/recovery` while there are unsaved changes; removes it when there are none."""

    saved = Signal()
    failed = Signal(object)
    """A `Problem`: the recovery file could not be written. Told once, until it can be written again."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self._document = document
        self._written: Project | None = None
        self._told = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.write)
        # Never a number alone: in a container the next process may well get the one of that which crashed.
        self.file = _folder() / f"{os.getpid()}-{secrets.token_hex(4)}.lwr"
        # Held while this process lives: whoever starts next can tell a crash from a window that is still open.
        self._lock = FileLock(_lock(self.file))
        with suppress(OSError):
            _folder().mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=1)
        document.state_changed.connect(self._watch)

    def write(self) -> None:
        """Writes the recovery file now, when the project has changed since the last time."""
        project = self._document.project
        if not self._document.dirty:
            self._remove()
            return
        if project is self._written:
            return
        try:
            # Its weights stay where they are: in the store, or beside the project's own file.
            write_whole(self.file, to_text(project))
            path = self._document.path
            _note(self.file).write_text(json.dumps({"path": str(path) if path else ""}), encoding="utf-8")
        except ProblemError as fault:
            self._tell(fault.problem)
        except OSError as fault:
            words = self.tr("The recovery file could not be written: {0}").format(fault)
            self._tell(warning(Where(label=self.file.name, file=str(self.file)), words))
        else:
            self._written, self._told = project, False
            self.saved.emit()

    def close(self) -> None:
        """Ends the watch and removes the file: the project was saved or given up on purpose."""
        self._timer.stop()
        self._remove()
        self._lock.release()
        _unlink(_lock(self.file))

    def _watch(self) -> None:
        if self._document.dirty and settings.autosave.get():
            if not self._timer.isActive():
                self._timer.start(max(1, settings.autosave_seconds.get()) * 1000)
        else:
            self._timer.stop()
            self._remove()

    def _remove(self) -> None:
        self._written = None
        _unlink(self.file, _note(self.file))

    def _tell(self, problem: Problem) -> None:
        if not self._told:
            self._told = True
            self.failed.emit(problem)


def find() -> list[Recovered]:
    """Work that crashed windows left behind, newest first. Files of windows that still live are left alone."""
    found: list[tuple[float, Recovered]] = []
    for file in _folder().glob("*.lwr"):
        lock = FileLock(_lock(file))
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            continue
        try:
            project = read_project(file).project
            path = (
                str(json.loads(_note(file).read_text(encoding="utf-8")).get("path", "")) if _note(file).exists() else ""
            )
            if path:
                expect(project.weights, Path(path))
            found.append((file.stat().st_mtime, Recovered(project, Path(path) if path else None, file)))
        except (ProblemError, OSError, ValueError):
            continue
        finally:
            lock.release()
    return [item for _, item in sorted(found, key=lambda pair: -pair[0])]


def discard(file: Path) -> None:
    """Removes the recovery file of a window that crashed, with what belongs to it."""
    _unlink(file, _note(file), _lock(file))


def _unlink(*files: Path) -> None:
    for file in files:
        with suppress(OSError):  # a folder that cannot be written to holds nothing of ours
            file.unlink(missing_ok=True)


def _note(file: Path) -> Path:
    return file.with_suffix(".json")


def _lock(file: Path) -> Path:
    return file.with_name(file.name + ".lock")


def _folder() -> Path:
    return state_folder() / "recovery"
