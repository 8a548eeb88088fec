"""Text in Qt's own spin boxes begins where it does in other fields, and the question about epochs answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QInputDialog, QLineEdit, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from gui import questions
from gui.widgets.spin import align_text
from tests.gui.helpers import answering, write

Show = Callable[..., QWidget]


def _text_start(field: QLineEdit, box: QWidget) -> int:
    """Pixels from the left edge of a box to the cursor before the first letter."""
    field.setCursorPosition(0)
    return field.mapTo(box, field.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle).center()).x()


def test_the_text_of_a_spin_box_begins_where_that_of_a_field_does(shown: Show) -> None:
    field, spin, plain = QLineEdit("12"), QSpinBox(), QSpinBox()
    align_text(spin)
    shown(field, spin, plain)
    wanted = _text_start(field, field)
    assert _text_start(spin.lineEdit(), spin) == pytest.approx(wanted, abs=1)
    assert _text_start(plain.lineEdit(), plain) < wanted - 3, "Qt does it by itself now: the helper can go"


@pytest.mark.parametrize(("agrees", "expected"), [(True, 25), (False, 0)])
def test_the_question_about_epochs_gives_the_number_or_nothing(
    qtbot: QtBot, styled: QApplication, monkeypatch: pytest.MonkeyPatch, agrees: bool, expected: int
) -> None:
    class Info:
        name, epoch, epochs = "a run", 4, 10

    monkeypatch.setattr(questions, "read_info", lambda _run: Info)
    parent = QWidget()
    qtbot.addWidget(parent)

    def answer(box: QWidget) -> None:
        assert isinstance(box, QInputDialog)
        assert (box.intValue(), box.intMinimum()) == (10, 5)
        spin = box.findChild(QSpinBox)
        assert spin.lineEdit().textMargins().left() > 0
        write(spin, "25", enter=False)
        box.accept() if agrees else box.reject()

    with answering(answer):
        assert questions.ask_epochs(parent, Path("run")) == expected
