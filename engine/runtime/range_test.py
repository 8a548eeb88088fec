"""The steps of a learning-rate range test, on a network and an optimizer of their own that are thrown away.

Everything is made anew from the project, exactly as a training would make it: weights, order, optimizer, clipping. The
random generators are the test's own while it takes a step and are put back after each, so that a training beside it
cannot tell. Nothing is written and nothing of the project changes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import torch

from engine.course import Course
from engine.declare import find
from engine.problem import ProblemError, Where, error
from engine.progress import Progress
from engine.project import Project
from engine.range_test import (
    CANCELLED,
    END,
    EXPLODED,
    HIGH,
    LEAST_STEPS,
    LOW,
    MOST_STEPS,
    NOT_FINITE,
    ROSE,
    STEPS,
    RangeTest,
    Smoothing,
    judged,
    rate_at,
)  # fmt: skip
from engine.recipe import Recipe
from engine.runtime.broken import NonFinite
from engine.runtime.build import build
from engine.runtime.device import choose_device, set_threads
from engine.runtime.own_weights import fill_own
from engine.runtime.randomness import Apart
from engine.runtime.setup import Ready, make_ready, make_training
from engine.runtime.training import Training
from engine.schedule import Schedule

if TYPE_CHECKING:
    from engine.places import Places

RATELESS = ("lbfgs", "rprop")
"""Optimizers that find their own step sizes."""
Watch = Callable[[float, float], None]
"""Told the rate and the loss of each step, as it is taken."""


def range_test(
    project: Project, places: Places, *, low: float = LOW, high: float = HIGH, steps: int = STEPS, epochs: int = 0,
    device: str | None = None, threads: int | None = None, cancel: threading.Event | None = None,
    watch: Watch = lambda rate, loss: None, **opening: Any,
) -> RangeTest:  # fmt: skip
    """Grows the rate from `low` to `high` over so many optimizer steps (or epochs) and says what the losses mean.

    Ends early when the smoothed loss is four times its best, when a loss is no number, or when `cancel` is set: what
    there is then is returned. `opening` goes to `open_data`. ProblemError when the project cannot train, the range is
    none or the optimizer has no use for a rate.
    """
    _refuse(project, low, high, steps)
    cancel = cancel or threading.Event()
    chosen = choose_device(device or str(project.recipe.get("device")))
    before = torch.get_num_threads()
    used = set_threads(threads)
    try:
        bare = project.with_recipe(_bare(project.recipe))
        ready = make_ready(bare, places, device=chosen, threads=used, cancel=cancel, **opening)
        with ready.data:
            return _swept(ready, low=low, high=high, steps=steps, epochs=epochs, cancel=cancel, watch=watch)
    finally:
        torch.set_num_threads(before)


class _Growing(Schedule):
    """The factor by which a base rate becomes the rate of the test's step."""

    def __init__(self, base: float, **plan: Any) -> None:
        self._base, self._plan = base, plan

    def factor(self, progress: Progress) -> float:
        return rate_at(progress.step, **self._plan) / self._base


def _swept(
    ready: Ready, *, low: float, high: float, steps: int, epochs: int, cancel: threading.Event, watch: Watch
) -> RangeTest:
    recipe = ready.project.recipe
    own = Apart(recipe.seed)
    with own:
        model = build(ready.project, analysis=ready.analysis, file=None, device=ready.device).model
        fill_own(model, ready.project)
        training = make_training(ready, model, epochs=1, seed=recipe.seed)
        if epochs:
            steps = min(MOST_STEPS, max(LEAST_STEPS, epochs * training.steps_per_epoch))
        growing = _Growing(training.steering.lr, low=low, high=high, steps=steps)
        training.steering.follow(Course(growing, steps_per_epoch=steps, epochs=1))
    rates: list[float] = []
    losses: list[float] = []
    smoothing, ended = Smoothing(steps), END
    taken = _losses(training, own)
    for _ in range(steps):
        if cancel.is_set():
            ended = CANCELLED
            break
        try:
            loss = next(taken)
        except NonFinite:
            ended = NOT_FINITE
            break
        rates.append(training.steering.lr)
        losses.append(loss)
        watch(rates[-1], loss)
        if smoothing.add(loss) > EXPLODED * smoothing.best:
            ended = ROSE
            break
    return judged(rates, losses, steps=steps, ended=ended)


def _losses(training: Training, own: Apart) -> Iterator[float]:
    """The loss of one step after the other, over as many epochs as it takes; each step with the test's own numbers."""
    while True:
        with own:
            batches = training.batches()
        for _ in range(training.steps_per_epoch):
            with own:
                event = training.train_on(next(batches), watched=True)
            assert event.loss is not None
            yield event.loss
        training.epoch, training.position = training.epoch + 1, 0


def _bare(recipe: Recipe) -> Recipe:
    """What of the recipe decides a step; nothing that only watches or keeps."""
    for name, value in (
        ("schedule", {"type": "constant"}), ("callbacks", ()), ("gradient_flow", False), ("activations", False),
        ("ema", {"type": "ema"}), ("early_stopping", {"type": "early_stopping"}), ("train_figures", "running"),
    ):  # fmt: skip
        recipe = recipe.with_value(name, value)
    return recipe


def _refuse(project: Project, low: float, high: float, steps: int) -> None:
    chosen = str(project.recipe.get("optimizer").get("type"))
    declaration = find("optimizer", chosen)
    if chosen in RATELESS:
        title = declaration.title if declaration else chosen
        raise ProblemError(error(
            Where(label="recipe.optimizer", path="recipe.optimizer"),
            f"{title} finds its own step sizes: a range of learning rates says nothing about it",
            "An optimizer whose steps follow the rate, such as SGD or Adam", "Choose another optimizer",
            code="range_test",
        ))  # fmt: skip
    if not (1e-12 <= low < high <= 100.0 and LEAST_STEPS <= steps <= MOST_STEPS):
        raise ProblemError(error(
            Where(label="range test"), f"From {low:g} to {high:g} in {steps:,} steps is no range to test",
            f"Rates from 1e-12 to 100, the first below the last, in {LEAST_STEPS} to {MOST_STEPS:,} steps",
            f"Use {LOW:g} to {HIGH:g} in {STEPS} steps", code="arguments",
        ))  # fmt: skip
