"""Which epoch is the best so far, and whether to go on.

Owns the monitored figure and its history in short. An epoch is better only when it improves on the best by more than
`min_delta` (strictly), so with patience p the last epoch of an early stopped run is the best epoch + p.
Never looks at the model and never saves anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from typing import Any


class Stopping:
    """Follows one figure over the epochs. `monitor` names it; where an epoch lacks it, the training loss decides."""

    def __init__(
        self, monitor: str = "val_loss", *, enabled: bool = False, patience: int = 10, min_delta: float = 0.0,
        larger_is_better: bool = False,
    ) -> None:  # fmt: skip
        self.monitor = monitor
        self.enabled = enabled
        self.patience = patience
        self.min_delta = min_delta
        self.larger_is_better = larger_is_better
        self.best: dict[str, Any] = {}
        """Figures of the best epoch, with `epoch`, `step` and the `metric` that decided; empty before the first."""
        self._score = inf
        self._since = 0

    def observe(self, figures: Mapping[str, Any]) -> bool:
        """Takes in the figures of an epoch that ended (`epoch`, `val_loss`, ...); True when it is the best so far."""
        metric = self.monitor if figures.get(self.monitor) is not None else "train_loss"
        score = float(figures[metric])
        if metric == self.monitor and self.larger_is_better:
            score = -score
        if not isfinite(score) or (self.best and not score < self._score - self.min_delta):
            return False
        self._score = score
        self.best = {**figures, "metric": metric}
        return True

    def is_over(self, epoch: int) -> bool:
        """True when `patience` epochs in a row brought no improvement; never unless early stopping is enabled."""
        return self.enabled and epoch - max(int(self.best.get("epoch", 0)), self._since) >= self.patience

    def be_patient_from(self, epoch: int) -> None:
        """Counts the patience afresh from an epoch: somebody continues a run that was stopped early."""
        self._since = epoch

    def forget(self) -> None:
        """The best counts anew: its weights are gone."""
        self.best, self._score = {}, inf

    def state(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {"best": dict(self.best), "score": self._score, "since": self._since}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state`."""
        self.best = dict(state["best"])
        self._score = float(state["score"])
        self._since = int(state["since"])
