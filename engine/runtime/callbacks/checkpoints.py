"""The callback that saves checkpoints under names of their own, every so many epochs or when a figure is the best."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from engine.callback import TrainingView
from engine.runtime.callbacks.requests import BuiltIn, Save


class SaveCheckpoints(BuiltIn):
    """`epoch-0005` every `every` epochs, of which the newest `keep` stay (0: all); `best-FIGURE` where `best` is on."""

    def __init__(
        self, *, every: int = 1, best: bool = False, monitor: str = "val_loss", keep: int = 5,
        larger_is_better: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self._every = every
        self._monitor = monitor if best else ""
        self._keep = keep
        self._sign = -1.0 if larger_is_better else 1.0
        self._score: float | None = None
        self._kept: list[str] = []

    def on_epoch_end(self, view: TrainingView) -> None:
        """See `Callback`."""
        if self._every and view.epoch % self._every == 0:
            name = f"epoch-{view.epoch:04d}"
            kept = [*(item for item in self._kept if item != name), name]
            drop = kept[: -self._keep] if self._keep else []
            self._kept = kept[len(drop) :]
            self.ask(Save(name, tuple(drop)))
        figure = view.figures.get(self._monitor)
        if figure is None or not isfinite(figure):
            return
        score = self._sign * float(figure)
        if self._score is None or score < self._score:
            self._score = score
            self.ask(Save(f"best-{self._monitor}"))

    def state(self) -> dict[str, Any]:
        """See `Callback`."""
        return {"score": self._score, "kept": list(self._kept)}

    def load(self, state: Mapping[str, Any]) -> None:
        """See `Callback`."""
        self._score, self._kept = state["score"], [str(name) for name in state["kept"]]
