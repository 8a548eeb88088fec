"""What a run says about a file: its classes with bars of probability, or its values; with MC dropout how sure it is.

A file is chosen or dropped. The work is a job; the window stays usable.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.problem import Problem
from engine.runfiles import read_info
from gui.jobs import Jobs, predict
from gui.numbers import count, number
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.choices import Check
from gui.widgets.number_field import NumberField
from gui.widgets.progress import Bar, ProgressLine
from gui.widgets.states import Banner


class PredictDialog(QDialog):
    """Open it with `open()`; it waits for a file."""

    def __init__(self, jobs: Jobs, run: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._run = jobs, run
        self._file: Path | None = None
        self.setWindowTitle(self.tr("Predict with {0}").format(read_info(run).name))
        self.setAcceptDrops(True)
        self.choose = Button(self.tr("Choose a file…"), icon_name="open")
        self.mc = Check(self.tr("MC dropout"))
        self.passes = NumberField(100, minimum=1, maximum=10_000, whole=True, unit=self.tr("passes"), dense=True)
        self.passes.setFixedWidth(120)
        self.words = QLabel(self.tr("Drop an image, a CSV table or an .npz file here. Of several samples the first "
                                    "is shown."))  # fmt: skip
        self.words.setProperty("role", "body")
        self.words.setWordWrap(True)
        self.banner = Banner("error", "", "")
        self.progress = ProgressLine()
        self.table = QTreeWidget()
        self.table.setRootIsDecorated(False)
        self.table.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        self.table.setHeaderLabels([self.tr("Answer"), "", self.tr("Mean"), self.tr("Deviation")])
        for column in (2, 3):
            self.table.headerItem().setTextAlignment(
                column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            )
        self._lay_out()
        self.choose.clicked.connect(self._ask)
        self.mc.committed.connect(lambda _wanted: self._predict())
        self.passes.committed.connect(lambda _count: self._predict())

    def show_file(self, path: Path) -> None:
        """Asks the run about a file."""
        self._file = path
        self._predict()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Takes files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Asks about the first file that was dropped."""
        files = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            self.show_file(Path(files[0]))

    def _ask(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Predict"), "")
        if chosen:
            self.show_file(Path(chosen))

    def _predict(self) -> None:
        if self._file is None:
            return
        passes = int(self.passes.value()) if self.mc.value() else 0
        self.banner.hide()
        self.progress.begin()
        self._jobs.start(
            "predict", self.tr("Predicting"), predict(self._run, self._file, passes),
            done=self._show, failed=self._fail,
        )  # fmt: skip

    def _show(self, found: tuple[int, Mapping[str, Any]]) -> None:
        samples, result = found
        self.progress.finish()
        self.table.clear()
        name = self._file.name if self._file is not None else ""
        self.words.setText(
            self.tr("{0}: the first of {1} samples").format(name, count(samples)) if samples > 1 else name
        )
        for rows in (result.get("outputs") or {"": result}).values():
            for row in rows.get("top") or ():
                mean = float(row.get("probability", row.get("score", 0.0)))
                self._add(str(row["class"]), mean, row.get("deviation"), "probability" in row)
            for key, value in (rows.get("values") or {}).items():
                self._add(key, float(value), (rows.get("deviations") or {}).get(key), False)
        self.table.setColumnHidden(3, not self.mc.value())
        self.table.show()

    def _add(self, name: str, mean: float, deviation: float | None, has_bar: bool) -> None:
        item = QTreeWidgetItem([name, "", number(mean), "" if deviation is None else f"± {number(deviation)}"])
        for column in (2, 3):
            item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.table.addTopLevelItem(item)
        if has_bar:
            bar = Bar(thickness=8)
            bar.set_share(mean)
            middle = QWidget()  # a cell's widget stands at its top
            box = QVBoxLayout(middle)
            box.setContentsMargins(0, 0, 0, 0)
            box.addWidget(bar, 0, Qt.AlignmentFlag.AlignVCenter)
            self.table.setItemWidget(item, 1, middle)

    def _fail(self, problem: Problem) -> None:
        self.progress.finish()
        self.table.hide()
        self.banner.set_state("error", problem.happened, problem.fix or problem.expected)
        self.banner.show()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.choose)
        top.addStretch()
        top.addWidget(self.mc)
        top.addWidget(self.passes)
        close = Button(self.tr("Close"))
        close.clicked.connect(self.close)
        foot = QHBoxLayout()
        foot.addStretch()
        foot.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(metrics.panel_padding, metrics.panel_padding, metrics.panel_padding, metrics.grid)
        layout.setSpacing(metrics.grid)
        layout.addLayout(top)
        for widget in (self.progress, self.words, self.banner):
            layout.addWidget(widget)
        layout.addWidget(self.table, 1)
        layout.addStretch()
        layout.addLayout(foot)
        self.banner.hide()
        self.table.hide()
        self.table.setColumnWidth(1, 240)
        self.resize(680, 460)
