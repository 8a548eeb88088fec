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
from engine.runfiles import read_info
from gui.jobs import Jobs, evaluate
from gui.numbers import count, number
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.matrix import ConfusionMatrix
from gui.widgets.progress import ProgressLine
from gui.widgets.segmented import SegmentedSwitch
from gui.widgets.states import Banner

SPLITS = ("val", "test", "train")
CHECKPOINTS = ("best", "last")
_NOT_FIGURES = ("run", "checkpoint", "epoch", "split", "samples", "tables")


class EvaluateDialog(QDialog):
    """Open it with `open()`; it evaluates the validation samples at once."""

    def __init__(self, jobs: Jobs, run: Path, places: Places, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._run, self._places = jobs, run, places
        info = read_info(run)
        self.setWindowTitle(self.tr("Evaluate {0}").format(info.name))
        self.splits = SegmentedSwitch([self.tr("Validation"), self.tr("Test"), self.tr("Training")])
        self.checkpoints = SegmentedSwitch([self.tr("Best"), self.tr("Last")])
        self.checkpoints.set_current(CHECKPOINTS.index(info.result) if info.result in CHECKPOINTS else 1)
        self.figures = QLabel()
        self.figures.setProperty("role", "body")
        self.figures.setWordWrap(True)
        self.matrix = ConfusionMatrix()
        self.table = _table([self.tr("Class"), self.tr("Precision"), self.tr("Recall"), "F1", self.tr("Samples")])
        self.banner = Banner("error", "", "")
        self.progress = ProgressLine()
        self._lay_out()
        self.splits.currentChanged.connect(lambda _index: self.evaluate())
        self.checkpoints.currentChanged.connect(lambda _index: self.evaluate())
        self.evaluate()

    def evaluate(self) -> None:
        """Evaluates what the switches say; a newer wish takes the place of an older one."""
        split, checkpoint = SPLITS[self.splits.current], CHECKPOINTS[self.checkpoints.current]
        self.progress.begin()
        self._jobs.start(
            "evaluate", self.tr("Evaluating"), evaluate(self._run, self._places, split, checkpoint),
            done=self.show_result, failed=self._fail,
        )  # fmt: skip

    def show_result(self, result: Mapping[str, Any]) -> None:
        """Shows what the engine found."""
        self.progress.finish()
        self.banner.hide()
        parts = [self.tr("{0} samples, epoch {1}").format(count(int(result["samples"])), result["epoch"])]
        for name, value in result.items():
            if name not in _NOT_FIGURES and isinstance(value, float):
                shown = f"{number(value * 100)} %" if name == "accuracy" else number(value)
                parts.append(f"{name.replace('_', ' ')} <b>{shown}</b>")
        self.figures.setText("&nbsp;&nbsp;·&nbsp;&nbsp;".join(parts))
        tables = result.get("tables") or {}
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
