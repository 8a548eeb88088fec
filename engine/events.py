"""What a training says while it runs: a closed union of small frozen records, also the lines of `events.jsonl`.

Owns the records and their JSON form. Never holds a tensor, never changes a training.
Gradients, frozen sets and the like are keyed by instance path (`blocks.3.linear`, the state_dict prefix).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import inf, isfinite, nan
from typing import Any, ClassVar, get_args


@dataclass(frozen=True, slots=True)
class RunStarted:
    """First event of every run. `layers` lists the instance paths that hold weights, input side first."""

    event: ClassVar[str] = "run_started"
    run: str
    name: str
    device: str
    threads: int
    seed: int
    epochs: int
    steps_per_epoch: int
    train_samples: int
    val_samples: int
    parameters: int
    trainable: int
    layers: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    loss: str = ""
    time: float = 0.0
    """Seconds since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase of training begins at this step."""

    event: ClassVar[str] = "phase_started"
    phase: int
    name: str
    step: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Step:
    """One optimiser step. `loss` is None unless sampled (by time, and always while stepping by hand)."""

    event: ClassVar[str] = "step"
    step: int
    """Optimiser steps done so far in the run, from 1."""
    epoch: int
    """1-based epoch this step belongs to."""
    lr: float
    loss: float | None = None
    lrs: tuple[float, ...] = ()
    """Every group's rate when they differ; else empty."""
    samples_per_second: float | None = None
    seconds: float = 0.0
    """Training seconds so far, pauses excluded."""
    momentum: float | None = None
    """Momentum of the first group (β₁ of Adam and its kin) where the schedule moves it; with every told loss."""


@dataclass(frozen=True, slots=True)
class Probed:
    """Gradient flow at one step, before clipping: norms per instance path that holds weights, input side first."""

    event: ClassVar[str] = "probed"
    step: int
    epoch: int
    gradient: Mapping[str, float]
    """2-norm of the gradient of all parameters of the layer; may be nan or inf."""
    weight: Mapping[str, float]
    """2-norm of the parameters of the layer."""


BINS = 24
"""Bars of a layer's histogram."""


@dataclass(frozen=True, slots=True)
class Activated:
    """What layers gave for some fixed samples, in evaluation mode: before the first step and at ends of epochs.

    Told as often as measuring stays below a hundredth of the training time.
    """

    event: ClassVar[str] = "activations"
    step: int
    epoch: int
    samples: int
    layers: Mapping[str, Mapping[str, Any]]
    """Per instance path, in the order in which layers were reached: `mean` and `std` of the results; `counts` in `BINS`
    equal parts from `low` to `high`, which hold 99 % of them; `units` and the share `dead` of those that gave the same
    for every sample; of activations (`activation`) the share `flat` of the results where the slope is below 0.01, and
    whether they `saturates`: flat at both ends.
    """


@dataclass(frozen=True, slots=True)
class Clipped:
    """What clipping did since the last report: it changed the gradients at `count` of `steps` steps.

    Told at every sampled step of a recipe that clips, also when nothing was cut.
    """

    event: ClassVar[str] = "clipped"
    step: int
    epoch: int
    count: int
    norm: float
    """Largest size met, cut or not: global norm, norm of one tensor, number (by value), gradient over weight (AGC)."""
    steps: int = 0
    """Optimiser steps since the last report; 0 in records of older versions."""
    factor: float = 1.0
    """Mean over the cut steps of what was left: norm after over norm before; by value, limit over largest number."""


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """Figures of one epoch. `metrics` holds `train_accuracy`, `val_accuracy`, `val_f1`, ... beside the losses."""

    event: ClassVar[str] = "epoch_ended"
    epoch: int
    step: int
    train_loss: float
    val_loss: float | None
    lr: float
    seconds: float
    """Wall seconds of this epoch, validation included, pauses excluded."""
    samples_per_second: float
    penalty: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    best: bool = False
    """True when this epoch is the best so far by the monitored figure."""
    train_figures: str = "running"
    """What `train_loss` and its like are. running: means over the epoch while the weights moved, dropout on, penalties
    in; evaluated: the training set in eval mode at the epoch's end, with the others beside as `running_loss`, ..."""


@dataclass(frozen=True, slots=True)
class CheckpointSaved:
    """A checkpoint is safely on disk. `kind` is `last`, `best`, or the name that a callback gave it."""

    event: ClassVar[str] = "checkpoint_saved"
    kind: str
    step: int
    epoch: int
    seconds: float = 0.0
    dropped: tuple[str, ...] = ()
    """Names of older ones that were removed for it."""


@dataclass(frozen=True, slots=True)
class Edited:
    """Somebody changed the running recipe; `path` is the setting, `words` what the charts write."""

    event: ClassVar[str] = "edited"
    step: int
    epoch: int
    path: str
    old: Any
    new: Any
    words: str


@dataclass(frozen=True, slots=True)
class Alerted:
    """A watched figure crossed its threshold, or training noticed something worth saying."""

    event: ClassVar[str] = "alerted"
    step: int
    epoch: int
    words: str
    figure: str = ""
    """Name of the watched figure; "" when no alert of the recipe speaks."""
    value: float | None = None
    """What it was."""
    action: str = ""
    """What is done about it: notify, stop or save; "" for a remark of the training itself."""


@dataclass(frozen=True, slots=True)
class RunResumed:
    """The run goes on from a checkpoint at `step`; readers drop what was recorded beyond it."""

    event: ClassVar[str] = "run_resumed"
    step: int
    epoch: int
    epochs: int
    steps_per_epoch: int
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class RunEnded:
    """Last event of every run: how it ended, its final and best figures, and its folder."""

    event: ClassVar[str] = "run_ended"
    outcome: str
    """completed, early_stopped, stopped, interrupted or failed."""
    run: str
    step: int
    epoch: int
    final: Mapping[str, Any] = field(default_factory=dict)
    best: Mapping[str, Any] = field(default_factory=dict)
    problem: Mapping[str, Any] | None = None
    seconds: float = 0.0


Event = (
    RunStarted | PhaseStarted | Step | Probed | Activated | Clipped | EpochEnded
    | CheckpointSaved | Edited | Alerted | RunResumed | RunEnded
)  # fmt: skip

_BY_NAME: dict[str, type[Any]] = {kind.event: kind for kind in get_args(Event)}


def to_json(event: Event) -> dict[str, Any]:
    """Plain data with the event's name first; `epoch_ended` lays its metrics beside its losses.

    Non-finite numbers become the strings `nan`, `inf`, `-inf`, because JSON has no such numbers.
    """
    data = {"event": event.event, **asdict(event)}
    if isinstance(event, EpochEnded):
        data.update(data.pop("metrics"))
    plain: dict[str, Any] = _plain(data)
    return plain


def from_json(data: Mapping[str, Any]) -> Event:
    """The record of one line; unknown keys of an `epoch_ended` are its metrics.

    Raises KeyError or TypeError on a line that is no event.
    """
    kind = _BY_NAME[data["event"]]
    names = {item.name for item in fields(kind)}
    known = {key: _number(value) for key, value in data.items() if key in names}
    if kind is EpochEnded:
        known["metrics"] = {key: _number(value) for key, value in data.items() if key not in names and key != "event"}
    made: Event = kind(**known)
    return made


_NON_FINITE = {"nan": nan, "inf": inf, "-inf": -inf}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return _NON_FINITE.get(value, value)
    if isinstance(value, Mapping):
        return {key: _number(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_number(item) for item in value)
    return value
