"""All parts of one training and where it stands: what `fit` steers and what a checkpoint holds.

Owns one step, one epoch's end, and the state that makes a resumed run end bit-identical. Knows no project and no run
folder beyond the folder of its checkpoints. Never decides the order of things (`fit` does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import torch
from torch import nn

from engine.events import (
    Activated,
    Alerted,
    CheckpointSaved,
    Clipped,
    EpochEnded,
    Event,
    PhaseStarted,
    Probed,
    RunEnded,
    Step,
)  # fmt: skip
from engine.problem import Problem
from engine.runtime import randomness
from engine.runtime.activity import ActivationProbe
from engine.runtime.averaging import Average
from engine.runtime.broken import NonFinite, loss_problem
from engine.runtime.callbacks.hooks import Hooks
from engine.runtime.clock import Clock
from engine.runtime.control import Edit
from engine.runtime.examining import Examiner
from engine.runtime.freezing import normalises_batches
from engine.runtime.gathering import Gathered, gathered
from engine.runtime.keeper import Keeper
from engine.runtime.metrics import Metric
from engine.runtime.objective import Batch, Supervised, Turn
from engine.runtime.phasing import Phasing
from engine.runtime.probe import GradientProbe, first_bad_layer
from engine.runtime.scoring import Splits
from engine.runtime.steering import Steering
from engine.runtime.stopping import Stopping
from engine.runtime.tally import Tally

LEAST_SAMPLES = 400
"""Losses told in a whole run at least, where it has that many steps and takes long enough."""
SAMPLE = 0.05
"""Seconds between two fetched losses."""
CLOSEST = 0.005
"""Seconds between two losses of a run that would otherwise tell too few: telling costs a hundredth of that."""


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
    accumulate: int = 1
    """Batches per optimizer step."""
    evaluated: bool = False
    """The training figures are those of the training set evaluated at an epoch's end."""


class Training:
    """One training. `step` counts optimizer steps, `epoch` is the one under way (from 1), `position` its steps."""

    def __init__(
        self, plan: Plan, *, model: nn.Module, data: TrainingData, objective: Supervised, steering: Steering,
        probe: GradientProbe, stopping: Stopping, metrics: Sequence[Metric] = (), count_right: bool = True,
        average: Average | None = None, hooks: Hooks | None = None, activity: ActivationProbe | None = None,
        phasing: Phasing | None = None,
    ) -> None:  # fmt: skip
        self.plan = plan
        self.model = model
        self.steering = steering
        self.stopping = stopping
        self.average = average
        self.phasing = phasing
        self.hooks = hooks or Hooks()
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
        self._activity = activity
        self._merge_single = normalises_batches(model)
        batches = data.steps_per_epoch(plan.batch_size, merge_single=self._merge_single)
        self.steps_per_epoch = -(-batches // plan.accumulate)
        self._examiner = Examiner(model, data, objective.heads, self.metrics, again=plan.evaluated)
        self._tally = Tally(objective.heads, plan.device, count_right=count_right)
        self._keeper = Keeper(plan.checkpoints)
        self._loss = torch.zeros(())
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
        """True when early stopping, its own or that of the last phase, ends the training after the epochs so far."""
        done, phasing = self.epoch - 1, self.phasing
        last = phasing is not None and phasing.several and phasing.is_last and phasing.gave_up(done)
        return self.stopping.is_over(done) or last

    def next_phase(self) -> Iterator[PhaseStarted]:
        """Goes on to the next phase where this one is over; what was planned becomes shorter by what it left out."""
        phasing, done = self.phasing, self.epoch - 1
        while phasing is not None and not phasing.is_last and phasing.is_over(done):
            self.steering, self.average = phasing.begin_next(done, self.step)
            self._objective.settle()
            self.plan = replace(self.plan, epochs=done + phasing.stage.epochs + phasing.left)
            yield phasing.started(self.step, self.epoch)

    def batches(self) -> Iterator[Batch | Gathered]:
        """What is left of the epoch under way, step by step."""
        plan = self.plan
        batches = iter(
            self._data.train_batches(
                self.epoch, plan.batch_size, plan.seed, skip=self.position * plan.accumulate,
                merge_single=self._merge_single,
            )
        )  # fmt: skip
        return batches if plan.accumulate == 1 else gathered(batches, plan.accumulate)

    def train_on(self, batch: Batch | Gathered, *, watched: bool = False) -> Step:
        """One step; its loss is fetched by time, and always when `watched`. `NonFinite` when it is no number."""
        self.step += 1
        steering = self.steering
        steering.prepare(self.step)
        parts = batch.parts if isinstance(batch, Gathered) else (batch,)
        for turns in zip(*map(self._objective.turns, parts), strict=True):
            for parameter in turns[0].parameters:
                parameter.grad = None
            self._loss = loss = self._went_back(turns, parts, batch.size)
            now = perf_counter()
            if self._probe.enabled and (watched or self._probe.due(now)):
                self._read_gradients()
            if steering.wants_closure:
                steering.update_along(loss, lambda: self._again(turns, parts, batch.size))  # noqa: B023
            else:
                steering.update()
        if self.average is not None:
            self.average.update()
        self.position += 1
        # An epoch's last step is always told, so that a record reaches as far as its training did.
        early = self.step % self._stride == 0 and now >= self._next_sample - SAMPLE + CLOSEST
        due = early or now >= self._next_sample
        if not due and not watched and self.position < self.steps_per_epoch:
            self.clock.samples += batch.size
            return Step(self.step, self.epoch, steering.lr, None, steering.lrs)
        return self._sampled(loss, parts, now)

    def end_epoch(self, cancelled: Callable[[], bool] = lambda: False) -> EpochEnded:
        """Validates and gives the epoch's figures; the next one begins. `Cancelled` leaves everything as it was."""
        running, shares = self._tally.figures()
        if not isfinite(running):
            raise NonFinite(running, self._problem("", running))
        self._report_clipping()
        self._report_overflows()
        train_seconds, train_samples = self.clock.epoch_seconds(), self.clock.epoch_samples
        costs = self.steering.penalty.figures() if self.steering.penalty is not None else {}
        with self.averaged():
            found = self._examiner.examine(running, shares, cancelled)
        ended = EpochEnded(
            epoch=self.epoch, step=self.step, train_loss=found.train_loss, val_loss=found.val_loss,
            lr=self.steering.lr, seconds=self.clock.epoch_seconds(),
            samples_per_second=train_samples / max(train_seconds, 1e-9), metrics=found.metrics | costs,
            train_figures=found.train_figures,
        )  # fmt: skip
        self.look(at_end=True)
        return self._begin_next(ended)

    @property
    def wants_look(self) -> bool:
        """Whether the schedule wants the validation set looked at before the next step."""
        return self.steering.wants_look(self.step + 1)

    def validate(self, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Looks at the validation set within an epoch, for the schedule; `Cancelled` leaves everything as it was."""
        with self.averaged():
            figures = self._examiner.validate(cancelled)
        if words := self.steering.look(figures, step=self.step + 1):
            self.waiting.append(Alerted(self.step, self.epoch, words))

    def look(self, *, at_end: bool = False) -> None:
        """Measures what the layers give, where that is due; in a run's last epoch always, so that a record ends so."""
        activity = self._activity
        last = at_end and self.epoch == self.epochs
        if activity is not None and activity.enabled and (last or activity.due(perf_counter())):
            samples, layers = activity.read()
            if layers:
                self.waiting.append(Activated(self.step, self.epoch, samples, layers))

    def averaged(self) -> AbstractContextManager[None]:
        """Inside, the model holds the weights that count: their average where the recipe says so, else its own."""
        return self.average.lent() if self.average is not None and self.average.use else nullcontext()

    def edit(self, edits: Sequence[Edit]) -> Iterator[Event]:
        """Applies changes of the running recipe; each comes out as `Edited`, or as `Alerted` when it is refused."""
        for wish in edits:
            yield self.steering.edit(wish, step=self.step + 1, epoch=self.epoch)

    def last_loss(self) -> float:
        """Mean loss of the step taken last; waits for the device."""
        return float(self._loss)

    def told(self) -> Iterator[Event]:
        """The events that came up within the step, once."""
        waiting, self.waiting = self.waiting, []
        yield from waiting

    def save(self) -> Iterator[CheckpointSaved]:
        """Saves the true last state, and before it the best one when it is not on disk yet."""
        yield from self._keeper.save(self)

    def save_as(self, name: str, drop: Sequence[str] = ()) -> Iterator[CheckpointSaved]:
        """Saves a checkpoint under a name of its own; those in `drop` go afterwards."""
        yield from self._keeper.save_as(self, name, drop)

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
            "callbacks": self.hooks.state(),
            **({"average": self.average.state()} if self.average is not None else {}),
            **({"phase": self.phasing.state()} if self.phasing is not None and self.phasing.several else {}),
        }  # fmt: skip

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state`; the weights are filled in by the caller, before."""
        self.step, self.epoch, self.position = int(state["step"]), int(state["epoch"]), int(state["position"])
        self.final = dict(state["final"])
        self.clock.load(state["clock"])
        self._tally.load(state["tally"])
        self.stopping.load(state["stopping"])
        self._load_phase(state)
        self.steering.load(state["steering"])
        if self.average is not None:
            self.average.load(state["average"])
        self.hooks.load(state.get("callbacks", ()))
        self._keeper.saved_at = (self.step, self.epoch)
        randomness.restore(state["generators"])

    def _load_phase(self, state: Mapping[str, Any]) -> None:
        phasing = self.phasing
        if phasing is None or not phasing.several or "phase" not in state:
            return
        begun = phasing.load(state["phase"], self.steps_per_epoch)
        if begun is not None:
            self.steering, self.average = begun
            self._objective.settle()
        self.plan = replace(self.plan, epochs=phasing.began + phasing.stage.epochs + phasing.left)

    def _begin_next(self, ended: EpochEnded) -> EpochEnded:
        figures = {
            "epoch": ended.epoch, "step": ended.step, "train_loss": ended.train_loss, "val_loss": ended.val_loss,
            **ended.metrics, "lr": ended.lr, "seconds": ended.seconds,
            "samples_per_second": ended.samples_per_second,
        }  # fmt: skip
        best = self.stopping.observe(figures)
        if self.phasing is not None:
            self.phasing.observe(figures)
        if words := self.steering.observe(figures, step=self.step):
            self.waiting.append(Alerted(self.step, ended.epoch, words))
        self.final = figures
        self.epoch, self.position = self.epoch + 1, 0
        self._tally.reset()
        self.clock.begin_epoch()
        if best:
            self._keeper.keep_best(self)
            ended = replace(ended, best=True)
        return ended

    def _went_back(self, turns: Sequence[Turn], parts: Sequence[Batch], size: int) -> torch.Tensor:
        """Gradients of the mean loss of one or several batches, which is returned (0-dim, without its graph)."""
        total: torch.Tensor | None = None
        for turn, part in zip(turns, parts, strict=True):
            loss = turn.loss()
            value = self._tally.add(loss, part.size, self._objective.outputs, part.targets)
            if value is not None and not isfinite(value):
                raise self._broken(value, part)  # before the update: the weights stay as they were
            if len(parts) > 1:
                # Weighed by samples, so that a smaller last batch counts as it would in one large batch.
                loss = loss * (part.size / size)
            self.steering.backward(loss)
            total = loss.detach() if total is None else total + loss.detach()
        if self.steering.penalty is not None:
            self.steering.penalty.note(self.step)
        self.steering.gathered()
        assert total is not None
        return total

    def _again(self, turns: Sequence[Turn], parts: Sequence[Batch], size: int) -> torch.Tensor:
        """Loss and gradients of the same batches at the weights of now; no figure is counted twice."""
        for parameter in turns[0].parameters:
            parameter.grad = None
        total = torch.zeros((), device=self.plan.device)
        for turn, part in zip(turns, parts, strict=True):
            loss = turn.loss() * (part.size / size)
            self.steering.backward(loss)
            total = total + loss.detach()
        self.steering.gathered()
        return total

    def _sampled(self, loss: torch.Tensor, parts: Sequence[Batch], now: float) -> Step:
        """A step whose loss is told; the one place where a device is waited for."""
        self._next_sample = now + SAMPLE
        self.clock.samples += sum(part.size for part in parts)
        value = float(loss)
        if not isfinite(value) or not self._tally.is_finite:
            raise self._broken(value, parts[-1])
        self._report_clipping()
        speed = self.clock.speed()
        told = self.steering
        seconds = self.clock.seconds
        return Step(self.step, self.epoch, told.lr, value, told.lrs, speed, seconds, told.momentum)

    def _read_gradients(self) -> None:
        gradient, weight = self._probe.read()
        self.waiting.append(Probed(self.step, self.epoch, gradient, weight))

    def _report_clipping(self) -> None:
        told = self.steering.clipped()
        if told.steps:
            self.waiting.append(Clipped(self.step, self.epoch, told.hits, told.norm, told.steps, told.factor))

    def _report_overflows(self) -> None:
        if words := self.steering.overflows():
            self.waiting.append(Alerted(self.step, self.epoch, words))

    def _broken(self, loss: float, batch: Batch) -> NonFinite:
        layer = first_bad_layer(self.model, batch.inputs, self._probe.layers)
        return NonFinite(loss if not isfinite(loss) else float("nan"), self._problem(layer, loss))

    def _problem(self, layer: str, loss: float) -> Problem:
        return loss_problem(loss, layer=layer, epoch=self.epoch, step=self.step, lr=self.steering.lr)
