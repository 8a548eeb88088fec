"""The content of the Charts dock: a row of charts, what they share, and the choice of which are shown.

Owns arrangement and repainting rhythm. Which runs are shown is told from outside (`show_timelines`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from gui.charts.empty import EmptyCharts
from gui.charts.kinds import NAMES, kinds
from gui.charts.state import ChartSeries, ChartState, Plan, TimeAxis
from gui.clock import clock
from gui.icons import icon
from gui.theme import color, themes

if TYPE_CHECKING:
    from engine.timeline import Timeline
    from gui.charts.chart import Chart

DEFAULT = ("loss", "rate", "depth", "activations", "clip")
"""Clipping has its place as soon as a run on show clips, and none before; activations where there is room for them."""

ROOM = 300
"""Pixels per chart from which activations stand beside the others without being asked for."""

STRETCH = {"loss": 35, "rate": 26, "depth": 39, "activations": 39, "clip": 26}
"""Shares of the width; charts not named here take as much as the loss."""

CORNER = 32


class ChartPanel(QWidget):
    """Shows charts of the given runs. Signals: the buttons of the empty state, failed exports, a changed choice."""

    train_requested = Signal()
    open_run_requested = Signal()
    problem = Signal(object)
    choice_changed = Signal(object)
    """Names of the charts on show, as a tuple: to be remembered."""
    appeared = Signal()
    """The panel was hidden and is seen now."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = ChartState(self)
        self.charts: dict[str, Chart] = {}
        self._chosen: tuple[str, ...] = ()
        self._asked = False
        self._arranged: tuple[str, ...] = ()
        """Charts that stand in the row: the chosen ones, or the planned rate beside the empty state."""
        self.empty = EmptyCharts()
        self.empty.train_requested.connect(self.train_requested)
        self.empty.open_run_requested.connect(self.open_run_requested)
        self.axis_choice = QComboBox()
        self.chart_choice = QToolButton()
        self.corner = self._make_corner()
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._build()
        self.choose(DEFAULT)
        self.state.changed.connect(self._renew)
        themes.changed.connect(self._restyle)
        clock.subscribe(self, self.tick)
        self._retranslate()

    def show_timelines(self, series: Sequence[ChartSeries]) -> None:
        """Show these runs, the leading one first; nothing for none."""
        before = tuple(item.timeline for item in self.state.series)
        if tuple(item.timeline for item in series) != before:
            for chart in self.charts.values():
                chart.reset_range()
        self.state.show(series)
        self._arrange()
        self.tick()

    def set_plan(self, plan: Plan | None, unedited: Plan | None = None) -> None:
        """The leading run's planned rate as (step, rate) pairs; `unedited` is the plan before edits by hand."""
        self.state.set_plan(plan, unedited)
        self.tick()

    def set_next_plan(self, plan: Plan | None, outline: Timeline | None) -> None:
        """The rate that the next run would have and how long it would be; shown alone where there is no run."""
        if not self.state.series:
            for chart in self.charts.values():
                chart.reset_range()
        self.state.set_next_plan(plan, outline)
        self._arrange()
        self.tick()

    def choose(self, names: Sequence[str], *, asked: bool = False) -> None:
        """Show these charts; unknown names are passed over, one stays at least. `asked`: by hand, however narrow."""
        chosen = tuple(name for name in NAMES if name in names) or DEFAULT[:1]
        self._asked = asked
        if chosen == self._chosen:
            return
        self._chosen = chosen
        self._arrange()
        self.choice_changed.emit(chosen)

    def _arrange(self) -> None:
        """Puts the charts side by side. They are made when there is something to show: before it the empty state
        stands there alone, and a window without them is visible a sixth of a second earlier.
        """
        wanted = self._wanted()
        self.empty.setVisible(not self.state.series)
        if wanted == self._arranged:
            return
        self._arranged = wanted
        for name in wanted:
            if name not in self.charts:
                self._make(name)
        while self._row.count():
            self._row.takeAt(0)
        self._row.addWidget(self.empty, 65)
        for index, name in enumerate(wanted):
            self.charts[name].first_in_row = index == 0 and bool(self.state.series)
            self._row.addWidget(self.charts[name], STRETCH.get(name, 35))
        # Only now: a chart without a parent would become a window of its own for a moment.
        for name, chart in self.charts.items():
            chart.setVisible(name in wanted)
        self.tick()

    def _wanted(self) -> tuple[str, ...]:
        if self.state.series:
            fitting = tuple(name for name in self._chosen if name in self._fitting())
            return tuple(name for name in fitting if name in self._roomy(len(fitting))) or DEFAULT[:1]
        planned = self.state.next_plan is not None and "rate" in self._chosen
        return ("rate",) if planned and (self.isVisible() or "rate" in self.charts) else ()

    def _roomy(self, count: int) -> tuple[str, ...]:
        """The chosen ones, without the one that nobody asked for where so many would be narrow."""
        narrow = self._chosen == DEFAULT and not self._asked and self.width() < ROOM * count
        return tuple(name for name in self._chosen if name != "activations" or not narrow)

    def _fitting(self) -> tuple[str, ...]:
        """Charts that have something to say about the runs on show."""
        lines = [item.timeline for item in self.state.series]
        silent = {
            "clip": not any(line.clips for line in lines),
            "activations": bool(lines) and all(line.outcome is not None and not len(line.activity) for line in lines),
        }
        return tuple(name for name in NAMES if not silent.get(name))

    def showEvent(self, event: object) -> None:
        """What is planned appears with the panel."""
        super().showEvent(event)
        self.appeared.emit()
        self._arrange()

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the charts on show."""
        return self._chosen

    def take_corner(self) -> QWidget:
        """Hand the choice of charts and time axis to a title bar; the row above the charts goes."""
        self._outer.removeWidget(self.corner)
        self.corner.setParent(None)
        return self.corner

    def give_corner(self, corner: QWidget) -> None:
        """Take the row of choices back, for a panel that floats in a window of its own."""
        if self._outer.indexOf(corner) < 0:
            self._outer.insertWidget(0, corner)
            corner.show()

    def tick(self) -> None:
        """Refresh the visible charts whose data changed; the clock calls this ten times a second."""
        if self._wanted() != self._arranged:
            self._arrange()  # a run told for the first time that it clips
            return
        for name in self._arranged:
            self.charts[name].tick()

    def export(self, name: str, path: Path | str) -> None:
        """Write a chart to a file, see `Chart.export`."""
        self.charts[name].export(path)

    def sizeHint(self) -> QSize:
        """The charts dock of a middle-sized window."""
        return QSize(1104, 242)

    def paintEvent(self, event: object) -> None:
        """Fill with the panel's colour."""
        QPainter(self).fillRect(self.rect(), color("panel"))

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _build(self) -> None:
        row = QWidget()
        row.setLayout(self._row)
        self._row.addWidget(self.empty, 65)
        self._outer = QVBoxLayout(self)
        self._outer.setContentsMargins(0, 0, 0, 0)
        self._outer.setSpacing(0)
        self._outer.addWidget(self.corner)
        self._outer.addWidget(row, 1)

    def _make(self, name: str) -> None:
        chart = kinds()[name](self.state)
        chart.problem.connect(self.problem)
        self.charts[name] = chart

    def _make_corner(self) -> QWidget:
        corner = QWidget()
        corner.setFixedHeight(CORNER)
        self._axis_label = QLabel()
        self._axis_label.setBuddy(self.axis_choice)
        for axis in ("epochs", "steps", "seconds"):
            self.axis_choice.addItem(axis, axis)
        self.axis_choice.activated.connect(self._axis_chosen)
        self.chart_choice.setIcon(icon("charts"))
        self.chart_choice.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.chart_choice.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.chart_choice.setAutoRaise(True)
        self._choice_menu = QMenu(self.chart_choice)
        self._choice_menu.aboutToShow.connect(self._fill_choice)
        self.chart_choice.setMenu(self._choice_menu)
        layout = QHBoxLayout(corner)
        layout.setContentsMargins(12, 2, 8, 2)
        layout.setSpacing(8)
        layout.addStretch()
        for widget in (self.chart_choice, self._axis_label, self.axis_choice):
            layout.addWidget(widget)
        return corner

    def _fill_choice(self) -> None:
        self._choice_menu.clear()
        words = {
            "loss": self.tr("Loss"),
            "rate": self.tr("Learning rate"),
            "metric": self.tr("Metric"),
            "gradient": self.tr("Gradient norm over time"),
            "depth": self.tr("Gradient flow over depth"),
            "activations": self.tr("Activations over depth"),
            "clip": self.tr("Clipping"),
            "speed": self.tr("Speed"),
        }
        fitting = self._fitting()
        roomy = self._roomy(sum(name in self._chosen for name in fitting))
        for name in fitting:
            action = self._choice_menu.addAction(words[name])
            action.setCheckable(True)
            action.setChecked(name in roomy)
            action.toggled.connect(partial(self._toggle, name))

    def _toggle(self, name: str, wanted: bool) -> None:
        shown = self._roomy(sum(item in self._chosen for item in self._fitting()))
        self.choose([*shown, name] if wanted else [kept for kept in shown if kept != name], asked=True)

    def _axis_chosen(self, index: int) -> None:
        axis: TimeAxis = self.axis_choice.itemData(index)
        self.state.set_time_axis(axis)
        self.tick()

    def _renew(self) -> None:
        index = self.axis_choice.findData(self.state.time_axis)
        self.axis_choice.setCurrentIndex(index)
        for chart in self.charts.values():
            chart.invalidate()
        self.tick()

    def _restyle(self) -> None:
        for chart in self.charts.values():
            chart.restyle()
        self.update()

    def _retranslate(self) -> None:
        words = {"epochs": self.tr("epochs"), "steps": self.tr("steps"), "seconds": self.tr("seconds")}
        for index in range(self.axis_choice.count()):
            self.axis_choice.setItemText(index, words[self.axis_choice.itemData(index)])
        self.axis_choice.setToolTip(self.tr("What the charts over time are drawn against"))
        self.axis_choice.setAccessibleName(self.tr("x axis"))
        self._axis_label.setText(self.tr("x axis"))
        self.chart_choice.setText(self.tr("Charts"))
        self.chart_choice.setToolTip(self.tr("Choose which charts are shown"))
