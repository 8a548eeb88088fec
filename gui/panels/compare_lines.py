"""What the tables of the compare page say: figures per run, settings that differ, and both as CSV. Words only."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication

from engine.problem import ProblemError, Where, error
from engine.runfiles import replace_file
from gui.numbers import count, duration
from gui.panels.compare_figures import LOSS, Comparison, Measured, figure_text, figure_words, rising
from gui.panels.compare_table import PLAIN, QUIET, STRONG, Line

MOST_SETTINGS = 60
NOTHING = "\N{EN DASH}"


def figure_columns(found: Comparison) -> tuple[list[str], list[str]]:
    """Headings of the table of figures, and a tip for each."""
    figures = _figures(found)
    heads, tips = [_tr("Run")], [_tr("Name of the run, in the colour of its curves")]
    for figure in figures:
        words = figure_words(figure)
        heads += [_tr("Best {0}").format(words), _tr("at epoch"), _tr("last")]
        tips += [_tr("The best {0} of all epochs").format(words), _tr("The epoch that reached it first"),
                 _tr("The {0} of the last epoch").format(words)]  # fmt: skip
    heads += [_tr("Parameters"), _tr("Time"), _tr("Seed")]
    tips += [_tr("Trained numbers of the network"), _tr("Training time without pauses"),
             _tr("Start of all random numbers")]  # fmt: skip
    return heads, tips


def figure_lines(found: Comparison, colors: Mapping[Path, int]) -> list[Line]:
    """One row per run; the best figure of each column is strong."""
    figures = _figures(found)
    winners = {figure: _winner(found.runs, figure) for figure in figures}
    lines = []
    for run in found.runs:
        cells, strengths = [run.info.name], [STRONG]
        for figure in figures:
            value, epoch = run.best.get(figure, (None, 0))
            last = run.final.get(figure)
            cells += [
                NOTHING if value is None else figure_text(figure, value),
                str(epoch) if epoch else NOTHING,
                NOTHING if last is None else figure_text(figure, last),
            ]
            strengths += [STRONG if value is not None and value == winners[figure] else PLAIN, QUIET, PLAIN]
        cells += [
            count(run.info.parameters) if run.info.parameters else NOTHING,
            duration(run.info.seconds) if run.info.seconds else NOTHING,
            str(run.info.seed),
        ]
        tip = "\n".join(part for part in (run.info.name, run.info.note, str(run.info.path)) if part)
        lines.append(Line(tuple(cells), (*strengths, PLAIN, PLAIN, QUIET), colors.get(run.info.path), tip))
    return lines


def setting_lines(found: Comparison) -> list[Line]:
    """One row per setting that differs, the values in the order of the runs; what the first run has too is quiet."""
    lines = []
    told = {path: values for path, values in found.settings.items() if not _follows(path, found.settings)}
    for path, values in list(told.items())[:MOST_SETTINGS]:
        words = [value_words(value) for value in values]
        strengths = [PLAIN if place == 0 or word != words[0] else QUIET for place, word in enumerate(words)]
        lines.append(Line((path.removeprefix("recipe."), *words), (PLAIN, *strengths), tip=path))
    return lines


def _follows(path: str, settings: Mapping[str, Sequence[Any]]) -> bool:
    """Whether a setting differs only because some runs have another type, which has no such setting."""
    values = settings[path]
    there = [value for value in values if value is not None]
    absent = len(there) < len(values)
    return absent and path.rpartition(".")[0] in settings and all(value == there[0] for value in there)


def value_words(value: Any) -> str:
    """A setting's value in a few words."""
    if value is None:
        return NOTHING
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} {item}" for key, item in value.items() if key != "type")
        return f"{value.get('type', '')} {inner}".strip()
    if isinstance(value, bool):
        return _tr("yes") if value else _tr("no")
    if isinstance(value, list | tuple):
        return "×".join(str(item) for item in value) if value else _tr("none")
    return f"{value:g}" if isinstance(value, float) else str(value)


def write_csv(found: Comparison, path: Path) -> None:
    """Figures in full precision and the differing settings, one row per run; ProblemError when the disk refuses."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    figures = list(dict.fromkeys(name for run in found.runs for name in run.best))
    heads = [part for name in figures for part in (f"best_{name}", f"best_{name}_epoch", f"last_{name}")]
    writer.writerow(["run", "folder", *heads, "parameters", "seconds", "seed", *found.settings])
    for place, run in enumerate(found.runs):
        cells: list[Any] = []
        for name in figures:
            cells += [*run.best.get(name, ("", "")), run.final.get(name, "")]
        settings = [value_words(values[place]) for values in found.settings.values()]
        info = run.info
        writer.writerow([info.name, info.path.name, *cells, info.parameters, info.seconds, info.seed, *settings])
    try:
        replace_file(path, out.getvalue())
    except OSError as fault:
        where = Where(label=path.name, file=str(path))
        raise ProblemError(
            error(where, _tr("The table could not be written: {0}").format(fault), _tr("A folder with room for it"),
                  _tr("Choose another folder"))
        ) from None  # fmt: skip


def _figures(found: Comparison) -> list[str]:
    """The loss and the figure that decides."""
    return list(dict.fromkeys([LOSS, found.figure]))


def _winner(runs: Sequence[Measured], figure: str) -> float | None:
    values = [run.best[figure][0] for run in runs if figure in run.best]
    return (max(values) if rising(figure) else min(values)) if values else None


def _tr(text: str) -> str:
    return QCoreApplication.translate("ComparePage", text)
