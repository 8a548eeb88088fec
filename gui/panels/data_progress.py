"""How far a job of the data panel is: nothing at first, then a line, then words, amount, time left and Cancel.

Owns the waiting times and the words. Never starts a job.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.jobs import Job
from gui.numbers import bytes_text, duration
from gui.theme import metrics
from gui.widgets.progress import ProgressLine, ProgressRow

_SURE_AFTER = 1.0
"""Seconds after which a guess of the time left is worth showing."""


class JobProgress(QWidget):
    """A row that shows itself for long work; `line` belongs at the top of the panel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = ProgressLine()
        self.row = ProgressRow()
        self.row.cancelled.connect(self._cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, metrics.grid)
        layout.addWidget(self.row)
        self._job: Job | None = None
        self._in_bytes = False
        self._began = 0.0
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.timeout.connect(self.show)
        self.hide()

    def follow(self, job: Job, *, in_bytes: bool = False) -> None:
        """Shows how far a job is until it ends; one that counts bytes is a download and shows at once."""
        self._job, self._in_bytes, self._began = job, in_bytes, time.monotonic()
        self.row.cancel.setEnabled(True)
        self.row.set_progress(None, words=job.title)
        self.line.begin()
        job.progressed.connect(self._progressed)
        job.finished.connect(self._finished)
        if in_bytes:
            self.show()
        elif self.isHidden():
            self._wait.start(metrics.line_ms)

    def _progressed(self, done: int, total: int | None, words: str) -> None:
        if self.sender() is not self._job:
            return
        share = done / total if total else None
        self.line.set_share(share)
        self.row.set_progress(share, words=words, amount=self._amount(done, total), left=self._left(share))

    def _amount(self, done: int, total: int | None) -> str:
        if self._in_bytes:
            unit = bytes_text(total or done)
            if not total:
                return unit
            number, _, name = unit.rpartition("\N{NO-BREAK SPACE}")
            here = done / total * float(number.replace(",", ""))
            return self.tr("{0} of {1}").format(f"{here:.0f}", f"{number} {name}")
        return self.tr("{0} of {1}").format(f"{done:,}", f"{total:,}") if total else ""

    def _left(self, share: float | None) -> str:
        passed = time.monotonic() - self._began
        if not share or passed < _SURE_AFTER:
            return ""
        return self.tr("{0} left").format(duration(max(1.0, passed / share * (1 - share))))

    def _finished(self) -> None:
        if self.sender() is self._job:
            self._job = None
            self._wait.stop()
            self.line.finish()
            self.hide()

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
