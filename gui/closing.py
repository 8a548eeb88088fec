"""Closing the window: a running training is stopped and saved, or the window stays. Owns that one question."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QElapsedTimer, QEventLoop, Qt
from PySide6.QtWidgets import QApplication, QMessageBox, QProgressDialog, QWidget

from gui.files import Files
from gui.training import Training

_POLL_MS = 30


def may_close(window: QWidget, training: Training, files: Files) -> bool:
    """True when the training has ended (saved) and the project is saved or given up on purpose."""
    if training.active and not _stop_training(window, training):
        return False
    return files.may_leave()


def _stop_training(window: QWidget, training: Training) -> bool:
    box = QMessageBox(window)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(_tr("A training is running"))
    box.setText(_tr("Stop the training and save it?"))
    box.setInformativeText(_tr("It can be continued later from the list of runs."))
    stop = box.addButton(_tr("Stop and save"), QMessageBox.ButtonRole.AcceptRole)
    box.addButton(_tr("Keep training"), QMessageBox.ButtonRole.RejectRole)
    box.exec()
    if box.clickedButton() is not stop:
        return False
    training.stop()
    return _wait(window, training)


def _wait(window: QWidget, training: Training) -> bool:
    """Keeps the window alive while the last checkpoint is written."""
    dialog = QProgressDialog(_tr("Saving the run…"), "", 0, 0, window)
    dialog.setCancelButton(None)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setMinimumDuration(300)
    timer = QElapsedTimer()
    timer.start()
    while training.active:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, _POLL_MS)
        training.wait(_POLL_MS / 1000)
    # Reset, not only closed: its own timer would show it again over a window that is gone.
    dialog.reset()
    dialog.deleteLater()
    return True


def _tr(text: str) -> str:
    return QCoreApplication.translate("Closing", text)
