"""What stands in the data panel in place of samples: torch is not there yet, data must be fetched, data is wrong.

Owns the words, the banner and its buttons. Decides nothing: every button is a signal.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from engine.datasets.download import DownloadPlan
from engine.problem import Fix, Problem
from gui.numbers import bytes_text
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.choices import Choice
from gui.widgets.states import Banner, EmptyState

NEEDS_PATH = frozenset({"data-no-path", "data-missing", "data-one-class", "data-empty-folder"})


class DataNotice(QWidget):
    """One banner or empty state at a time, at the top left of its room."""

    fetch_wanted = Signal()
    path_chosen = Signal(str)
    column_chosen = Signal(str)
    fix_chosen = Signal(object)
    """The `Fix` to apply."""
    retry_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(metrics.grid)
        self._layout.addStretch()
        self.buttons: dict[str, QPushButton] = {}
        """The buttons on show by purpose: fetch, file, folder, retry, fix 1, fix 2 …"""
        self.columns: Choice | None = None
        self.shown: QWidget | None = None

    def show_waiting(self) -> None:
        """torch is still being loaded."""
        self._replace(
            EmptyState(
                "clock", self.tr("Preparing the engine"), self.tr("Samples appear as soon as PyTorch has been loaded.")
            )
        )

    def show_plan(self, title: str, plan: DownloadPlan, *, can_point: bool) -> None:
        """The data must be fetched, or pointed to where it lies already."""
        fetch = self._button("fetch", self.tr("Fetch"), icon="download", kind="primary")
        fetch.setToolTip(self.tr("Fetch it from the network, checked against its checksum"))
        fetch.clicked.connect(self.fetch_wanted)
        buttons = [fetch]
        if can_point:
            buttons.append(self._folder_button())
        size = f" ({bytes_text(plan.size)})" if plan.size and not any(char.isdigit() for char in plan.words) else ""
        words = self.tr("{0}. It would go to {1}.").format(f"{plan.words}{size}", plan.folder)
        self._replace(Banner("accent", self.tr("{0} is not on this computer yet").format(title), words, *buttons))

    def set_fetching(self) -> None:
        """The data is on its way: its button waits."""
        if (button := self.buttons.get("fetch")) is not None:
            button.setEnabled(False)
            button.setToolTip(self.tr("It is being fetched"))

    def show_problem(self, problem: Problem, columns: Sequence[str] = ()) -> None:
        """Reading failed, with what mends it."""
        # Something that was never chosen is missing, not wrong.
        tone = "accent" if problem.code in ("data-no-path", "data-target") else "error"
        buttons: list[QPushButton] = []
        for place, fix in enumerate((fix for fix in problem.fixes if fix.apply), 1):
            buttons.append(self._fix_button(place, fix))
        if problem.code in NEEDS_PATH:
            buttons += [self._file_button(), self._folder_button()]
        elif not buttons and tone == "error":
            retry = self._button("retry", self.tr("Try again"), icon="refresh")
            retry.setToolTip(self.tr("Read the data once more"))
            retry.clicked.connect(self.retry_wanted)
            buttons.append(retry)
        lines = [self.tr("Expected: {0}").format(problem.expected)] if problem.expected else []
        banner = Banner(tone, problem.happened, "\n".join([*lines, problem.fix]).strip(), *buttons)
        self._replace(banner)
        if columns:
            self.offer_columns(columns)

    def offer_columns(self, columns: Sequence[str]) -> None:
        """Lets the person choose the column to predict, below the banner."""
        self.columns = Choice([(None, self.tr("Choose …")), *((name, name) for name in columns)], dense=True)
        self.columns.setAccessibleName(self.tr("Column to predict"))
        self.columns.setToolTip(self.tr("The network learns to predict this column from the others"))
        self.columns.setMinimumWidth(220)
        self.columns.committed.connect(lambda name: name and self.column_chosen.emit(name))
        label = QLabel(self.tr("Column to predict"))
        label.setProperty("role", "label")
        label.setBuddy(self.columns)
        row = QHBoxLayout()
        row.setSpacing(metrics.grid)
        row.addWidget(label)
        row.addWidget(self.columns)
        row.addStretch()
        holder = QWidget()
        row.setContentsMargins(0, 0, 0, 0)
        holder.setLayout(row)
        self._layout.insertWidget(1, holder)

    def _replace(self, made: QWidget) -> None:
        while self._layout.count() > 1:
            item = self._layout.takeAt(0)
            old = item.widget() if item is not None else None
            if old is not None:
                old.hide()
                old.deleteLater()
        self.buttons = {name: button for name, button in self.buttons.items() if made.isAncestorOf(button)}
        self.columns = None
        self.shown = made
        # As high as its words need at this width: the banner's own limit counts unwrapped lines only.
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._layout.insertWidget(0, made)

    def _button(self, name: str, words: str, *, icon: str, kind: str = "") -> Button:
        made = Button(words, icon_name=icon, kind=kind)
        self.buttons[name] = made
        return made

    def _fix_button(self, place: int, fix: Fix) -> Button:
        made = self._button(f"fix {place}", fix.title, icon="wand", kind="primary" if place == 1 else "")
        made.setToolTip(fix.detail or self.tr("Changes the recipe; Undo takes it back"))
        made.clicked.connect(lambda: self.fix_chosen.emit(fix))
        return made

    def _file_button(self) -> Button:
        made = self._button("file", self.tr("Choose a file…"), icon="open")
        made.setToolTip(self.tr("A table (.csv) or arrays (.npz)"))
        made.clicked.connect(self._ask_file)
        return made

    def _folder_button(self) -> Button:
        made = self._button("folder", self.tr("Choose a folder…"), icon="folder")
        made.setToolTip(self.tr("A folder that holds the data already"))
        made.clicked.connect(self._ask_folder)
        return made

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, self.tr("Choose the data"), str(Path.home()), self.tr("Data (*.csv *.tsv *.txt *.npz);;All files (*)")
        )
        if path:
            self.path_chosen.emit(path)

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, self.tr("Choose the folder of the data"), str(Path.home()))
        if path:
            self.path_chosen.emit(path)
