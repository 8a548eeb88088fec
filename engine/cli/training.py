"""`train` and `resume`: pulls a session's events and tells them, as lines of JSON or in words."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.fetching import ensure_data
from engine.cli.outcome import GOOD, INTERRUPTED, PROBLEM, Unusable, usable
from engine.cli.output import Output
from engine.cli.progress import TrainingReport, data_progress
from engine.cli.projects import open_project, open_run, place_of_runs, places_for
from engine.cli.signals import FETCHING, stopping
from engine.events import Event, RunEnded, Step, to_json
from engine.places import Places
from engine.problem import ProblemError, Severity, Where, error
from engine.project import Project
from engine.projectfile import read_project
from engine.runfiles import PROJECT
from engine.settings import set_value

if TYPE_CHECKING:
    from engine.runtime.control import Control

_ARGUMENTS = ("device", "run_alive", "run_complete", "no_checkpoint", "run_unreadable", "run_folder")
"""Problems of a session that mean that what was asked for cannot be done at all."""


def train(options: Namespace, output: Output) -> int:
    """Trains a project in a run folder of its own."""
    project, path, _ = open_project(options, output)
    with usable():
        for setting in ("epochs", "seed"):
            if (given := getattr(options, setting)) is not None:
                project = set_value(project, f"recipe.{setting}", str(given))
    _refuse_errors(project)
    return _train(
        options, output, project, places_for(options, path), project=project, runs=place_of_runs(options, path),
        name=options.name,
    )  # fmt: skip


def resume(options: Namespace, output: Output) -> int:
    """Goes on with a run from its last checkpoint."""
    run = open_run(options, options.run)
    with usable():
        project = read_project(run / PROJECT).project
    return _train(
        options, output, project, places_of_run(options, run), resume=run, runs=run.parent, epochs=options.epochs,
        checkpoint=options.checkpoint,
    )  # fmt: skip


def places_of_run(options: Namespace, run: Path) -> Places:
    """Data of a run is looked for beside its runs' folder, where its project usually is."""
    return places_for(options, run.parent)


def _train(options: Namespace, output: Output, known: Project, places: Places, **wanted: Any) -> int:
    from engine.runtime.control import Control
    from engine.runtime.data import Cancelled
    from engine.runtime.session import run

    control = Control()
    with stopping(control, output, FETCHING):
        try:
            ensure_data(options, known.recipe, places, output, cancel=control.stop)
        except Cancelled:
            return INTERRUPTED
    with stopping(control, output), _asked_for():
        events = run(
            places=places, control=control, device=options.device, threads=options.threads,
            progress=data_progress(output), **wanted,
        )  # fmt: skip
        return _tell(events, control, output)


def _tell(events: Iterator[Event], control: Control, output: Output) -> int:
    report = TrainingReport(output)
    ended: RunEnded | None = None
    broken = False
    try:
        for event in events:
            if isinstance(event, RunEnded):
                ended = event
            if broken or (type(event) is Step and event.loss is None):
                continue
            try:
                report.tell(event)
                output.record(to_json(event) if output.json else {})
            except BrokenPipeError:
                # Nobody reads any more: end like an interruption, with the state saved.
                broken = True
                control.request_stop(interrupted=True)
    finally:
        report.close()
        getattr(events, "close", lambda: None)()
    if broken:
        raise BrokenPipeError
    return _closed(ended, output)


def _closed(ended: RunEnded | None, output: Output) -> int:
    if ended is None:
        return PROBLEM
    if ended.outcome == "failed":
        output.say(_problem_words(ended.problem or {}))
        return PROBLEM
    words = {"completed": "Done", "early_stopped": "Stopped early: no improvement", "interrupted": "Interrupted"}
    figures = "  ".join(
        f"{name.replace('_', ' ')} {value:.4g}"
        for name, value in ended.best.items()
        if name.startswith("val_") and isinstance(value, float)
    )
    best = f"; best epoch {ended.best['epoch']}: {figures}" if figures else ""
    output.text(f"{words.get(ended.outcome, 'Stopped')} after {ended.epoch} epochs, {ended.step:,} steps{best}")
    if ended.run:
        output.text(f"run folder: {ended.run}")
    return INTERRUPTED if ended.outcome == "interrupted" else GOOD


def _problem_words(problem: dict[str, Any] | Any) -> str:
    where = Where(label=str(problem.get("where", "training")))
    happened, expected, fix = (str(problem.get(key, "")) for key in ("happened", "expected", "fix"))
    return str(error(where, happened, expected, fix))


def _refuse_errors(project: Project) -> None:
    """Errors that need neither torch nor data are told before anything is fetched."""
    from engine.check import check_project

    problems = [problem for problem in check_project(project) if problem.severity is Severity.ERROR]
    if project.data is None:  # shapes are unknown until the data is read; the session checks again then
        problems = [problem for problem in problems if problem.where.path.startswith("recipe.data")]
    if problems:
        raise ProblemError(*problems)


@contextmanager
def _asked_for() -> Iterator[None]:
    """Around a session: problems of what was asked for become `Unusable`; those of the project stay what they are."""
    try:
        yield
    except ProblemError as fault:
        if fault.problem.code in _ARGUMENTS:
            raise Unusable(*fault.problems) from None
        raise
