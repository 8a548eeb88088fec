"""Checks the open project in a thread of its own; the newest project wins. Warms torch up first.

One of the three modules that reach `engine.runtime`, and only inside the thread.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from engine.analysis import Analysis
from engine.check import check_project
from engine.project import Project
from gui.document import Document

_SETTLE_MS = 0
"""Edits of one turn of the event loop are checked together; later ones overtake those still waiting."""


class Checker(QObject):
    """Keeps `document.analysis` up to date. `warm` turns true when torch is loaded."""

    warmed = Signal(str)
    """torch is there; the words name the device that would train."""
    failed = Signal(str)
    """A traceback: the check itself broke, which is our fault, not the user's."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self._document = document
        self._thread = _CheckThread()
        self._thread.done.connect(self._take)
        self._thread.warmed.connect(self._mark_warm)
        self._thread.failed.connect(self.failed)
        self._thread.previewed.connect(self._tell_preview)
        self._previewed: Callable[[Sequence[Analysis]], None] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self.check)
        self.warm = False
        document.changed.connect(self._edited)
        document.opened.connect(self.check)

    def start(self) -> None:
        """Begins to warm torch up and to check; call once the window is visible."""
        self._thread.start()
        self.check()

    def check(self) -> None:
        """Asks for a check of the project as it is now."""
        project = self._document.project
        if not self.warm:
            # Until torch is there, say at least what can be said without it.
            self._document.accept(Analysis(problems=tuple(check_project(project))), project)
        self._thread.ask(project)

    def preview(self, projects: Sequence[Project], done: Callable[[Sequence[Analysis]], None]) -> None:
        """Checks projects that do not exist yet, such as one per layer that could be added; the newest request wins."""
        self._previewed = done
        # What could be added does not fit the weights anyway, and holding each against them would take its time.
        self._thread.ask_preview([replace(project, weights=None) for project in projects])

    def stop(self) -> None:
        """Ends the thread; waits for the check under way."""
        self._timer.stop()
        self._thread.ask(None)
        if self._thread.isRunning():
            self._thread.wait()

    def _edited(self, _delta: object) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _mark_warm(self, device: str) -> None:
        self.warm = True
        self.warmed.emit(device)

    def _tell_preview(self, analyses: list[Analysis], done: object) -> None:
        if done is self._thread.previewing and self._previewed is not None:
            self._previewed(analyses)

    def _take(self, analysis: Analysis, project: Project) -> None:
        self._document.accept(analysis, project)


class _CheckThread(QThread):
    done = Signal(object, object)
    warmed = Signal(str)
    failed = Signal(str)
    previewed = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self.previewing: list[Project] | None = None
        """What was asked to be tried last; answers to anything older are dropped."""
        self._tries: list[Project] | None = None
        self._wake = threading.Condition()
        self._wanted: Project | None = None
        self._asked = False

    def ask(self, project: Project | None) -> None:
        """The next project to check; None ends the thread."""
        with self._wake:
            self._wanted, self._asked = project, True
            self._wake.notify()

    def ask_preview(self, projects: list[Project]) -> None:
        """Projects to try when nothing more important waits."""
        with self._wake:
            self._tries = self.previewing = projects
            self._wake.notify()

    def run(self) -> None:
        """Thread body: warm up once, then check whatever was asked last."""
        from engine.runtime.analyze import Memo, analyze
        from engine.runtime.device import choose_device, describe
        from engine.runtime.warmup import warm_up

        warm_up()
        self.warmed.emit(describe(choose_device("auto")))
        memo = Memo()
        while True:
            with self._wake:
                while not self._asked and self._tries is None:
                    self._wake.wait()
                project, asked, self._asked = self._wanted, self._asked, False
                tries = None if asked else self._tries
                if not asked:
                    self._tries = None
            if asked and project is None:
                return
            try:
                if asked:
                    self.done.emit(analyze(project, memo=memo), project)
                else:
                    self.previewed.emit([analyze(one, memo=memo) for one in tries or ()], tries)
            except Exception:  # a bug of ours must not end the checks
                self.failed.emit(traceback.format_exc())
