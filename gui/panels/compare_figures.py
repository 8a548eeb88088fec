"""Figures of recorded runs side by side, and one sentence about them that claims no more than the seeds allow.

Reads run folders (in a job) and makes values and words. Never paints.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from statistics import fmean
from typing import Any

from PySide6.QtCore import QCoreApplication

from engine.declare import catalogue
from engine.problem import ProblemError
from engine.runfiles import EVENTS, RunInfo
from engine.runs import compare_runs, read_events
from engine.timeline import Timeline
from gui.jobs import Progress, Work
from gui.numbers import number

SHARES = ("accuracy", "f1", "top")
"""Beginnings of the names of figures that are shares and read better as per cent."""
ENOUGH_SEEDS = 3
LOSS = "val_loss"


@dataclass(frozen=True)
class Measured:
    """One run with its best validation figures; `best` maps a figure to (value, epoch)."""

    info: RunInfo
    timeline: Timeline
    best: Mapping[str, tuple[float, int]]
    final: Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    """Everything the page shows."""

    runs: tuple[Measured, ...]
    settings: Mapping[str, Sequence[Any]]
    """Settings that differ, by path, in the order of the runs."""
    figure: str
    """The figure that decides, such as val_accuracy."""

    def groups(self) -> list[list[Measured]]:
        """Runs that differ in nothing but their seed stand together, in the order of their first."""
        told_apart = [name for name in self.settings if name not in ("recipe.seed", "recipe.device")]
        found: dict[str, list[Measured]] = {}
        for place, run in enumerate(self.runs):
            key = repr([self.settings[name][place] for name in told_apart])
            found.setdefault(key, []).append(run)
        return list(found.values())


class Replays:
    """Timelines by run, read again only when the record has grown."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[tuple[float, int], Timeline]] = {}

    def timeline(self, path: Path) -> Timeline:
        """The run's record, replayed; an empty one when it cannot be read."""
        try:
            state = (path / EVENTS).stat()
            stamp = (state.st_mtime, state.st_size)
            kept = self._kept.get(path)
            if kept is None or kept[0] != stamp:
                self._kept[path] = kept = (stamp, Timeline.from_events(read_events(path)))
        except (OSError, ProblemError):
            return Timeline()
        return kept[1]


def comparing(infos: Sequence[RunInfo], replays: Replays) -> Work:
    """Work that measures runs and finds what differs between them: a `Comparison`."""

    def work(progress: Progress, cancel: threading.Event) -> Comparison:
        measured = []
        for place, info in enumerate(infos):
            if cancel.is_set():
                break
            progress(place, len(infos), info.name)
            measured.append(measure(info, replays.timeline(info.path)))
        try:
            settings = compare_runs([info.path for info in infos])["settings"]
        except ProblemError:
            settings = {}
        return Comparison(tuple(measured), settings, decisive(measured))

    return work


def measure(info: RunInfo, timeline: Timeline) -> Measured:
    """A run's best and last validation figures, from its record where there is one, else from its summary."""
    best: dict[str, tuple[float, int]] = {}
    final: dict[str, float] = {}
    for row in timeline.epochs:
        figures = dict(row.metrics) | ({} if row.val_loss is None else {LOSS: row.val_loss})
        for name, value in figures.items():
            if name.startswith("val_") and isfinite(value):
                final[name] = value
                if name not in best or _better(name, value, best[name][0]):
                    best[name] = (value, row.epoch)
    if not best:
        epoch = int(info.best.get("epoch", info.epoch) or 0)
        best = {name: (float(value), epoch) for name, value in info.best.items() if _is_figure(name, value)}
        final = {name: float(value) for name, value in info.final.items() if _is_figure(name, value)}
    return Measured(info, timeline, best, final)


def decisive(runs: Sequence[Measured]) -> str:
    """The figure to compare by: the first metric that every run has, accuracy before others, else the loss."""
    common = [name for name in (runs[0].best if runs else ()) if all(name in run.best for run in runs)]
    metrics = sorted((name for name in common if name != LOSS), key=lambda name: name != "val_accuracy")
    return metrics[0] if metrics else LOSS


def rising(figure: str) -> bool:
    """Whether more is better, as the metric itself declares; losses and unknown figures are better when small."""
    name = figure.removeprefix("val_").removeprefix("train_")
    for declaration in catalogue().all("metric").values():
        if name.rstrip("0123456789") == declaration.type.rstrip("0123456789"):
            return bool(getattr(declaration.cls, "higher_is_better", False))
    return False


def is_share(figure: str) -> bool:
    """Whether a figure is a share of 0 to 1."""
    return figure.removeprefix("val_").removeprefix("train_").startswith(SHARES)


def figure_text(figure: str, value: float) -> str:
    """A figure as it is written: shares in per cent with one decimal, others with three figures."""
    return f"{value * 100:.1f}\N{NO-BREAK SPACE}%" if is_share(figure) and isfinite(value) else number(value)


def figure_words(figure: str) -> str:
    """The name of a figure in words: val_accuracy is validation accuracy."""
    return figure.replace("val_", _tr("validation") + " ", 1).replace("_", " ")


def sentence(found: Comparison) -> tuple[str, str]:
    """What the figures say in one sentence, and how sure that is in another."""
    groups = [group for group in found.groups() if all(found.figure in run.best for run in group)]
    if not groups:
        return _tr("These runs have no validation figure in common."), _tr("Compare their curves instead.")
    means = [fmean(run.best[found.figure][0] for run in group) for group in groups]
    order = sorted(range(len(groups)), key=lambda place: -means[place] if rising(found.figure) else means[place])
    first = order[0]
    value = figure_text(found.figure, means[first])
    name, words = _name(groups[first]), figure_words(found.figure)
    if len(groups) == 1:
        spread = [run.best[found.figure][0] for run in groups[0]]
        low, high = figure_text(found.figure, min(spread)), figure_text(found.figure, max(spread))
        said = _tr("Same settings throughout: {0} from {1} to {2}.").format(words, low, high)
        if len({run.info.seed for run in groups[0]}) == 1:
            return said, _tr("{0} runs with the same settings and the same seed.").format(len(groups[0]))
        return said, _tr("{0} runs that differ in their seed only.").format(len(groups[0]))
    second = order[1]
    gap = abs(means[first] - means[second])
    if gap == 0:
        said = _tr("{0} and {1} have the same {2}, {3}.").format(name, _name(groups[second]), words, value)
        return said, _seeds_words(groups, [first, second], found.figure)
    distance = figure_gap(found.figure, gap, above=rising(found.figure))
    said = _tr("{0} has the best {1}, {2}, {3} {4}.").format(name, words, value, distance, _name(groups[second]))
    return said, _seeds_words(groups, [first, second], found.figure)


def figure_gap(figure: str, gap: float, *, above: bool) -> str:
    """A difference in words: "0.4 points above", "0.02 below"."""
    size = _tr("{0} points").format(f"{gap * 100:.1f}") if is_share(figure) else number(gap)
    if is_share(figure) and gap * 100 < 0.05:
        size = _tr("less than 0.1 points")
    return (_tr("{0} above") if above else _tr("{0} below")).format(size)


def _seeds_words(groups: Sequence[Sequence[Measured]], two: Sequence[int], figure: str) -> str:
    sizes = [len(groups[place]) for place in two]
    if max(sizes) == 1:
        return _tr("One run each: this may be chance. Three seeds or more would tell.")
    if min(sizes) < ENOUGH_SEEDS:
        return _tr("Means of {0} and {1} seeds: too few to be sure. Three seeds or more would tell.").format(*sizes)
    ranges = []
    for place in two:
        values = [run.best[figure][0] for run in groups[place]]
        ranges.append((min(values), max(values)))
    apart = ranges[0][0] > ranges[1][1] or ranges[0][1] < ranges[1][0]
    if apart:
        return _tr("Means of {0} and {1} seeds; no seed of one comes near the other.").format(*sizes)
    return _tr("Means of {0} and {1} seeds, whose ranges overlap: they cannot be told apart by this.").format(*sizes)


def _name(group: Sequence[Measured]) -> str:
    return group[0].info.name


def _better(figure: str, value: float, than: float) -> bool:
    return value > than if rising(figure) else value < than


def _is_figure(name: str, value: object) -> bool:
    return name.startswith("val_") and isinstance(value, int | float) and isfinite(value)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ComparePage", text)
