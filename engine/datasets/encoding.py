"""Columns of text become numbers: a number with the training median for gaps, or one 0/1 feature per word.

An encoding is plain data that travels with a run, so that a prediction encodes its rows in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.datasets.raw import Array
from engine.problem import Fix, Problem, ProblemError, Where, error

MAX_CATEGORIES = 50
MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
"""What counts as a gap, whatever its capitals."""
GAP = "(missing)"
LARGEST = float(np.finfo(np.float32).max)
"""Beyond it a number is infinite where it is computed with."""


def is_missing(cell: str) -> bool:
    """True for an empty cell and the usual words for one."""
    return cell.lower() in MISSING


def is_number(cell: str) -> bool:
    """True for a number that can be computed with."""
    try:
        return abs(float(cell)) <= LARGEST and "_" not in cell
    except ValueError:
        return False


def is_infinite(cell: str) -> bool:
    """True for a number beyond all bounds: inf, -inf, or one too large to compute with, such as 1e39."""
    try:
        return not is_missing(cell) and not abs(float(cell)) <= LARGEST
    except ValueError:
        return False


@dataclass(frozen=True)
class Column:
    """How one column becomes features: `categories` is empty for a number, whose gaps become `fill`."""

    name: str
    fill: float = 0.0
    categories: tuple[str, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features it becomes."""
        return tuple(f"{self.name}={word}" for word in self.categories) if self.categories else (self.name,)

    def encode(self, cells: Sequence[str]) -> Array:
        """Cells -> float32 (rows, features). A word unknown in training gives zeros; ValueError for a bad number."""
        if not self.categories:
            numbers = [self.fill if is_missing(cell) else float(cell) for cell in cells]
            return np.array(numbers, np.float32).reshape(-1, 1)
        place = {word: number for number, word in enumerate(self.categories)}
        features = np.zeros((len(cells), len(self.categories)), np.float32)
        for row, cell in enumerate(cells):
            column = place.get(GAP if is_missing(cell) else cell)
            if column is not None:
                features[row, column] = 1.0
        return features

    def to_json(self) -> dict[str, Any]:
        """Plain data for the facts of the data set."""
        if self.categories:
            return {"name": self.name, "categories": list(self.categories)}
        return {"name": self.name, "fill": self.fill}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Column:
        """The column of `to_json`."""
        return Column(str(data["name"]), float(data.get("fill", 0.0)), tuple(map(str, data.get("categories", ()))))


def fit_columns(cells: Mapping[str, Sequence[str]], train: Array, path: Path) -> list[Column]:
    """How each column becomes numbers, learned from the rows `train`; ProblemError names columns that cannot.

    A column is a number when every cell of the table that is no gap is one; its median is numpy's (the mean of the two
    middle values where their count is even).
    """
    columns = []
    many: list[tuple[str, int]] = []
    for name, column in cells.items():
        seen = [column[int(row)] for row in train]
        if all(is_missing(cell) or is_number(cell) for cell in column):
            known = [float(cell) for cell in seen if not is_missing(cell)]
            if not known:
                raise ProblemError(_empty_column(name, path))
            columns.append(Column(name, fill=float(np.median(known))))
            continue
        words = sorted({GAP if is_missing(cell) else cell for cell in seen})
        if len(words) > MAX_CATEGORIES:
            many.append((name, len(words)))
        columns.append(Column(name, categories=tuple(words)))
    if many:
        raise ProblemError(_too_many(many, path))
    return columns


def encode_rows(columns: Sequence[Column], rows: Sequence[Mapping[str, str]]) -> Array:
    """Rows by column name -> float32 (rows, features), as in training. ProblemError names a missing or bad cell."""
    blocks = []
    for column in columns:
        cells = []
        for number, row in enumerate(rows, 1):
            if column.name not in row:
                raise ProblemError(_lacks(column.name, number, "has no such column"))
            cell = row[column.name].strip()
            if not column.categories and not (is_missing(cell) or is_number(cell)):
                raise ProblemError(_lacks(column.name, number, f"has {cell!r}, which is no number"))
            cells.append(cell)
        blocks.append(column.encode(cells))
    return np.concatenate(blocks, 1)


def decode_rows(columns: Sequence[Column], values: Array) -> list[dict[str, str]]:
    """Rows of text that `encode_rows` turns into these (rows, features): gaps come back as what stood for them."""
    rows: list[dict[str, str]] = [{} for _ in values]
    start = 0
    for column in columns:
        width = len(column.feature_names)
        for row, features in zip(rows, values[:, start : start + width], strict=True):
            if not column.categories:
                row[column.name] = repr(float(features[0]))
                continue
            chosen = int(features.argmax())
            word = column.categories[chosen] if features[chosen] else "a word that training never met"
            row[column.name] = "" if word == GAP else word
        start += width
    return rows


def _too_many(many: Sequence[tuple[str, int]], path: Path) -> Problem:
    names = [name for name, _ in many]
    counts = ", ".join(f"{name} ({count:,})" for name, count in many)
    return error(
        Where(label=f"table {path.name}", path="recipe.data.drop", file=str(path)),
        f"Too many different words to give each its own feature: {counts}.",
        f"At most {MAX_CATEGORIES} different words in a column of words",
        f"Leave them out: set recipe.data.drop to {', '.join(names)}",
        code="data-many-words",
        fixes=(Fix(f"Leave out {', '.join(names)}", apply=lambda project: _dropped(project, names)),),
    )


def _dropped(project: Any, names: Sequence[str]) -> Any:
    recipe = project.recipe
    data = recipe.get("data")
    already = [name.strip() for name in str(data.get("drop", "")).split(",") if name.strip()]
    return project.with_recipe(recipe.with_value("data", {**data, "drop": ", ".join([*already, *names])}))


def _empty_column(name: str, path: Path) -> Problem:
    return error(
        Where(label=f"table {path.name}", path="recipe.data.drop", file=str(path)),
        f"The column {name} has no value in any training row.",
        "Some values to take the median of",
        f"Leave it out: add {name} to recipe.data.drop",
        code="data-empty-column",
        fixes=(Fix(f"Leave out {name}", apply=lambda project: _dropped(project, [name])),),
    )


def _lacks(name: str, row: int, words: str) -> Problem:
    return error(
        Where(label=f"column {name}"), f"Row {row} {words}.", f"A cell for {name} as in training",
        f"Add or mend {name} in row {row}", code="data-row",
    )  # fmt: skip
