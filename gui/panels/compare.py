"""The page of the Compare workspace: the ticked runs over each other, a sentence about them, and what differs.

Reads runs in jobs and changes none. Which runs are ticked is told from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.problem import Problem, ProblemError
from engine.runfiles import RunInfo
from gui.charts.panel import ChartPanel
from gui.charts.state import ChartSeries
from gui.jobs import Jobs
from gui.panels.compare_figures import Comparison, Replays, comparing, sentence
from gui.panels.compare_lines import figure_columns, figure_lines, setting_lines, write_csv
from gui.panels.compare_table import ComparisonTable
from gui.theme import color, metrics, themes
from gui.widgets.buttons import Button
from gui.widgets.labels import ElidedLabel
from gui.widgets.progress import ProgressLine
from gui.widgets.states import Card, EmptyState, IconLabel

EDGE = 24
CHART = 280
"""Least height of the charts."""


class ComparePage(QWidget):
    """Charts, figures and differing settings of two or more runs."""

    problem = Signal(object)

    def __init__(self, parent: QWidget | None = None, jobs: Jobs | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs if jobs is not None else Jobs(self)
        self._replays = Replays()
        self._colors: dict[Path, int] = {}
        self._found: Comparison | None = None
        self._num_runs = self._num_ticked = 0
        self.empty = EmptyState("compare", "", "", framed=True)
        self.empty.setFixedWidth(420)
        self.line = ProgressLine()
        self._build()
        themes.changed.connect(self.update)
        self.show_runs([])

    def show_runs(self, infos: Sequence[RunInfo]) -> None:
        """Compares these runs; with fewer than two the page says what to do."""
        if len(infos) < 2:
            self._advise(len(infos))
            self.pages.setCurrentIndex(0)
            self._colors, self._found = {}, None
            self.charts.show_timelines([])
            return
        self._assign_colors([info.path for info in infos])
        self.line.begin()
        self._jobs.start(
            "compare", self.tr("Comparing runs"), comparing(list(infos), self._replays),
            done=self._show, failed=self._fail,
        )  # fmt: skip

    def set_count(self, num_runs: int) -> None:
        """How many runs there are to tick."""
        self._num_runs = num_runs
        if self.pages.currentIndex() == 0:
            self._advise(self._num_ticked)

    def _advise(self, num_ticked: int) -> None:
        self._num_ticked = num_ticked
        title = self.tr("One run is ticked") if num_ticked else self.tr("Nothing to compare yet")
        advice = self.tr("Tick one more run at the left.") if num_ticked else self.tr("Tick two or more at the left.")
        if self._num_runs == 1:
            advice = self.tr("There is one run so far. Train again with other settings, then tick both at the left.")
        elif self._num_runs == 0:
            advice = self.tr("Train a network twice with different settings, then tick both runs at the left.")
        self.empty.set_text(title, advice)

    def export_csv(self, path: Path) -> bool:
        """Writes figures and differing settings; False after telling the problem."""
        if self._found is None:
            return False
        try:
            write_csv(self._found, path)
        except ProblemError as fault:
            self.problem.emit(fault.problem)
            return False
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        """The page lies on the canvas colour."""
        QPainter(self).fillRect(self.rect(), color("canvas"))

    def resizeEvent(self, event: QEvent) -> None:
        """On a tall page the charts get the room."""
        self.charts.setMinimumHeight(max(CHART, min(420, round(self.height() * 0.42))))

    def _build(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(EDGE, metrics.grid + metrics.half, EDGE, EDGE)
        column.setSpacing(metrics.grid * 2)
        column.addLayout(self._head())
        column.addWidget(self._insight())
        column.addWidget(self._chart_card())
        self.figures = ComparisonTable(self.tr("Figures of the runs"))
        column.addWidget(_card(self.figures))
        self.difference_title = QLabel(self.tr("What differs"))
        self.difference_title.setProperty("role", "section")
        self.difference_hint = ElidedLabel("", role="hint")
        self.differences = ComparisonTable(self.tr("Settings that differ"), mono=True)
        self.difference_card = _card(self.differences, self.difference_title, self.difference_hint)
        column.addWidget(self.difference_card)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        scroll.viewport().setAutoFillBackground(False)
        holder = QWidget()
        middle = QVBoxLayout(holder)
        middle.addStretch(2)
        middle.addWidget(self.empty, 0, Qt.AlignmentFlag.AlignHCenter)
        middle.addStretch(3)
        self.pages = QStackedWidget()
        self.pages.addWidget(holder)
        self.pages.addWidget(scroll)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.line)
        outer.addWidget(self.pages, 1)

    def _head(self) -> QHBoxLayout:
        self.title, self.subtitle = QLabel(), ElidedLabel("", role="label")
        self.title.setProperty("role", "page")
        self.csv = Button(
            self.tr("CSV"), icon_name="export", tip=self.tr("Write these figures and settings to a table")
        )
        self.csv.clicked.connect(self._ask_csv)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.subtitle)
        head = QHBoxLayout()
        head.addLayout(words, 1)
        head.addWidget(self.csv, 0, Qt.AlignmentFlag.AlignTop)
        return head

    def _insight(self) -> QWidget:
        self.insight, self.caution = QLabel(), QLabel()
        self.insight.setProperty("role", "strong")
        self.caution.setProperty("role", "label")
        words = QVBoxLayout()
        words.setSpacing(2)
        for label in (self.insight, self.caution):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            words.addWidget(label)
        card = Card()
        row = QHBoxLayout()
        row.setSpacing(metrics.panel_padding)
        row.addWidget(IconLabel("bulb", token="accent"))
        row.addLayout(words, 1)
        card.content.addLayout(row)
        return card

    def _chart_card(self) -> QWidget:
        self.charts = ChartPanel()
        self.charts.choose(("loss", "metric"))
        self.charts.problem.connect(self.problem)
        card = Card()
        card.content.setContentsMargins(1, 1, 1, metrics.grid)
        card.content.addWidget(self.charts)
        return card

    def _show(self, found: Comparison) -> None:
        self.line.finish()
        if {run.info.path for run in found.runs} != set(self._colors):
            # Other runs were ticked meanwhile, or none: their own result follows, or nothing does.
            return
        self._found = found
        infos = [run.info for run in found.runs]
        projects = list(dict.fromkeys(info.project for info in infos if info.project))
        self.title.setText(", ".join(projects[:3]) or self.tr("Comparison"))
        self.subtitle.setText(self._kind_words(infos))
        said, caution = sentence(found)
        self.insight.setText(said)
        self.caution.setText(caution)
        self.charts.show_timelines(
            [ChartSeries(run.timeline, run.info.name, self._colors[run.info.path]) for run in found.runs]
        )
        heads, tips = figure_columns(found)
        self.pages.setCurrentIndex(1)
        self.figures.show_lines(heads, figure_lines(found, self._colors), tips)
        lines = setting_lines(found)
        hidden = len(found.settings) - len(lines)
        hint = self.tr("{0} more that follow from these are in the CSV").format(hidden) if hidden > 0 else ""
        self.difference_hint.setText(hint if lines else self.tr("nothing: the settings are the same"))
        self.differences.setVisible(bool(lines))
        self.differences.show_lines([self.tr("Setting"), *(info.name for info in infos)], lines)

    def _kind_words(self, infos: Sequence[RunInfo]) -> str:
        seeds = len({info.seed for info in infos})
        data = len({info.fingerprint for info in infos if info.fingerprint})
        parts = [self.tr("{0} runs").format(len(infos))]
        parts.append(self.tr("one seed") if seeds == 1 else self.tr("{0} seeds").format(seeds))
        if data == 1:
            parts.append(self.tr("the same samples, divided alike"))
        elif data > 1:
            parts.append(self.tr("not the same samples: figures may not be comparable"))
        return ", ".join(parts)

    def _fail(self, problem: Problem) -> None:
        self.line.finish()
        self.problem.emit(problem)

    def _assign_colors(self, paths: Sequence[Path]) -> None:
        """A run keeps its colour while it is ticked; a new one takes the first that is free."""
        self._colors = {path: place for path, place in self._colors.items() if path in paths}
        for path in paths:
            if path not in self._colors:
                taken = set(self._colors.values())
                self._colors[path] = next(place for place in range(len(paths) + len(taken)) if place not in taken)

    def _ask_csv(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Export the comparison"), "comparison.csv", "*.csv")
        if path:
            self.export_csv(Path(path) if Path(path).suffix else Path(path + ".csv"))


def _card(table: QWidget, *heading: QWidget) -> Card:
    card = Card()
    card.content.setContentsMargins(1, metrics.grid if heading else 1, 1, metrics.half)
    card.content.setSpacing(0)
    if heading:
        row = QHBoxLayout()
        row.setContentsMargins(metrics.grid, metrics.half, metrics.grid, metrics.half)
        row.setSpacing(metrics.grid)
        for place, widget in enumerate(heading):
            row.addWidget(widget, place)
        card.content.addLayout(row)
    card.content.addWidget(table)
    return card
