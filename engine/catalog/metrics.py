"""Metrics: figures shown beside the loss, on numpy arrays.

`compute(outputs, targets)`: for tasks `class` and `binary` outputs are raw numbers, (N, classes) or (N, 1) where a
positive number means yes, and targets class numbers, (N) or (N, 1); for `value` both are real units, (N, size).
scikit-learn is imported inside, because it takes a second. A figure that is not defined is nan.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.declare import metric
from engine.param import param

Array = NDArray[Any]


@metric("accuracy", title="Accuracy", was=("acc",), search=("classification", "share right"))
class Accuracy:
    """The share of samples whose class is right, from 0 to 1. The first figure to look at when classes are about
    equally frequent; when one is rare, look at F1 too.
    """

    name = "accuracy"
    tasks = ("class", "binary")
    higher_is_better = True

    def compute(self, outputs: Array, targets: Array) -> float:
        return float(np.mean(chosen(outputs) == targets.reshape(-1))) if len(targets) else float("nan")


@metric("top5", title="Top 5", was=("top_k",), search=("top-5", "classification", "TopKCategoricalAccuracy"))
class TopFive:
    """The share of samples whose right class is among the k that the network rates highest. Use it with many, similar
    classes. With no more than k classes it is always 1.
    """

    tasks = ("class",)
    higher_is_better = True
    k: int = param(default=5, min=1, max=1000, help="Among how many of the highest rated classes it may be")

    @property
    def name(self) -> str:
        return f"top{self.k}"

    def compute(self, outputs: Array, targets: Array) -> float:
        from sklearn.metrics import top_k_accuracy_score

        if not len(targets) or not np.isfinite(outputs).all():
            return float("nan")
        if outputs.shape[1] <= max(self.k, 2):
            return 1.0 if outputs.shape[1] <= self.k else Accuracy().compute(outputs, targets)
        labels = np.arange(outputs.shape[1])
        return float(top_k_accuracy_score(targets.reshape(-1), outputs, k=self.k, labels=labels))


@metric("f1", title="F1 (macro)", search=("classification", "precision", "recall", "imbalanced"))
class MacroF1:
    """The mean over all classes of F1, which is high only when a class is both found and not claimed wrongly. Every
    class counts the same, however rare. From 0 to 1.
    """

    name = "f1"
    tasks = ("class", "binary")
    higher_is_better = True

    def compute(self, outputs: Array, targets: Array) -> float:
        from sklearn.metrics import f1_score

        if not len(targets):
            return float("nan")
        truth = targets.reshape(-1).astype(np.int64)
        return float(f1_score(truth, chosen(outputs), average="macro", zero_division=0.0))


@metric("mae", title="Mean absolute error", search=("regression", "l1"))
class MeanAbsolute:
    """The mean absolute difference between prediction and truth, in the target's own unit. The most readable figure
    of a regression: how far it is off on average.
    """

    name = "mae"
    tasks = ("value",)
    higher_is_better = False

    def compute(self, outputs: Array, targets: Array) -> float:
        from sklearn.metrics import mean_absolute_error

        if not len(targets) or not np.isfinite(outputs).all():
            return float("nan")
        return float(mean_absolute_error(targets, outputs))


@metric("r2", title="R²", was=("r_squared",), search=("regression", "explained variance", "determination"))
class Determination:
    """The share of the target's variation that the predictions explain: 1 is perfect, 0 is no better than always
    predicting the mean, below 0 is worse. Compares regressions whatever the unit.
    """

    name = "r2"
    tasks = ("value",)
    higher_is_better = True

    def compute(self, outputs: Array, targets: Array) -> float:
        from sklearn.metrics import r2_score

        if len(targets) < 2 or not np.isfinite(outputs).all():
            return float("nan")
        return float(r2_score(targets, outputs))


def chosen(outputs: Array) -> Array:
    """The class each sample is given, (N) int64: the highest number, or whether the only one is positive."""
    flat = outputs.reshape(len(outputs), -1)
    return flat.argmax(axis=1) if flat.shape[1] > 1 else (flat[:, 0] > 0).astype(np.int64)
