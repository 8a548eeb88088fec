"""The demonstration of clipping: a real drag, the arrow keys and the fields move the gradient; numbers follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import atan2, degrees
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.clip_vector import EXAMPLE
from engine.examples import load_example
from gui.dialogs.clip_demo import ClipDialog
from gui.numbers import MINUS
from tests.gui.helpers import LEFT, opened_window, press, write


@pytest.fixture
def dialog(qtbot: QtBot, styled: QApplication) -> Iterator[ClipDialog]:
    made = ClipDialog()
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    made.open()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=5000)
    yield made
    made.close()
    made.deleteLater()


def _row(dialog: ClipDialog, name: str) -> list[str]:
    return [cell.text().replace(MINUS, "-") for cell in dialog.cells[name]]


def _drag(dialog: ClipDialog, start: tuple[float, float], *way: tuple[float, float]) -> None:
    """Presses the left button at a point of the plane, moves through others, lets go at the last."""
    viewport = dialog.plane.viewport()
    places = [dialog.plane.place_of(point).toPoint() for point in (start, *way)]
    QTest.mousePress(viewport, LEFT, Qt.KeyboardModifier.NoModifier, places[0])
    for place in places[1:]:
        QTest.mouseMove(viewport, place)
        QApplication.processEvents()
    QTest.mouseRelease(viewport, LEFT, Qt.KeyboardModifier.NoModifier, places[-1])


def test_it_opens_with_the_textbooks_example_in_numbers_and_words(dialog: ClipDialog) -> None:
    assert dialog.plane.vector == EXAMPLE
    assert _row(dialog, "given") == ["[0.9, 100]", "100", "89.5°"]
    assert _row(dialog, "value") == ["[0.9, 1]", "1.3454", "48.0°"]
    assert _row(dialog, "norm") == ["[0.0089996, 0.99996]", "1", "89.5°"]
    assert "turns by 41.5°" in dialog.words["value"].text()
    assert "direction is kept" in dialog.words["norm"].text()
    assert "41.5°" in dialog.plane.accessibleDescription()


def test_a_drag_moves_the_gradient_and_both_results_follow(dialog: ClipDialog) -> None:
    _drag(dialog, (0.0, 1.0), (0.5, 1.5), (2.0, -1.0))
    x, y = dialog.plane.vector
    frame = dialog.plane.frame()
    pixel = (frame.high - frame.low) / frame.rect.width()
    assert (x, y) == pytest.approx((2.0, -1.0), abs=2 * pixel)
    assert (float(dialog.first.value()), float(dialog.second.value())) == (x, y)
    results = dialog.results()
    assert results["value"].after == (1.0, max(y, -1.0))
    assert results["norm"].turned == pytest.approx(0.0, abs=1e-9)
    assert results["value"].turned == pytest.approx(abs(degrees(atan2(max(y, -1.0), 1.0) - atan2(y, x))), abs=1e-9)
    assert f"turns by {results['value'].turned:.1f}°" in dialog.words["value"].text()
    assert _row(dialog, "given")[2] == f"{degrees(atan2(y, x)):.1f}°"


def test_a_gradient_within_both_limits_is_left_alone(dialog: ClipDialog) -> None:
    _drag(dialog, (0.3, 0.4), (0.3, 0.5))
    assert dialog.results()["value"].after == dialog.results()["norm"].after == dialog.plane.vector
    assert all("nothing is cut" in label.text() for label in dialog.words.values())


def test_the_picture_changes_with_the_drag_and_stays_still_under_it(dialog: ClipDialog) -> None:
    press(dialog.view.segment(1))
    assert dialog.plane.frame().top > 100
    before, picture = dialog.plane.frame(), dialog.plane.grab().toImage()
    viewport = dialog.plane.viewport()
    QTest.mousePress(viewport, LEFT, Qt.KeyboardModifier.NoModifier, dialog.plane.place_of((50.0, 50.0)).toPoint())
    QTest.mouseMove(viewport, dialog.plane.place_of((20.0, 10.0)).toPoint())
    assert dialog.plane.frame() == before
    QTest.mouseRelease(viewport, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(5, 5))
    assert dialog.plane.frame().top < 60
    assert dialog.plane.grab().toImage() != picture


def test_the_keyboard_reaches_and_moves_everything(dialog: ClipDialog, qtbot: QtBot) -> None:
    assert dialog.plane.hasFocus()
    dialog.plane.show_vector((1.0, 1.0), 1.0)
    nudge = dialog.plane._span() / 50
    qtbot.keyClick(dialog.plane, Qt.Key.Key_Right)
    qtbot.keyClick(dialog.plane, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert dialog.plane.vector == pytest.approx((1.0 + nudge, 1.0 - 10 * nudge), abs=0.011)
    assert float(dialog.first.value()) == dialog.plane.vector[0]
    reached = set()
    for _ in range(12):
        focus = QApplication.focusWidget()
        assert focus is not None
        reached.add(focus)
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
    fields = (dialog.first.entry, dialog.second.entry, dialog.limit.entry)
    assert {dialog.plane, *fields, dialog.example, dialog.close_button} <= reached
    dialog.plane.setFocus()
    qtbot.keyClick(dialog.plane, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_numbers_are_typed_and_the_example_comes_back(dialog: ClipDialog) -> None:
    write(dialog.first, "-3")
    write(dialog.second, "4")
    write(dialog.limit, "2.5")
    assert (dialog.plane.vector, dialog.plane.limit) == ((-3.0, 4.0), 2.5)
    assert _row(dialog, "value")[0] == "[-2.5, 2.5]"
    assert _row(dialog, "norm")[:2] == ["[-1.5, 2]", "2.5"]
    assert dialog.plane.frame().top > 2.5
    write(dialog.first, "0")
    write(dialog.second, "0")
    assert _row(dialog, "norm")[:2] == ["[0, 0]", "0"]
    press(dialog.example)
    assert (dialog.plane.vector, dialog.plane.limit) == (EXAMPLE, 1.0)


def test_every_direction_out_of_the_picture_can_be_painted(dialog: ClipDialog) -> None:
    for vector in ((1e6, 0.0), (-1e6, 0.0), (0.0, -1e6), (-5.0, 1e6), (1e-9, 0.0)):
        dialog.plane.show_vector(vector, 1.0)
        dialog._show()
        assert not dialog.grab().isNull()


def test_it_opens_from_the_clip_row_with_the_recipes_limit_and_from_the_help_menu(
    qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = load_example("digits-mlp")
    recipe = project.recipe.with_value("clip", {"type": "norm", "limit": 0.25})
    with opened_window(qtbot, tmp_path, monkeypatch, project=replace(project, recipe=recipe), started=False) as window:
        window.show_dock("recipe")
        button = window.recipe.show_clipping
        window.recipe.ensureWidgetVisible(button)
        QApplication.processEvents()
        press(button)
        first = _opened(qtbot)
        assert first.plane.limit == 0.25
        QTest.mouseClick(first.close_button, LEFT)
        qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)
        window.actions_["show_clipping"].trigger()
        second = _opened(qtbot)
        second.close()
        qtbot.wait(1)
        menu = window.menu_bar._menus["help"]
        assert window.actions_["show_clipping"] in menu.actions()


def _opened(qtbot: QtBot) -> ClipDialog:
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), ClipDialog))
    found = QApplication.activeModalWidget()
    assert isinstance(found, ClipDialog)
    assert found.plane.place_of((0.0, 0.0)) != QPointF()
    return found
