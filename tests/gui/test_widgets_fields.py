"""Fields under real keys: what counts as entered, once, and what is said about what cannot be understood."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.widgets.choices import Check, Choice
from gui.widgets.expression import evaluate
from gui.widgets.field import Field
from gui.widgets.number_field import NumberField, SizeField, TextField, plain
from gui.widgets.search_field import SearchField

from .conftest import Show


def typed(qtbot: QtBot, field: Field, text: str) -> list[object]:
    """Replace the field's text by typing; return the list that collects what it commits."""
    heard: list[object] = []
    field.committed.connect(heard.append)
    field.entry.setFocus()
    field.entry.selectAll()
    qtbot.keyClicks(field.entry, text)
    return heard


def test_a_sum_is_explained_while_typed_and_committed_once(shown: Show, qtbot: QtBot) -> None:
    field = NumberField(3, minimum=1, whole=True)
    shown(field)
    heard = typed(qtbot, field, "2*64")
    assert (field.message.text(), heard) == ("= 128 when left", [])
    qtbot.keyClick(field.entry, Qt.Key.Key_Return)
    field.entry.clearFocus()
    assert (heard, field.entry.text(), field.message.isHidden()) == ([128], "128", True)
    assert type(heard[0]) is int


def test_a_value_out_of_bounds_says_so_and_is_not_committed(shown: Show, qtbot: QtBot) -> None:
    field = NumberField(3, minimum=1, whole=True)
    shown(field)
    heard = typed(qtbot, field, "0")
    qtbot.keyClick(field.entry, Qt.Key.Key_Return)
    assert (heard, field.message.text()) == ([], "1 or more")
    assert field.entry.property("invalid") is True
    qtbot.keyClick(field.entry, Qt.Key.Key_Escape)
    assert (field.entry.text(), field.entry.property("invalid"), heard) == ("3", False, [])


@pytest.mark.parametrize(
    ("text", "words"), [("2.5", "A whole number"), ("", "A number is needed"), ("x", "Not a number"), ("99", "1 to 9")]
)
def test_each_mistake_has_its_own_words(styled: QApplication, text: str, words: str) -> None:
    field = NumberField(3, minimum=1, maximum=9, whole=True)
    with pytest.raises(ValueError, match=words):
        field.parse(text)


def test_arrow_keys_step_and_stay_within_bounds(shown: Show, qtbot: QtBot) -> None:
    field = NumberField(9, minimum=1, maximum=10, whole=True)
    shown(field)
    heard = typed(qtbot, field, "9")
    for _ in range(3):
        qtbot.keyClick(field.entry, Qt.Key.Key_Up)
    assert heard == [10]
    qtbot.keyClick(field.entry, Qt.Key.Key_PageDown)
    assert heard == [10, 1]


def test_a_rate_steps_by_a_tenth_of_its_own_size(shown: Show, qtbot: QtBot) -> None:
    field = NumberField(1e-3, minimum=0)
    shown(field)
    field.step(1)
    assert field.value() == pytest.approx(1.1e-3)
    field.set_value(0.25)
    field.step(-1)
    assert field.value() == pytest.approx(0.24)


def test_a_press_on_a_stepper_steps(shown: Show, qtbot: QtBot) -> None:
    field = NumberField(4, whole=True)
    window = shown(field)
    window.resize(200, 60)
    entry = field.entry
    point = entry.rect().topRight()
    point.setX(point.x() - 10)
    point.setY(6)
    qtbot.mouseClick(entry, Qt.MouseButton.LeftButton, pos=point)
    assert field.value() == 5


def test_an_optional_number_may_be_nothing(shown: Show, qtbot: QtBot) -> None:
    field = NumberField(1.5, optional=True)
    shown(field)
    heard = typed(qtbot, field, "7")
    field.entry.selectAll()
    qtbot.keyClick(field.entry, Qt.Key.Key_Delete)
    qtbot.keyClick(field.entry, Qt.Key.Key_Return)
    assert heard == [None]


def test_a_size_is_one_number_or_one_per_side(shown: Show, qtbot: QtBot) -> None:
    field = SizeField(3, minimum=1)
    shown(field)
    heard = typed(qtbot, field, "3x5")
    qtbot.keyClick(field.entry, Qt.Key.Key_Return)
    assert (heard, field.entry.text()) == ([(3, 5)], "3×5")
    assert field.parse("4, 4") == 4
    with pytest.raises(ValueError, match="such as 3×3"):
        field.parse("1×2×3")


def test_text_is_committed_without_blanks_and_only_when_new(shown: Show, qtbot: QtBot) -> None:
    field = TextField("conv1", needed=True)
    shown(field)
    heard = typed(qtbot, field, " conv2 ")
    qtbot.keyClick(field.entry, Qt.Key.Key_Return)
    qtbot.keyClick(field.entry, Qt.Key.Key_Return)
    assert heard == ["conv2"]


def test_code_changing_a_value_commits_nothing(shown: Show, qtbot: QtBot) -> None:
    number, choice, check = NumberField(1), Choice([(1, "one"), (2, "two")], 1), Check("yes")
    shown(number, choice, check)
    heard: list[object] = []
    for widget in (number, choice, check):
        widget.committed.connect(heard.append)
    number.set_value(5)
    choice.set_value(2)
    check.set_value(True)
    assert (heard, number.value(), choice.value(), check.value()) == ([], 5, 2, True)


def test_choosing_by_key_commits_the_value(shown: Show, qtbot: QtBot) -> None:
    choice = Choice([("same", "Same"), ("valid", "Valid")], "same")
    shown(choice)
    heard: list[object] = []
    choice.committed.connect(heard.append)
    qtbot.keyClick(choice, Qt.Key.Key_Down)
    assert heard == ["valid"]


def test_search_moves_in_the_list_and_escape_clears(shown: Show, qtbot: QtBot) -> None:
    field = SearchField("Find a layer", key="/")
    shown(field)
    heard: list[object] = []
    field.searched.connect(heard.append)
    field.moved.connect(heard.append)
    qtbot.keyClicks(field, "co")
    qtbot.keyClick(field, Qt.Key.Key_Down)
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert heard == ["c", "co", 1, ""]


@pytest.mark.parametrize(
    ("text", "value"), [("2*64", 128), ("1,024", 1024), ("1e-3", 1e-3), ("(28−4)//2", 12), ("2^10", 1024), ("007", 7)]
)
def test_arithmetic_is_understood(text: str, value: float) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize("text", ["__import__('os')", "1/0", "a", "9**9**9", "(-1)**.5", "", "1,2", "1e999", "True"])
def test_what_is_not_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        evaluate(text)


@pytest.mark.parametrize("value", [128, 0.1, 1e-4, 2.5e-7, 0.00025, 1e21, -3.5, 0.30000000000000004])
def test_a_number_in_a_field_reads_back_as_the_same_number(value: float) -> None:
    assert evaluate(plain(value)) == value
