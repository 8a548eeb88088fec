"""The data before training: what it is, how its classes are spread, what its samples look like, or why it cannot be read.

Reads in jobs only, writes through the document only. Facts that reading finds are amended to the project, which is
no edit: nobody has to undo them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QSize, QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from engine.datasets.download import DownloadPlan
from engine.datasets.find import find_path
from engine.datasets.readout import Readout
from engine.declare import find
from engine.diff import Delta
from engine.known import data_key, known_data, with_facts
from engine.places import Places
from engine.problem import Fix, Problem
from engine.recipe import Recipe
from gui.document import Document
from gui.jobs import Job, Jobs, Progress, fetch_data
from gui.panels.data_about import AboutData, title_of
from gui.panels.data_look import Look, Pictures
from gui.panels.data_notice import DataNotice
from gui.panels.data_progress import JobProgress
from gui.panels.data_samples import BalancePart, SamplesPart
from gui.theme import metrics, themes

SETTLE_MS = 300
"""Changes within this time are read together: a number that is being typed changes the recipe at every key."""
KEPT_BYTES = 100_000_000
"""Data up to this size stays at hand for another look; larger data is read again."""
TYPES = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".npz": "npz"}
NUM_PREVIEWED, NUM_VARIANTS = 16, 5


@dataclass(frozen=True)
class _Wish:
    """What is asked of one reading."""

    recipe: Recipe
    places: Places
    split: str
    seed: int
    augmented: bool

    @property
    def key(self) -> tuple[str, Places]:
        return data_key(self.recipe), self.places


class DataPanel(QWidget):
    """Content of the Data dock."""

    summary_changed = Signal(str)
    """The data set and its samples in a few words, for the status bar."""
    problem = Signal(object)
    """A `Problem` that belongs to no data: a folder that cannot be used."""

    def __init__(
        self, document: Document, jobs: Jobs, places: Callable[[], Places], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._jobs, self._places = document, jobs, places
        self._ready = self._missing = self._augmented = False
        self._seed, self._split = 0, "train"
        self._kept: tuple[Any, Readout] | None = None
        self._fetching: Job | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.read)
        self._build()
        document.opened.connect(self._opened)
        document.changed.connect(self._edited)
        jobs.started.connect(self._watch)
        themes.changed.connect(self.update)
        self._opened()

    def set_ready(self, *_: object) -> None:
        """torch has been loaded: data can be read from now on."""
        if not self._ready:
            self._ready = True
            self.read()

    def use_path(self, path: Path) -> None:
        """Makes a file (.csv, .npz) or a folder of images the project's data; an unknown ending is a Problem."""
        type_name = "image_folder" if path.is_dir() else TYPES.get(path.suffix.lower(), "")
        if not type_name:
            self.problem.emit(_unknown_file(self, path))
            return
        tagged = {"type": type_name, "path": self._shortened(path)}
        self._set_data(tagged, self.tr("use {0}").format(path.name))

    def read(self) -> None:
        """Reads the data again and shows what it holds, in a job; a newer reading takes the place of an older one."""
        self._settle.stop()
        if not self._ready:
            self.notice.show_waiting()
            self.pages.setCurrentWidget(self.notice)
            return
        recipe = self._document.project.recipe
        wish = _Wish(recipe, self._places(), self._split, self._seed, self._augmented and bool(recipe.get("augment")))
        kept = self._kept[1] if self._kept is not None and self._kept[0] == wish.key else None
        job = self._jobs.start(
            "data-preview", self.tr("Reading {0}").format(title_of(self._document.project)), _work(wish, kept),
            done=lambda found: self._take(wish, found), failed=self._fail, cancelled=self._given_up,
        )  # fmt: skip
        self.samples.set_stale(True)
        self.balance.bars.set_stale(True)
        self.balance.spread.set_stale(True)
        self.progress.follow(job)

    def sizeHint(self) -> QSize:
        """The dock of a middle-sized window."""
        return QSize(1104, 242)

    def resizeEvent(self, event: QEvent) -> None:
        """The samples get what more room there is; facts and balance a little of it."""
        wide = min(1.0, max(0.0, (self.width() - 816) / 744))
        self.about.setFixedWidth(round(196 + 68 * wide))
        self.balance.setFixedWidth(round(212 + 128 * wide))
        super().resizeEvent(event)

    def _build(self) -> None:
        self.about = AboutData()
        self.about.chosen.connect(self._choose)
        self.notice = DataNotice()
        self.notice.fetch_wanted.connect(self._fetch)
        self.notice.retry_wanted.connect(self.read)
        self.notice.path_chosen.connect(lambda path: self._point(Path(path)))
        self.notice.fix_chosen.connect(self._mend)
        self.notice.column_chosen.connect(lambda name: self._set("target", name))
        self.balance, self.samples = BalancePart(), SamplesPart()
        self.samples.split_wanted.connect(self._show_split)
        self.samples.augmented_wanted.connect(self._show_augmented)
        self.samples.others_wanted.connect(self._show_others)
        self.progress = JobProgress()
        content = QWidget()
        inside = _row(content)
        inside.addWidget(self.balance)
        inside.addWidget(_line())
        inside.addWidget(self.samples, 1)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.notice)
        self.pages.addWidget(content)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.progress)
        right.addWidget(self.pages, 1)
        body = QWidget()
        row = _row(body)
        row.setContentsMargins(metrics.control_padding, 6, metrics.control_padding, metrics.grid)
        row.addWidget(self.about)
        row.addWidget(_line())
        row.addLayout(right, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.progress.line)
        outer.addWidget(body, 1)

    def _opened(self) -> None:
        self._kept, self._seed, self._split = None, 0, "train"
        self._describe()
        self.read()

    def _edited(self, delta: Delta) -> None:
        if delta.data or "data" in delta.recipe or "preprocess" in delta.recipe:
            self._describe()
        if {"data", "preprocess", "augment"} & set(delta.recipe):
            self._settle.start()

    def _describe(self) -> None:
        project = self._document.project
        facts = known_data(project)
        self.about.show_project(project, facts)
        words = title_of(project)
        if facts is not None and facts.counts:
            words += ": " + " + ".join(f"{num:,}" for num in facts.counts.values())
        self.summary_changed.emit(words)

    def _take(self, wish: _Wish, found: DownloadPlan | tuple[Look, Pictures | None]) -> None:
        if isinstance(found, DownloadPlan):
            self._missing = True
            declaration = find("dataset", str(wish.recipe.get("data").get("type")))
            can_point = declaration is not None and "path" in declaration.by_name
            self.notice.show_plan(title_of(self._document.project), found, can_point=can_point)
            self.pages.setCurrentWidget(self.notice)
            return
        look, changed = found
        self._missing = False
        self._kept = (wish.key, look.readout) if look.readout.num_bytes <= KEPT_BYTES else None
        self.balance.show_balance(look.balance)
        can_augment = bool(wish.recipe.get("augment")) and isinstance(look.samples, Pictures)
        self.samples.show_look(look, changed, can_augment=can_augment)
        self.pages.setCurrentIndex(1)
        if data_key(self._document.project.recipe) == data_key(wish.recipe):
            self._document.amend(lambda project: with_facts(project, look.readout.facts))

    def _fail(self, problem: Problem) -> None:
        self._missing = problem.code == "data-missing"
        self.notice.show_problem(problem)
        self.pages.setCurrentWidget(self.notice)
        if problem.code == "data-target":
            self._ask_columns(problem)

    def _given_up(self) -> None:
        self.samples.set_stale(False)

    def _ask_columns(self, problem: Problem) -> None:
        """Reads the head of the table, so that the column to predict can be chosen right here."""
        tagged, places = self._document.project.recipe.get("data"), self._places()

        def work(_progress: Progress, _cancel: threading.Event) -> tuple[str, ...]:
            from engine.datasets.grids import read_grid

            settings = {name: str(tagged.get(name, "auto")) for name in ("delimiter", "header")}
            return tuple(read_grid(find_path(str(tagged.get("path", "")), places), **settings).names)

        self._jobs.start(
            "data-columns", self.tr("Reading the columns"), work,
            done=lambda names: self.notice.show_problem(problem, names), failed=self._fail,
        )  # fmt: skip

    def _fetch(self) -> None:
        recipe, places = self._document.project.recipe, self._places()
        words = self.tr("Getting {0}").format(title_of(self._document.project))
        job = self._jobs.start("fetch", words, fetch_data(recipe, places), failed=self._fail)
        self._fetching = job
        if (button := self.notice.buttons.get("fetch")) is not None:
            button.setEnabled(False)
            button.setToolTip(self.tr("It is being fetched"))
        job.finished.connect(self._fetched)
        self.progress.follow(job, in_bytes=True)

    def _fetched(self) -> None:
        if self.sender() is self._fetching:
            self._fetching = None
            if self._missing:
                self._settle.start()

    def _watch(self, job: Job) -> None:
        """Pressing Train may fetch the data too: whatever ends while data is missing is a reason to look again."""
        if self._missing and job.title and self._fetching is None:
            job.finished.connect(self._other_ended)

    def _other_ended(self) -> None:
        if self._missing and self._ready and not self._settle.isActive():
            self._settle.start()

    def _choose(self, type_name: str) -> None:
        declaration = find("dataset", type_name)
        self._set_data({"type": type_name}, self.tr("use {0}").format(declaration.title if declaration else type_name))

    def _point(self, path: Path) -> None:
        """A path for the chosen data set where it takes one of that kind, else whatever the path itself is."""
        type_name = str(self._document.project.recipe.get("data").get("type"))
        if path.is_dir() and type_name not in ("csv", "npz"):
            self._set("path", self._shortened(path))
        else:
            self.use_path(path)

    def _set(self, name: str, value: object) -> None:
        tagged = {**self._document.project.recipe.get("data"), name: value}
        self._set_data(tagged, self.tr("data {0}").format(name))

    def _set_data(self, tagged: Mapping[str, Any], label: str) -> None:
        self._document.edit(label, lambda project: project.with_recipe(project.recipe.with_value("data", tagged)))

    def _mend(self, fix: Fix) -> None:
        if fix.apply is not None:
            self._document.edit(fix.title, fix.apply)

    def _show_split(self, split: str) -> None:
        self._split = split
        self.read()

    def _show_augmented(self, augmented: bool) -> None:
        self._augmented = augmented
        self.read()

    def _show_others(self) -> None:
        self._seed += 1
        self.read()

    def _shortened(self, path: Path) -> str:
        """Relative to the project's folder where it lies below it, so that both can be moved together."""
        beside = self._places().beside
        if beside is not None and path.is_relative_to(beside):
            return path.relative_to(beside).as_posix()
        return str(path)
