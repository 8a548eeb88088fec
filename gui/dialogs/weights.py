"""Opens a file of weights into the project: shows which tensor goes where, and takes them once the person says so.

The file is read and matched in a job, which Cancel and closing end; the project changes by one edit that undo takes
back. Never reads a file itself.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.problem import Problem
from engine.project import Project
from engine.weightkinds import SUFFIXES
from engine.weightmatch import ABSENT, DIFFERS, NAMED, ORDERED, UNUSED, Match
from gui import settings
from gui.dialogs.weights_table import WeightsTable
from gui.document import Document
from gui.jobs import Job, Jobs, examine_weights
from gui.numbers import count
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.choices import Check, Choice
from gui.widgets.labels import ElidedLabel
from gui.widgets.progress import ProgressLine
from gui.widgets.search_field import SearchField
from gui.widgets.segmented import SegmentedSwitch
from gui.widgets.states import Banner

if TYPE_CHECKING:
    from engine.runtime.load_weights import Examined

STATUSES = ("", NAMED, ORDERED, DIFFERS, ABSENT, UNUSED)


class WeightsDialog(QDialog):
    """Open it with `open()`; nothing of the project changes before its button is pressed."""

    loaded = Signal(object)
    """The `Match` of the weights that the project has now."""

    def __init__(self, document: Document, jobs: Jobs, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._jobs, self._path = document, jobs, path
        self._job: Job | None = None
        self._examined: Examined | None = None
        self.setWindowTitle(self.tr("Open weights"))
        self._make_controls()
        self._lay_out()
        self._examine()

    @property
    def match(self) -> Match | None:
        """What was found; None while the file is read, and when it cannot be."""
        return self._examined.match if self._examined else None

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nobody would see the result."""
        self._cancel()
        super().closeEvent(event)

    def reject(self) -> None:
        """Esc closes like the button."""
        self._cancel()
        super().reject()

    def _make_controls(self) -> None:
        self.file = ElidedLabel("")
        self.parts = Choice()
        self.parts.setToolTip(self.tr("The file has several sets of weights"))
        self.parts.setMinimumWidth(180)
        self.parts.committed.connect(lambda part: self._examine(str(part)))
        self.browse = Button(self.tr("Another file…"), icon_name="folder")
        self.browse.clicked.connect(self._browse)
        self.filter = SegmentedSwitch([""] * len(STATUSES), dense=True)
        self.filter.currentChanged.connect(lambda place: self.table.show_status(STATUSES[place]))
        self.table = WeightsTable()
        self.search = SearchField(self.tr("Find a tensor"))
        self.search.setAccessibleName(self.tr("Find a tensor"))
        self.search.searched.connect(self.table.search)
        self.progress = ProgressLine()
        self.banner = Banner("ok", "", "")
        self.banner.hide()
        self.partial = Check(self.tr("Load only what fits; the rest is drawn from the seed"))
        self.partial.toggled.connect(lambda _on: self._settle())
        self.close_button = Button(self.tr("Close"))
        self.close_button.clicked.connect(self.reject)
        self.stop = Button(self.tr("Cancel"))
        self.stop.setToolTip(self.tr("Give up reading the file"))
        self.stop.clicked.connect(self._cancel)
        self.load = Button(self.tr("Load"), kind="primary")
        self.load.setToolTip(self.tr("Give the project these weights; Undo takes them back"))
        self.load.clicked.connect(self._take)
        self.load.setDefault(True)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(metrics.grid)
        self.file.setProperty("role", "title")
        top.addWidget(self.file, 1)
        top.addWidget(self.parts)
        top.addWidget(self.browse)
        tools = QHBoxLayout()
        tools.setSpacing(metrics.grid)
        tools.addWidget(self.filter)
        tools.addWidget(self.search, 1)
        foot = QHBoxLayout()
        foot.setSpacing(metrics.grid)
        foot.addWidget(self.partial)
        foot.addStretch()
        for button in (self.close_button, self.stop, self.load):
            foot.addWidget(button)
        words = QLabel(self.tr("Nothing in the file is run, and the project changes only when you press Load."))
        words.setProperty("role", "label")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(metrics.grid)
        column.addLayout(top)
        column.addWidget(words)
        column.addWidget(self.progress)
        column.addWidget(self.banner)
        column.addLayout(tools)
        column.addWidget(self.table, 1)
        column.addLayout(foot)
        self.resize(1060, 600)

    def _browse(self) -> None:
        path = ask_weights(self, self._path.parent)
        if path is not None:
            self._path = path
            self._examine()

    def _examine(self, part: str = "") -> None:
        self._examined = None
        self.file.setText(self._path.name)
        self.file.setToolTip(str(self._path))
        self.banner.hide()
        work = examine_weights(self._document.project, self._path, part)
        self._begin(self.tr("Reading {0}").format(self._path.name))
        self._job = self._jobs.start(
            "weights", self.tr("Reading weights"), work, done=self._show, failed=self._fail, cancelled=self._ended
        )

    def _show(self, examined: Examined) -> None:
        self._examined = examined
        self._ended()
        match, foreign = examined.match, examined.foreign
        self.table.show_match(match)
        self.filter.set_current(0)
        self.parts.set_options([(part, part or self.tr("Outermost")) for part in foreign.parts])
        self.parts.set_value(foreign.parts[0] if foreign.parts else None)
        self.parts.setVisible(len(foreign.parts) > 1)
        self.partial.set_value(False)
        self._settle()
        self.banner.set_state(*self._verdict(match))
        self.banner.show()
        self.load.setFocus()

    def _verdict(self, match: Match) -> tuple[str, str, str]:
        counts, fitting = match.counts, len(match.taken)
        said = list(match.said)
        if counts[ORDERED]:
            words = self.tr(
                "{0} bear other names and were paired by order and shape: look whether they belong together"
            )
            said.insert(0, words.format(count(counts[ORDERED])))
        lacking = [
            words.format(count(number))
            for number, words in (
                (counts[DIFFERS], self.tr("{0} of another shape")),
                (sum(row.status == ABSENT and not row.harmless for row in match.rows), self.tr("{0} without weights")),
                (sum(row.status == UNUSED and not row.harmless for row in match.rows), self.tr("{0} left over")),
            )
            if number
        ]
        text = ". ".join(said) + ("." if said else "")
        if not fitting:
            return "error", self.tr("Nothing in this file fits the network"), text
        if match.is_complete:
            tone = "accent" if counts[ORDERED] else "ok"
            return tone, self.tr("All {0} tensors have their place").format(count(fitting)), text
        title = self.tr("{0} tensors fit; {1}").format(count(fitting), ", ".join(lacking))
        return "warn", title, text

    def _settle(self) -> None:
        """Shows what can be done with what was found."""
        match, busy = self.match, self._job is not None
        counts = match.counts if match else dict.fromkeys(STATUSES[1:], 0)
        names = (
            self.tr("All"), self.tr("Matched"), self.tr("By order"), self.tr("Differ"), self.tr("No weights"),
            self.tr("Left over"),
        )  # fmt: skip
        for place, (status, name) in enumerate(zip(STATUSES, names, strict=True)):
            number = counts[status] if status else sum(counts.values())
            segment = self.filter.segment(place)
            segment.setText(f"{name} {count(number)}" if match else name)
            segment.setEnabled(bool(number) or not place)
            segment.updateGeometry()
        part_only = match is not None and bool(match.taken) and not match.is_complete
        self.partial.setVisible(part_only)
        fits = match is not None and (match.is_complete or (part_only and bool(self.partial.value())))
        self.load.setEnabled(fits and not busy)
        self.stop.setEnabled(busy)
        self.browse.setEnabled(not busy)
        self.parts.setEnabled(not busy)
        for widget in (self.filter, self.search, self.table):
            widget.setEnabled(match is not None)

    def _take(self) -> None:
        examined, project, partial = self._examined, self._document.project, bool(self.partial.value())
        if examined is None:
            return
        self._begin(self.tr("Taking the weights"))
        self._job = self._jobs.start(
            "weights", self.tr("Taking weights"), lambda _progress, _cancel: examined.taken(project, partial=partial),
            done=self._attach, failed=self._fail, cancelled=self._ended,
        )  # fmt: skip

    def _attach(self, taken: Project) -> None:
        self._ended()
        self._document.edit(self.tr("Open weights"), lambda project: replace(project, weights=taken.weights))
        settings.last_folder.set(str(self._path.parent))
        self.loaded.emit(self.match)
        self.accept()

    def _begin(self, words: str) -> None:
        self.progress.begin()
        self.progress.setToolTip(words)
        self._job = None
        for widget in (self.load, self.browse, self.parts):
            widget.setEnabled(False)
        self.stop.setEnabled(True)

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.dropped = not self.isVisible()
            self._job.cancel()

    def _ended(self) -> None:
        self._job = None
        self.progress.finish()
        self._settle()

    def _fail(self, problem: Problem) -> None:
        self._ended()
        if self._examined is None:
            self.table.show_match(Match())
            self.parts.hide()
        self.banner.set_state("error", problem.happened, problem.fix or problem.expected)
        self.banner.show()


def ask_weights(parent: QWidget, folder: Path | None = None) -> Path | None:
    """A file dialog for weights; None when it was left."""
    endings = " ".join(f"*{suffix}" for suffix in SUFFIXES)
    path, _ = QFileDialog.getOpenFileName(
        parent,
        parent.tr("Open weights"),
        str(folder or settings.last_folder.get() or Path.home()),
        parent.tr("Weights ({0});;All files (*)").format(endings),
    )
    return Path(path) if path else None
