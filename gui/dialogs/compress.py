"""Makes a trained run smaller, or measures its batch norm anew, and shows what that costs in figures, size and time.

Asks for the way and shows what the engine found. The work is a job; closing the dialog or pressing Cancel ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.compression import SUFFIXES, Way
from engine.places import Places
from engine.problem import Problem
from engine.runfiles import checkpoint_names, read_info
from gui.jobs import Job, Jobs, compress, recalibrate
from gui.numbers import count, number
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.choices import Check, Choice
from gui.widgets.number_field import NumberField
from gui.widgets.progress import ProgressLine
from gui.widgets.states import Banner

RECALIBRATE = "recalibrate"


class CompressDialog(QDialog):
    """Open it with `open()`; nothing begins before its button is pressed."""

    def __init__(self, jobs: Jobs, run: Path, places: Places, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._run, self._places = jobs, run, places
        self._job: Job | None = None
        info = read_info(run)
        self._name = info.name
        self.setWindowTitle(self.tr("Compress {0}").format(info.name))
        self.ways = Choice(
            [
                ("prune", self.tr("Prune the smallest weights")), ("zero", self.tr("Zero tiny weights")),
                ("fold-bn", self.tr("Fold batch norm")), ("half", self.tr("Half precision")),
                ("int8", self.tr("8-bit weights (ONNX)")), (RECALIBRATE, self.tr("Recalibrate batch norm")),
            ],
            "prune",
        )  # fmt: skip
        self.ways.setMinimumWidth(230)
        self.checkpoints = Choice([(name, name) for name in checkpoint_names(run)], info.result)
        self.checkpoints.setToolTip(self.tr("Which weights to begin from"))
        self.checkpoints.setMinimumWidth(120)
        self.share = NumberField(80, minimum=0, maximum=100, unit="%", dense=True)
        self.threshold = NumberField(0.01, minimum=0, dense=True)
        self.retrain = NumberField(0, minimum=0, maximum=10_000, whole=True, unit=self.tr("epochs"), dense=True)
        self.each = Check(self.tr("The same share of each layer"))
        self.words = QLabel()
        self.words.setProperty("role", "body")
        self.words.setWordWrap(True)
        self.retrain_label = QLabel(self.tr("Train on for"))
        self.start = Button(self.tr("Compress"), kind="primary")
        self.stop = Button(self.tr("Cancel"))
        self.figures = _table([self.tr("Figure"), self.tr("Before"), self.tr("After")])
        self.layers = _table([self.tr("Layer"), self.tr("Weights"), self.tr("Zero")])
        self.banner = Banner("error", "", "")
        self.progress = ProgressLine()
        self._lay_out()
        self.ways.committed.connect(lambda _kind: self._show_way())
        self.start.clicked.connect(self.begin)
        self.stop.clicked.connect(self._cancel)
        self._show_way()

    def begin(self) -> None:
        """Does what is chosen; a file is asked for its name first."""
        kind, checkpoint = str(self.ways.value()), str(self.checkpoints.value() or "")
        path: Path | None = None
        if kind in SUFFIXES:
            suggested = str(self._run.parent / f"{self._name}-{kind}{SUFFIXES[kind]}")
            chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Write to"), suggested, f"*{SUFFIXES[kind]}")
            if not chosen:
                return
            path = Path(chosen)
        if kind == RECALIBRATE:
            work = recalibrate(self._run, self._places, checkpoint)
        else:
            work = compress(self._run, self._places, self._way(kind), path, checkpoint)
        for widget in (self.banner, self.figures, self.layers):
            widget.hide()
        self.progress.begin()
        self._set_busy(True)
        self._job = self._jobs.start(
            "compress", self.tr("Compressing"), work, done=self.show_result, failed=self._fail, cancelled=self._ended
        )

    def show_result(self, result: Mapping[str, Any]) -> None:
        """Shows what the engine found."""
        self._ended()
        before, after = result["before"] or {}, result["after"] or {}
        self.figures.clear()
        for name, value in before.items():
            if isinstance(value, float) or name in ("bytes", "deflated"):
                _add(self.figures, self._figure(name), _text(name, value), _text(name, after[name]))
        self.layers.clear()
        for name, item in (result.get("layers") or {}).items():
            share = item["zero"] / item["weights"] if item["weights"] else 0.0
            _add(self.layers, name, count(item["weights"]), f"{count(item['zero'])} ({share:.0%})")
        self.layers.setVisible(bool(self.layers.topLevelItemCount()))
        self.figures.setVisible(bool(before))
        kept = str(result["saved"])
        words = self.tr("Saved as {0}") if Path(kept).suffix else self.tr("Saved as the checkpoint {0} of this run")
        self.banner.set_state("ok", words.format(Path(kept).name), "")
        self.banner.show()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nobody would see the result."""
        self._cancel()
        super().closeEvent(event)

    def _way(self, kind: str) -> Way:
        retrain = int(self.retrain.value()) if kind in ("prune", "zero") else 0
        if kind == "prune":
            return Way(kind, float(self.share.value()) / 100, bool(self.each.value()), retrain)
        return Way(kind, float(self.threshold.value()) if kind == "zero" else 0.0, False, retrain)

    def _show_way(self) -> None:
        kind = str(self.ways.value())
        self.share.setVisible(kind == "prune")
        self.each.setVisible(kind == "prune")
        self.threshold.setVisible(kind == "zero")
        for widget in (self.retrain, self.retrain_label):
            widget.setVisible(kind in ("prune", "zero"))
        self.start.setText(self.tr("Recalibrate") if kind == RECALIBRATE else self.tr("Compress"))
        self.words.setText(
            {
                "prune": self.tr("That share of the weights, the smallest by magnitude, becomes 0. Some epochs of "
                                 "training while they stay 0 win back most of what it costs."),
                "zero": self.tr("Weights of a magnitude below this become 0."),
                "fold-bn": self.tr("Batch norm becomes a part of the layer before it: same answers, less to compute."),
                "half": self.tr("16 bits instead of 32 for each number. A CPU may be slower with them."),
                "int8": self.tr("8 bits for each weight, in a file that onnxruntime runs."),
                RECALIBRATE: self.tr("Batch norm's statistics, measured once over the whole training set. "
                                     "Weights stay as they are."),
            }[kind]
        )  # fmt: skip

    def _figure(self, name: str) -> str:
        own = {"bytes": self.tr("bytes"), "deflated": self.tr("bytes, zipped"),
               "milliseconds": self.tr("ms per batch")}  # fmt: skip
        return own.get(name, name.replace("_", " "))

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _ended(self) -> None:
        self._job = None
        self.progress.finish()
        self._set_busy(False)

    def _fail(self, problem: Problem) -> None:
        self._ended()
        self.banner.set_state("error", problem.happened, problem.fix or problem.expected)
        self.banner.show()

    def _set_busy(self, busy: bool) -> None:
        self.start.setEnabled(not busy)
        self.ways.setEnabled(not busy)
        self.stop.setEnabled(busy)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        for widget in (self.ways, self.share, self.threshold, self.retrain_label, self.retrain, self.each):
            top.addWidget(widget)
        for field in (self.share, self.threshold, self.retrain):
            field.setFixedWidth(110)
        top.addStretch()
        top.addWidget(self.checkpoints)
        middle = QHBoxLayout()
        middle.setSpacing(metrics.panel_padding)
        middle.addWidget(self.figures, 1)
        middle.addWidget(self.layers, 1)
        close = Button(self.tr("Close"))
        close.clicked.connect(self.close)
        foot = QHBoxLayout()
        foot.addStretch()
        for button in (close, self.stop, self.start):
            foot.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(metrics.panel_padding, metrics.panel_padding, metrics.panel_padding, metrics.grid)
        layout.setSpacing(metrics.grid)
        layout.addLayout(top)
        layout.addWidget(self.words)
        layout.addWidget(self.progress)
        layout.addWidget(self.banner)
        layout.addLayout(middle, 1)
        layout.addStretch()
        layout.addLayout(foot)
        for widget in (self.banner, self.figures, self.layers):
            widget.hide()
        self.stop.setEnabled(False)
        self.resize(900, 480)


def _text(name: str, value: float) -> str:
    if name in ("bytes", "deflated"):
        return count(int(value))
    return f"{number(value * 100)} %" if name == "accuracy" else number(value)


def _add(table: QTreeWidget, *cells: str) -> None:
    item = QTreeWidgetItem(list(cells))
    for column in range(1, len(cells)):
        item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    table.addTopLevelItem(item)


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
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    return made
