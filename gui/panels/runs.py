"""The runs: what was trained, how it went; to rename, annotate, delete, open, compare and continue.

Reads run folders in a scan; writes only names and notes. Knows nothing of a training beyond its folder.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QInputDialog,
    QMenu,
    QMessageBox,
    QStackedLayout,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from engine.problem import ProblemError
from engine.runfiles import RunInfo
from engine.runs import annotate_run, delete_run, list_runs, rename_run
from gui.icons import icon
from gui.numbers import duration, number
from gui.theme import metrics
from gui.widgets.search_field import SearchField
from gui.widgets.states import EmptyState

_NARROW = 420
_NAME_WIDTH = 260
_PATH = Qt.ItemDataRole.UserRole
_STATUS = {
    "running": ("play", "ok"), "completed": ("check", "ok"), "early_stopped": ("check", "ok"),
    "stopped": ("stop", "text2"), "interrupted": ("warning", "warn"), "failed": ("error", "error"),
}  # fmt: skip
NAME, STATUS, EPOCHS, VALIDATION, ACCURACY, TIME, CREATED, NOTE = range(8)


class RunsPanel(QWidget):
    """A table of runs, newest first. Ticked runs lie over the open one in the charts."""

    opened = Signal(object)
    overlaid = Signal(object)
    """The ticked runs, as a list of `RunInfo`."""
    project_requested = Signal(object)
    continue_requested = Signal(object)
    export_requested = Signal(object)
    evaluate_requested = Signal(object)
    compress_requested = Signal(object)
    predict_requested = Signal(object)
    problem = Signal(object)
    count_changed = Signal(int)
    listed = Signal(object)
    """The runs of the folder, as a list of `RunInfo`, after every scan."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder: Path | None = None
        self._live: Path | None = None
        self._filling = False
        self._infos: dict[Path, RunInfo] = {}
        self.search = SearchField(self.tr("Find by name or note"))
        self.search.setMaximumWidth(320)
        self.table = _Table()
        self.table.setHeaderLabels(
            [
                self.tr("Run"), self.tr("Status"), self.tr("Epochs"), self.tr("Validation loss"), self.tr("Accuracy"),
                self.tr("Time"), self.tr("Started"), self.tr("Note"),
            ]
        )  # fmt: skip
        empty = EmptyState("runs", self.tr("No runs yet"), self.tr("Train a network and its run is kept here."))
        holder = QWidget()
        inside = QVBoxLayout(holder)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(metrics.half)
        inside.addWidget(self.search)
        inside.addWidget(self.table)
        self._stack = QStackedLayout()
        self._stack.addWidget(holder)
        framed = QWidget()
        room = QVBoxLayout(framed)
        room.setContentsMargins(0, 0, 0, 0)
        room.addWidget(empty)
        room.addStretch()
        self._stack.addWidget(framed)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(metrics.control_padding, metrics.grid, metrics.control_padding, 0)
        outer.addLayout(self._stack)
        self.search.searched.connect(lambda _text: self._fill())
        self.table.itemChanged.connect(self._changed)
        self.table.itemActivated.connect(lambda item, _column: self.opened.emit(item.data(NAME, _PATH)))
        self.table.customContextMenuRequested.connect(self._menu)
        self.table.key_pressed.connect(self._key)

    def set_folder(self, folder: Path) -> None:
        """Shows the runs of a folder."""
        self._folder = folder
        self.refresh()

    def set_live(self, run: Path | None) -> None:
        """Marks the run that is being trained in this window."""
        self._live = run
        self.refresh()

    def refresh(self) -> None:
        """Scans the folder again."""
        if self._folder is None:
            return
        try:
            found = list_runs(self._folder)
        except (OSError, ProblemError):
            found = []
        self._infos = {info.path: info for info in found}
        self._fill()
        self.count_changed.emit(len(found))
        self.listed.emit(found)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow column (beside the page that compares) shows names only; their tips say the rest."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW
        for column in range(NAME + 1, NOTE + 1):
            self.table.setColumnHidden(column, narrow)
        header = self.table.header()
        header.setStretchLastSection(not narrow)
        mode = QHeaderView.ResizeMode.Stretch if narrow else QHeaderView.ResizeMode.Interactive
        if header.sectionResizeMode(NAME) != mode:
            header.setSectionResizeMode(NAME, mode)
            if not narrow:
                header.resizeSection(NAME, _NAME_WIDTH)

    def ticked(self) -> list[RunInfo]:
        """The runs to be compared, in order of the table."""
        items = (self.table.topLevelItem(row) for row in range(self.table.topLevelItemCount()))
        chosen = [item.data(NAME, _PATH) for item in items if item and item.checkState(NAME) == Qt.CheckState.Checked]
        return [self._infos[path] for path in chosen if path in self._infos]

    def clear_overlay(self) -> None:
        """Unticks every run."""
        for row in range(self.table.topLevelItemCount()):
            item = self.table.topLevelItem(row)
            if item:
                item.setCheckState(NAME, Qt.CheckState.Unchecked)

    def _fill(self) -> None:
        ticked = {info.path for info in self.ticked()}
        current = self.table.currentItem()
        chosen = current.data(NAME, _PATH) if current else None
        words = self.search.text().lower().split()
        self._filling = True
        self.table.clear()
        for info in sorted(self._infos.values(), key=lambda info: -info.created):
            if all(word in f"{info.name} {info.note} {info.project}".lower() for word in words):
                item = self._item(info, info.path in ticked)
                self.table.addTopLevelItem(item)
                if info.path == chosen:
                    self.table.setCurrentItem(item)
        self._filling = False
        self._stack.setCurrentIndex(0 if self._infos else 1)

    def _item(self, info: RunInfo, ticked: bool) -> QTreeWidgetItem:
        status = "running" if info.path == self._live else info.status
        accuracy = info.best.get("val_accuracy", info.final.get("val_accuracy"))
        loss = info.best.get("val_loss", info.final.get("val_loss"))
        item = QTreeWidgetItem(
            [
                info.name,
                self.tr(status.replace("_", " ")),
                f"{info.epoch} / {info.epochs}",
                number(loss) if isinstance(loss, float) else "",
                f"{number(accuracy * 100)} %" if isinstance(accuracy, float) else "",
                duration(info.seconds) if info.seconds else "",
                datetime.fromtimestamp(info.created).strftime("%Y-%m-%d %H:%M") if info.created else "",
                info.note,
            ]
        )
        item.setData(NAME, _PATH, info.path)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEditable)
        item.setCheckState(NAME, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        item.setIcon(STATUS, icon(*_STATUS.get(status, ("info", "text2"))))
        for column in (EPOCHS, VALIDATION, ACCURACY, TIME):
            item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        tip = [info.name, info.note, str(info.path), f"{info.device}, {self.tr('seed')} {info.seed}"]
        if info.problem:
            tip.append(str(info.problem.get("happened", "")))
        item.setToolTip(NAME, "\n".join(part for part in tip if part))
        return item

    def _changed(self, item: QTreeWidgetItem, column: int) -> None:
        if self._filling:
            return
        info = self._infos.get(item.data(NAME, _PATH))
        if info is None:
            return
        try:
            if column == NAME and item.text(NAME).strip() not in ("", info.name):
                rename_run(info.path, item.text(NAME).strip())
            elif column == NOTE and item.text(NOTE) != info.note:
                annotate_run(info.path, item.text(NOTE))
            elif column == NAME and item.text(NAME) == info.name:
                self.overlaid.emit(self.ticked())
                return
        except ProblemError as fault:
            self.problem.emit(fault.problem)
        # Later: the table still writes this very item, and must not find it gone.
        QTimer.singleShot(0, self, self.refresh)

    def _menu(self, point: QPoint) -> None:
        item = self.table.itemAt(point)
        if item is None:
            return
        path: Path = item.data(NAME, _PATH)
        menu = QMenu(self)
        menu.addAction(icon("charts"), self.tr("Show its curves"), lambda: self.opened.emit(path))
        menu.addAction(icon("continue"), self.tr("Continue…"), lambda: self.continue_requested.emit(path))
        menu.addAction(icon("open"), self.tr("Open its project"), lambda: self.project_requested.emit(path))
        menu.addAction(icon("target"), self.tr("Evaluate…"), lambda: self.evaluate_requested.emit(path))
        menu.addAction(icon("sample"), self.tr("Predict…"), lambda: self.predict_requested.emit(path))
        menu.addAction(icon("collapse"), self.tr("Compress…"), lambda: self.compress_requested.emit(path))
        menu.addAction(icon("export"), self.tr("Export…"), lambda: self.export_requested.emit(path))
        menu.addSeparator()
        menu.addAction(icon("pencil"), self.tr("Rename"), lambda: self.table.editItem(item, NAME))
        menu.addAction(icon("note"), self.tr("Note…"), lambda: self._ask_note(path))
        menu.addAction(
            icon("folder"), self.tr("Open its folder"),
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))),
        )  # fmt: skip
        menu.addSeparator()
        delete = menu.addAction(icon("remove"), self.tr("Delete…"), lambda: self.ask_delete([path]))
        delete.setEnabled(path != self._live)
        menu.popup(self.table.viewport().mapToGlobal(point))

    def _ask_note(self, path: Path) -> None:
        note, agreed = QInputDialog.getText(
            self, self.tr("Note"), self.tr("Words about this run:"), text=self._infos[path].note
        )
        if agreed:
            annotate_run(path, note)
            self.refresh()

    def ask_delete(self, paths: list[Path]) -> None:
        """Asks, then removes run folders for good."""
        names = ", ".join(self._infos[path].name for path in paths if path in self._infos)
        answer = QMessageBox.question(
            self, self.tr("Delete for good?"), self.tr("Delete {0} with its weights and curves?").format(names)
        )
        if answer != QMessageBox.StandardButton.Yes:
            return
        for path in paths:
            try:
                delete_run(path)
            except ProblemError as fault:
                self.problem.emit(fault.problem)
        self.refresh()
        self.overlaid.emit(self.ticked())

    def _key(self, key: int) -> None:
        paths = [item.data(NAME, _PATH) for item in self.table.selectedItems()]
        paths = [path for path in paths if path != self._live]
        if key == Qt.Key.Key_Delete and paths:
            self.ask_delete(paths)
        elif key == Qt.Key.Key_F2 and self.table.currentItem():
            self.table.editItem(self.table.currentItem(), NAME)


class _Table(QTreeWidget):
    key_pressed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.ensurePolished()
        self.setColumnCount(8)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header = self.header()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setStretchLastSection(True)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Interactive)
        for column, width in (
            (NAME, _NAME_WIDTH),
            (STATUS, 110),
            (EPOCHS, 80),
            (VALIDATION, 110),
            (ACCURACY, 90),
            (TIME, 90),
        ):
            header.resizeSection(column, width)
        header.resizeSection(CREATED, 130)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete and F2 belong to the panel."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_F2):
            self.key_pressed.emit(event.key())
        else:
            super().keyPressEvent(event)
