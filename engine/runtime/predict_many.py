"""Many files at once: answers as the rows of a CSV file, in which a file that cannot be used stands with its reason.

The file is put in place when it is whole; a cancelled or failed one leaves nothing. Never trains.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.answer import Answer, Prediction
from engine.datasets.raw import Cancel, Cancelled, Progress
from engine.problem import Problem, ProblemError, Where, error
from engine.runtime.predict import predict
from engine.runtime.restore import Restored

MOST_CLASSES = 100
"""Up to here each class has a column of its own; beyond, only the best five are written."""
BEST = 5


@dataclass(frozen=True)
class Written:
    """What a CSV file holds: samples that were answered, and the problems of files that could not be used."""

    file: Path
    samples: int
    files: int
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...]
    """Warnings about samples that were answered."""

    def to_json(self) -> dict[str, Any]:
        """Plain data, one line of the command's answer."""
        return {
            "csv": str(self.file), "samples": self.samples, "files": self.files,
            "problems": [problem.to_json() for problem in self.problems],
            "warnings": [problem.to_json() for problem in self.remarks],
        }  # fmt: skip


def expanded(inputs: Sequence[Path]) -> list[Path]:
    """The files that are meant: a folder stands for all visible files in it and below, by name."""
    found: list[Path] = []
    for item in inputs:
        found += _inside(item) if item.is_dir() else [item]
    return found


def predict_to_csv(
    restored: Restored, inputs: Sequence[Path], file: Path, *, device: torch.device | str = "cpu", mc: int = 0,
    seed: int = 0, drawn: bool = False, progress: Progress | None = None, cancel: Cancel | None = None,
) -> Written:  # fmt: skip
    """Answers to all files and folders, written to `file` (which is replaced).

    ProblemError when there is nothing to ask about or `file` cannot be written, Cancelled when `cancel` is set.
    """
    files = expanded(inputs)
    if not files:
        raise ProblemError(error(Where(label=str(inputs[0])), "There is no file in this folder",
                                 "Images, tables or arrays", "Choose another", code="predict-input"))  # fmt: skip
    new = file.with_name(f".{file.name}.new")
    try:
        with open(new, "w", encoding="utf-8", newline="") as stream:
            told = _Rows(stream)
            watched = _watched(files, progress, cancel)
            for item in predict(restored, watched, device=device, mc=mc, seed=seed, drawn=drawn):
                told.add(item)
            told.close()
        os.replace(new, file)
    except OSError as fault:
        where = Where(label=file.name, file=str(file))
        raise ProblemError(error(where, f"It cannot be written: {fault.strerror or fault}", "A place to write to",
                                 "Choose another folder or name", code="file.write")) from None  # fmt: skip
    finally:
        new.unlink(missing_ok=True)
    return Written(file, told.samples, len(files), tuple(told.problems), tuple(told.remarks))


def _watched(files: Sequence[Path], progress: Progress | None, cancel: Cancel | None) -> Iterator[Path]:
    for place, path in enumerate(files):
        if cancel is not None and cancel.is_set():
            raise Cancelled("Predicting")
        if progress is not None:
            progress(place, len(files), "Predicting")
        yield path


class _Rows:
    """Writes rows; the columns come from the first answer."""

    def __init__(self, stream: Any) -> None:
        self.samples = 0
        self.problems: list[Problem] = []
        self.remarks: list[Problem] = []
        self._writer = csv.writer(stream)
        self._head: list[str] = []
        self._waiting: list[Problem] = []

    def add(self, item: Prediction | Problem) -> None:
        """One sample that was answered, or a file that could not be used."""
        if isinstance(item, Problem):
            self.problems.append(item)
            self._waiting.append(item)
            if self._head:
                self._flush()
            return
        cells = _cells(item)
        if not self._head:
            self._head = list(cells)
            self._writer.writerow([*self._head, "problem"])
            self._flush()
        words = "; ".join(problem.happened for problem in item.remarks)
        self._writer.writerow([*(cells.get(name, "") for name in self._head), words])
        self.samples += 1
        self.remarks += item.remarks

    def close(self) -> None:
        """Problems that no answer followed."""
        if not self._head:
            self._head = ["file", "row"]
            self._writer.writerow([*self._head, "problem"])
        self._flush()

    def _flush(self) -> None:
        for problem in self._waiting:
            name = problem.where.file or problem.where.label
            self._writer.writerow([name, *[""] * (len(self._head) - 1), problem.happened])
        self._waiting.clear()


def _cells(item: Prediction) -> dict[str, Any]:
    cells: dict[str, Any] = {"file": item.file, "row": "" if item.row is None else item.row}
    for name, said in item.answers.items():
        lead = f"{name}." if len(item.answers) > 1 else ""
        cells |= {f"{lead}{key}": value for key, value in _of_answer(said).items()}
    return cells


def _of_answer(said: Answer) -> Mapping[str, Any]:
    if said.values:
        cells: dict[str, Any] = {name: repr(value) for name, value in said.values.items()}
        return cells | {f"{name} deviation": repr(value) for name, value in said.deviations.items()}
    word = "probability" if said.is_probability else "score"
    best, score = said.scores[0]
    cells = {"class": best, word: repr(score)}
    if said.deviations:
        cells["deviation"] = repr(said.deviations[best])
    if len(said.scores) > MOST_CLASSES:
        for place, (name, value) in enumerate(said.scores[1:BEST], 2):
            cells |= {f"class {place}": name, f"{word} {place}": repr(value)}
        return cells
    return cells | {f"{word} of {name}": repr(value) for name, value in sorted(said.scores)}


def _inside(folder: Path) -> list[Path]:
    found: list[Path] = []
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(where, name) for name in names if not name.startswith(".")]
    return sorted(found)
