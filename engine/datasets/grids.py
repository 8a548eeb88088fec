"""The cells of a CSV file: delimiter, header, lines of equal length. Every refusal names its line; numbers nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.datasets.encoding import is_missing, is_number
from engine.problem import Problem, ProblemError, Where, error

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
LOOKED_AT = 50
"""Rows that decide about delimiter and header."""
MAX_BYTES = 2**31


@dataclass(frozen=True)
class Grid:
    """The cells of a table: names, rows of equal length (stripped text), and the line of the file each row ends on."""

    names: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]


def read_grid(path: Path, *, delimiter: str = "auto", header: str = "auto") -> Grid:
    """The cells of a CSV file in UTF-8; ProblemError names the line of the first row of another length."""
    text = _text(path)
    sign = DELIMITERS.get(delimiter) or _delimiter(text)
    rows: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, skipinitialspace=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num)
    except csv.Error as fault:
        raise ProblemError(table_fault(path, f"Line {reader.line_num} cannot be read: {fault}.", "Cells as in CSV",
                                  f"Mend line {reader.line_num}", "data-csv")) from None  # fmt: skip
    if not rows:
        raise ProblemError(
            table_fault(
                path, "The table is empty.", "A line of names and rows below", "Choose another file", "data-empty"
            )
        )
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            raise ProblemError(_ragged(path, line, len(row), len(rows[0]), sign))
    if header == "yes" or (header == "auto" and _has_header(rows)):
        if len(rows) == 1:
            raise ProblemError(table_fault(path, "The table has names but no rows.", "A line of names and rows below",
                                           "Choose another file", "data-empty"))  # fmt: skip
        return Grid(_unique(rows[0], path), rows[1:], lines[1:])
    return Grid(tuple(f"column {number}" for number in range(len(rows[0]))), rows, lines)


def table_fault(path: Path, happened: str, expected: str, fix: str, code: str) -> Problem:
    """An error that names the table."""
    where = Where(label=f"table {path.name}", path="recipe.data.path", file=str(path))
    return error(where, happened, expected, fix, code=code)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ProblemError(table_fault(path, "The table is larger than 2 GB.", "A table that fits into memory",
                                      "Divide it, or save it as .npz", "data-large"))  # fmt: skip
        data = path.read_bytes()
    except OSError as fault:
        raise ProblemError(table_fault(path, f"{path.name} cannot be read: {fault.strerror}.", "A readable file",
                                  "Choose another file", "data-unreadable")) from None  # fmt: skip
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data[: fault.start].count(b"\n") + 1
        raise ProblemError(table_fault(path, f"Line {line} holds bytes that are no UTF-8 text.", "Text in UTF-8",
                                  "Save the table again as CSV UTF-8", "data-encoding")) from None  # fmt: skip


def _delimiter(text: str) -> str:
    """The sign that divides the first lines evenly into the most cells; a comma when none does."""
    best, cells = ",", 1
    for sign in DELIMITERS.values():
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, skipinitialspace=True)
        widths = [len(row) for row, _ in zip((row for row in reader if row), range(LOOKED_AT), strict=False)]
        # Most lines, not all: a ragged row must be reported as one and not hide the delimiter.
        usual = max(set(widths), key=widths.count) if widths else 1
        if usual > cells and widths.count(usual) * 10 >= len(widths) * 8:
            best, cells = sign, usual
    return best


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """True when words stand above numbers, or, in a table of words, when the first row's words recur nowhere below."""
    first, rest = rows[0], rows[1 : LOOKED_AT + 1]
    if any(is_number(cell) for cell in first):
        return False
    if not rest:
        return True
    below = list(zip(*rest, strict=True))
    if any(all(is_number(cell) or is_missing(cell) for cell in column) for column in below):
        return True
    unique = len(set(first)) == len(first) and all(first)
    return unique and all(cell not in column for cell, column in zip(first, below, strict=True))


def _unique(names: Sequence[str], path: Path) -> tuple[str, ...]:
    named = tuple(name or f"column {number}" for number, name in enumerate(names))
    double = sorted({name for name in named if named.count(name) > 1})
    if double:
        raise ProblemError(table_fault(path, f"Several columns are called {', '.join(double)}.", "One name for each",
                                  "Rename them in line 1", "data-column-names"))  # fmt: skip
    return named


def _ragged(path: Path, line: int, found: int, usual: int, sign: str) -> Problem:
    names = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
    return table_fault(
        path, f"Line {line} has {found} cells, the first line {usual}.",
        f"The same number of cells in every line, divided by {names[sign]}",
        f"Mend line {line}, or set recipe.data.delimiter", "data-ragged",
    )  # fmt: skip
