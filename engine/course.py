"""A schedule at work in one training of so many steps: rates and momentum by step, figures in, state out.

Owns the translation between a training's steps and what a schedule is asked. Never writes into an optimizer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.progress import Progress
from engine.recipe import Recipe
from engine.schedule import Schedule


class Course:
    """A schedule over a plan of epochs. Steps are counted from 1, as in a training; `before` of them come before it."""

    def __init__(
        self, schedule: Schedule, *, steps_per_epoch: int, epochs: int,
        larger_is_better: Callable[[str], bool] = lambda figure: False, before: int = 0,
    ) -> None:  # fmt: skip
        self._schedule = schedule
        self._before = before
        self._steps_per_epoch, self._epochs = steps_per_epoch, epochs
        self._larger_is_better = larger_is_better
        self.moves_momentum = schedule.moves_momentum

    def factor(self, step: int) -> float:
        """What the base rate is multiplied by at a step."""
        return self._schedule.factor(self._at(step))

    def momentum(self, step: int) -> float | None:
        """The momentum of a step; None: the optimizer's own."""
        return self._schedule.momentum(self._at(step))

    def observe(self, step: int, figures: Mapping[str, Any]) -> str:
        """Tells the schedule what the epoch brought that ended with a step; what it does about it, or ""."""
        turned = self._turned(figures)
        return self._schedule.observe(self._at(step), turned) if turned else ""

    def wants_look(self, step: int) -> bool:
        """Whether the schedule wants the validation set looked at before a step; true until it got the figures."""
        return self._schedule.wants_look(self._at(step))

    def look(self, step: int, figures: Mapping[str, Any]) -> str:
        """Gives the schedule figures that were measured before a step; what it does about them, or ""."""
        return self._schedule.look(self._at(step), self._turned(figures))

    def state(self) -> dict[str, Any]:
        """What the schedule has seen, as plain values."""
        return self._schedule.state()

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state`."""
        self._schedule.load(state)

    def _turned(self, figures: Mapping[str, Any]) -> dict[str, float]:
        """The figures that the schedule watches, so that less is better."""
        wanted = {name: figures.get(name) for name in self._schedule.watched}
        known = {name: float(value) for name, value in wanted.items() if value is not None}
        return {name: -value if self._larger_is_better(name) else value for name, value in known.items()}

    def _at(self, step: int) -> Progress:
        return Progress.at(step - 1 - self._before, steps_per_epoch=self._steps_per_epoch, epochs=self._epochs)


def course_of(
    recipe: Recipe, *, steps_per_epoch: int, epochs: int,
    larger_is_better: Callable[[str], bool] = lambda figure: False, before: int = 0,
) -> Course | None:  # fmt: skip
    """The recipe's schedule at work; None when the rate never changes."""
    if recipe.get("schedule")["type"] == "constant":
        return None
    return Course(
        recipe.made("schedule"), steps_per_epoch=steps_per_epoch, epochs=epochs, larger_is_better=larger_is_better,
        before=before,
    )  # fmt: skip
