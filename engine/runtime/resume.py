"""Where a run can be gone on from: its project, its newest checkpoint that holds, and how far it shall go.

Owns what must be true before a run is continued. Never executes the recorded `model.py` and never trains.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from engine.problem import ProblemError, Where, error
from engine.project import Project
from engine.projectfile import read_project
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

    def settle(self, training: Training) -> None:
        """Brings a freshly made training to where the checkpoint stands, and the best checkpoint to what was best."""
        state = self.checkpoint.training
        best = state["stopping"]["best"].get("step")
        checkpoint.keep_only(self.info.path / CHECKPOINTS, LAST, self.checkpoint.step)
        checkpoint.keep_only(self.info.path / CHECKPOINTS, BEST, best)
        training.load(state)
        if self.info.status == "early_stopped":
            training.stopping.be_patient_from(training.epoch - 1)


def find_resumption(run: Path, epochs: int | None = None) -> Resumption:
    """What is needed to go on with a run, to its planned epochs or to `epochs`.

    ProblemError when it trains right now, when nothing of it can be read, or when there is nothing left to do.
    """
    info = read_info(run)
    if info.status == RUNNING and is_alive(run):
        raise ProblemError(
            error(Where(label=info.name, file=str(run)), "This run is training right now", "A run that nobody trains",
                  "Stop it first, or wait", code="run_alive")
        )  # fmt: skip
    project = read_project(run / PROJECT).project
    saved = checkpoint.load(run / CHECKPOINTS, LAST)
    if saved is None:
        raise ProblemError(
            error(Where(label=info.name, file=str(run / CHECKPOINTS)), "This run has no checkpoint that holds",
                  "A checkpoint whose files are whole", "Train afresh", code="no_checkpoint")
        )  # fmt: skip
    wanted = info.epochs if epochs is None else epochs
    done = int(saved.training["epoch"]) - 1
    unfinished = wanted == done and info.status not in ("completed", "early_stopped")
    if wanted <= done and not unfinished:
        raise ProblemError(
            error(Where(label=info.name, path="recipe.epochs"), f"All {done} epochs of this run are done",
                  f"More than {done} epochs", f"Give a larger number, such as --epochs {2 * done}", code="run_complete")
        )  # fmt: skip
    return Resumption(replace(info, epochs=wanted), project, saved, info.epochs)
