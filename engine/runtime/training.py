"""All parts of one training and where it stands: what `fit` steers and what a checkpoint holds.

Owns one step, one epoch's end, and the state that makes a resumed run end bit-identical. Knows no project and no run
folder beyond the folder of its checkpoints. Never decides the order of things (`fit` does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import torch
from torch import nn

from engine.events import CheckpointSaved, Clipped, EpochEnded, Event, Probed, RunEnded, Step
from engine.problem import Problem, Where, error
from engine.runtime import randomness
from engine.runtime.clock import Clock
from engine.runtime.control import Edit
from engine.runtime.keeper import Keeper
from engine.runtime.metrics import Metric
from engine.runtime.objective import Batch, Supervised
from engine.runtime.probe import GradientProbe, first_bad_layer
from engine.runtime.scoring import Splits, evaluate
from engine.runtime.steering import Steering
from engine.runtime.stopping import Stopping
from engine.runtime.tally import Tally

LEAST_SAMPLES = 400
"""Losses told in a whole run at least, where it has that many steps and takes long enough."""
SAMPLE = 0.05
"""Seconds between two fetched losses."""
CLOSEST = 0.005
"""Seconds between two losses of a run that would otherwise tell too few: telling costs a hundredth of that."""


class NonFinite(Exception):
    """The loss is no number any more; training must end."""

    def __init__(self, loss: float, problem: Problem) -> None:
        super().__init__(problem.happened)
        self.loss = loss
        self.problem = problem


class TrainingData(Splits, Protocol):
    """The part of `Data` that training needs."""

    def steps_per_epoch(self, batch_size: int, *, merge_single: bool = False) -> int:
        """Batches of one epoch."""
        ...

    def train_batches(
        self, epoch: int, batch_size: int, seed: int, skip: int = 0, merge_single: bool = False
    ) -> Iterator[Batch]:
        """The epoch's batches in the order of (seed, epoch), without the first `skip`."""
        ...


@dataclass(frozen=True)
class Plan:
    """The numbers a training is made from."""

    epochs: int
    batch_size: int
    seed: int
    device: torch.device
    run: str = ""
    checkpoints: Path | None = None
    """None: nothing is saved (tests, benchmarks)."""


class Training:
    """One training. `step` counts optimizer steps, `epoch` is the one under way (from 1), `position` its batches."""

    def __init__(
        self, plan: Plan, *, model: nn.Module, data: TrainingData, objective: Supervised, steering: Steering,
        probe: GradientProbe, stopping: Stopping, metrics: Sequence[Metric] = (), count_right: bool = True,
    ) -> None:  # fmt: skip
        self.plan = plan
        self.model = model
        self.steering = steering
        self.stopping = stopping
        self.step = 0
        self.epoch = 1
        self.position = 0
        self.final: dict[str, Any] = {}
        self.clock = Clock()
        self.waiting: list[Event] = []
        """Events of the step under way that come before it."""
        self._data = data
        self._objective = objective
        self.metrics = tuple(metrics)
        self._probe = probe
        self._merge_single = any(isinstance(item, nn.modules.batchnorm._BatchNorm) for item in model.modules())
        self.steps_per_epoch = data.steps_per_epoch(plan.batch_size, merge_single=self._merge_single)
        self._tally = Tally(objective.heads, plan.device, count_right=count_right)
        self._keeper = Keeper(plan.checkpoints)
        self._next_sample = 0.0
        # A run that is over in a second would show twenty points: it tells this many, however short it is.
        self._stride = max(1, self.steps_per_epoch * plan.epochs // LEAST_SAMPLES)
        model.train()

    @property
    def epochs(self) -> int:
        """Planned epochs."""
        return self.plan.epochs

    @property
    def is_over(self) -> bool:
        """True when early stopping ends the training after the epochs done so far."""
        return self.stopping.is_over(self.epoch - 1)

    def batches(self) -> Iterator[Batch]:
        """The batches that are left of the epoch under way."""
        plan = self.plan
        return iter(
            self._data.train_batches(
                self.epoch, plan.batch_size, plan.seed, skip=self.position, merge_single=self._merge_single
            )
        )

    def train_on(self, batch: Batch, *, watched: bool = False) -> Step:
        """One step; its loss is fetched by time, and always when `watched`. `NonFinite` when it is no number."""
        self.step += 1
        steering, tally = self.steering, self._tally
        steering.prepare(self.step)
        for turn in self._objective.turns(batch):
            for parameter in turn.parameters:
                parameter.grad = None
            loss = turn.loss()
            value = tally.add(loss, batch.size, self._objective.outputs, batch.targets)
            if value is not None and not isfinite(value):
                raise self._broken(value, batch)  # before the update: the weights stay as they were
            loss.backward()  # type: ignore[no-untyped-call]
            now = perf_counter()
            if self._probe.enabled and (watched or self._probe.due(now)):
                self._read_gradients()
            steering.update()
        self.position += 1
        # An epoch's last step is always told, so that a record reaches as far as its training did.
        early = self.step % self._stride == 0 and now >= self._next_sample - SAMPLE + CLOSEST
        due = early or now >= self._next_sample
        if not due and not watched and self.position < self.steps_per_epoch:
            self.clock.samples += batch.size
            return Step(self.step, self.epoch, steering.lr, None, steering.lrs)
        return self._sampled(loss, batch, now)

    def end_epoch(self, cancelled: Callable[[], bool] = lambda: False) -> EpochEnded:
        """Validates and gives the epoch's figures; the next one begins. `Cancelled` leaves everything as it was."""
        train_loss, shares = self._tally.figures()
        if not isfinite(train_loss):
            raise NonFinite(train_loss, self._problem("", train_loss))
        self._report_clipping()
        train_seconds, train_samples = self.clock.epoch_seconds(), self.clock.epoch_samples
        metrics = {f"train_{name}": share for name, share in shares.items()}
        val_loss: float | None = None
        if self._data.facts.counts.get("val"):
            found = evaluate(
                self.model, self._data, "val", heads=self._objective.heads, metrics=self.metrics, tables=False,
                cancelled=cancelled,
            )  # fmt: skip
            val_loss = found.loss
            metrics |= {f"val_{name}": value for name, value in found.metrics.items()}
        ended = EpochEnded(
            epoch=self.epoch, step=self.step, train_loss=train_loss, val_loss=val_loss, lr=self.steering.lr,
            seconds=self.clock.epoch_seconds(), samples_per_second=train_samples / max(train_seconds, 1e-9),
            metrics=metrics,
        )  # fmt: skip
        return self._begin_next(ended)

    def edit(self, edits: Sequence[Edit]) -> Iterator[Event]:
        """Applies changes of the running recipe; each comes out as `Edited`, or as `Alerted` when it is refused."""
        for wish in edits:
            yield self.steering.edit(wish, step=self.step + 1, epoch=self.epoch)

    def told(self) -> Iterator[Event]:
        """The events that came up within the step, once."""
        waiting, self.waiting = self.waiting, []
        yield from waiting

    def save(self) -> Iterator[CheckpointSaved]:
        """Saves the true last state, and before it the best one when it is not on disk yet."""
        yield from self._keeper.save(self)

    def save_if_due(self) -> Iterator[CheckpointSaved]:
        """The same at an epoch's end, but not when the last save was a moment ago."""
        if self._keeper.is_due:
            yield from self.save()

    def save_if_long_ago(self) -> Iterator[CheckpointSaved]:
        """The same in the middle of a long epoch."""
        if self._keeper.is_overdue:
            yield from self.save()

    def ended(self, outcome: str, problem: Problem | None = None) -> RunEnded:
        """The last event of the run."""
        return RunEnded(
            outcome, self.plan.run, self.step, self.epoch - 1, dict(self.final), dict(self.stopping.best),
            problem.to_json() if problem else None, self.clock.seconds,
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Everything but the weights that the next step depends on, as tensors and plain values."""
        return {
            "step": self.step, "epoch": self.epoch, "position": self.position, "final": dict(self.final),
            "clock": self.clock.state(), "tally": self._tally.state(), "stopping": self.stopping.state(),
            "steering": self.steering.state(), "generators": randomness.capture(),
            "frozen": [name for name, item in self.model.named_parameters() if not item.requires_grad],
        }  # fmt: skip

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state`; the weights are filled in by the caller, before."""
        self.step, self.epoch, self.position = int(state["step"]), int(state["epoch"]), int(state["position"])
        self.final = dict(state["final"])
        self.clock.load(state["clock"])
        self._tally.load(state["tally"])
        self.stopping.load(state["stopping"])
        self.steering.load(state["steering"])
        self._keeper.saved_at = (self.step, self.epoch)
        randomness.restore(state["generators"])

    def _begin_next(self, ended: EpochEnded) -> EpochEnded:
        figures = {
            "epoch": ended.epoch, "step": ended.step, "train_loss": ended.train_loss, "val_loss": ended.val_loss,
            **ended.metrics, "lr": ended.lr, "seconds": ended.seconds,
            "samples_per_second": ended.samples_per_second,
        }  # fmt: skip
        best = self.stopping.observe(figures)
        self.final = figures
        self.epoch, self.position = self.epoch + 1, 0
        self._tally.reset()
        self.clock.begin_epoch()
        if best:
            self._keeper.keep_best(self)
            ended = EpochEnded(
                ended.epoch, ended.step, ended.train_loss, ended.val_loss, ended.lr, ended.seconds,
                ended.samples_per_second, ended.penalty, ended.metrics, best=True,
            )  # fmt: skip
        return ended

    def _sampled(self, loss: torch.Tensor, batch: Batch, now: float) -> Step:
        """A step whose loss is told; the one place where a device is waited for."""
        self._next_sample = now + SAMPLE
        self.clock.samples += batch.size
        value = float(loss.detach())
        if not isfinite(value) or not self._tally.is_finite:
            raise self._broken(value, batch)
        self._report_clipping()
        speed = self.clock.speed()
        return Step(self.step, self.epoch, self.steering.lr, value, self.steering.lrs, speed, self.clock.seconds)

    def _read_gradients(self) -> None:
        gradient, weight = self._probe.read()
        self.waiting.append(Probed(self.step, self.epoch, gradient, weight))

    def _report_clipping(self) -> None:
        told = self.steering.clipped()
        if told.steps:
            self.waiting.append(Clipped(self.step, self.epoch, told.hits, told.norm, told.steps, told.factor))

    def _broken(self, loss: float, batch: Batch) -> NonFinite:
        layer = first_bad_layer(self.model, batch.inputs, self._probe.layers)
        return NonFinite(loss if not isfinite(loss) else float("nan"), self._problem(layer, loss))

    def _problem(self, layer: str, loss: float) -> Problem:
        where = f"{layer} is the first layer whose numbers are not finite" if layer else "all layers are still finite"
        return error(
            Where(label=layer or "loss", path="recipe.optimizer.lr"),
            f"The loss became {loss} in epoch {self.epoch}, step {self.step:,}; {where}",
            "A loss that is a number",
            f"Train with a smaller learning rate (now {self.steering.lr:g}), from the last checkpoint or afresh, "
            "or clip the gradients",
            code="loss_not_finite",
        )
