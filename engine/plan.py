"""The learning rate, and the momentum, that a recipe plans: a bounded list of points to draw or to print.

Never trains, never draws, needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.known import known_data
from engine.phases import PhasedCourse
from engine.problem import ProblemError
from engine.progress import Progress
from engine.project import Project
from engine.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Planned:
    """What is planned for one step."""

    step: int
    """From 1, as a training counts."""
    epoch: int
    """From 1."""
    rate: float
    momentum: float | None
    """Momentum, or β₁ of Adam and its kin; None for an optimizer without."""


def plan(
    schedule: Schedule, lr: float, *, epochs: int, steps_per_epoch: int, points: int = 400
) -> list[tuple[int, float]]:
    """(step, learning rate) from the first to the last step, at most `points` of them.

    The steps are spread evenly; where there is room, both sides of each epoch's start are among them, so that a
    schedule which changes with the epoch is drawn with upright steps. ValueError for fewer than two points.
    """
    return [
        (step, lr * schedule.factor(Progress.at(step, steps_per_epoch=steps_per_epoch, epochs=epochs)))
        for step in _spread(epochs, steps_per_epoch, points)
    ]


def planned_rates(project: Project, *, steps_per_epoch: int = 0, points: int = 2_000) -> list[Planned]:
    """The plan of a project's whole training, thinned to at most `points`; empty while its data is not known.

    `steps_per_epoch` is given where it is known better. ValueError when optimizer or schedule are not valid. A schedule
    that answers to figures (plateau) plans no change: nobody knows when it will come. A formula that gives no rate at
    some step ends the plan there.
    """
    recipe = project.recipe
    each = steps_per_epoch or known_steps_per_epoch(project)
    if not each:
        return []
    course = PhasedCourse(recipe, steps_per_epoch=each)
    own = momentum_of(recipe.made("optimizer"))
    found = []
    for step in _spread(recipe.epochs, each, points):
        moved = course.momentum(step + 1) if own is not None else None
        momentum = own if moved is None else moved
        try:
            rate = course.rate(step + 1)
        except ProblemError:  # told by the check
            break
        found.append(Planned(step + 1, step // each + 1, rate, momentum))
    return found


def known_steps_per_epoch(project: Project) -> int:
    """Optimizer steps of an epoch, as far as it is known without reading the data; 0 when it is not."""
    facts, recipe = known_data(project), project.recipe
    samples = facts.counts.get("train", 0) if facts is not None else 0
    size, accumulate = recipe.get("batch_size"), recipe.get("accumulate")
    if not samples or not isinstance(size, int) or not isinstance(accumulate, int) or min(size, accumulate) < 1:
        return 0
    batches = -(-samples // size)
    if batches > 1 and samples % size == 1 and _normalises_batches(project):
        batches -= 1  # a last batch of one sample joins the one before
    return -(-batches // accumulate)


def momentum_of(optimizer: Any) -> float | None:
    """The momentum of a declared optimizer with its settings, or its β₁; None where there is neither."""
    found = getattr(optimizer, "momentum", getattr(optimizer, "beta1", None))
    return float(found) if isinstance(found, (int, float)) else None


def _spread(epochs: int, steps_per_epoch: int, points: int) -> list[int]:
    """Steps counted from 0, the first and the last among them."""
    if points < 2:
        raise ValueError("a curve has at least two points")
    last = steps_per_epoch * epochs - 1
    starts = range(steps_per_epoch, last + 1, steps_per_epoch) if 4 * epochs <= points else ()
    borders = {step for start in starts for step in (start - 1, start)}
    room = points - len(borders)
    return sorted(borders | {round(index * last / (room - 1)) for index in range(room)})


def _normalises_batches(project: Project) -> bool:
    graph = project.graph
    nodes = [node for name in ("", *graph.definitions) for node in graph.level(name).nodes.values()]
    inside = [node.params.get("normalization") for node in nodes] + [graph.defaults.get("normalization")]
    types = [node.type for node in nodes] + [str(item.get("type")) for item in inside if isinstance(item, Mapping)]
    return any(name.startswith("batch_norm") for name in types)
