"""Takes a model away: which run, in which format, to which file; then what reading it back has shown.

Asks and reports. The work is a job that leaves nothing behind when it fails; the window stays usable meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.formats import FORMATS
from engine.problem import Problem
from gui import settings
from gui.dialogs.export_formats import FormatCards
from gui.dialogs.export_options import ExportChecks
from gui.dialogs.export_report import report_title, report_words
from gui.dialogs.export_source import ExportSource
from gui.document import Document
from gui.jobs import ExportOrder, Jobs, export_model
from gui.style import set_property
from gui.theme import metrics
from gui.whereabouts import places_of, runs_of
from gui.widgets.buttons import Button, tool_button
from gui.widgets.number_field import TextField
from gui.widgets.progress import ProgressLine
from gui.widgets.states import Banner

WIDTH = 680


class ExportDialog(QDialog):
    """Open it with `open()`: it does not block."""

    exported = Signal(object)
    """The `ExportReport` of a file that was written, read back and found to agree."""

    def __init__(self, document: Document, jobs: Jobs, run: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._jobs = document, jobs
        self._busy = False
        self._folder: Path | None = None
        self.setWindowTitle(self.tr("Export"))
        self.setFixedWidth(WIDTH)
        self._make_controls()
        self._lay_out()
        self.source.fill(runs_of(document.path), document.project.name, run)
        self._suggest_path()
        self.finished.connect(self._let_go)

    def _make_controls(self) -> None:
        self.source = ExportSource()
        self.source.changed.connect(self._source_chosen)
        self.formats = FormatCards()
        self.formats.chosen.connect(lambda _name: self._format_chosen())
        self.options = ExportChecks()
        self.path = TextField("", placeholder=self.tr("Where to"))
        self.path.entry.setAccessibleName(self.tr("File"))
        self.path.committed.connect(lambda _text: self._say_existing())
        self.browse = tool_button("folder", self.tr("Choose the file"))
        self.browse.clicked.connect(self._ask_path)
        self.line = ProgressLine()
        self.result = Banner("ok", "", "")
        self.result.hide()
        self.show_folder = Button(self.tr("Show in folder"), icon_name="folder", kind="link")
        self.show_folder.setToolTip(self.tr("Open the folder that holds the file"))
        self.show_folder.clicked.connect(self._show_folder)
        self.show_folder.hide()
        self.close_button = Button(self.tr("Close"))
        self.close_button.setToolTip(self.tr("Close this window; an export under way goes on"))
        self.close_button.clicked.connect(self.close)
        self.export = Button(self.tr("Export"), icon_name="export", kind="primary")
        self.export.setToolTip(self.tr("Write the file, read it back, and compare its answers with the network's"))
        self.export.clicked.connect(self.start)
        self.export.setDefault(True)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(metrics.grid)
        title = QLabel(self.tr("Take the model away"))
        title.setProperty("role", "title")
        words = QLabel(self.tr("Every file is read back and compared before it is given to you."))
        words.setProperty("role", "label")
        column.addWidget(title)
        column.addWidget(words)
        column.addSpacing(metrics.grid)
        column.addLayout(self._row(self.tr("Model"), self.source))
        column.addWidget(self.formats)
        column.addWidget(self.options)
        column.addLayout(self._row(self.tr("File"), self.path, self.browse))
        column.addSpacing(metrics.half)
        column.addWidget(self.line)
        column.addWidget(self.result)
        foot = QHBoxLayout()
        foot.setSpacing(metrics.grid)
        foot.addWidget(self.show_folder)
        foot.addStretch()
        foot.addWidget(self.close_button)
        foot.addWidget(self.export)
        column.addLayout(foot)

    def _row(self, name: str, *fields: QWidget) -> QHBoxLayout:
        label = QLabel(name)
        label.setProperty("role", "label")
        label.setFixedSize(48, metrics.field)
        label.setBuddy(fields[0])
        row = QHBoxLayout()
        row.setSpacing(metrics.grid)
        row.addWidget(label, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(fields[0], 1)
        for beside in fields[1:]:
            row.addWidget(beside, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def start(self) -> None:
        """Exports what is chosen; ignored while an export is under way."""
        # What stands in the field counts, also when Enter was pressed before it was left.
        text = self.path.entry.text().strip()
        if self._busy:
            return
        if not text:
            self.path.set_error(self.tr("Choose where the file goes"))
            return
        path = Path(text).expanduser()
        format = self.formats.current()
        # A bundle without an ending becomes a folder.
        path = path if path.suffix or format == "bundle" else path.with_suffix(FORMATS[format].suffix)
        order = ExportOrder(
            self._document.project, self.source.run, self.source.checkpoint, format, path,
            places_of(self._document.path), self.options.options(),
        )  # fmt: skip
        self._set_busy(True)
        self._jobs.start(
            "export", self.tr("Exporting"), export_model(order),
            done=self._done, failed=self._failed, cancelled=lambda: self._set_busy(False),
        )  # fmt: skip

    def _source_chosen(self) -> None:
        self.formats.set_weights(self.source.run is not None)
        self._show_options()

    def _format_chosen(self) -> None:
        self._show_options()
        self._suggest_path()

    def _show_options(self) -> None:
        computed = self.source.has_computed_kernels(self._document.project)
        self.options.show_for(self.formats.current(), computed_kernels=computed)

    def _suggest_path(self) -> None:
        """The project's name in the folder of the last file, or what a person named, with the ending of the format."""
        suffix = FORMATS[self.formats.current()].suffix
        now = str(self.path.value() or "")
        if now:
            self.path.set_value(str(Path(now).with_suffix(suffix)))
        else:
            folder = settings.last_folder.get() or str(Path.home())
            self.path.set_value(str(Path(folder) / f"{_file_name(self._document.project.name)}{suffix}"))
        self._say_existing()

    def _say_existing(self) -> None:
        path = Path(str(self.path.value() or "")).expanduser()
        self.path.set_error("")
        words = ""
        if path.is_file():
            words = self.tr("This file exists and will be replaced")
        elif self.formats.current() == "bundle":
            words = self.tr("A name without .zip becomes a folder")
        if words:
            self.path.message.setText(words)
            set_property(self.path.message, "role", "warn" if path.is_file() else "hint")
            self.path.message.show()

    def _ask_path(self) -> None:
        ending = f"*{FORMATS[self.formats.current()].suffix}"
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Export to"), str(self.path.value() or ""), ending)
        if path:
            self.path.set_value(path)
            self._say_existing()

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        for widget in (self.source, self.formats, self.options, self.path, self.browse, self.export):
            widget.setEnabled(not busy)
        if busy:
            self.result.hide()
            self.show_folder.hide()
            self.line.begin()
        else:
            self.line.finish()

    def _done(self, report: Any) -> None:
        self._set_busy(False)
        self._folder = Path(report.path).parent
        settings.last_folder.set(str(self._folder))
        self.result.set_state("warn" if report.limits else "ok", report_title(self, report), report_words(self, report))
        self.result.show()
        self.show_folder.show()
        self.adjustSize()
        self.path.set_error("")
        self.exported.emit(report)
        self._let_go()

    def _failed(self, problem: Problem) -> None:
        self._set_busy(False)
        expected = self.tr("Expected: {0}").format(problem.expected) if problem.expected else ""
        self.result.set_state("error", problem.happened, "\n".join(part for part in (expected, problem.fix) if part))
        self.result.show()
        self._let_go()

    def _let_go(self) -> None:
        """Goes away once it is closed and nothing reports to it any more."""
        if not self.isVisible() and not self._busy:
            self.deleteLater()

    def _show_folder(self) -> None:
        if self._folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))


def _file_name(name: str) -> str:
    """A project's name as the name of a Python file, which is how it is imported."""
    plain = "".join(letter if letter.isalnum() else "_" for letter in name).strip("_").lower()
    return plain if plain and not plain[0].isdigit() else f"model_{plain}".rstrip("_")
