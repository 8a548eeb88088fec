"""What all charts of a panel share: the runs on show, the time axis, the zoom, the crosshair, the plan.

Owns no pixels and never changes a run. Charts read it and are told by signals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.series import Array
from engine.timeline import Timeline
from gui.charts.ticks import round_up

TimeAxis = Literal["epochs", "steps", "seconds"]
Plan = Sequence[tuple[float, float]]

SMOOTHING = {"off": 0.0, "light": 0.01, "normal": 0.03, "strong": 0.1}
"""Share of all points that one smoothed value is the mean of."""

_INVERSE_POINTS = 1024
"""Steps at which the time axis is tabulated to find the step below the pointer: finer than pixels."""


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """One run on the charts: its timeline, its name, its colour (0-based) and whether it is the dashed baseline."""

    timeline: Timeline
    name: str
    color: int = 0
    baseline: bool = False


class ChartState(QObject):
    """The one shared object. `changed`: runs, plan, axis or smoothing; `window_changed`: zoom; `pointed`: crosshair."""

    changed = Signal()
    window_changed = Signal()
    pointed = Signal()
    figures_wanted = Signal(str)
    """Another definition of training figures was chosen in a chart's menu, for the recipe."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.series: tuple[ChartSeries, ...] = ()
        self.time_axis: TimeAxis = "epochs"
        self.smoothing = "normal"
        self.train_figures = "running"
        """What the recipe says that training figures are: the next run's. Each run's record says its own."""
        self.plan: tuple[Array, Array] | None = None
        self.unedited: tuple[Array, Array] | None = None
        self.next_plan: tuple[Array, Array] | None = None
        """The rate that the next run would have, while nothing trains."""
        self.outline: Timeline | None = None
        """A timeline without events that knows the next run's length: where its plan lies in time."""
        self.window: tuple[float, float] | None = None
        """Zoomed part of the time axis, or None for the whole plan."""
        self.pointer: float | None = None
        """Step below the crosshair."""
        self._span = 0.0

    @property
    def first(self) -> Timeline | None:
        """The timeline whose marks, plan and depth are shown."""
        return self.series[0].timeline if self.series else None

    @property
    def revision(self) -> tuple[int, ...]:
        """Changes whenever any timeline on show does."""
        return tuple(item.timeline.revision for item in self.series)

    def show(self, series: Sequence[ChartSeries]) -> None:
        """Show these runs, the first one leading."""
        self.series = tuple(series)
        self.window = self.pointer = None
        self._span = 0.0
        self.changed.emit()

    def set_plan(self, plan: Plan | None, unedited: Plan | None = None) -> None:
        """The planned rate as (step, rate) pairs, and what it would have been without edits by hand."""
        self.plan, self.unedited = _pairs(plan), _pairs(unedited)
        self.changed.emit()

    def set_next_plan(self, plan: Plan | None, outline: Timeline | None) -> None:
        """What the next run would do, as (step, rate) pairs, and how long it would be."""
        self.next_plan, self.outline = _pairs(plan), outline
        if not self.series:
            self._span = 0.0
        self.changed.emit()

    def set_time_axis(self, axis: TimeAxis) -> None:
        """Measure time in epochs, steps or seconds."""
        if axis != self.time_axis:
            self.time_axis, self.window, self._span = axis, None, 0.0
            self.changed.emit()

    def set_smoothing(self, level: str) -> None:
        """One of `SMOOTHING`."""
        self.smoothing = level
        self.changed.emit()

    def set_window(self, window: tuple[float, float] | None) -> None:
        """Zoom every chart over time to this part of the axis, or show the whole plan."""
        self.window = window
        self.window_changed.emit()

    def point_at(self, step: float | None) -> None:
        """Move the crosshair to a step, or take it away."""
        if step != self.pointer:
            self.pointer = step
            self.pointed.emit()

    def position(self, timeline: Timeline, steps: Array) -> Array:
        """Steps of a run as positions on the time axis."""
        if self.time_axis == "steps":
            return steps
        return timeline.epoch_of(steps) if self.time_axis == "epochs" else timeline.seconds_of(steps)

    def span(self) -> float:
        """End of the time axis: the longest plan, growing in whole steps only."""
        needed = 0.0
        lines = [item.timeline for item in self.series] or ([self.outline] if self.outline else [])
        for line in lines:
            end = float(max(line.planned_steps, line.step, 1))
            needed = max(needed, float(self.position(line, np.array([end]))[0]))
        if needed > self._span:
            self._span = needed if self.time_axis != "seconds" else round_up(needed)
        return self._span or 1.0

    def step_at(self, position: float) -> float | None:
        """The step of the leading run at a position on the time axis, or None outside what was trained."""
        if self.first is None or not self.first.step:
            return None
        steps = np.linspace(0, self.first.step, _INVERSE_POINTS)
        places = self.position(self.first, steps)
        if not 0 <= position <= places[-1] * 1.02:
            return None
        return float(np.round(np.interp(position, places, steps)))


def _pairs(plan: Plan | None) -> tuple[Array, Array] | None:
    if not plan:
        return None
    table = np.asarray(plan, dtype=float)
    return table[:, 0], table[:, 1]
