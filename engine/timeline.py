"""What a training has said so far, folded into bounded series: the only thing that charts read.

Owns `Timeline`, fed by live events and by a finished run's record alike, so that a replay looks as the training did.
Memory stays bounded however long the training is. Never draws, never reads a file, never judges (`engine.verdict`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from engine.activity import ActivityLog
from engine.events import (
    Activated,
    Alerted,
    CheckpointSaved,
    Clipped,
    Edited,
    EpochEnded,
    Event,
    PhaseStarted,
    Probed,
    RunEnded,
    RunResumed,
    RunStarted,
    Step,
)
from engine.probe_window import Depth, ProbeWindow
from engine.series import Array, Series

MAX_MARKS = 512
"""Marks kept: more could not be told apart on any chart, and a script that edits every step must not fill memory."""

MAX_EPOCHS = 8192
"""Epoch rows kept; beyond it every second of the older half goes, the best always stays."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something worth a line on every chart. `kind` is phase, edit, resumed or alert."""

    kind: str
    step: int
    words: str


@dataclass(frozen=True, slots=True)
class NonFinite:
    """Where numbers first stopped being numbers; `layer` is an instance path, or "" when only the loss told."""

    step: int
    layer: str = ""


class Timeline:
    """The fold of a run's events. `revision` rises with every change, so a reader repaints only when it must."""

    def __init__(self) -> None:
        self.revision = 0
        self.run: RunStarted | None = None
        self.outcome: RunEnded | None = None
        self.epochs: list[EpochEnded] = []
        self.marks: list[Mark] = []
        self.checkpoints: dict[str, CheckpointSaved] = {}
        """The newest of each kind: the one that is on disk."""
        self.first_non_finite: NonFinite | None = None
        self.layers: list[str] = []
        """Instance paths that hold weights, input side first."""
        self.step = 0
        self.epoch = 0
        self.seconds = 0.0
        self._num_epochs = 0
        self._steps_per_epoch = 0
        self._knots_key: tuple[int, int] = (0, 0)
        self._knots: tuple[Array, Array] = (np.zeros(1), np.zeros(1))
        self._make_series()

    def _make_series(self) -> None:
        self.loss, self.lr, self.speed, self.clock = Series(), Series(), Series(), Series()
        """Sampled training loss; rate; samples per second; training seconds: each against the step."""
        self.momentum = Series()
        """Of runs whose schedule moves it."""
        self.clipped = Series(1024)
        """Largest norm met since the last report, at the steps where clipping acted."""
        self.clip_norm, self.clip_share, self.clip_factor = Series(1024), Series(1024), Series(1024)
        """Of every report: largest norm met, share of the steps that were cut. Of those that cut: what part of the
        size was left.
        """
        self.num_clipped = 0
        self.gradients: dict[str, Series] = {}
        self.weights: dict[str, Series] = {}
        self.activity = ActivityLog()
        self.probes = ProbeWindow()
        self.num_probes = 0

    @classmethod
    def from_events(cls, events: Iterable[Event]) -> Timeline:
        """The timeline of a recorded run."""
        timeline = cls()
        timeline.extend(events)
        return timeline

    @property
    def planned_epochs(self) -> int:
        """Epochs of the whole plan, 0 before the run started."""
        return self._num_epochs

    @property
    def planned_steps(self) -> int:
        """Optimiser steps of the whole plan, 0 before the run started."""
        return self._num_epochs * self._steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in one epoch, at least 1."""
        return max(1, self._steps_per_epoch)

    @property
    def train_figures(self) -> str:
        """What `train_loss` and its like are in the newest epoch: running or evaluated (see `EpochEnded`)."""
        return self.epochs[-1].train_figures if self.epochs else "running"

    @property
    def clips(self) -> bool:
        """Whether the run clips gradients, as far as it has told."""
        return self.clip_norm.last is not None

    def extend(self, events: Iterable[Event]) -> None:
        """Fold many events, in the order they happened."""
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Fold one event."""
        self.revision += 1
        # By far the most frequent kind goes first: this is the cost of a step.
        if type(event) is Step:
            self._add_step(event)
            return
        match event:
            case Probed():
                self._add_probe(event)
            case EpochEnded():
                self._add_epoch(event)
            case Clipped():
                self._add_clipped(event)
            case Activated():
                self.activity.add(event)
            case CheckpointSaved():
                self._add_checkpoint(event)
            case PhaseStarted():
                self._mark("phase", event.step, event.name)
            case Edited():
                self._mark("edit", event.step, event.words)
            case Alerted():
                self._mark("alert", event.step, event.words)
            case RunStarted():
                self._start(event)
            case RunResumed():
                self._resume(event)
            case RunEnded():
                self._end(event)

    def depth(self) -> Depth:
        """Gradient norm per layer over the newest probes: geometric mean, least and greatest."""
        return self.probes.depth(self.layers)

    def depth_at(self, step: float) -> Depth:
        """The same at one step: the newest probe at or before it (as fine as the kept points are)."""
        value = np.full(len(self.layers), np.nan)
        for row, layer in enumerate(self.layers):
            series = self.gradients.get(layer)
            steps, values = series.points() if series else (np.empty(0), np.empty(0))
            found = int(np.searchsorted(steps, step, side="right")) - 1
            if found >= 0:
                value[row] = values[found]
        return Depth(tuple(self.layers), value, value, value, 1, ())

    def epoch_of(self, steps: Array) -> Array:
        """Position in epochs of each step, true also where epochs differ in length."""
        known_steps, known_epochs = self._epoch_knots()
        inside: Array = np.interp(steps, known_steps, known_epochs)
        inside += np.maximum(steps - known_steps[-1], 0.0) / self.steps_per_epoch
        return inside

    def _epoch_knots(self) -> tuple[Array, Array]:
        """Steps and epochs of the epoch ends, from (0, 0) on; rebuilt only when an epoch was added or dropped."""
        key = (len(self.epochs), self.epochs[-1].step if self.epochs else 0)
        if self._knots_key != key:
            steps = np.array([0.0, *(row.step for row in self.epochs)])
            self._knots = (steps, np.array([0.0, *(row.epoch for row in self.epochs)]))
            self._knots_key = key
        return self._knots

    def seconds_of(self, steps: Array) -> Array:
        """Training seconds at each step; beyond the last step the present pace goes on."""
        known, seconds = self.clock.points()
        if len(known) < 2:
            return np.zeros(len(steps))
        pace = (seconds[-1] - seconds[0]) / max(known[-1] - known[0], 1.0)
        first = max(0.0, seconds[0] - known[0] * pace)
        inside: Array = np.interp(steps, np.concatenate([[0.0], known]), np.concatenate([[first], seconds]))
        inside += np.maximum(steps - known[-1], 0.0) * pace
        return inside

    def metric_names(self) -> list[str]:
        """Every metric that any epoch carried, without `train_`, `val_` and `running_`, in order of appearance."""
        names: dict[str, None] = {}
        for row in self.epochs[-1:] + self.epochs[:1]:
            for key in row.metrics:
                if key != "running_loss":
                    names[key.removeprefix("train_").removeprefix("val_").removeprefix("running_")] = None
        return list(names)

    def epoch_series(self, name: str) -> tuple[Array, Array]:
        """Steps and values of `train_loss`, `val_loss` or any metric, one row per epoch that has it, finite only."""
        rows = [(row.step, _figure(row, name)) for row in self.epochs]
        kept = [(step, value) for step, value in rows if value is not None and isfinite(value)]
        return np.array([step for step, _ in kept], dtype=float), np.array([value for _, value in kept], dtype=float)

    def _add_step(self, event: Step) -> None:
        self.step, self.epoch = event.step, event.epoch
        self.lr.append(event.step, event.lr)
        if event.loss is not None:
            self.loss.append(event.step, event.loss)
            if not isfinite(event.loss):
                self._non_finite(event.step)
        if event.samples_per_second is not None:
            self.speed.append(event.step, event.samples_per_second)
        if event.momentum is not None:
            self.momentum.append(event.step, event.momentum)
        if event.seconds:
            self.seconds = event.seconds
            self.clock.append(event.step, event.seconds)

    def _add_probe(self, event: Probed) -> None:
        for path in event.gradient:
            if path not in self.gradients:
                self.gradients[path] = Series()
                if path not in self.layers:
                    self.layers.append(path)
        for path, norm in event.gradient.items():
            self.gradients[path].append(event.step, norm)
        for path, norm in event.weight.items():
            if path not in self.weights:  # setdefault would make a series for every number
                self.weights[path] = Series()
            self.weights[path].append(event.step, norm)
        self.probes.add(event)
        self.num_probes += 1
        known = self.first_non_finite
        if known is None or (known.layer == "" and event.step >= known.step):
            layer = _first_bad(self.layers, event.gradient) or _first_bad(self.layers, event.weight)
            if layer:
                self.first_non_finite = NonFinite(known.step if known else event.step, layer)

    def _add_checkpoint(self, event: CheckpointSaved) -> None:
        self.checkpoints[event.kind] = event
        for name in event.dropped:
            self.checkpoints.pop(name, None)

    def _add_clipped(self, event: Clipped) -> None:
        if event.count:
            self.clipped.append(event.step, event.norm)
            self.num_clipped += event.count
        self.clip_norm.append(event.step, event.norm)
        if event.steps:
            self.clip_share.append(event.step, event.count / event.steps)
            if event.count:  # else there is nothing whose size was kept
                self.clip_factor.append(event.step, event.factor)

    def _add_epoch(self, event: EpochEnded) -> None:
        self.epochs.append(event)
        self.epoch = event.epoch
        if len(self.epochs) > MAX_EPOCHS:
            half = MAX_EPOCHS // 2
            self.epochs = [row for i, row in enumerate(self.epochs) if i >= half or i % 2 == 0 or row.best]
        if not isfinite(event.train_loss):
            self._non_finite(event.step)

    def _mark(self, kind: str, step: int, words: str) -> None:
        self.marks.append(Mark(kind, step, words))
        if len(self.marks) > MAX_MARKS:
            # The newest explain what is on screen now; the first (where phases began) explain the whole.
            del self.marks[MAX_MARKS // 2]

    def _non_finite(self, step: int) -> None:
        if self.first_non_finite is None:
            self.first_non_finite = NonFinite(step)

    def _start(self, event: RunStarted) -> None:
        self.run, self.outcome = event, None
        self.layers = list(event.layers)
        self._num_epochs, self._steps_per_epoch = event.epochs, event.steps_per_epoch

    def _end(self, event: RunEnded) -> None:
        self.outcome = event
        where = str((event.problem or {}).get("where", ""))
        known = self.first_non_finite
        if known and not known.layer and where in self.layers:
            self.first_non_finite = NonFinite(known.step, where)

    def _resume(self, event: RunResumed) -> None:
        """Drop what was recorded beyond the checkpoint: it will be trained again."""
        step = event.step
        self.outcome = None
        self._num_epochs, self._steps_per_epoch = event.epochs, event.steps_per_epoch
        clipping = (self.clipped, self.clip_norm, self.clip_share, self.clip_factor)
        everything = (self.loss, self.lr, self.momentum, self.speed, self.clock, *clipping)
        for series in (*everything, *self.gradients.values(), *self.weights.values()):
            series.drop_after(step)
        self.epochs = [row for row in self.epochs if row.step <= step]
        self.marks = [mark for mark in self.marks if mark.step <= step]
        self.checkpoints = {kind: saved for kind, saved in self.checkpoints.items() if saved.step <= step}
        self.probes.drop_after(step)
        self.activity.drop_after(step)
        if self.first_non_finite and self.first_non_finite.step > step:
            self.first_non_finite = None
        self.step, self.epoch = min(self.step, step), min(self.epoch, event.epoch)
        last = self.clock.last
        self.seconds = last[1] if last else 0.0
        self._mark("resumed", step, "resumed")


def _figure(row: EpochEnded, name: str) -> float | None:
    if name in ("train_loss", "val_loss", "penalty"):
        value: float | None = getattr(row, name)
        return value
    return row.metrics.get(name)


def _first_bad(layers: Iterable[str], norms: Mapping[str, Any]) -> str:
    """The layer nearest to the input whose norm is not a number any more, or ""."""
    return next((layer for layer in layers if layer in norms and not isfinite(norms[layer])), "")
