"""The phases of a recipe as they are trained: each with the whole recipe that holds while it lasts.

A recipe without phases is one phase. Knows no torch and never trains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.course import Course, course_of
from engine.declare import make
from engine.recipe import Recipe


@dataclass(frozen=True)
class Stage:
    """A phase with all that holds in it. `recipe` has its epochs, optimizer with the rate, schedule and frozen layers,
    and no phases. `first` is its first epoch, from 1, when no phase before it ends early.
    """

    index: int
    name: str
    first: int
    recipe: Recipe
    patience: int | None = None

    @property
    def epochs(self) -> int:
        """How long it takes at most."""
        return int(self.recipe.get("epochs"))


def stages_of(recipe: Recipe) -> tuple[Stage, ...]:
    """The phases in order, one for a recipe without. ValueError when a phase is not valid."""
    phases = recipe.listed("phases")
    base = recipe.with_value("phases", ())
    if not phases:
        return (Stage(0, "", 1, base),)
    found: list[Stage] = []
    first, frozen, optimizer = 1, str(recipe.get("frozen")), dict(recipe.get("optimizer"))
    for index, phase in enumerate(phases):
        frozen = frozen if phase.frozen is None else phase.frozen
        if phase.optimizer is not None:
            optimizer = dict(phase.optimizer)
        optimizer = _scaled(optimizer, phase.lr_factor)
        changed = base.with_value("epochs", phase.epochs).with_value("frozen", frozen)
        changed = changed.with_value("optimizer", optimizer)
        if phase.schedule is not None:
            changed = changed.with_value("schedule", phase.schedule)
        found.append(Stage(index, phase.name or f"phase {index + 1}", first, changed, phase.patience))
        first += phase.epochs
    return tuple(found)


class PhasedCourse:
    """The courses of all phases one after the other, with the rate that each begins from. Steps from 1."""

    def __init__(self, recipe: Recipe, *, steps_per_epoch: int) -> None:
        self._each = steps_per_epoch
        self._parts: list[tuple[int, float, Course | None]] = []
        for stage in stages_of(recipe):
            optimizer = stage.recipe.made("optimizer")
            course = course_of(stage.recipe, steps_per_epoch=steps_per_epoch, epochs=stage.epochs)
            self._parts.append(((stage.first - 1) * steps_per_epoch, float(getattr(optimizer, "lr", 1.0)), course))

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        start, base, course = self._part(step)
        return base * (course.factor(step - start) if course is not None else 1.0)

    def momentum(self, step: int) -> float | None:
        """The momentum of a step; None: the optimizer's own."""
        start, _, course = self._part(step)
        return course.momentum(step - start) if course is not None else None

    def _part(self, step: int) -> tuple[int, float, Course | None]:
        return next(part for part in reversed(self._parts) if part[0] < step or part[0] == 0)


def _scaled(optimizer: Mapping[str, Any], factor: float) -> dict[str, Any]:
    rate = getattr(make("optimizer", optimizer), "lr", None)
    return dict(optimizer) if rate is None or factor == 1.0 else {**optimizer, "lr": rate * factor}
