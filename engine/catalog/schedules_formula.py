"""The schedule that a person writes: a formula of the epoch, or of the step."""

from __future__ import annotations

from array import array
from functools import lru_cache
from math import isfinite

from engine.declare import Refusal, schedule
from engine.formula import FUNCTIONS, Formula, read_formula
from engine.param import param
from engine.problem import ProblemError, Where, error
from engine.progress import Progress
from engine.schedule import EPOCH, Clocked

NAMES = ("epoch", "step", "epochs", "steps", "before")


@schedule(
    "formula", title="Formula", was=("LambdaLR", "LearningRateScheduler"),
    search=("LambdaLR", "LearningRateScheduler", "MultiplicativeLR", "function", "custom", "own"),
)  # fmt: skip
class Own(Clocked):
    """Multiplies the learning rate by a formula of your own, worked out at the start of every epoch or at every step:
    0.1 ** (epoch / 20) falls to a tenth in 20 epochs. `epoch` and `step` count from 0 (at every step, epoch has a
    fraction), `epochs` and `steps` are how many are planned, `before` is the factor of the epoch or step before (1 at
    first), so that before * 0.95 loses 5 % each time.
    """

    formula: str = param(
        default="0.1 ** (epoch / 20)", label="Factor", was=("lr_lambda", "schedule"),
        help="A formula of epoch, step, epochs, steps and before; with " + ", ".join(FUNCTIONS) + ", pi, e",
    )  # fmt: skip
    per: str = param(
        default=EPOCH, choices=("step", "epoch"),
        help="How often it is worked out: step, at every step; epoch, with the first step of an epoch",
    )  # fmt: skip

    _known: array[float] | None = None
    _plan: tuple[int, int] = (0, 0)

    def factor(self, progress: Progress) -> float:
        """ProblemError where the formula gives no rate: not a number, or less than 0."""
        place = progress.epoch if self.per == EPOCH else progress.step
        try:
            formula = _read(self.formula)
        except ValueError as fault:
            raise _no_rate(self, place, str(fault)) from None
        if "before" not in formula.used:
            return self._worked(formula, place, progress, 1.0)
        plan = (progress.steps_per_epoch, progress.total_steps)
        if self._known is None or plan != self._plan:
            self._known, self._plan = array("d"), plan
        known = self._known
        while len(known) <= place:
            known.append(self._worked(formula, len(known), progress, known[-1] if known else 1.0))
        return known[place]

    def refuse(self) -> Refusal | None:
        """A formula that can be read."""
        try:
            _read(self.formula)
        except ValueError as fault:
            expected = f"Arithmetic of {', '.join(NAMES)}, such as 0.1 ** (epoch / 20)"
            return Refusal(f"The formula {self.formula[:60]!r} was not understood: {fault}", expected,
                           "Use 0.1 ** (epoch / 20)", {"formula": "0.1 ** (epoch / 20)"})  # fmt: skip
        return None

    def detail(self) -> str:
        return self.formula if len(self.formula) <= 28 else f"{self.formula[:27]}…"

    def _worked(self, formula: Formula, place: int, progress: Progress, before: float) -> float:
        each = progress.steps_per_epoch
        by_epoch = self.per == EPOCH
        values = {
            "epoch": float(place) if by_epoch else place / each, "step": float(place * each if by_epoch else place),
            "epochs": float(progress.epochs), "steps": float(progress.total_steps), "before": before,
        }  # fmt: skip
        try:
            found = formula(values)
        except (ArithmeticError, ValueError, TypeError) as fault:  # (-8) ** 0.5
            raise _no_rate(self, place, str(fault)) from None
        if not isfinite(found) or found < 0:
            raise _no_rate(self, place, f"it gives {found:g}")
        return found


@lru_cache(maxsize=64)
def _read(text: str) -> Formula:
    return read_formula(text, NAMES)


def _no_rate(schedule: Own, place: int, why: str) -> ProblemError:
    where = Where(label="recipe.schedule.formula", path="recipe.schedule.formula")
    return ProblemError(
        error(where, f"The formula {schedule.formula[:60]!r} gives no rate at {schedule.per} {place}: {why}",
              "A number of 0 or more at every step", "max(0, ...) around it, or another formula",
              code="recipe.schedule")
    )  # fmt: skip
