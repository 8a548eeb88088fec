"""How far a training is, which is all that a schedule may look at. Plain values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """The place of the optimizer step that is about to be done."""

    step: int
    """0-based index of that step, counted from the start of training."""
    epoch: int
    """0-based index of its epoch."""
    steps_per_epoch: int
    total_steps: int
    """Planned steps of the whole training."""
    epochs: int
    """Planned epochs."""

    @staticmethod
    def at(step: int, *, steps_per_epoch: int, epochs: int) -> Progress:
        """The progress at a step of a plan; ValueError when the plan has no steps."""
        if steps_per_epoch < 1 or epochs < 1:
            raise ValueError("a plan has at least one epoch of one step")
        return Progress(step, step // steps_per_epoch, steps_per_epoch, steps_per_epoch * epochs, epochs)

    def within(self, start: int, end: int) -> Progress:
        """The same place in a part of the plan, from one step until before another, which counts its steps anew."""
        total, step = max(1, end - start), self.step - start
        each = self.steps_per_epoch
        return Progress(step, step // each, each, total, -(-total // each))
