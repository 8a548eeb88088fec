"""Reads a CSV table: the target column, which rows train; columns become numbers by `encoding`.

What is learned from the table (medians, categories, target statistics) comes from the
training rows only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.datasets.answers import class_answers, is_classes, value_answers
from engine.datasets.download import DownloadPlan, RemoteFile
from engine.datasets.encoding import fit_columns, is_infinite, is_missing, is_number
from engine.datasets.facts import fingerprint
from engine.datasets.find import candidates, find_path
from engine.datasets.grids import Grid, read_grid, table_fault
from engine.datasets.raw import TRAIN, VECTOR, Part, Raw, Request, StreamInfo
from engine.datasets.split import refuse_lost_classes, split_indices
from engine.problem import Problem, ProblemError, Where, error

if TYPE_CHECKING:
    from engine.places import Places


def read(settings: Any, request: Request) -> Raw:
    """The table's rows as vectors, with their answers."""
    path = _file(settings, request.places)
    request.report(0, None, f"Reading {path.name}")
    grid = read_grid(path, delimiter=settings.delimiter, header=settings.header)
    target = _target_column(grid, settings.target, path)
    grid = _answered(grid, target, settings, path)
    request.report(len(grid.rows), len(grid.rows), f"Reading {path.name}")
    chosen = split_indices({TRAIN: len(grid.rows)}, settings)
    kept = _input_columns(grid, target, settings.drop, path)
    train = chosen[TRAIN][1]
    _refuse_infinite(grid, kept if settings.task == "classification" else [*kept, target], path)
    cells = {grid.names[column]: [row[column] for row in grid.rows] for column in kept}
    columns = fit_columns(cells, train, path)
    values = np.concatenate([column.encode(cells[column.name]) for column in columns], 1)
    words = [row[target] for row in grid.rows]
    if is_classes(words, settings.task):
        answers, made = class_answers(words)
        if len(made.classes) < 2:
            raise ProblemError(_one_class(grid.names[target], made.classes[0], path))
        refuse_lost_classes(answers, train, settings)
    else:
        found = _numbers(grid, target, path)
        answers, made = value_answers(found, train, (grid.names[target],), standardize=settings.standardize_target)
    parts = {split: Part({"x": values[index]}, {"y": answers[index]}) for split, (_, index) in chosen.items()}
    names = tuple(name for column in columns for name in column.feature_names)
    extra = {"table": {"columns": [column.to_json() for column in columns], "target": grid.names[target]}}
    return Raw(
        {"x": StreamInfo(VECTOR, (len(names),), names=names)}, {"y": made}, parts, extra, fingerprint(parts, extra)
    )


def plan(settings: Any, places: Places) -> DownloadPlan | None:
    """What must be fetched: the file at `url`, when it is nowhere yet."""
    if not settings.url or not settings.path or any(place.is_file() for place in candidates(settings.path, places)):
        return None
    where = Where(label="data", path="recipe.data.checksum")
    if len(settings.checksum) != 64:
        raise ProblemError(
            error(
                where, "The address of the table has no checksum, so a fetched file cannot be trusted.",
                "The file's SHA-256, 64 hexadecimal digits", "Set recipe.data.checksum, or put the file there yourself",
                code="data-no-checksum",
            )
        )  # fmt: skip
    if Path(settings.path).is_absolute() or ".." in Path(settings.path).parts:
        raise ProblemError(
            error(
                Where(label="data", path="recipe.data.path"), f"A table is not fetched to {settings.path}.",
                "A relative path without ..", "Set recipe.data.path to a plain file name", code="data-path",
            )
        )  # fmt: skip
    file = RemoteFile((settings.url,), settings.path, settings.checksum, "sha256")
    return DownloadPlan(f"{settings.path} from {settings.url}", 0, places.downloads, (file,))


def _file(settings: Any, places: Places) -> Path:
    try:
        return find_path(settings.path, places)
    except ProblemError:
        if not settings.url or not settings.path:
            raise
    found = plan(settings, places)
    folder = found.folder if found else places.folder
    raise ProblemError(
        table_fault(
            Path(settings.path), f"{settings.path} is not on this computer.", f"The file in {folder}",
            f"Fetch it from {settings.url} into {folder}, or name the folder that holds it with --data",
            "data-missing",
        )
    )  # fmt: skip


def _target_column(grid: Grid, wanted: str, path: Path) -> int:
    if wanted in grid.names:
        return grid.names.index(wanted)
    if wanted.lstrip("-").isdecimal() and -len(grid.names) <= int(wanted) < len(grid.names):
        return int(wanted) % len(grid.names)
    shown = ", ".join(grid.names[:12]) + (" ..." if len(grid.names) > 12 else "")
    happened = f"The table has no column {wanted!r}." if wanted else "No column to predict is chosen."
    raise ProblemError(
        error(
            Where(label="data", path="recipe.data.target", file=str(path)), happened,
            f"One of the columns: {shown}", "Set recipe.data.target to the name of one of them", code="data-target",
        )
    )  # fmt: skip


def _answered(grid: Grid, target: int, settings: Any, path: Path) -> Grid:
    """The rows that have an answer; ProblemError names the others unless they are to be skipped."""
    lacking = [line for row, line in zip(grid.rows, grid.lines, strict=True) if is_missing(row[target])]
    if lacking and settings.missing_target != "skip":
        shown = ", ".join(map(str, lacking[:5])) + (" ..." if len(lacking) > 5 else "")
        raise ProblemError(
            table_fault(
                path, f"{len(lacking):,} rows have no {grid.names[target]}, the first in line {shown}.",
                "An answer in every row", "Remove them, or set recipe.data.missing_target to skip",
                "data-missing-target",
            )
        )  # fmt: skip
    kept = [place for place, row in enumerate(grid.rows) if not is_missing(row[target])]
    return Grid(grid.names, [grid.rows[place] for place in kept], [grid.lines[place] for place in kept])


def _input_columns(grid: Grid, target: int, drop: str, path: Path) -> list[int]:
    unwanted = [name.strip() for name in drop.split(",") if name.strip()]
    strange = [name for name in unwanted if name not in grid.names]
    if strange:
        raise ProblemError(
            error(
                Where(label="data", path="recipe.data.drop", file=str(path)),
                f"The table has no column {', '.join(strange)} to leave out.",
                "Names of columns, separated by commas", "Correct recipe.data.drop", code="data-drop",
            )
        )  # fmt: skip
    kept = [place for place, name in enumerate(grid.names) if place != target and name not in unwanted]
    if not kept:
        raise ProblemError(table_fault(path, "No column is left to predict from.", "At least one besides the target",
                                  "Choose another table, or leave out fewer columns", "data-no-inputs"))  # fmt: skip
    return kept


def _refuse_infinite(grid: Grid, columns: Sequence[int], path: Path) -> None:
    """ProblemError for a column of numbers of which some are infinite: as words they would lose their order."""
    for column in columns:
        cells = [row[column] for row in grid.rows]
        bad = next((place for place, cell in enumerate(cells) if is_infinite(cell)), None)
        if bad is not None and all(is_number(cell) or is_missing(cell) or is_infinite(cell) for cell in cells):
            raise ProblemError(
                table_fault(
                    path, f"Line {grid.lines[bad]} has {cells[bad]!r} as {grid.names[column]}, which is not finite.",
                    "Finite numbers, or an empty cell where one is missing",
                    f"Mend line {grid.lines[bad]}, or leave the column out", "data-not-finite",
                )
            )  # fmt: skip


def _one_class(name: str, word: str, path: Path) -> Problem:
    return error(
        Where(label=f"table {path.name}", path="recipe.data.target", file=str(path)),
        f"Every row has {word!r} as {name}: there is nothing to tell apart.", "At least two different answers",
        "Choose another column to predict, or set recipe.data.task to regression", code="data-one-class",
    )  # fmt: skip


def _numbers(grid: Grid, column: int, path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    for row, line in zip(grid.rows, grid.lines, strict=True):
        if not is_number(row[column]):
            raise ProblemError(
                table_fault(
                    path, f"Line {line} has {row[column]!r} as {grid.names[column]}, which is no number.",
                    "A number to predict in every row", "Mend the line, or set recipe.data.task to classification",
                    "data-target-number",
                )
            )  # fmt: skip
    return np.array([[float(row[column])] for row in grid.rows])
