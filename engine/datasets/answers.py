"""Answers of tables and arrays: whether they are classes or values, and their numbers. Knows no file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.datafacts import CLASS, VALUE, Target
from engine.datasets.encoding import is_number
from engine.datasets.raw import Array

MAX_NUMBERED_CLASSES = 20


def is_classes(words: Sequence[str], task: str) -> bool:
    """Whether a column's answers are classes: words, or few different whole numbers, unless the task says so."""
    if task != "auto":
        return task == "classification"
    different = set(words)
    if not all(is_number(word) for word in different):
        return True
    return len(different) <= MAX_NUMBERED_CLASSES and all(float(word).is_integer() for word in different)


def class_answers(words: Sequence[str]) -> tuple[Array, Target]:
    """Class numbers (N,) int64 and the classes, in order of their values (numbers) or letters (words)."""
    different = sorted(set(words), key=_order)
    place = {word: number for number, word in enumerate(different)}
    return np.array([place[word] for word in words], np.int64), Target(CLASS, tuple(different))


def value_answers(values: Array, train: Array, names: tuple[str, ...], *, standardize: bool) -> tuple[Array, Target]:
    """Values (N, size) float64 and their target, with mean and population deviation of the rows `train` when wanted.

    A deviation of 0 is kept as 1, so that a constant answer stays finite.
    """
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    if standardize:
        mean = tuple(values[train].mean(0).tolist())
        deviation = tuple(spread or 1.0 for spread in values[train].std(0).tolist())
    return values, Target(VALUE, size=values.shape[1], names=names, mean=mean, deviation=deviation)


def _order(word: str) -> tuple[int, float, str]:
    return (0, float(word), word) if is_number(word) else (1, 0.0, word)
