"""New, open, save and close: the questions asked before anything could be lost. Owns dialogs and recent files."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from engine.examples import chapter_names, example_names, load_example
from engine.problem import ProblemError, Where, error
from engine.project import Project
from engine.runs import is_run
from engine.weightkinds import SUFFIXES
from gui import recovery, settings
from gui.document import Document

SUFFIX = ".lwr"


class Files(QObject):
    """Moves projects between the document and the disk."""

    problem = Signal(object)
    run_opened = Signal(object)
    """The `Path` of a run folder that was dropped or opened."""
    data_dropped = Signal(object)
    """A `Path` of a file or folder that could be data."""
    network_dropped = Signal(object)
    """A `Path` of an ONNX file."""
    weights_dropped = Signal(object)
    """A `Path` of a file of weights."""

    def __init__(self, document: Document, window: QWidget) -> None:
        super().__init__(window)
        self._document, self._window = document, window

    def new(self) -> None:
        """An empty project, after asking about unsaved changes."""
        if self.may_leave():
            self._document.adopt(Project())

    def open_example(self, name: str) -> None:
        """A built-in project; it has no file until it is saved."""
        if self.may_leave():
            try:
                self._document.adopt(load_example(name))
            except ProblemError as fault:
                self.problem.emit(fault.problem)

    def examples(self) -> list[str]:
        """Names of the built-in projects."""
        return example_names()

    def experiments(self) -> list[str]:
        """Names of the experiments of the textbook chapter."""
        return chapter_names()

    def ask_open(self) -> None:
        """A file dialog, then `open`."""
        path, _ = QFileDialog.getOpenFileName(
            self._window,
            self.tr("Open a project"),
            self._folder(),
            self.tr("Layerwright projects (*.lwr);;All files (*)"),
        )
        if path:
            self.open(Path(path))

    def open(self, path: Path) -> bool:
        """Opens a project file or a run folder, after asking about unsaved changes; False when it stays as it was."""
        if path.is_dir() and is_run(path):
            self.run_opened.emit(path)
            return True
        if path.is_dir() or path.suffix.lower() in (".csv", ".npz"):
            self.data_dropped.emit(path)
            return True
        if path.suffix.lower() == ".onnx":
            self.network_dropped.emit(path)
            return True
        if path.suffix.lower() in SUFFIXES:
            self.weights_dropped.emit(path)
            return True
        if not self.may_leave():
            return False
        try:
            self._document.open(path)
        except ProblemError as fault:
            self.problem.emit(fault.problem)
            return False
        self._remember(path)
        for found in self._document.load_problems:
            self.problem.emit(found)
        return True

    def save(self) -> bool:
        """Saves to the project's file, or asks for one; False when it was not saved."""
        if self._document.path is None or self._document.read_only:
            return self.save_as()
        return self._write(self._document.path)

    def save_as(self) -> bool:
        """Asks for a file and saves there."""
        own = self._document.path
        if own is not None and self._document.read_only:
            own = own.with_name(self.tr("{0} copy").format(own.stem) + own.suffix)
        wanted = str(own or Path(self._folder()) / (self._document.project.name + SUFFIX))
        path, _ = QFileDialog.getSaveFileName(
            self._window, self.tr("Save the project"), wanted, self.tr("Layerwright projects (*.lwr)")
        )
        if not path:
            return False
        target = Path(path)
        if self._document.read_only and target == self._document.path:
            happened = self.tr("{0} was written by a newer version and stays as it is.").format(target.name)
            expected, fix = self.tr("Another file"), self.tr("Save it under another name")
            self.problem.emit(error(Where(label=target.name, file=str(target)), happened, expected, fix))
            return False
        return self._write(target if target.suffix else target.with_suffix(SUFFIX))

    def may_leave(self) -> bool:
        """Asks what to do with unsaved changes; True when the project may be closed."""
        if not self._document.dirty:
            return True
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Unsaved changes"))
        box.setText(self.tr("Save the changes to {0}?").format(self._document.project.name))
        box.setInformativeText(self.tr("They are lost otherwise."))
        box.setStandardButtons(
            QMessageBox.StandardButton.Save | QMessageBox.StandardButton.Discard | QMessageBox.StandardButton.Cancel
        )
        box.setDefaultButton(QMessageBox.StandardButton.Save)
        answer = box.exec()
        if answer == QMessageBox.StandardButton.Save:
            return self.save()
        return answer == QMessageBox.StandardButton.Discard

    def offer_recovery(self) -> None:
        """After a crash: offers the work that was kept, newest first; what is declined is removed."""
        for found in recovery.find():
            box = QMessageBox(self._window)
            box.setIcon(QMessageBox.Icon.Question)
            box.setWindowTitle(self.tr("Recovered work"))
            box.setText(self.tr("Layerwright ended without saving {0}.").format(found.project.name))
            box.setInformativeText(self.tr("The changes were kept. Open them?"))
            keep = box.addButton(self.tr("Open"), QMessageBox.ButtonRole.AcceptRole)
            box.addButton(self.tr("Throw away"), QMessageBox.ButtonRole.DestructiveRole)
            box.exec()
            if box.clickedButton() is keep:
                self._document.adopt(found.project, found.path, saved=False)
                recovery.discard(found.file)
                return
            recovery.discard(found.file)

    def _write(self, path: Path) -> bool:
        try:
            self._document.save(path)
        except ProblemError as fault:
            self.problem.emit(fault.problem)
            return False
        self._remember(path)
        return True

    def _remember(self, path: Path) -> None:
        settings.add_recent(str(path))
        settings.last_folder.set(str(path.parent))

    def _folder(self) -> str:
        return settings.last_folder.get() or str(Path.home())
