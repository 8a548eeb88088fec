"""Small questions with one answer: may this be fetched, how many epochs more."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QInputDialog, QMessageBox, QWidget

from engine.runfiles import read_info
from gui.numbers import bytes_text
from gui.widgets.spin import align_text


def ask_download(parent: QWidget, words: str, size: int | None, folder: str) -> bool:
    """Asks before anything is fetched from the network: what, how much, and where it goes."""
    amount = f" ({bytes_text(size)})" if size else ""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(_tr("Data is not here yet"))
    box.setText(_tr("Fetch {0}?").format(words + amount))
    box.setInformativeText(_tr("It goes to {0}.").format(folder))
    fetch = box.addButton(_tr("Fetch"), QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    return box.clickedButton() is fetch


def ask_epochs(parent: QWidget, run: Path) -> int:
    """Asks how many epochs a run should have in all; 0 when the person changed their mind."""
    info = read_info(run)
    done, planned = info.epoch, info.epochs
    wanted = planned if done < planned else done + max(1, planned)
    box = QInputDialog(parent)
    box.setInputMode(QInputDialog.InputMode.IntInput)
    box.setWindowTitle(_tr("Continue {0}").format(info.name))
    box.setLabelText(_tr("{0} of {1} epochs are done. Train until epoch:").format(done, planned))
    box.setIntRange(done + 1, 100_000)
    box.setIntValue(wanted)
    align_text(box)
    agreed = box.exec() == QInputDialog.DialogCode.Accepted
    answer = box.intValue()
    box.deleteLater()
    return answer if agreed else 0


def _tr(text: str) -> str:
    return QCoreApplication.translate("Questions", text)
