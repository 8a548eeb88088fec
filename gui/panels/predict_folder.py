"""A folder that was asked about as a whole: how far it is, where the CSV file lies, and what could not be used.

Owns the list and the words. Never reads a file.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from engine.problem import Problem
from gui.icons import icon
from gui.jobs import Job
from gui.numbers import count
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.labels import ElidedLabel
from gui.widgets.progress import ProgressRow


class FolderPart(QWidget):
    """Takes the place of the answer while a folder is on show."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._file: Path | None = None
        self.title = ElidedLabel("", role="section")
        self.progress = ProgressRow()
        self.list = QTreeWidget()
        self.list.setRootIsDecorated(False)
        self.list.setHeaderLabels([self.tr("File"), self.tr("What is wrong"), self.tr("What to do")])
        self.list.setAccessibleName(self.tr("Files with problems"))
        self.show_file = Button(
            self.tr("Show the file"), icon_name="folder", tip=self.tr("Open the folder of the CSV file")
        )
        self.back = Button(self.tr("Back"), icon_name="chevron-left", tip=self.tr("Ask about one sample again"))
        foot = QHBoxLayout()
        foot.setSpacing(metrics.grid)
        foot.addWidget(self.show_file)
        foot.addWidget(self.back)
        foot.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (self.title, self.progress):
            column.addWidget(widget)
        column.addWidget(self.list, 1)
        column.addLayout(foot)
        self.progress.cancelled.connect(self._cancel)
        self.show_file.clicked.connect(self._open)
        self.back.clicked.connect(self._close)

    def follow(self, job: Job, folder: Path) -> None:
        """Shows how far a job is."""
        self._job, self._file = job, None
        self.list.clear()
        self.title.setText(self.tr("Predicting the files of {0}").format(folder.name))
        self.progress.cancel.setEnabled(True)
        self.progress.set_progress(None, words=job.title)
        self.progress.show()
        self.show_file.hide()
        job.progressed.connect(self._progressed)

    def show_written(self, file: Path, samples: int, files: int, problems: tuple[Problem, ...]) -> None:
        """Says what was written, and lists every file that could not be used or was odd."""
        self._file = file
        self.progress.hide()
        self.show_file.show()
        words = self.tr("{0}: {1} samples of {2} files").format(file.name, count(samples), count(files))
        self.title.setText(
            words if not problems else self.tr("{0}, {1} with problems").format(words, count(len(problems)))
        )
        for problem in problems:
            name = Path(problem.where.file or problem.where.label).name
            item = QTreeWidgetItem([name, problem.happened, problem.fix or problem.expected])
            tone = "error" if problem.severity.value == "error" else "warning"
            item.setIcon(0, icon(tone, "error" if tone == "error" else "warn"))
            item.setToolTip(0, problem.where.file)
            item.setToolTip(1, str(problem))
            self.list.addTopLevelItem(item)
        for column in range(2):
            self.list.resizeColumnToContents(column)

    def show_problem(self, problem: Problem) -> None:
        """Says why nothing was written."""
        self.progress.hide()
        self.title.setText(self.tr("Nothing was written"))
        item = QTreeWidgetItem([Path(problem.where.file or problem.where.label).name, problem.happened, problem.fix])
        item.setIcon(0, icon("error", "error"))
        self.list.addTopLevelItem(item)

    def show_cancelled(self) -> None:
        """Says that nothing was written because the person gave up."""
        self.progress.hide()
        self.title.setText(self.tr("Cancelled: nothing was written"))

    def _progressed(self, done: int, total: int | None, words: str) -> None:
        if self.sender() is self._job:
            amount = self.tr("{0} of {1} files").format(count(done), count(total)) if total else ""
            self.progress.set_progress(done / total if total else None, words=words, amount=amount)

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _close(self) -> None:
        self._cancel()
        self.closed.emit()

    def _open(self) -> None:
        if self._file is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._file.parent)))
