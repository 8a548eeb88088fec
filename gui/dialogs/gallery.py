"""The gallery: a network of torchvision, with or without trained weights, becomes the open project.

Reading the list, fetching weights and importing are jobs that Cancel and closing end; the open project changes only
when a network has been imported whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QFormLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.problem import Problem
from gui import settings
from gui.dialogs.gallery_table import GalleryTable
from gui.importing import ImportOrder, Listed, bring_network, list_networks
from gui.jobs import Job, Jobs
from gui.numbers import count
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.choices import Choice
from gui.widgets.number_field import NumberField
from gui.widgets.progress import ProgressRow
from gui.widgets.search_field import SearchField
from gui.widgets.states import Banner

if TYPE_CHECKING:
    from engine.runtime.importing.torchvision_project import Brought

DRAWN = ""
"""Weights are drawn from the seed."""


class GalleryDialog(QDialog):
    """Open it with `open()`. Signal: `brought(Brought)` when a network was imported."""

    brought = Signal(object)

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._job: Job | None = None
        self._card: Any = None
        self._here: frozenset[tuple[str, str]] = frozenset()
        self._file: Path | None = None
        self.setWindowTitle(self.tr("Import a network"))
        self._make_controls()
        self._lay_out()
        self._begin(self.tr("Reading torchvision's list"))
        self._job = jobs.start(
            "gallery", self.tr("Reading the list of networks"), list_networks(),
            done=self._show, failed=self._fail, cancelled=self._ended,
        )  # fmt: skip

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nobody would see the result."""
        self._drop()
        super().closeEvent(event)

    def reject(self) -> None:
        """Esc closes like the button."""
        self._drop()
        super().reject()

    def _make_controls(self) -> None:
        self.search = SearchField(self.tr("Find a network"))
        self.search.setAccessibleName(self.tr("Find a network"))
        self.table = GalleryTable()
        self.table.chosen.connect(self._choose)
        self.table.wanted.connect(self._import)
        self.search.searched.connect(self.table.search)
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.weights = Choice()
        self.weights.setAccessibleName(self.tr("Weights"))
        self.weights.setToolTip(self.tr("Trained weights of this network, the best first, or none"))
        self.weights.committed.connect(lambda _value: self._describe())
        self.classes = NumberField(1000, minimum=1, maximum=100_000, whole=True, unit=self.tr("classes"))
        self.classes.setToolTip(
            self.tr("Another number than the 1,000 of ImageNet gives the network a new last layer for your classes")
        )
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.about.setTextFormat(Qt.TextFormat.PlainText)
        self.about.setProperty("role", "label")
        self.browse = Button(self.tr("Weights from a file…"), icon_name="folder")
        self.browse.setToolTip(self.tr("Take the weights from a file on this machine instead of fetching them"))
        self.browse.clicked.connect(self._browse)
        self.progress = ProgressRow(cancellable=False)
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        self.banner = Banner("error", "", "")
        self.banner.hide()
        self.close_button = Button(self.tr("Close"))
        self.close_button.clicked.connect(self.reject)
        self.stop = Button(self.tr("Cancel"))
        self.stop.setToolTip(self.tr("Give up what is being done"))
        self.stop.clicked.connect(self._cancel)
        self.take = Button(self.tr("Import"), kind="primary")
        self.take.setToolTip(self.tr("Open this network as a new project"))
        self.take.setDefault(True)
        self.take.clicked.connect(self._import)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(metrics.grid)
        form.setVerticalSpacing(metrics.grid)
        form.addRow(self.tr("Weights"), self.weights)
        form.addRow(self.tr("Answers"), self.classes)
        side = QVBoxLayout()
        side.setSpacing(metrics.grid)
        side.addWidget(self.title)
        side.addLayout(form)
        side.addWidget(self.browse)
        side.addWidget(self.about)
        side.addStretch()
        holder = QWidget()
        holder.setLayout(side)
        holder.setFixedWidth(320)
        side.setContentsMargins(0, 0, 0, 0)
        left = QVBoxLayout()
        left.setSpacing(metrics.grid)
        left.addWidget(self.search)
        left.addWidget(self.table, 1)
        middle = QHBoxLayout()
        middle.setSpacing(2 * metrics.grid)
        middle.addLayout(left, 1)
        middle.addWidget(holder)
        foot = QHBoxLayout()
        foot.setSpacing(metrics.grid)
        foot.addWidget(self.progress, 1)
        for button in (self.close_button, self.stop, self.take):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(metrics.grid)
        column.addLayout(middle, 1)
        column.addWidget(self.banner)
        column.addLayout(foot)
        self.resize(980, 600)

    def _show(self, listed: Listed) -> None:
        self._here = listed.here
        self._ended()
        self.table.show_cards(listed.cards)
        self.search.setFocus()

    def _choose(self, card: Any) -> None:
        self._card, self._file = card, None
        if card is not None:
            self.title.setText(card.name)
            before = self.weights.value()
            options = [(DRAWN, self.tr("None, drawn from the seed"))]
            options += [(entry.name, f"{entry.name}  {entry.accuracy:.1f} %") for entry in card.entries]
            self.weights.set_options(options)
            self.weights.set_value(DRAWN if before == DRAWN else card.best.name)
        self._describe()

    def _describe(self) -> None:
        """What the chosen weights are, and what fetching them takes."""
        card, name = self._card, self.weights.value()
        if card is None:
            self.title.setText(self.tr("No network of that name"))
            self.about.setText("")
            self._settle()
            return
        words = [self.tr("{0} parameters.").format(count(card.parameters))]
        if card.smallest > 1:
            words.append(self.tr("Images of at least {0} pixels.").format(card.smallest))
        if name:
            entry = card.entry(str(name))
            said = self.tr("{0} % of ImageNet's validation images right at once, {1} % among five answers.")
            words.append(said.format(f"{entry.accuracy:.2f}", f"{entry.accuracy5:.2f}"))
            if self._file is not None:
                words.append(self.tr("The weights are read from {0}.").format(self._file.name))
            elif (card.name, entry.name) in self._here:
                words.append(self.tr("The weights are on this machine."))
            else:
                host = entry.url.partition("//")[2].partition("/")[0]
                words.append(self.tr("{0} MB are fetched from {1}.").format(f"{entry.bytes / 1e6:.0f}", host))
        else:
            words.append(self.tr("It begins with weights drawn from the seed."))
        self.about.setText("\n\n".join(words))
        self._settle()

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, self.tr("Weights of {0}").format(self._card.name), settings.last_folder.get() or str(Path.home()),
            self.tr("Weights ({0});;All files (*)").format("*.pth *.pt *.safetensors"),
        )  # fmt: skip
        if path:
            self._file = Path(path)
            self._describe()

    def _import(self) -> None:
        if self._card is None or self._job is not None:
            return
        classes = int(self.classes.value())
        order = ImportOrder(
            self._card.name, str(self.weights.value() or ""), 0 if classes == 1000 else classes,
            self._file if self.weights.value() else None,
        )  # fmt: skip
        self.banner.hide()
        self._begin(self.tr("Importing {0}").format(order.name))
        self._job = self._jobs.start(
            "gallery", self.tr("Importing {0}").format(order.name), bring_network(order),
            done=self._take, failed=self._fail, cancelled=self._ended,
        )  # fmt: skip
        self._job.progressed.connect(self._progress)

    def _take(self, brought: Brought) -> None:
        self._ended()
        self.brought.emit(brought)
        self.accept()

    def _progress(self, done: int, total: int | None, words: str) -> None:
        amount = f"{done / 1e6:.0f} / {total / 1e6:.0f} MB" if total else ""
        self.progress.set_progress(done / total if total else None, words=words, amount=amount)

    def _begin(self, words: str) -> None:
        self.progress.set_progress(None, words=words)
        self.progress.show()
        self.stop.setEnabled(True)
        for widget in (self.take, self.browse, self.weights, self.classes, self.table):
            widget.setEnabled(False)

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _drop(self) -> None:
        if self._job is not None:
            self._job.dropped = True
            self._job.cancel()
            self._job = None

    def _ended(self) -> None:
        self._job = None
        self.progress.hide()
        self._settle()

    def _settle(self) -> None:
        free = self._job is None
        known = self._card is not None
        self.stop.setEnabled(not free)
        self.table.setEnabled(free)
        for widget in (self.take, self.weights, self.classes):
            widget.setEnabled(free and known)
        self.browse.setEnabled(free and known and bool(self.weights.value()))

    def _fail(self, problem: Problem) -> None:
        self._ended()
        self.banner.set_state("error", problem.happened, problem.fix or problem.expected)
        self.banner.show()
