"""What a declared schedule is asked: the rate's factor, where it moves momentum too, and what it has seen.

A schedule looks only at `Progress`, or keeps the figures of the epochs that it is told (plateau). One instance serves
one training: `Recipe.made` gives a fresh one. Never knows a rate, an optimizer or a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.param import param
from engine.progress import Progress

STEP, EPOCH = "step", "epoch"
EPOCHS, STEPS = "epochs", "steps"


class Schedule:
    """Base of every schedule. Overwrite `factor`; the rest only where there is something to say."""

    def factor(self, progress: Progress) -> float:
        """What the base learning rate is multiplied by at that step; finite, 0 or more."""
        raise NotImplementedError

    @property
    def moves_momentum(self) -> bool:
        """True when `momentum` may give a number."""
        return False

    def momentum(self, progress: Progress) -> float | None:
        """The momentum (for Adam and its kin β₁) of that step; None: the optimizer's own."""
        return None

    @property
    def watched(self) -> tuple[str, ...]:
        """The figures of an epoch that it answers to, such as `val_loss`."""
        return ()

    def observe(self, progress: Progress, figures: Mapping[str, float]) -> str:
        """Takes in the figures of an epoch that ended, turned so that less is better; `progress` is its last step.

        Returns what it does about them, in words; "" for nothing.
        """
        return ""

    def wants_look(self, progress: Progress) -> bool:
        """True when the validation set is to be looked at before that step, within an epoch: `look` gets its figures.

        Stays true until it got them.
        """
        return False

    def look(self, progress: Progress, figures: Mapping[str, float]) -> str:
        """Takes in validation figures measured before a step, turned as in `observe`; what it does about them."""
        return ""

    def state(self) -> dict[str, Any]:
        """What it has seen, as plain values for a checkpoint."""
        return {}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave."""


class Clocked(Schedule):
    """A schedule that moves with every step or only with every epoch; its lengths are in epochs or in steps."""

    per: str = param(
        default=STEP, choices=(STEP, EPOCH),
        help="How often the rate moves: step, with every step; epoch, only with the first step of an epoch",
    )  # fmt: skip

    def done(self, progress: Progress) -> int:
        """Steps that count as done before this one: with `per` epoch those of whole epochs."""
        return progress.epoch * progress.steps_per_epoch if self.per == EPOCH else progress.step

    def begun(self, progress: Progress) -> int:
        """Steps that count as done with this one."""
        return (progress.epoch + 1) * progress.steps_per_epoch if self.per == EPOCH else progress.step + 1


class Measured(Clocked):
    """A schedule whose lengths may be counted in epochs or in steps."""

    unit: str = param(
        default=EPOCHS, choices=(EPOCHS, STEPS), label="Counted in", help="What its lengths are counted in"
    )

    def counted(self, steps: int, progress: Progress) -> float:
        """A number of steps in the unit of the lengths. Exact where the quotient is."""
        return steps / progress.steps_per_epoch if self.unit == EPOCHS else float(steps)

    def in_steps(self, length: float, progress: Progress) -> int:
        """A length as a whole number of steps."""
        return round(length * progress.steps_per_epoch) if self.unit == EPOCHS else round(length)
