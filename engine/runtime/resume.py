"""Where a run can be gone on from: its project, its newest checkpoint that holds, and how far it shall go.

Owns what must be true before a run is continued. Never executes the recorded `model.py` and never trains.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from engine.problem import Problem, ProblemError, Where, error
from engine.project import Project
from engine.projectfile import read_project
from engine.recipe import SETTINGS
from engine.runfiles import CHECKPOINTS, PROJECT, RUNNING, RunInfo, is_alive, read_info
from engine.runtime import checkpoint
from engine.runtime.checkpoint import BEST, LAST, Checkpoint
from engine.runtime.training import Training


@dataclass(frozen=True)
class Resumption:
    """A run that goes on. `info.epochs` is the new number of epochs."""

    info: RunInfo
    project: Project
    checkpoint: Checkpoint
    epochs_before: int

    def settle(self, training: Training) -> list[str]:
        """Brings a freshly made training to where the checkpoint stands, and the others to what they were then.

        Returns what must be said about it.
        """
        folder, state = self.info.path / CHECKPOINTS, self.checkpoint.training
        best = state["stopping"]["best"].get("step")
        if self.checkpoint.kind != LAST:  # what came after it is given up, in the record too
            checkpoint.save(folder, replace(self.checkpoint, kind=LAST))
        checkpoint.keep_only(folder, LAST, self.checkpoint.step)
        checkpoint.keep_only(folder, BEST, best)
        checkpoint.drop_beyond(folder, self.checkpoint.step)
        training.load(state)
        if self.info.status == "early_stopped":
            training.stopping.be_patient_from(training.epoch - 1)
        if best is None or checkpoint.exists(folder, BEST):
            return []
        training.stopping.forget()
        return ["The best weights of that time are no longer on disk: what is best counts anew from here"]


def find_resumption(run: Path, epochs: int | None = None, kind: str = "") -> Resumption:
    """What is needed to go on with a run from its last checkpoint or another, to its planned epochs or to `epochs`.

    ProblemError when it trains right now, when nothing of it can be read, or when there is nothing left to do.
    """
    info = read_info(run)
    if info.status == RUNNING and is_alive(run):
        raise ProblemError(
            error(Where(label=info.name, file=str(run)), "This run is training right now", "A run that nobody trains",
                  "Stop it first, or wait", code="run_alive")
        )  # fmt: skip
    project = read_project(run / PROJECT).project
    saved = checkpoint.load(run / CHECKPOINTS, kind or LAST)
    if kind and (saved is None or not saved.training):
        raise ProblemError(
            checkpoint.none_holds(run / CHECKPOINTS, info.name, kind) if saved is None else
            error(Where(label=info.name, file=str(run / CHECKPOINTS / kind)), f"The checkpoint {kind!r} holds weights "
                  "only, without the state of the optimizer", "last, or one that a callback saved",
                  "Go on from last", code="no_checkpoint")
        )  # fmt: skip
    if saved is None:
        raise ProblemError(
            error(Where(label=info.name, file=str(run / CHECKPOINTS)), "This run has no checkpoint that holds",
                  "A checkpoint whose files are whole", "Train afresh", code="no_checkpoint")
        )  # fmt: skip
    wanted = info.epochs if epochs is None else epochs
    done = int(saved.training["epoch"]) - 1
    unfinished = wanted == done and info.status not in ("completed", "early_stopped")
    most = int(SETTINGS.by_name["epochs"].max or done)
    if wanted > most:
        raise ProblemError(
            error(Where(label=info.name, path="recipe.epochs"), f"{wanted:,} epochs are too many",
                  SETTINGS.by_name["epochs"].domain, f"Give a number up to {most:,}", code="run_complete")
        )  # fmt: skip
    if wanted <= done and not unfinished:
        raise ProblemError(_complete(info, done, most))
    return Resumption(replace(info, epochs=wanted), project, saved, info.epochs)


def _complete(info: RunInfo, done: int, most: int) -> Problem:
    """Why there is nothing to do, and the number that leaves something: the planned one where that is not reached."""
    if done >= most:
        fix = "Begin a new run from its project"
    elif info.epochs > done:
        fix = f"Leave --epochs out to go on to the {info.epochs} that were planned, or give a larger number"
    else:
        fix = f"Give a larger number, such as --epochs {min(2 * done, most)}"
    happened = f"{'All ' if info.epochs <= done else ''}{done} epochs of this run are done"
    return error(Where(label=info.name, path="recipe.epochs"), happened, f"More than {done} epochs", fix,
                 code="run_complete")  # fmt: skip
