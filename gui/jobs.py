"""One-off work beside the window: reading data, previews, downloads, exports, evaluation. Progress and cancel.

One of the three modules that reach `engine.runtime`, and only inside the threads of its jobs. A job that draws random
numbers is guarded in the engine, so that it cannot change a training that runs at the same time.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, QThread, Signal

from engine.formats import ExportOptions
from engine.problem import Problem, ProblemError
from gui.orders import Answers, RangeOrder

if TYPE_CHECKING:
    from pathlib import Path

    from engine.asked import Desk, Question
    from engine.compression import Way
    from engine.places import Places
    from engine.project import Project
    from engine.recipe import Recipe


class Progress(Protocol):
    """Called by the work: so much done of so much (None: unknown), and what it is doing."""

    def __call__(self, done: int, total: int | None, words: str) -> None:
        """Reports once; cheap enough for every chunk of work."""


Work = Callable[[Progress, threading.Event], Any]


@dataclass(frozen=True)
class ExportOrder:
    """What to export: a run with the weights of a checkpoint, or, without a run, a project's code."""

    project: Project
    run: Path | None
    checkpoint: str
    """`best`, `last`, or "" for what the run's result is."""
    format: str
    path: Path
    places: Places
    options: ExportOptions = field(default_factory=ExportOptions)


class Job(QThread):
    """One piece of work. Exactly one of `done`, `failed`, `cancelled`, `broke` is emitted at its end."""

    progressed = Signal(object, object, str)
    done = Signal(object)
    failed = Signal(object)
    """A `Problem`."""
    cancelled = Signal()
    broke = Signal(str)
    """A traceback: a bug of ours."""

    def __init__(self, title: str, work: Work, answers: Answers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self.dropped = False
        """True once nobody wants the result any more."""
        self._work = work
        self._cancel = threading.Event()
        self._answers = answers
        # Bound methods of a QObject of the window's thread, so that results arrive there.
        self.done.connect(self._on_done)
        self.failed.connect(self._on_failed)
        self.cancelled.connect(self._on_cancelled)

    def cancel(self) -> None:
        """Asks the work to give up; `cancelled` follows when it has."""
        self._cancel.set()

    def run(self) -> None:
        """Thread body."""
        # Names of the catalogue reach numpy, which the first frame need not wait for.
        from engine.datasets.raw import Cancelled

        try:
            result = self._work(self._report, self._cancel)
        except Cancelled:
            self.cancelled.emit()
        except ProblemError as fault:
            if self._cancel.is_set():
                self.cancelled.emit()
            else:
                self.failed.emit(fault.problem)
        except Exception:  # a bug of ours must reach the crash dialog, not the terminal only
            self.broke.emit(traceback.format_exc())
        else:
            if self._cancel.is_set():
                self.cancelled.emit()
            else:
                self.done.emit(result)

    def _on_done(self, result: object) -> None:
        self._tell(self._answers.done, result)

    def _on_failed(self, problem: Problem) -> None:
        self._tell(self._answers.failed, problem)

    def _on_cancelled(self) -> None:
        self._tell(self._answers.cancelled)

    def _tell(self, answer: Callable[..., None] | None, *said: object) -> None:
        # Who is told may hold the jobs: such a ring would be collected later, perhaps in the thread of another job.
        self._answers = Answers()
        if answer and not self.dropped:
            answer(*said)

    def _report(self, done: int, total: int | None, words: str) -> None:
        self.progressed.emit(done, total, words)


class Jobs(QObject):
    """The jobs under way. A job started under the name of another takes its place: the newest wins."""

    started = Signal(object)
    """The `Job`, so that whoever shows progress can listen to it."""
    broke = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: dict[Job, str] = {}
        self._closed = False

    def start(
        self,
        name: str,
        title: str,
        work: Work,
        *,
        done: Callable[[Any], None] | None = None,
        failed: Callable[[Problem], None] | None = None,
        cancelled: Callable[[], None] | None = None,
    ) -> Job:
        """Starts work in a thread of its own; older work under the same name is cancelled and its result dropped."""
        for older, older_name in self._running.items():
            if older_name == name:
                older.dropped = True
                older.cancel()
        job = Job(title, work, Answers(done, failed, cancelled), self)
        if self._closed:  # a timer of a panel may still fire while the window goes: nobody would wait for its thread
            job.dropped = True
            return job
        self._running[job] = name
        job.broke.connect(self.broke)
        job.finished.connect(self._clear_finished)
        self.started.emit(job)
        job.start()
        return job

    @property
    def busy(self) -> bool:
        """True while any job runs."""
        return bool(self._running)

    def close(self) -> None:
        """Ends every job and begins none any more; for closing the window."""
        self._closed = True
        self.cancel_all()

    def cancel_all(self) -> None:
        """Asks every job to give up and waits for them."""
        for job in self._running:
            job.dropped = True
            job.cancel()
        for job in list(self._running):
            job.wait()
        self._clear_finished()

    def _clear_finished(self) -> None:
        for job in [job for job in self._running if job.isFinished()]:
            del self._running[job]
            job.deleteLater()


def plan_data(recipe: Recipe, places: Places) -> Work:
    """Work that finds what would have to be fetched: a `DownloadPlan`, or None when nothing is missing."""

    def work(_progress: Progress, _cancel: threading.Event) -> Any:
        from engine.runtime.data import needs_download

        return needs_download(recipe, places)

    return work


def fetch_data(recipe: Recipe, places: Places) -> Work:
    """Work that fetches what is missing, checked; nothing partial stays when it is cancelled."""

    def work(progress: Progress, cancel: threading.Event) -> None:
        from engine.runtime.data import fetch

        fetch(recipe, places, progress=progress, cancel=cancel)

    return work


def read_data(recipe: Recipe, places: Places) -> Work:
    """Work that reads a recipe's data to look at: a `Readout`, or a `DownloadPlan` when it must be fetched first."""

    def work(progress: Progress, cancel: threading.Event) -> Any:
        from engine.runtime import data

        plan = data.needs_download(recipe, places)
        return plan or data.read_data(recipe, places, progress=progress, cancel=cancel)

    return work


def preview_augmentation(recipe: Recipe, places: Places, *, num_images: int, variants: int, seed: int) -> Work:
    """Work that shows training images beside what augmentation makes of them: a list of `Preview`."""

    def work(progress: Progress, cancel: threading.Event) -> Any:
        from engine.runtime.data import preview

        return preview(recipe, places, num_images, variants=variants, seed=seed, progress=progress, cancel=cancel)

    return work


def export_model(order: ExportOrder) -> Work:
    """Work that exports, reads back and compares: an `ExportReport`. A failure leaves nothing behind."""

    def work(progress: Progress, _cancel: threading.Event) -> Any:
        from engine.runtime.export import export_project, export_run
        from engine.runtime.restore import load_run

        progress(0, None, "Writing, reading back and comparing")
        if order.run is None:
            return export_project(
                order.project, order.path, format=order.format, places=order.places, options=order.options
            )
        restored = load_run(order.run, order.checkpoint)
        return export_run(restored, order.path, format=order.format, places=order.places, options=order.options)

    return work


def examine_weights(project: Project, path: Path, part: str = "") -> Work:
    """Work that reads a file of weights and holds it against a project's network: an `Examined`."""

    def work(_progress: Progress, cancel: threading.Event) -> Any:
        from engine.runtime.load_weights import examine

        return examine(project, path, part=part, cancelled=cancel.is_set)

    return work


def evaluate(run: Path, places: Places, split: str, checkpoint: str, passes: int = 0) -> Work:
    """Work that evaluates a run's weights on a split: figures and, for classes, the confusion matrix, as plain data.

    With `passes` those of MC dropout stand beside them.
    """

    def work(progress: Progress, _cancel: threading.Event) -> Any:
        from engine.runtime.evaluate import evaluate_run

        progress(0, None, "Evaluating")
        return evaluate_run(run, places=places, split=split, checkpoint=checkpoint, mc=passes)

    return work


def compress(run: Path, places: Places, way: Way, path: Path | None, checkpoint: str) -> Work:
    """Work that makes a run smaller: figures, size and time before and after, as plain data."""

    def work(progress: Progress, cancel: threading.Event) -> Any:
        from engine.datasets.raw import Cancelled
        from engine.runtime import scoring
        from engine.runtime.compressing import compress_run

        progress(0, None, "Compressing")
        try:
            return compress_run(
                run, way, places=places, path=path, checkpoint=checkpoint, cancelled=cancel.is_set
            )  # fmt: skip
        except scoring.Cancelled:
            raise Cancelled from None

    return work


def recalibrate(run: Path, places: Places, checkpoint: str) -> Work:
    """Work that measures batch norm anew over the training set: figures before and after, as plain data."""

    def work(progress: Progress, cancel: threading.Event) -> Any:
        from engine.datasets.raw import Cancelled
        from engine.runtime import scoring
        from engine.runtime.recalibrate import recalibrate_run

        progress(0, None, "Measuring batch norm")
        try:
            return recalibrate_run(run, places=places, checkpoint=checkpoint, cancelled=cancel.is_set)
        except scoring.Cancelled:
            raise Cancelled from None

    return work


def ask(question: Question, desk: Desk, places: Places) -> Work:
    """Work that asks a run about one sample: a `Reply`."""

    def work(_progress: Progress, cancel: threading.Event) -> Any:
        from engine.runtime.desk import answer

        return answer(question, desk, places, cancelled=cancel.is_set)

    return work


def predict_to_csv(question: Question, folder: Path, file: Path) -> Work:
    """Work that asks a run about all files of a folder and writes the answers as CSV: a `Written`."""

    def work(progress: Progress, cancel: threading.Event) -> Any:
        from engine.runtime.predict_many import predict_to_csv as written
        from engine.runtime.restore import load_run

        restored = load_run(question.run, question.checkpoint)
        return written(
            restored, [folder], file, mc=question.passes, drawn=question.drawn, progress=progress, cancel=cancel
        )  # fmt: skip

    return work


def range_test(order: RangeOrder, seen: list[tuple[float, float]]) -> Work:
    """Work that grows the rate on a copy: a `RangeTest`. Each step adds its (rate, loss) to `seen`."""

    def work(progress: Progress, cancel: threading.Event) -> Any:
        from engine.runtime.range_test import range_test as tested

        return tested(
            order.project, order.places, low=order.low, high=order.high, steps=order.steps, cancel=cancel,
            watch=lambda rate, loss: seen.append((rate, loss)), progress=progress,
        )  # fmt: skip

    return work


def draws(initializer: dict[str, Any], fans: tuple[int, int]) -> Work:
    """Work that draws weights as an initializer would for a layer with these fans: a float32 array."""

    def work(_progress: Progress, _cancel: threading.Event) -> Any:
        from engine.runtime.draws import draw

        return draw(initializer, fans)

    return work


def curves(activations: list[dict[str, Any]]) -> Work:
    """Work that evaluates activations: (type, `FunctionCurve`) each; one with a bad setting is left out."""

    def work(_progress: Progress, _cancel: threading.Event) -> Any:
        from engine.runtime.function_curve import function_curve

        found = []
        for tagged in activations:
            try:
                found.append((tagged["type"], function_curve(tagged)))
            except (ValueError, ZeroDivisionError, RuntimeError):
                continue
        return found

    return work


def descents(surface_name: str, optimizers: list[dict[str, Any]], start: tuple[float, float], steps: int) -> Work:
    """Work that lets optimizers run down a landscape: places (n, 2) of each, None for one with a bad setting."""

    def work(_progress: Progress, cancel: threading.Event) -> Any:
        from engine.runtime.descent import descend
        from engine.surfaces import surface

        found = []
        for tagged in optimizers:
            try:
                found.append(descend(surface(surface_name).function, tagged, start, steps, cancel.is_set))
            except (ValueError, RuntimeError):
                found.append(None)
        return found

    return work
