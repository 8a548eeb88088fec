"""The learning rate that a schedule plans, as a bounded list of points to draw. Never trains, never draws."""

from __future__ import annotations

from typing import Protocol

from engine.progress import Progress


class Schedule(Protocol):
    """What every declared schedule offers."""

    def factor(self, progress: Progress) -> float:
        """What the base learning rate is multiplied by at that step."""
        ...


def plan(
    schedule: Schedule, lr: float, *, epochs: int, steps_per_epoch: int, points: int = 400
) -> list[tuple[int, float]]:
    """(step, learning rate) from the first to the last step, at most `points` of them.

    The steps are spread evenly; where there is room, both sides of each epoch's start are among them, so that a
    schedule which changes with the epoch is drawn with upright steps. ValueError for fewer than two points.
    """
    if points < 2:
        raise ValueError("a curve has at least two points")
    last = steps_per_epoch * epochs - 1
    starts = range(steps_per_epoch, last + 1, steps_per_epoch) if 4 * epochs <= points else ()
    borders = {step for start in starts for step in (start - 1, start)}
    room = points - len(borders)
    spread = {round(index * last / (room - 1)) for index in range(room)}
    return [
        (step, lr * schedule.factor(Progress.at(step, steps_per_epoch=steps_per_epoch, epochs=epochs)))
        for step in sorted(borders | spread)
    ]
