"""When checkpoints are written: which state is the best, and how often the disk is asked.

Owns the rhythm and the copies of the best weights that wait for the disk. The best is written together with the last,
never alone: after a kill the two then agree on what was best. How files are written stands in `checkpoint.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from engine.events import CheckpointSaved
from engine.problem import ProblemError
from engine.runtime import checkpoint
from engine.runtime.checkpoint import BEST, LAST, Checkpoint

if TYPE_CHECKING:
    from engine.runtime.training import Training

AT_MOST_EVERY = 2.0
"""Seconds between two checkpoints at epoch ends."""
AT_LEAST_EVERY = 120.0
"""Seconds after which one is written within an epoch too: a kill then costs two minutes at most."""


class Keeper:
    """Saves a training into a folder, or nowhere when there is none."""

    def __init__(self, folder: Path | None) -> None:
        self.saved_at = (-1, -1)
        """(step, epoch) of the state on disk."""
        self._folder = folder
        self._time = monotonic()
        self._best: Checkpoint | None = None

    @property
    def is_due(self) -> bool:
        """True when an epoch's end is worth a checkpoint."""
        return monotonic() - self._time >= AT_MOST_EVERY

    @property
    def is_overdue(self) -> bool:
        """True when a long epoch is worth one in its middle."""
        return monotonic() - self._time >= AT_LEAST_EVERY

    def keep_best(self, training: Training) -> None:
        """Copies the weights of the epoch that just ended; they reach the disk with the next save."""
        if self._folder is not None:
            with training.averaged():
                weights = checkpoint.weights_of(training.model)
            self._best = Checkpoint(BEST, training.step, training.epoch - 1, weights)

    def save(self, training: Training) -> Iterator[CheckpointSaved]:
        """Writes best (when there is a new one) and last; ProblemError when the disk refuses."""
        at = (training.step, training.epoch)
        if self._folder is None or at == self.saved_at:
            return
        start, done = perf_counter(), _done(training)
        try:
            if self._best is not None:
                # The one before stays until `last` no longer points to it.
                checkpoint.save(self._folder, self._best, keep_old=True)
                yield CheckpointSaved(BEST, self._best.step, self._best.epoch, perf_counter() - start)
            weights = checkpoint.weights_of(training.model)
            checkpoint.save(self._folder, Checkpoint(LAST, training.step, done, weights, training.state()))
            checkpoint.drop_old(self._folder, BEST)
        except OSError as fault:
            raise ProblemError(checkpoint.disk_problem(self._folder, fault)) from fault
        self._best = None
        self.saved_at = at
        self._time = monotonic()
        yield CheckpointSaved(LAST, training.step, done, perf_counter() - start)

    def save_as(self, training: Training, name: str, drop: Sequence[str] = ()) -> Iterator[CheckpointSaved]:
        """Writes the present state under another name, from which it can be gone on too, then removes others."""
        if self._folder is None:
            return
        start, done = perf_counter(), _done(training)
        try:
            weights = checkpoint.weights_of(training.model)
            checkpoint.save(self._folder, Checkpoint(name, training.step, done, weights, training.state()))
        except OSError as fault:
            raise ProblemError(checkpoint.disk_problem(self._folder, fault)) from fault
        for other in drop:
            checkpoint.delete(self._folder, other)
        yield CheckpointSaved(name, training.step, done, perf_counter() - start, tuple(drop))


def _done(training: Training) -> int:
    return training.epoch - 1 if training.position == 0 else training.epoch
