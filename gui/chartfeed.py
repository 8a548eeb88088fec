"""Hands timelines to the charts: the live or re-opened run first, ticked runs over it, and the planned rate.

Owns which runs are on the charts and in which colour. Never draws.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject

from engine.plan import plan
from engine.problem import ProblemError
from engine.project import Project
from engine.runfiles import RunInfo
from engine.runs import read_events
from engine.timeline import Timeline
from gui.charts.panel import ChartPanel
from gui.charts.state import ChartSeries


class ChartFeed(QObject):
    """Keeps the charts showing the right runs."""

    def __init__(self, charts: ChartPanel) -> None:
        super().__init__(charts)
        self._charts = charts
        self._leading: Timeline | None = None
        self._leading_path: Path | None = None
        self._over: list[RunInfo] = []
        self._replayed: dict[Path, Timeline] = {}
        self._shown: tuple[int, ...] = ()

    def show_leading(self, timeline: Timeline, path: Path | None) -> None:
        """The run whose marks and depth are shown; cheap to call ten times a second."""
        self._leading, self._leading_path = timeline, path
        self._show()

    def show_over(self, runs: list[RunInfo]) -> None:
        """Ticked runs, over the leading one."""
        self._over = runs
        kept = {info.path for info in runs}
        self._replayed = {path: line for path, line in self._replayed.items() if path in kept}
        for info in runs:
            if info.path not in self._replayed:
                try:
                    self._replayed[info.path] = Timeline.from_events(read_events(info.path))
                except (OSError, ProblemError):
                    continue
        self._show()

    def set_plan(self, project: Project, epochs: int, steps_per_epoch: int) -> None:
        """The rate that the recipe plans, drawn before and while it trains."""
        recipe = project.recipe
        try:
            rate, schedule = float(recipe.made("optimizer").lr), recipe.made("schedule")
            self._charts.set_plan(plan(schedule, rate, epochs=epochs, steps_per_epoch=steps_per_epoch))
        except (ValueError, AttributeError):
            # An optimizer or schedule of a plug-in that is gone: the curve is drawn as it comes, without a plan.
            self._charts.set_plan(None)

    def _show(self) -> None:
        series: list[ChartSeries] = []
        if self._leading is not None and (self._leading.run is not None or self._leading.step):
            name = self._leading.run.name if self._leading.run else ""
            series.append(ChartSeries(self._leading, name, 0))
        for info in self._over:
            timeline = self._replayed.get(info.path)
            if timeline is not None and info.path != self._leading_path:
                series.append(ChartSeries(timeline, info.name, len(series)))
        key = tuple(id(item.timeline) for item in series)
        if key != self._shown:
            self._shown = key
            self._charts.show_timelines(series)
