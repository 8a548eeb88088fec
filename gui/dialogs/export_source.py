"""What is exported: a run of this project with the weights of a checkpoint, or the code of the network alone."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from engine.baking import reparametrized_layers
from engine.problem import ProblemError
from engine.project import Project
from engine.projectfile import read_project
from engine.runfiles import PROJECT, RunInfo, checkpoint_names, read_info
from engine.runs import list_runs
from gui.numbers import percent
from gui.theme import metrics
from gui.widgets.choices import Choice


class ExportSource(QWidget):
    """A list of runs, newest first, and the checkpoints of the one that is chosen."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs = Choice()
        self.runs.setAccessibleName(self.tr("What to export"))
        self.runs.setToolTip(self.tr("A run of this project with its weights, or the code of the network alone"))
        self.runs.committed.connect(lambda _run: self._chosen())
        self.checkpoints = Choice()
        self.checkpoints.setAccessibleName(self.tr("Checkpoint"))
        self.checkpoints.setToolTip(self.tr("Which weights: the last, the best, or those that were saved by a name"))
        self.checkpoints.setMinimumWidth(120)
        self.setFocusProxy(self.runs)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(metrics.grid)
        row.addWidget(self.runs, 1)
        row.addWidget(self.checkpoints)

    def fill(self, folder: Path, project: str, wanted: Path | None) -> None:
        """Offers the runs of a folder that have weights: those of the project, or all where it has none."""
        infos = {info.path: info for info in list_runs(folder) if checkpoint_names(info.path)}
        offered = {path: info for path, info in infos.items() if info.project == project} or infos
        if wanted is not None and wanted not in offered and checkpoint_names(wanted):
            try:
                offered = {wanted: read_info(wanted), **offered}
            except ProblemError:
                wanted = None
        for path, info in offered.items():
            self.runs.add_option(path, self._words(info), tip=str(path))
        self.runs.add_option(None, self.tr("The code only, without weights"))
        # The newest run, unless another one was asked for.
        first = wanted if wanted in offered else next(iter(offered), None)
        self.runs.setCurrentIndex([*offered, None].index(first))
        self._chosen()

    @property
    def run(self) -> Path | None:
        """The chosen run; None for the code only."""
        found: Path | None = self.runs.value()
        return found

    @property
    def checkpoint(self) -> str:
        """The name of the chosen checkpoint; "" without a run."""
        return str(self.checkpoints.value() or "") if self.run is not None else ""

    def has_computed_kernels(self, project: Project) -> bool:
        """Whether weight norm or spectral norm is in what is exported: the run's own network, or the project's."""
        if self.run is not None:
            try:
                project = read_project(self.run / PROJECT).project
            except (ProblemError, OSError):  # the export itself tells what is wrong with the run
                return False
        return bool(reparametrized_layers(project.graph))

    def _chosen(self) -> None:
        there = checkpoint_names(self.run) if self.run is not None else []
        self.checkpoints.set_options([(name, name) for name in there])
        self.checkpoints.setEnabled(bool(there))
        if self.run is not None and there:
            self.checkpoints.set_value(_result(self.run, there))
        self.changed.emit()

    def _words(self, info: RunInfo) -> str:
        accuracy = info.best.get("val_accuracy", info.final.get("val_accuracy"))
        parts = [info.name, percent(accuracy) if isinstance(accuracy, float) else ""]
        parts.append(self.tr("1 epoch") if info.epoch == 1 else self.tr("{0} epochs").format(info.epoch))
        return ", ".join(part for part in parts if part)


def _result(run: Path, there: list[str]) -> str:
    try:
        result = read_info(run).result
    except ProblemError:
        return there[0]
    return result if result in there else there[0]
