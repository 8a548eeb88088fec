"""Hands timelines to the charts: the live or re-opened run first, ticked runs over it, and the planned rate.

Owns which runs are on the charts and in which colour. Never draws.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject

from engine.events import RunStarted
from engine.plan import known_steps_per_epoch, planned_rates
from engine.problem import ProblemError
from engine.project import Project
from engine.runfiles import RunInfo
from engine.runs import read_events, read_run_project
from engine.timeline import Timeline
from gui.charts.panel import ChartPanel
from gui.charts.state import ChartSeries, Plan
from gui.document import Document

POINTS = 400
"""Points of a planned curve: as many as a chart has pixel columns."""


class ChartFeed(QObject):
    """Keeps the charts showing the right runs."""

    def __init__(self, charts: ChartPanel, document: Document) -> None:
        super().__init__(charts)
        self._charts, self._document = charts, document
        self._leading: Timeline | None = None
        self._leading_path: Path | None = None
        self._over: list[RunInfo] = []
        self._replayed: dict[Path, Timeline] = {}
        self._shown: tuple[int, ...] = ()
        self._planned_for: Timeline | None = None
        self._run_project: Project | None = None
        self._seen: tuple[Timeline | None, bool, Project | None] = (None, False, None)
        self._next_key: object = None
        document.opened.connect(self.follow_recipe)
        document.changed.connect(self.follow_recipe)
        charts.appeared.connect(self.follow_recipe)

    def show_leading(self, timeline: Timeline, path: Path | None) -> None:
        """The run whose marks and depth are shown; cheap to call ten times a second."""
        self._leading, self._leading_path = timeline, path
        self._show()
        self._replan()

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

    def follow_recipe(self) -> None:
        """The document changed: what the next run would be is reckoned anew, once somebody can see it."""
        recipe = self._document.project.recipe
        self._charts.state.train_figures = str(recipe.get("train_figures"))
        self._replan()

    def _replan(self) -> None:
        """Plans of the leading run and of the next one. A training goes by its own recipe, whatever is edited."""
        if not self._charts.isVisible():
            return
        line = self._leading if self._leading is not None and self._leading.run is not None else None
        live = line is not None and line.outcome is None
        if line is not self._planned_for:
            self._planned_for, self._run_project = line, _project_of(self._leading_path) if line else None
            run = self._run_project
            self._charts.set_plan(_plan(run, line.planned_epochs, line.steps_per_epoch) if run and line else None)
        project, seen = self._document.project, self._seen
        if seen[0] is line and seen[1] is live and seen[2] is project:
            return  # the usual case, ten times a second
        self._seen = (line, live, project)
        steps = 0 if live else known_steps_per_epoch(project)
        key = (line, live, steps, _asked(project))
        if key == self._next_key:
            return  # an edit of something else
        self._next_key = key
        if not steps or (self._run_project and _asked(self._run_project) == key[-1]):
            self._charts.set_next_plan(None, None)
        else:
            epochs = project.recipe.epochs
            self._charts.set_next_plan(_plan(project, epochs, steps), _outline(epochs, steps))

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


def _plan(project: Project, epochs: int, steps_per_epoch: int) -> Plan | None:
    """(step, rate) of a whole run; None where optimizer or schedule cannot be used: that is told as a problem."""
    try:
        lasting = project.with_recipe(project.recipe.with_value("epochs", epochs))
        return [(item.step, item.rate) for item in planned_rates(lasting, steps_per_epoch=steps_per_epoch,
                                                                 points=POINTS)]  # fmt: skip
    except (ValueError, AttributeError, ZeroDivisionError, OverflowError):
        return None


def _asked(project: Project) -> str:
    """What decides about the planned rates of a project."""
    names = ("optimizer", "schedule", "epochs", "batch_size", "accumulate", "data")
    return repr([project.recipe.get(name) for name in names])


def _project_of(run: Path | None) -> Project | None:
    try:
        return read_run_project(run) if run is not None else None
    except (OSError, ProblemError):
        return None  # the curve is drawn as it came, without a plan


def _outline(epochs: int, steps_per_epoch: int) -> Timeline:
    """A timeline on which nothing has happened yet, as long as the plan."""
    outline = Timeline()
    outline.add(RunStarted("", "", "", 1, 0, epochs, steps_per_epoch, 0, 0, 0, 0))
    return outline
