"""The figures of an epoch that ended: its running sums, validation, and the training set once more where asked.

Owns which figure bears which name. Never trains; what it evaluates with (the weights or their average) is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from engine.runtime.metrics import Metric
from engine.runtime.objective import Head
from engine.runtime.scoring import Evaluation, Splits, evaluate


@dataclass(frozen=True)
class Examined:
    """Losses of training and validation, and the metrics by their full names."""

    train_loss: float
    val_loss: float | None
    metrics: dict[str, float] = field(default_factory=dict)
    train_figures: str = "running"


@dataclass(frozen=True)
class Examiner:
    """What an epoch is asked. `again`: the training figures are those of the training set evaluated at its end."""

    model: nn.Module
    data: Splits
    heads: Sequence[Head]
    metrics: Sequence[Metric] = ()
    again: bool = False

    def examine(self, loss: float, shares: dict[str, float], cancelled: Callable[[], bool]) -> Examined:
        """Figures from the running loss and shares of an epoch and the model as it is now; `Cancelled` when asked."""
        found = {f"train_{name}": share for name, share in shares.items()}
        if self.again:
            found = {"running_loss": loss} | {f"running_{name}": share for name, share in shares.items()}
            train = self._evaluated("train", cancelled)
            loss = train.loss
            found = {f"train_{name}": value for name, value in train.metrics.items()} | found
        validated = self.validate(cancelled)
        val_loss = validated.pop("val_loss", None)
        return Examined(loss, val_loss, found | validated, "evaluated" if self.again else "running")

    def validate(self, cancelled: Callable[[], bool]) -> dict[str, float]:
        """Loss and metrics of the validation set by their full names; empty without one. `Cancelled` when asked."""
        if not self.data.facts.counts.get("val"):
            return {}
        val = self._evaluated("val", cancelled)
        return {"val_loss": val.loss} | {f"val_{name}": value for name, value in val.metrics.items()}

    def _evaluated(self, split: str, cancelled: Callable[[], bool]) -> Evaluation:
        more: dict[str, Any] = {"heads": self.heads, "metrics": self.metrics, "tables": False}
        return evaluate(self.model, self.data, split, cancelled=cancelled, **more)
