"""Declared metrics as the evaluation uses them: which outputs they fit, in which units, and what counts as better.

Owns the step from raw outputs on a split to a metric's arrays. The formulas stand in the declarations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.datafacts import VALUE, Target
from engine.recipe import Recipe

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Metric:
    """One declared metric. `name` is the key of its figure, after `train_`, `val_` or an output's name."""

    name: str
    declared: Any

    def fits(self, facts: Target) -> bool:
        """True when the metric means something for such targets."""
        return facts.kind in self.declared.tasks

    @property
    def larger_is_better(self) -> bool:
        """False for errors."""
        return bool(self.declared.higher_is_better)

    def value(self, outputs: Array, targets: Array, facts: Target) -> float:
        """The figure for raw outputs and targets of a split, first axis samples; regression in real units."""
        if facts.kind == VALUE:
            outputs, targets = in_real_units(outputs, facts), in_real_units(targets, facts)
        return float(self.declared.compute(outputs, targets))


def metrics_of(recipe: Recipe) -> list[Metric]:
    """The metrics that a recipe asks for, in its order."""
    return [Metric(str(declared.name), declared) for declared in recipe.listed("metrics")]


def is_better_when_larger(figure: str, metrics: Iterable[Metric]) -> bool:
    """Which way a monitored figure improves: `val_loss` down, `val_accuracy` and `val_digit_f1` up."""
    by_name: Sequence[Metric] = sorted(metrics, key=lambda metric: -len(metric.name))
    found = next((metric for metric in by_name if figure.endswith(f"_{metric.name}")), None)
    return found.larger_is_better if found else False


def in_real_units(values: Array, facts: Target) -> Array:
    """Standardised values (N, size) as they were in the data: value * deviation + mean."""
    if not facts.deviation:
        return values
    real: Array = values.astype(np.float64) * np.asarray(facts.deviation) + np.asarray(facts.mean)
    return real
