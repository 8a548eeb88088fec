"""What the window tells a person: toasts for good news, dialogs for problems, a crash dialog for our own bugs.

Owns the words' frame, never their content: problems bring their own. Any module may emit signals that end here; none
opens a message box of its own.
"""

from __future__ import annotations

import platform
import sys
import traceback
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox, QWidget

from engine.problem import Problem, Severity

_ICONS = {
    Severity.ERROR: QMessageBox.Icon.Critical,
    Severity.WARNING: QMessageBox.Icon.Warning,
    Severity.ADVICE: QMessageBox.Icon.Information,
}


class Notifier(QObject):
    """Shows problems and crashes over one window. `crashed` fires first, so that work is saved before the dialog."""

    crashed = Signal(str)
    _late = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._open = False
        # Faults of other threads arrive here through the event loop: dialogs belong to the window's thread.
        self._late.connect(self._show_crash, Qt.ConnectionType.QueuedConnection)

    def problem(self, problem: Problem) -> None:
        """A dialog with what happened, where, what was expected and how to fix it."""
        box = QMessageBox(self._window)
        box.setIcon(_ICONS[problem.severity])
        box.setWindowTitle(str(problem.where))
        box.setText(problem.happened)
        rows = []
        if problem.expected:
            rows.append(self.tr("Expected: {0}").format(problem.expected))
        if problem.fix:
            rows.append(self.tr("What to do: {0}").format(problem.fix))
        if problem.where.file:
            rows.append(problem.where.file)
        box.setInformativeText("\n".join(rows))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setStandardButtons(QMessageBox.StandardButton.Ok)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def crash(self, report: str) -> None:
        """The crash dialog: says that work is kept and offers the report to copy. One at a time."""
        _say(report)
        self._show_crash(report)

    def crash_later(self, report: str) -> None:
        """`crash` from any thread. Told on the terminal at once: a fault of the start has no event loop."""
        _say(report)
        self._late.emit(report)

    def _show_crash(self, report: str) -> None:
        self.crashed.emit(report)
        if self._open:
            return
        self._open = True
        text = f"{_versions()}\n\n{report}"
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Critical)
        box.setWindowTitle(self.tr("Layerwright made a mistake"))
        box.setText(self.tr("Something went wrong inside Layerwright."))
        box.setInformativeText(
            self.tr("Your work has been written to a recovery file. The report below helps us to mend the fault.")
        )
        box.setDetailedText(text)
        copy = box.addButton(self.tr("Copy report"), QMessageBox.ButtonRole.ActionRole)
        box.addButton(QMessageBox.StandardButton.Close)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.buttonClicked.connect(lambda button: QGuiApplication.clipboard().setText(text) if button is copy else None)
        box.finished.connect(self._closed)
        box.open()

    def _closed(self) -> None:
        self._open = False


def install_hooks(report: Callable[[str], None]) -> None:
    """Sends exceptions that nobody caught, of any thread, to `report`; Ctrl+C still ends the program."""
    import threading

    def hook(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, fault, trace)
            return
        report("".join(traceback.format_exception(kind, fault, trace)))

    def thread_hook(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            hook(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    sys.excepthook = hook
    threading.excepthook = thread_hook


def _say(report: str) -> None:
    if sys.stderr is not None:  # a program of Windows without a console has none
        sys.stderr.write(report)


def _versions() -> str:
    from importlib.metadata import PackageNotFoundError, version

    rows = [f"Python {platform.python_version()}, {platform.platform()}, Qt {qVersion()}"]
    for package in ("layerwright", "torch", "PySide6-Essentials", "pyqtgraph"):
        try:
            rows.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return "\n".join(rows)
