"""F6 takes the keyboard round the regions of the window, and the ring shows where it went."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from gui.window import MainWindow
from gui.workspaces import COMPARE, TRAIN
from tests.gui.helpers import opened_window


@pytest.fixture
def window(qtbot: QtBot, styled: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    with opened_window(qtbot, tmp_path, monkeypatch, started=False) as made:
        made.workspaces.reset()
        linear = next(node for node in made.document.graph.nodes.values() if node.type == "linear")
        made.document.selection.select([("", linear.id)])
        made.activateWindow()
        qtbot.wait(20)
        yield made


def _region(window: MainWindow) -> str:
    now = QApplication.focusWidget()
    assert now is not None
    places: dict[str, QWidget] = {"toolbar": window.toolbar, "centre": window.centre, **window.docks.by_name}
    return next(name for name, part in places.items() if part is now or part.isAncestorOf(now))


def _press(window: MainWindow, back: bool = False) -> str:
    key = Qt.KeyboardModifier.ShiftModifier if back else Qt.KeyboardModifier.NoModifier
    QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_F6, key)
    QApplication.processEvents()
    return _region(window)


def test_f6_goes_round_the_regions_and_shift_f6_goes_back(window: MainWindow) -> None:
    window.go_to(TRAIN)
    QApplication.processEvents()
    window.canvas.setFocus()
    assert [_press(window) for _ in range(6)] == ["inspector", "charts", "toolbar", "palette", "centre", "inspector"]
    assert _press(window, back=True) == "centre"
    assert _press(window, back=True) == "palette"
    assert _press(window, back=True) == "toolbar"


def test_a_closed_region_is_passed_over(window: MainWindow) -> None:
    window.docks.by_name["palette"].hide()
    window.docks.by_name["outline"].hide()
    QApplication.processEvents()
    window.canvas.setFocus()
    assert [_press(window) for _ in range(4)] == ["inspector", "toolbar", "centre", "inspector"]


def test_a_region_gives_the_keyboard_back_to_the_widget_that_had_it(window: MainWindow) -> None:
    field = window.palette_panel.findChild(QLineEdit)
    assert field is not None
    field.setFocus()
    assert _region(window) == "palette"
    rows = [one for one in window.palette_panel.findChildren(QWidget) if one.focusPolicy() & Qt.FocusPolicy.TabFocus]
    last = next(one for one in reversed(rows) if one.isVisible() and one is not field)
    last.setFocus()
    _press(window)
    _press(window, back=True)
    assert QApplication.focusWidget() is last


def test_the_ring_shows_where_the_keyboard_went(window: MainWindow) -> None:
    window.canvas.setFocus()
    while _press(window) != "toolbar":
        pass
    assert window.focus_ring.isVisible()
    assert window.focus_ring.target is QApplication.focusWidget()


def test_the_page_of_compare_is_a_region_too(window: MainWindow) -> None:
    window.go_to(COMPARE)
    QApplication.processEvents()
    seen = {_press(window) for _ in range(4)}
    assert "toolbar" in seen
    assert "palette" not in seen
