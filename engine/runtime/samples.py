"""Files as raw samples of a run's input streams: images of any size, rows of a CSV table, arrays of an .npz file.

Gives numpy arrays in the units of the training data, before any preprocessing. A file that does not fit is refused
with what would. Never unpickles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np

from engine.datasets.arrays import load_arrays
from engine.datasets.encoding import Column, encode_rows, is_number
from engine.datasets.facts import raw_streams
from engine.datasets.grids import Grid, read_grid
from engine.datasets.images import SUFFIXES
from engine.datasets.raw import IMAGE, TOKENS, Array, StreamInfo
from engine.problem import Problem, ProblemError, Where, error
from engine.runtime.restore import Restored
from engine.runtime.sample import Sample
from engine.runtime.sample_pictures import sample_of_picture
from engine.tensor import shape_text

TABLES = {".csv", ".tsv", ".txt"}


def wanted_streams(restored: Restored) -> dict[str, StreamInfo]:
    """The input streams of the network, in the order of its arguments; ProblemError when the run does not say."""
    facts = restored.project.data
    known = raw_streams(facts) if facts else {}
    missing = [name for name in restored.built.inputs if name not in known]
    if missing:
        where = Where(label=restored.info.path.name, file=str(restored.info.path))
        raise ProblemError(error(where, f"The run does not say what its input {missing[0]!r} looks like",
                                 "A run with facts about its data", "Train again", code="run_unreadable"))  # fmt: skip
    return {name: known[name] for name in restored.built.inputs}


def read_samples(
    restored: Restored, streams: Mapping[str, StreamInfo], file: Path, *, drawn: bool = False
) -> Iterator[Sample]:
    """The samples of one file, by its ending; ProblemError when it cannot be used.

    With `drawn` a picture is taken as a drawing of a character.
    """
    ending = file.suffix.lower()
    if not file.is_file():
        happened = "This is a folder" if file.is_dir() else "There is no such file"
        raise ProblemError(_refusal(file, happened, "An image, a .csv or an .npz file", "Check the name"))
    if ending == ".npz":
        yield from _arrays(streams, file)
    elif ending in TABLES or ending in SUFFIXES:
        if len(streams) > 1:
            needs = " and ".join(f"{name} ({shape_text(stream.shape)})" for name, stream in streams.items())
            happened = f"The network has {len(streams)} inputs, and this file gives one"
            raise ProblemError(_refusal(file, happened, f"Samples of {needs}", "Save them by these names as .npz"))
        name, stream = next(iter(streams.items()))
        if ending in SUFFIXES:
            yield sample_of_picture(restored, stream, name, file, drawn=drawn)
        else:
            for row, values in enumerate(_rows(restored, stream, file)):
                yield Sample(str(file), row, {name: values})
    else:
        raise ProblemError(_refusal(file, f"Files ending in {ending or 'nothing'} are not understood",
                                    "An image, a .csv or an .npz file", "Save it in one of these forms"))  # fmt: skip


def sample_of_cells(restored: Restored, streams: Mapping[str, StreamInfo], cells: Mapping[str, str]) -> Sample:
    """One row that was typed, by the name of its column; ProblemError names a cell that is missing or no number."""
    (name, stream), label = next(iter(streams.items())), "the row"
    if len(streams) > 1 or stream.kind in (IMAGE, TOKENS):
        needs = " and ".join(f"{one} ({item.kind} {shape_text(item.shape)})" for one, item in streams.items())
        raise ProblemError(error(Where(label=label), f"The network takes {needs}, no rows", "A file of samples",
                                 "Choose a file", code="predict-input"))  # fmt: skip
    facts = restored.project.data
    table = facts.extra.get("table") if facts else None
    if table is not None:
        values = encode_rows([Column.from_json(item) for item in table["columns"]], [cells])[0]
        return Sample(label, None, {name: values})
    names = stream.names or tuple(f"x{place}" for place in range(1, prod(stream.shape) + 1))
    for one in names:
        if not is_number(cells.get(one, "")):
            happened = f"{one} is {cells[one]!r}, which is no number" if cells.get(one) else f"{one} has no value"
            raise ProblemError(error(Where(label=one), happened, "A number in every cell", f"Mend {one}",
                                     code="predict-input"))  # fmt: skip
    return Sample(label, None, {name: np.array([float(cells[one]) for one in names], np.float32).reshape(stream.shape)})


def _rows(restored: Restored, stream: StreamInfo, file: Path) -> Array:
    """Rows of a table as (rows, *shape): encoded as the training table was, else the numbers as they stand."""
    facts = restored.project.data
    table = facts.extra.get("table") if facts else None
    settings = restored.project.recipe.get("data")
    if table is None:
        return _numbers(stream, read_grid(file), file)
    columns = [Column.from_json(item) for item in table["columns"]]
    grid = read_grid(file, delimiter=str(settings.get("delimiter", "auto")), header=_header(file, columns))
    rows: Sequence[Mapping[str, str]] = [dict(zip(grid.names, row, strict=True)) for row in grid.rows]
    try:
        return encode_rows(columns, rows)
    except ProblemError as fault:
        raise ProblemError(*(_placed(problem, file) for problem in fault.problems)) from None


def _header(file: Path, columns: Sequence[Column]) -> str:
    """`yes` when the first line names the columns, which a table of one row cannot show otherwise."""
    names = read_grid(file, header="yes").names
    return "yes" if any(column.name in names for column in columns) else "no"


def _numbers(stream: StreamInfo, grid: Grid, file: Path) -> Array:
    chosen = list(range(len(grid.names)))
    if stream.names and set(stream.names) <= set(grid.names):
        chosen = [grid.names.index(name) for name in stream.names]
    if len(chosen) != prod(stream.shape):
        raise ProblemError(
            _refusal(file, f"A row has {len(chosen)} numbers, a sample {prod(stream.shape)}",
                     f"{prod(stream.shape)} numbers in each row, {shape_text(stream.shape)} in order",
                     "Leave out columns that are no input, such as the answer")
        )  # fmt: skip
    for row, line in zip(grid.rows, grid.lines, strict=True):
        bad = next((row[place] for place in chosen if not is_number(row[place])), None)
        if bad is not None:
            raise ProblemError(
                _refusal(file, f"Line {line} has {bad!r}, which is no number", "Numbers only", "Mend it")
            )
    dtype = np.int64 if stream.kind == TOKENS else np.float32
    values = np.array([[float(row[place]) for place in chosen] for row in grid.rows])
    return values.astype(dtype).reshape(len(values), *stream.shape)


def _arrays(streams: Mapping[str, StreamInfo], file: Path) -> Iterator[Sample]:
    found = load_arrays(file)
    chosen: dict[str, Array] = {}
    for name, stream in streams.items():
        values = found.get(name)
        if values is None and len(streams) == 1 and len(found) == 1:
            values = next(iter(found.values()))
        if values is None:
            there = ", ".join(sorted(found)) or "nothing"
            expected = f"Arrays named {', '.join(streams)}"
            raise ProblemError(
                _refusal(file, f"It holds {there}, but no array {name!r}", expected, "Save it with these names")
            )
        chosen[name] = _fitted(values, stream, name, file)
    counts = {len(values) for values in chosen.values()}
    if len(counts) > 1:
        raise ProblemError(_refusal(file, f"Its arrays have {' and '.join(map(str, sorted(counts)))} samples",
                                    "The same number of samples in every array", "Save as many of each"))  # fmt: skip
    for row in range(counts.pop()):
        yield Sample(str(file), row, {name: values[row] for name, values in chosen.items()})


def _fitted(values: Array, stream: StreamInfo, name: str, file: Path) -> Array:
    """An array as (samples, *shape); a single sample and images with channels last are brought into that form."""
    shape = stream.shape
    if values.shape == shape:
        values = values[None]
    if stream.kind == IMAGE and values.shape[1:] != shape:
        if values.ndim == 3 and shape[0] == 1 and values.shape[1:] == shape[1:]:
            values = values[:, None]
        elif values.ndim == 4 and values.shape[1:] == (*shape[1:], shape[0]):
            values = np.moveaxis(values, -1, 1)
    if values.shape[1:] != shape or values.dtype.kind not in "biuf":
        raise ProblemError(
            _refusal(file, f"{name} is {shape_text(values.shape)} of {values.dtype}",
                     f"Numbers, samples×{shape_text(shape)}", "Save the array in the form of the training data")
        )  # fmt: skip
    bad = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(1))
    if len(bad):
        raise ProblemError(
            _refusal(file, f"Sample {bad[0]} of {name} holds a number that is not finite (nan or inf)",
                     "Finite numbers", "Mend it, or leave that sample out")
        )  # fmt: skip
    if stream.kind == TOKENS:
        return values.astype(np.int64)
    if stream.kind == IMAGE and values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    return np.ascontiguousarray(values, np.float32)


def _placed(problem: Problem, file: Path) -> Problem:
    return replace(problem, where=replace(problem.where, label=f"{file.name}, {problem.where.label}", file=str(file)))


def _refusal(file: Path, happened: str, expected: str, fix: str) -> Problem:
    return error(Where(label=str(file), file=str(file)), happened, expected, fix, code="predict-input")
