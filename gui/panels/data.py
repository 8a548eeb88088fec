"""The data before training: what it is, how its classes are spread, what its samples look like, or what is wrong.

Reads in jobs only, writes through the document only. Facts that reading finds are amended to the project, which is
no edit: nobody has to undo them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from engine.datasets.download import DownloadPlan
from engine.declare import find
from engine.diff import Delta
from engine.known import data_key, known_data, with_facts
from engine.places import Places
from engine.problem import Fix, Problem, error
from gui.document import Document
from gui.jobs import Job, Jobs
from gui.panels.data_about import AboutData, title_of
from gui.panels.data_look import Look, Pictures
from gui.panels.data_notice import DataNotice
from gui.panels.data_progress import JobProgress
from gui.panels.data_reading import DataReader, Wish
from gui.panels.data_samples import BalancePart, SamplesPart
from gui.theme import metrics

SETTLE_MS = 300
"""Changes within this time are read together: a number that is being typed changes the recipe at every key."""
TYPES = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".npz": "npz"}


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
        self._document, self._places = document, places
        self._ready = self._missing = self._augmented = False
        self._seed, self._split = 0, "train"
        self._reader = DataReader(jobs, self)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.read)
        self._build()
        self._connect()
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
            happened = self.tr("{0} cannot be used as data.").format(path.name)
            expected = self.tr("A table (.csv), arrays (.npz) or a folder of images")
            self.problem.emit(error(str(path), happened, expected, self.tr("Choose another file")))
            return
        tagged = {"type": type_name, "path": self._shortened(path)}
        self._set_data(tagged, self.tr("use {0}").format(path.name))

    def read(self) -> None:
        """Reads the data again and shows what it holds, in a job; a newer reading takes the place of an older one."""
        self._settle.stop()
        if self._ready:
            self._reader.read(self._wish())
        else:
            self.notice.show_waiting()
            self.pages.setCurrentWidget(self.notice)

    def sizeHint(self) -> QSize:
        """The dock of a middle-sized window."""
        return QSize(1104, 242)

    def _build(self) -> None:
        self.about = AboutData()
        self.notice = DataNotice()
        self.balance, self.samples = BalancePart(), SamplesPart()
        self.progress = JobProgress()
        content = QWidget()
        inside = _row(content)
        inside.addWidget(self.balance, 22)
        inside.addWidget(_line())
        inside.addWidget(self.samples, 61)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.notice)
        self.pages.addWidget(content)
        # A page that is not in front must not keep the dock from becoming narrow.
        self.pages.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.pages.setMinimumWidth(320)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.progress)
        right.addWidget(self.pages, 1)
        body = QWidget()
        row = _row(body)
        row.setContentsMargins(metrics.control_padding, 6, metrics.control_padding, metrics.grid)
        row.addWidget(self.about, 17)
        row.addWidget(_line())
        row.addLayout(right, 83)
        for part, least, most in ((self.about, 196, 264), (self.balance, 212, 340)):
            part.setMinimumWidth(least)
            part.setMaximumWidth(most)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.progress.line)
        outer.addWidget(body, 1)

    def _connect(self) -> None:
        self._document.opened.connect(self._opened)
        self._document.changed.connect(self._edited)
        reader, notice, samples = self._reader, self.notice, self.samples
        reader.began.connect(self._began)
        reader.looked.connect(self._show_look)
        reader.planned.connect(self._show_plan)
        reader.failed.connect(self._show_problem)
        reader.columns_found.connect(notice.show_problem)
        reader.given_up.connect(lambda: self._set_stale(False))
        reader.may_be_there.connect(self._look_again)
        self.about.chosen.connect(self._choose)
        notice.fetch_wanted.connect(lambda: self._reader.fetch(self._wish()))
        notice.retry_wanted.connect(self.read)
        notice.path_chosen.connect(lambda path: self._point(Path(path)))
        notice.fix_chosen.connect(self._mend)
        notice.column_chosen.connect(lambda name: self._set("target", name))
        samples.split_wanted.connect(self._show_split)
        samples.augmented_wanted.connect(self._show_augmented)
        samples.others_wanted.connect(self._show_others)

    def _opened(self) -> None:
        self._seed, self._split, self._missing = 0, "train", False
        self._reader.forget()
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

    def _wish(self) -> Wish:
        project = self._document.project
        augmented = self._augmented and bool(project.recipe.get("augment"))
        return Wish(project.recipe, self._places(), title_of(project), self._split, self._seed, augmented)

    def _began(self, job: Job, in_bytes: bool) -> None:
        self._set_stale(True)
        self.progress.follow(job, in_bytes=in_bytes)
        if in_bytes:
            self.notice.set_fetching()

    def _show_look(self, wish: Wish, look: Look, changed: Pictures | None) -> None:
        self._missing = False
        self.balance.show_balance(look.balance)
        can_augment = bool(wish.recipe.get("augment")) and isinstance(look.samples, Pictures)
        self.samples.show_look(look, changed, can_augment=can_augment)
        self.pages.setCurrentIndex(1)
        if data_key(self._document.project.recipe) == data_key(wish.recipe):
            self._document.amend(lambda project: with_facts(project, look.readout.facts))

    def _show_plan(self, wish: Wish, plan: DownloadPlan) -> None:
        self._missing = True
        declaration = find("dataset", str(wish.recipe.get("data").get("type")))
        self.notice.show_plan(wish.title, plan, can_point=declaration is not None and "path" in declaration.by_name)
        self.pages.setCurrentWidget(self.notice)

    def _show_problem(self, problem: Problem) -> None:
        self._missing = problem.code == "data-missing"
        self.notice.show_problem(problem)
        self.pages.setCurrentWidget(self.notice)
        if problem.code == "data-target":
            self._reader.find_columns(self._wish(), problem)

    def _look_again(self) -> None:
        if self._missing:
            self._settle.start()

    def _set_stale(self, stale: bool) -> None:
        self.balance.set_stale(stale)
        self.samples.set_stale(stale)

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


def _row(widget: QWidget) -> QHBoxLayout:
    made = QHBoxLayout(widget)
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(metrics.panel_padding)
    return made


def _line() -> QFrame:
    made = QFrame()
    made.setFrameShape(QFrame.Shape.VLine)
    return made
