"""The hook for one's own code: what a callback is told about a training, and what it may ask for.

A file with a subclass of `Callback` in the user's plug-in folder (`main.py plugins` says which) can be chosen in
`recipe.callbacks` as {"type": "plugin", "name": "NameOfTheClass"}. Callbacks are observers: they see figures, not
weights, and change a training only by the three requests of the view. Knows no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

EVENTS = (
    "on_train_begin", "on_epoch_begin", "on_batch_begin", "on_lr_change", "on_batch_end", "on_epoch_end",
    "on_train_end",
)  # fmt: skip
"""In the order in which they happen. A batch is one optimizer step, also where several batches make one."""


class TrainingView:
    """What a callback sees. Values are those of the moment; writing to it is refused."""

    __slots__ = ("_asked", "_values")
    _values: Mapping[str, Any]
    _asked: Callable[[str, str], None]

    def __init__(self, values: Mapping[str, Any], asked: Callable[[str, str], None]) -> None:
        object.__setattr__(self, "_values", values)
        object.__setattr__(self, "_asked", asked)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a callback cannot set {name}: it watches, and may ask for a stop, a save or a notice")

    @property
    def run(self) -> Path:
        """The run's folder, for files of the callback's own."""
        return Path(self._values["run"])

    @property
    def epoch(self) -> int:
        """The epoch that is under way or has just ended, from 1."""
        return int(self._values["epoch"])

    @property
    def epochs(self) -> int:
        """Planned epochs."""
        return int(self._values["epochs"])

    @property
    def step(self) -> int:
        """Optimizer steps done so far in the run."""
        return int(self._values["step"])

    @property
    def position(self) -> int:
        """Optimizer steps done in this epoch."""
        return int(self._values["position"])

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps in one epoch."""
        return int(self._values["steps_per_epoch"])

    @property
    def lr(self) -> float:
        """The learning rate of the step (the first group's, where there are several)."""
        return float(self._values["lr"])

    @property
    def loss(self) -> float | None:
        """Mean loss of the batch, in `on_batch_end`; None elsewhere. Asking on a GPU waits for the step to end."""
        fetch = self._values.get("loss")
        return float(fetch()) if fetch is not None else None

    @property
    def figures(self) -> Mapping[str, Any]:
        """Figures of the epoch that ended last: train_loss, val_loss, val_accuracy, ... Empty before the first end."""
        return MappingProxyType(dict(self._values["figures"]))

    @property
    def outcome(self) -> str:
        """In `on_train_end`: completed, early_stopped, stopped, interrupted or failed; "" before."""
        return str(self._values.get("outcome", ""))

    def request_stop(self, reason: str = "") -> None:
        """Asks for a stop at the next step border, with everything saved."""
        self._asked("stop", str(reason))

    def save(self, name: str = "") -> None:
        """Asks for a checkpoint as soon as all callbacks have run. `name`: letters, digits, `-` and `_`."""
        self._asked("save", str(name))

    def notify(self, words: str) -> None:
        """Shows a notice in the window and on the command line, and writes it into the run's record."""
        self._asked("notify", str(words))


class Callback:
    """Base class. Overwrite what you need; what is not overwritten costs nothing.

    A constructor may take keyword arguments with defaults; the recipe's `settings` fill them. An exception in a hook
    ends the training as failed, after everything was saved, so that the run goes on once the file is mended.
    """

    def on_train_begin(self, view: TrainingView) -> None:
        """Training begins, or goes on after it was stopped."""

    def on_epoch_begin(self, view: TrainingView) -> None:
        """An epoch begins (not when a run goes on in the middle of one)."""

    def on_batch_begin(self, view: TrainingView) -> None:
        """A step is about to be taken."""

    def on_lr_change(self, view: TrainingView, old: float, new: float) -> None:
        """The learning rate of the step just taken differs from that of the step before."""

    def on_batch_end(self, view: TrainingView) -> None:
        """A step was taken."""

    def on_epoch_end(self, view: TrainingView) -> None:
        """An epoch ended and was validated; its figures are there."""

    def on_train_end(self, view: TrainingView) -> None:
        """Training ended, however it did. The place to close files."""

    def state(self) -> dict[str, Any]:
        """What must survive a stop: numbers, words, lists and dictionaries of these. Saved in every checkpoint."""
        return {}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave; called before `on_train_begin`."""


def overrides(callback: Callback, *hooks: str) -> bool:
    """True when any of these hooks is more than the base class's."""
    return any(getattr(type(callback), hook) is not getattr(Callback, hook) for hook in hooks)
