"""From the press on Train to the end of a run: what is trained, where its run goes, what is said when it ends.

Owns the decisions between document, training and runs folder. Draws nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.events import RunEnded
from engine.places import Places
from engine.problem import Problem, ProblemError, error
from engine.runfiles import read_info
from engine.runs import read_events, read_run_project
from engine.timeline import Timeline
from gui.document import Document
from gui.jobs import Jobs, fetch_data, plan_data
from gui.numbers import bytes_text, number
from gui.training import Order, Training
from gui.whereabouts import places_of, runs_of

AskDownload = Callable[[str, int | None, str], bool]


class RunFlow(QObject):
    """Starts, continues and re-opens runs."""

    problem = Signal(object)
    said = Signal(str, str, str)
    """Tone ("ok", "warn", "error"), title and words for a toast."""
    runs_changed = Signal()
    began = Signal()
    opened = Signal(object)
    """The `Path` of the run whose curves are shown now."""

    def __init__(self, document: Document, training: Training, jobs: Jobs, ask_download: AskDownload) -> None:
        super().__init__(document)
        self._document, self._training, self._jobs = document, training, jobs
        self._ask_download = ask_download
        self.shown: Path | None = None
        """The run whose curves are shown; None before the first."""
        training.refused.connect(self.problem)
        training.ended.connect(self._ended)
        training.state_changed.connect(self.runs_changed)

    @property
    def runs_folder(self) -> Path:
        """Where this project's runs are."""
        return runs_of(self._document.path)

    @property
    def places(self) -> Places:
        """Where this project's data is looked for."""
        return places_of(self._document.path)

    def train(self) -> None:
        """Trains the project from the start, fetching its data first when the person agrees."""
        if self._training.active:
            return
        errors = self._document.analysis.errors
        if errors:
            self.problem.emit(errors[0])
            return
        project = self._document.project
        self.with_data(lambda: self._start(Order(project, self.runs_folder, self.places)))

    def continue_run(self, run: Path, epochs: int) -> None:
        """Goes on with a recorded run until it has `epochs` epochs in all."""
        try:
            project = read_run_project(run)
        except ProblemError as fault:
            self.problem.emit(fault.problem)
            return
        self._start(Order(project, run.parent, self.places, resume=run, epochs=epochs))

    def open_run(self, run: Path) -> None:
        """Replays a recorded run into the charts."""
        if self._training.active:
            self.said.emit("warn", self.tr("A training is running"), self.tr("Stop it to look at another run."))
            return
        try:
            timeline = Timeline.from_events(read_events(run))
        except (OSError, ProblemError) as fault:
            found = fault.problem if isinstance(fault, ProblemError) else None
            self.problem.emit(found or error(str(run), self.tr("The run cannot be read."), "", str(fault)))
            return
        self.shown = run
        self.opened.emit(run)
        self._training.show(timeline, run)

    def open_run_project(self, run: Path) -> None:
        """Puts a run's exact project into the window, as a project without a file."""
        try:
            self._document.adopt(read_run_project(run))
        except ProblemError as fault:
            self.problem.emit(fault.problem)

    def with_data(self, then: Callable[[], None]) -> None:
        """Does something as soon as the project's data is there, fetched first when the person agrees."""
        recipe, where = self._document.project.recipe, self.places

        def answer(plan: object) -> None:
            if plan is None:
                then()
            elif self._ask_download(str(plan.words), plan.size, str(plan.folder)):  # type: ignore[attr-defined]
                self._fetch(then)

        work = plan_data(recipe, where)
        self._jobs.start("data-plan", self.tr("Looking for the data"), work, done=answer, failed=self.problem.emit)

    def _start(self, order: Order) -> None:
        self.shown = order.resume
        self._training.start(order)
        self.began.emit()

    def _fetch(self, then: Callable[[], None]) -> None:
        work = fetch_data(self._document.project.recipe, self.places)
        self._jobs.start("fetch", self.tr("Getting the data"), work, done=lambda _: then(), failed=self.problem.emit)

    def _ended(self, event: RunEnded) -> None:
        self.shown = Path(event.run)
        name = read_info(self.shown).name if self.shown.exists() else self.shown.name
        if event.outcome == "failed":
            self.problem.emit(_problem_of(event, self.tr("The training failed.")))
            return
        titles = {
            "completed": self.tr("Training finished"),
            "early_stopped": self.tr("Stopped early: no further improvement"),
            "stopped": self.tr("Stopped and saved"),
            "interrupted": self.tr("Interrupted and saved"),
        }
        accuracy = event.best.get("val_accuracy", event.final.get("val_accuracy"))
        words = name
        if isinstance(accuracy, float):
            words = self.tr("{0}: best validation accuracy {1} %").format(name, number(accuracy * 100))
        title = titles.get(event.outcome, event.outcome)
        if event.outcome == "stopped" and self._training.stopped_by:
            # This toast takes the place of the alert's own: it must say why there is nothing going on any more.
            title, words = self.tr("Stopped by an alert, and saved"), self._training.stopped_by
        self.said.emit("ok", title, words)


def _problem_of(event: RunEnded, otherwise: str) -> Problem:
    found = event.problem or {}
    return error(
        str(found.get("where", "")), str(found.get("happened", otherwise)), str(found.get("expected", "")),
        str(found.get("fix", "")),
    )  # fmt: skip


def download_words(words: str, size: int | None) -> str:
    """What a question about a download says: what, and how much."""
    return f"{words} ({bytes_text(size)})" if size else words
