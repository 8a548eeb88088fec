"""How good a run is on data it did not train on: figures, confusion matrix, figures per class.

Asks for split and checkpoint and shows what the engine found. The work is a job; the window stays usable.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.places import Places
from engine.problem import Problem
from engine.runfiles import checkpoint_names, read_info
from gui.jobs import Jobs, evaluate
from gui.numbers import count, number
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.choices import Check, Choice
from gui.widgets.matrix import ConfusionMatrix
from gui.widgets.number_field import NumberField
from gui.widgets.progress import ProgressLine
from gui.widgets.segmented import SegmentedSwitch
from gui.widgets.states import Banner

SPLITS = ("val", "test", "train")
PASSES = 100
"""Passes of MC dropout that are offered: ten times fewer are nearly as good, ten times more hardly better."""
_NOT_FIGURES = ("run", "checkpoint", "epoch", "step", "split", "samples", "tables")


class EvaluateDialog(QDialog):
    """Open it with `open()`; it evaluates the validation samples at once."""

    def __init__(self, jobs: Jobs, run: Path, places: Places, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._run, self._places = jobs, run, places
        info = read_info(run)
        self.setWindowTitle(self.tr("Evaluate {0}").format(info.name))
        self.splits = SegmentedSwitch([self.tr("Validation"), self.tr("Test"), self.tr("Training")])
        self.checkpoints = Choice([(name, name) for name in checkpoint_names(run)], info.result)
        self.checkpoints.setToolTip(self.tr("Which weights: the last, the best, or those that a callback saved"))
        self.checkpoints.setMinimumWidth(120)
        self.mc = Check(self.tr("MC dropout"))
        self.mc.setToolTip(
            self.tr("Many passes with only dropout on: the mean of their probabilities, and how far they lie apart")
        )
        self.passes = NumberField(PASSES, minimum=1, maximum=10_000, whole=True, unit=self.tr("passes"), dense=True)
        self.passes.setFixedWidth(120)
        self.passes.setEnabled(False)
        self.figures = QLabel()
        self.figures.setProperty("role", "body")
        self.figures.setWordWrap(True)
        self.matrix = ConfusionMatrix()
        self.table = _table([self.tr("Class"), self.tr("Precision"), self.tr("Recall"), "F1", self.tr("Samples")])
        self.banner = Banner("error", "", "")
        self.progress = ProgressLine()
        self._lay_out()
        self.splits.currentChanged.connect(lambda _index: self.evaluate())
        self.checkpoints.committed.connect(lambda _name: self.evaluate())
        self.mc.committed.connect(self._switch_mc)
        self.passes.committed.connect(lambda _count: self.evaluate())
        self.evaluate()

    def evaluate(self) -> None:
        """Evaluates what the switches say; a newer wish takes the place of an older one."""
        split, checkpoint = SPLITS[self.splits.current], str(self.checkpoints.value() or "")
        passes = int(self.passes.value()) if self.mc.value() else 0
        self.progress.begin()
        self._jobs.start(
            "evaluate", self.tr("Evaluating"), evaluate(self._run, self._places, split, checkpoint, passes),
            done=self.show_result, failed=self._fail,
        )  # fmt: skip

    def _switch_mc(self, wanted: bool) -> None:
        self.passes.setEnabled(wanted)
        self.evaluate()

    def show_result(self, result: Mapping[str, Any]) -> None:
        """Shows what the engine found."""
        self.progress.finish()
        self.banner.hide()
        head = self.tr("{0} samples, epoch {1}").format(count(int(result["samples"])), result["epoch"])
        lines = [_BETWEEN.join([head, *_figures(result)])]
        many = result.get("mc") or {}
        if many:
            words = self.tr("mean of {0} passes with dropout on").format(count(int(many["passes"])))
            lines.append(_BETWEEN.join([words, *_figures(many)]))
        self.figures.setText("<br>".join(lines))
        tables = (many or result).get("tables") or {}
        table = next(iter(tables.values()), None)
        self.matrix.setVisible(table is not None)
        self.table.setVisible(table is not None)
        if table is not None:
            self.matrix.show_counts(table["classes"], table["confusion"])
            self._fill(table["per_class"])

    def _fill(self, rows: list[Mapping[str, Any]]) -> None:
        self.table.clear()
        for row in rows:
            values = [number(float(row[name])) for name in ("precision", "recall", "f1")]
            item = QTreeWidgetItem([str(row["class"]), *values, count(int(row["samples"]))])
            for column in range(1, 5):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.addTopLevelItem(item)

    def _fail(self, problem: Problem) -> None:
        self.progress.finish()
        self.banner.set_state("error", problem.happened, problem.fix or problem.expected)
        for widget in (self.matrix, self.table):
            widget.hide()
        self.figures.clear()
        self.banner.show()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.splits)
        top.addStretch()
        top.addWidget(self.mc)
        top.addWidget(self.passes)
        top.addSpacing(metrics.panel_padding)
        top.addWidget(self.checkpoints)
        middle = QHBoxLayout()
        middle.setSpacing(metrics.panel_padding)
        middle.addWidget(self.matrix, 3)
        middle.addWidget(self.table, 2)
        close = Button(self.tr("Close"))
        close.clicked.connect(self.close)
        foot = QHBoxLayout()
        foot.addStretch()
        foot.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(metrics.panel_padding, metrics.panel_padding, metrics.panel_padding, metrics.grid)
        layout.setSpacing(metrics.grid)
        layout.addLayout(top)
        layout.addWidget(self.progress)
        layout.addWidget(self.figures)
        layout.addWidget(self.banner)
        layout.addLayout(middle, 1)
        layout.addStretch()
        layout.addLayout(foot)
        self.banner.hide()
        self.resize(860, 560)


_BETWEEN = "&nbsp;&nbsp;·&nbsp;&nbsp;"


def _figures(result: Mapping[str, Any]) -> list[str]:
    return [
        f"{name.replace('_', ' ')} <b>{f'{number(value * 100)} %' if name == 'accuracy' else number(value)}</b>"
        for name, value in result.items()
        if name not in _NOT_FIGURES and isinstance(value, float)
    ]


def _table(titles: list[str]) -> QTreeWidget:
    made = QTreeWidget()
    made.ensurePolished()
    made.setRootIsDecorated(False)
    made.setUniformRowHeights(True)
    made.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
    made.setHeaderLabels(titles)
    header = made.header()
    header.setStretchLastSection(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    made.headerItem().setTextAlignment(0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setMinimumSectionSize(40)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    return made
