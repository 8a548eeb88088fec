"""The Predict dock: asks a trained run about a drawing, a file, a sample or a row, at once and as often as one likes.

Owns which run and which of its checkpoints is asked. Its parts are made when it is first seen: the first frame of the
window need not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QPaintEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from engine.places import Places
from engine.problem import ProblemError
from engine.runfiles import RUNNING, RunInfo, checkpoint_names, read_info
from gui.document import Document
from gui.jobs import Jobs
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.choices import Choice
from gui.widgets.labels import ElidedLabel
from gui.widgets.states import EmptyState

if TYPE_CHECKING:
    from gui.panels.predict_body import PredictBody

MOST_RUNS = 200
"""Runs that are offered: the newest ones."""


class PredictPanel(QWidget):
    """Content of the Predict dock."""

    problem = Signal(object)
    train_requested = Signal()

    def __init__(
        self, document: Document, jobs: Jobs, places: Callable[[], Places], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._jobs, self._places = document, jobs, places
        self._infos: dict[Path, RunInfo] = {}
        self._run: Path | None = None
        self._by_hand = False
        self._body: PredictBody | None = None
        self.setAcceptDrops(True)
        document.selection.changed.connect(self._follow_selection)
        document.opened.connect(self._opened)

    @property
    def run(self) -> Path | None:
        """The run that is asked."""
        return self._run

    @property
    def body(self) -> PredictBody:
        """Its parts; made when they are first wanted."""
        if self._body is None:
            self._build()
        assert self._body is not None
        return self._body

    def set_runs(self, infos: Sequence[RunInfo]) -> None:
        """The runs there are now; the one that is asked stays while it is there."""
        newest = sorted(infos, key=lambda info: -info.created)[:MOST_RUNS]
        if list(self._infos.values()) == newest:
            return
        self._infos = {info.path: info for info in newest}
        if self._run not in self._infos:
            self._run, self._by_hand = None, False
        if self._body is not None:
            self._offer()

    def follow(self, run: Path | None) -> None:
        """A run was opened or has begun: it is asked, unless the person chose another one here."""
        if run is not None and run != self._run and not self._by_hand:
            self._run = run
            if self._body is not None:
                self._offer()

    def ask_run(self, run: Path) -> None:
        """The person wants to ask this run."""
        self._run, self._by_hand = run, True
        body = self.body
        self._offer()
        body.setFocus()

    def sizeHint(self) -> QSize:
        """The dock of a middle-sized window."""
        return QSize(1104, 242)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Makes the parts when the dock is first seen; behind the tab of another it is shown, but never painted."""
        if self._body is None:
            QTimer.singleShot(0, self, self._build_once)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Takes files, folders and images."""
        if self._run is not None and (event.mimeData().hasUrls() or event.mimeData().hasImage()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Asks about what was dropped."""
        if self.body.input.take(event.mimeData()):
            event.acceptProposedAction()

    def _build_once(self) -> None:
        if self._body is None:
            self._build()

    def _build(self) -> None:
        from gui.panels.predict_body import PredictBody

        self._body = PredictBody(self._jobs, self._places)
        self._body.problem.connect(self.problem)
        self.runs = Choice(dense=True)
        self.runs.setToolTip(self.tr("Which run is asked"))
        self.runs.setAccessibleName(self.tr("Run"))
        self.checkpoint = Choice(dense=True)
        self.checkpoint.setToolTip(self.tr("Whose weights: the run's result, or one of its checkpoints"))
        self.checkpoint.setAccessibleName(self.tr("Checkpoint"))
        self.about = ElidedLabel("", role="hint")
        self.runs.committed.connect(self._choose_run)
        self.checkpoint.committed.connect(lambda _name: self._ask())
        head = QHBoxLayout()
        head.setContentsMargins(metrics.control_padding, 6, metrics.control_padding, 0)
        head.setSpacing(metrics.grid)
        head.addWidget(self.runs, 3)
        head.addWidget(self.checkpoint, 2)
        head.addWidget(self.about, 4)
        asking = QWidget()
        column = QVBoxLayout(asking)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._body, 1)
        self.train = Button(self.tr("Train"), icon_name="play", kind="primary",
                            tip=self.tr("Train this network from the start"))  # fmt: skip
        self.train.clicked.connect(self.train_requested)
        empty = EmptyState(
            "sample", self.tr("Nothing is trained yet"),
            self.tr("Train a network; then draw, drop a file or pick a sample here, and see what it says and why."),
            self.train,
        )  # fmt: skip
        holder = QWidget()
        room = QVBoxLayout(holder)
        room.addWidget(empty)
        room.addStretch()
        self._pages = QStackedWidget()
        self._pages.addWidget(asking)
        self._pages.addWidget(holder)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._pages)
        paste = QShortcut(QKeySequence(QKeySequence.StandardKey.Paste), self)
        paste.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        paste.activated.connect(self._paste)
        self._offer()

    def _offer(self) -> None:
        """Shows the runs and asks the chosen one, or the newest."""
        body = self.body
        self._pages.setCurrentIndex(0 if self._infos or self._run else 1)
        if self._run is None:
            self._run = next(iter(self._infos), None)
        names = [(path, info.name) for path, info in self._infos.items()]
        if self._run is not None and self._run not in self._infos:
            names.insert(0, (self._run, _name_of(self._run)))
        self.runs.clear()
        self.runs.set_options(names)
        if self._run is not None:
            self.runs.set_value(self._run)
            self._ask()
            self._follow_selection()
        body.setEnabled(self._run is not None)

    def _ask(self) -> None:
        if self._run is None:
            return
        chosen = str(self.checkpoint.value() or "")
        there = checkpoint_names(self._run)
        found = self.body.set_run(self._run, chosen if chosen in there else "")
        result = self.tr("Its result ({0})").format(found.info.result) if found else self.tr("Its result")
        self.checkpoint.set_options([("", result), *((name, name) for name in there)])
        self.checkpoint.set_value(chosen if chosen in there else "")
        if found is not None:
            self.about.setText(self._words(found.info))

    def _words(self, info: RunInfo) -> str:
        if info.status == RUNNING:  # how far it is says the toolbar, and each answer names its epoch
            return self.tr("{0}, under way").format(info.project)
        words = self.tr("{0}, {1} of {2} epochs, {3}")
        return words.format(info.project, info.epoch, info.epochs, self.tr(info.status.replace("_", " ")))

    def _choose_run(self, run: Path) -> None:
        self._run, self._by_hand = run, True
        self.checkpoint.set_value("")
        self._ask()

    def _paste(self) -> None:
        if self._run is not None:
            self.body.input.paste()

    def _follow_selection(self) -> None:
        if self._body is not None:
            self._body.inside.select_node(self._document.selection.node)

    def _opened(self) -> None:
        self._by_hand = False


def _name_of(run: Path) -> str:
    """The name of a run that stands in another folder than the others."""
    try:
        return read_info(run).name
    except ProblemError:
        return run.name
