"""One training from the button to the last event: prepare, make the folder, build, train, record, always close.

The entry of the command line and the window alike. Turns whatever goes wrong after the folder was made into a final
`RunEnded`; before that it raises ProblemError and leaves nothing behind. The loop itself stands in `fit.py`.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from engine.events import Alerted, Event, RunEnded, RunResumed, RunStarted
from engine.problem import Problem, ProblemError, Where, error
from engine.project import Project
from engine.runfiles import CHECKPOINTS, MODEL, RUNNING, RunInfo, own, update_info
from engine.runs import create_run
from engine.runtime import checkpoint as checkpoints
from engine.runtime.build import Built, build
from engine.runtime.control import Control
from engine.runtime.data import Cancelled
from engine.runtime.device import choose_device, set_threads
from engine.runtime.failure import problem_of
from engine.runtime.fit import fit
from engine.runtime.own_weights import fill_own
from engine.runtime.randomness import GENERATORS, seed_all
from engine.runtime.recorder import Recorder
from engine.runtime.restore import is_other_code, load_preprocess, save_preprocess
from engine.runtime.resume import Resumption, find_resumption
from engine.runtime.setup import Ready, freeze, make_ready, make_training, schedule_change
from engine.runtime.training import Training

if TYPE_CHECKING:
    from engine.places import Places


def run(
    project: Project | None = None, *, runs: Path, places: Places, device: str | None = None,
    threads: int | None = None, name: str = "", control: Control | None = None, resume: Path | None = None,
    epochs: int | None = None, checkpoint: str = "", **opening: Any,
) -> Iterator[Event]:  # fmt: skip
    """Trains a project in a new folder of `runs`, or goes on with the run `resume` (its own project is taken then)
    from its last checkpoint or the one of that name.

    Yields `RunStarted` or `RunResumed` first and `RunEnded` last, everything recorded. `device` and `threads` default
    to the recipe and the machine, or to what the resumed run used; `epochs` replaces the planned number. `opening`
    goes to `open_data` (progress, download, workers). ProblemError when the training cannot begin. The generator must
    be pulled and closed by one thread.
    """
    control = control or Control()
    goal = find_resumption(resume, epochs, checkpoint) if resume is not None else None
    if goal is not None:
        project = replace(goal.project, weights=None)  # its checkpoints hold all there is to go on with
    assert project is not None, "there is nothing to train"
    if epochs is not None and project.recipe.get("phases"):
        raise ProblemError(_phases_say(project))
    if goal is None and epochs is not None:
        project = project.with_recipe(project.recipe.with_value("epochs", epochs))
    chosen = choose_device(device or (goal.info.device if goal else str(project.recipe.get("device"))))
    used = set_threads(threads or (goal.info.threads if goal else None))
    try:
        ready = make_ready(project, places, device=chosen, threads=used, cancel=control.stop, **opening)
    except Cancelled:
        yield RunEnded(control.stop_outcome, str(resume or ""), 0, 0)
        return
    try:
        info = goal.info if goal else _create(runs, ready, name)
        yield from _Session(ready, info, goal, control).events()
    finally:
        ready.data.close()


@dataclass
class _Session:
    """One run with its folder; `events` is pulled once."""

    ready: Ready
    info: RunInfo
    goal: Resumption | None
    control: Control
    built: Built | None = None
    training: Training | None = None

    def events(self) -> Iterator[Event]:
        """Everything from the folder's lock to the last event, which comes after the folder is free again."""
        folder = self.info.path
        lock = own(folder)
        try:
            recorder = Recorder(folder)
        except OSError as fault:
            lock.release()
            raise ProblemError(problem_of(fault, None, folder)) from None
        ended: RunEnded | None = None
        try:
            events = self._begun()
            while not isinstance(event := _pulled(events), RunEnded):
                recorder.record(event)
                yield event
            ended = event
        except Exception as fault:
            ended = self._failed(fault)
        finally:
            # No end: the one who pulls has died or let go. The last checkpoint stays, from which the run goes on.
            recorder.close(ended or self._ended("interrupted"), result=self._result())
            recorder.abandon()
            lock.release()
        yield ended

    def _begun(self) -> Iterator[Event]:
        """Builds the model, brings it to where the run stands, and trains."""
        info, ready, goal = self.info, self.ready, self.goal
        update_info(info.path, status=RUNNING, epochs=info.epochs, problem=None)
        seed_all(info.seed)
        self.built = built = build(
            ready.project, analysis=ready.analysis, file=None if goal else info.path / MODEL, device=ready.device
        )
        if goal is not None:
            checkpoints.fill(built.model, goal.checkpoint.weights, info.path.name)
            freeze(built.model, goal.checkpoint.training)
        else:
            fill_own(built.model, ready.project)
        self.training = training = make_training(
            ready, built.model, epochs=info.epochs, seed=info.seed, run=str(info.path),
            checkpoints=info.path / CHECKPOINTS,
        )  # fmt: skip
        if goal is None:
            save_preprocess(info.path, ready.data.preprocess)
            yield self._started(training)
        else:
            warnings = [*goal.settle(training), *self._mended()]
            yield RunResumed(
                training.step, training.epoch - 1, info.epochs, training.steps_per_epoch, time.time()
            )  # fmt: skip
            for words in [*warnings, *self._warnings(goal, built, training)]:
                yield Alerted(training.step, training.epoch, words)
        yield from fit(training, self.control)

    def _started(self, training: Training) -> RunStarted:
        ready, info = self.ready, self.info
        counts = ready.data.facts.counts
        return RunStarted(
            run=str(info.path), name=info.name, device=info.device, threads=info.threads, seed=info.seed,
            epochs=info.epochs, steps_per_epoch=training.steps_per_epoch, train_samples=counts.get("train", 0),
            val_samples=counts.get("val", 0), parameters=ready.analysis.parameters,
            trainable=ready.analysis.trainable, layers=ready.analysis.layers,
            metrics=tuple(metric.name for metric in training.metrics),
            loss=str(ready.project.recipe.get("loss")["type"]), time=time.time(),
        )  # fmt: skip

    def _warnings(self, goal: Resumption, built: Built, training: Training) -> Iterator[str]:
        """What is not as it was when the run began."""
        if is_other_code(self.info.path, built.source):
            yield "The code generated today differs from the recorded model.py; weights fit by name and shape"
        if self.info.fingerprint and self.info.fingerprint != self.ready.data.facts.fingerprint:
            yield "The data is not the data this run began with"
        if words := schedule_change(
            self.ready.project.recipe, steps_per_epoch=training.steps_per_epoch, before=goal.epochs_before,
            after=self.info.epochs,
        ):  # fmt: skip
            yield words

    def _mended(self) -> Iterator[str]:
        """Writes the preprocessing anew where a damaged folder lost it: nothing could use the run's weights else."""
        try:
            load_preprocess(self.info.path)
        except ProblemError:
            save_preprocess(self.info.path, self.ready.data.preprocess)
            yield "The record of the preprocessing was damaged; it was measured and written anew"

    def _failed(self, fault: Exception) -> RunEnded:
        problem = problem_of(fault, self.built, self.info.path)
        if self.training is not None:
            return self.training.ended("failed", problem)
        return replace(self._ended("failed"), problem=problem.to_json())

    def _ended(self, outcome: str) -> RunEnded:
        if self.training is not None:
            return self.training.ended(outcome)
        info = self.info
        return RunEnded(outcome, str(info.path), info.step, info.epoch, info.final, info.best, seconds=info.seconds)

    def _result(self) -> str:
        """The checkpoint that stands for this run."""
        stopping = self.ready.project.recipe.made("early_stopping")
        wanted = stopping.enabled and stopping.restore_best
        return "best" if wanted and checkpoints.exists(self.info.path / CHECKPOINTS, checkpoints.BEST) else "last"


def _phases_say(project: Project) -> Problem:
    last = len(project.recipe.get("phases")) - 1
    return error(
        Where(label="recipe.epochs", path="recipe.epochs"), "The phases of this project say how long it trains",
        f"A number of epochs for a phase, such as --set recipe.phases.{last}.epochs=20",
        "Leave --epochs out", code="phases.epochs",
    )  # fmt: skip


def _pulled(events: Iterator[Event]) -> Event:
    """The next event; while it is made the random generators belong to the training."""
    with GENERATORS:
        return next(events)


def _create(runs: Path, ready: Ready, name: str) -> RunInfo:
    recipe = ready.project.recipe
    info = RunInfo(
        name=name, status=RUNNING, epochs=recipe.epochs, seed=recipe.seed, device=str(ready.device),
        threads=ready.threads, parameters=ready.analysis.parameters, fingerprint=ready.data.facts.fingerprint,
        versions={"layerwright": _version(), "torch": str(torch.__version__), "python": platform.python_version()},
    )  # fmt: skip
    return create_run(runs, ready.project, info=info, source=ready.analysis.source)


def _version() -> str:
    try:
        return version("layerwright")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return ""
