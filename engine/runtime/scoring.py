"""How good a model is on a split: loss, metrics, confusion matrix and figures per class.

Owns the pass over a split in eval mode and the arithmetic of the table. Metrics are declarations; figures of
regression are in real units. Never trains and draws no random number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from engine.datafacts import BINARY, CLASS, DataFacts
from engine.runtime.metrics import Metric
from engine.runtime.objective import Batch, Head

Array = npt.NDArray[Any]
EVAL_BATCH = 512
"""Samples per batch without gradients; more gains nothing on a CPU and costs memory on a GPU."""


class Cancelled(Exception):
    """A stop was asked for while a split was being evaluated; there are no figures."""


class Splits(Protocol):
    """The part of `Data` that evaluation needs."""

    @property
    def facts(self) -> DataFacts:
        """Shapes, classes and counts."""
        ...

    def eval_batches(self, split: str, batch_size: int = EVAL_BATCH) -> Iterator[Batch]:
        """All samples of `train`, `val` or `test`, unshuffled and not augmented."""
        ...


@dataclass(frozen=True)
class Answers:
    """What one output said on a whole split: raw outputs and targets, first axis samples."""

    head: Head
    outputs: Array
    targets: Array


@dataclass(frozen=True)
class Evaluation:
    """Figures of one split. `metrics` by name (`accuracy`, `f1`, `mae`; with several outputs `digit_accuracy`)."""

    split: str
    samples: int
    loss: float
    metrics: dict[str, float] = field(default_factory=dict)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Per output that answers with classes: `classes`, `confusion` (rows truth, columns answer), `per_class`."""

    def to_json(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return {
            "split": self.split, "samples": self.samples, "loss": self.loss, **self.metrics, "tables": self.tables,
        }  # fmt: skip


def evaluate(
    model: nn.Module, data: Splits, split: str, *, heads: Sequence[Head], metrics: Sequence[Metric] = (),
    tables: bool = True, cancelled: Callable[[], bool] = lambda: False,
) -> Evaluation:  # fmt: skip
    """Figures of a model on `train`, `val` or `test`; the model's mode is put back. `Cancelled` when asked to stop."""
    loss, samples, answers = _collect(model, data, split, heads, cancelled)
    figures: dict[str, float] = {}
    found: dict[str, dict[str, Any]] = {}
    for answer in answers:
        prefix = f"{answer.head.name}_" if len(heads) > 1 else ""
        for metric in metrics:
            if metric.fits(answer.head.facts):
                figures[prefix + metric.name] = metric.value(answer.outputs, answer.targets, answer.head.facts)
        if tables and answer.head.facts.kind in (CLASS, BINARY):
            found[answer.head.name] = class_table(answer)
    return Evaluation(split, samples, loss, figures, found)


def _collect(
    model: nn.Module, data: Splits, split: str, heads: Sequence[Head], cancelled: Callable[[], bool]
) -> tuple[float, int, list[Answers]]:
    outputs: list[list[Array]] = [[] for _ in heads]
    targets: list[list[Array]] = [[] for _ in heads]
    total, samples = 0.0, 0
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for batch in data.eval_batches(split):
                if cancelled():
                    raise Cancelled
                result = model(*batch.inputs)
                result = (result,) if isinstance(result, Tensor) else tuple(result)
                loss = sum(
                    head.weight * float(head.loss(result[index], batch.targets[head.target]))
                    for index, head in enumerate(heads)
                )
                total, samples = total + loss * batch.size, samples + batch.size
                for index, head in enumerate(heads):
                    outputs[index].append(result[index].float().cpu().numpy())
                    targets[index].append(batch.targets[head.target].cpu().numpy())
    finally:
        model.train(was_training)
    answers = [
        Answers(head, np.concatenate(outputs[index]), _plain_targets(head, np.concatenate(targets[index])))
        for index, head in enumerate(heads)
        if outputs[index]
    ]
    return (total / samples if samples else float("nan")), samples, answers


def _plain_targets(head: Head, targets: Array) -> Array:
    """A yes or no for each of several classes becomes the number of the one that is a yes, which figures count."""
    if head.facts.kind == BINARY and targets.ndim == 2 and targets.shape[1] > 1:
        found: Array = targets.argmax(1)
        return found
    return targets


def decided(answer: Answers) -> Array:
    """The class index that each sample was given, int64 (N,)."""
    flat = answer.outputs.reshape(len(answer.outputs), -1)
    found: Array = flat.argmax(1) if flat.shape[1] > 1 else (flat[:, 0] > 0).astype(np.int64)
    return found


def class_table(answer: Answers) -> dict[str, Any]:
    """Confusion matrix (rows truth, columns answer), and precision, recall, F1 and number of samples per class.

    precision = right answers / answers, recall = right answers / samples of the class, F1 = their harmonic mean;
    0 where nothing is divided by nothing.
    """
    facts = answer.head.facts
    names = facts.classes or (("no", "yes") if facts.kind == BINARY else ())
    num_classes = max(len(names), 2 if facts.kind == BINARY else answer.outputs.shape[1])
    truth = np.rint(answer.targets.reshape(-1)).astype(np.int64)
    pairs = truth * num_classes + decided(answer)
    confusion = np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
    rows = []
    for index in range(num_classes):
        right, said, there = int(confusion[index, index]), int(confusion[:, index].sum()), int(confusion[index].sum())
        rows.append(
            {
                "class": names[index] if index < len(names) else str(index),
                "precision": right / said if said else 0.0,
                "recall": right / there if there else 0.0,
                "f1": 2 * right / (said + there) if said + there else 0.0,
                "samples": there,
            }
        )
    return {"classes": [row["class"] for row in rows], "confusion": confusion.tolist(), "per_class": rows}
