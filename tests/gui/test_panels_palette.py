"""The palette with a real mouse and keys: searching, adding, folding, and the beginning of a drag."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTreeWidgetItem, QWidget
from pytestqt.qtbot import QtBot

from gui.families import families
from gui.panels.palette import PalettePanel

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def palette(shown: Callable[..., QWidget]) -> PalettePanel:
    panel = PalettePanel()
    shown(panel).resize(240, 700)
    return panel


def rows(palette: PalettePanel) -> list[QTreeWidgetItem]:
    found = []
    item = palette.tree.topLevelItem(0)
    while item is not None:
        found.append(item)
        item = palette.tree.itemBelow(item)
    return found


def row(palette: PalettePanel, text: str) -> QPoint:
    item = next(item for item in rows(palette) if item.text(0) == text)
    palette.tree.scrollToItem(item)
    return palette.tree.visualItemRect(item).center()


def titles(palette: PalettePanel) -> list[str]:
    return [item.text(0) for item in rows(palette) if not item.childCount()]


def test_every_family_of_the_catalogue_has_its_row(palette: PalettePanel) -> None:
    heads = [palette.tree.topLevelItem(index) for index in range(palette.tree.topLevelItemCount())]
    assert len(heads) == len(families())


@pytest.mark.parametrize(
    ("words", "title"),
    [("nn.Linear", "Linear"), ("BatchNorm2d", "Batch Norm 2D"), ("Dense", "Linear"), ("relu", "ReLU")],
)
def test_a_layer_is_found_by_the_name_it_has_in_torch_or_keras(palette: PalettePanel, words: str, title: str) -> None:
    QTest.keyClicks(palette.search, words)
    assert title in titles(palette)
    assert len(titles(palette)) < 12


def test_enter_adds_the_layer_that_was_found(palette: PalettePanel, qtbot: QtBot) -> None:
    QTest.keyClicks(palette.search, "dropout2d")
    with qtbot.waitSignal(palette.add_requested, timeout=1000) as heard:
        QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert heard.args == ["dropout2d"]


def test_arrow_keys_walk_past_families_to_the_next_layer(palette: PalettePanel, qtbot: QtBot) -> None:
    QTest.keyClicks(palette.search, "dropout")
    first = palette.tree.currentItem().text(0)
    QTest.keyClick(palette.search, Qt.Key.Key_Down)
    second = palette.tree.currentItem()
    assert second is not None
    assert second.text(0) != first
    assert not second.childCount()


def test_nothing_found_leaves_nothing_to_add(palette: PalettePanel, qtbot: QtBot) -> None:
    QTest.keyClicks(palette.search, "zzzz")
    with qtbot.assertNotEmitted(palette.add_requested):
        QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert not titles(palette)


def test_escape_brings_all_layers_back(palette: PalettePanel) -> None:
    before = titles(palette)
    QTest.keyClicks(palette.search, "dropout")
    assert titles(palette) != before
    QTest.keyClick(palette.search, Qt.Key.Key_Escape)
    assert [item.text(0) for item in rows(palette) if item.childCount()]
    assert set(before) <= set(titles(palette))


def test_more_shows_the_rest_of_a_family(palette: PalettePanel) -> None:
    num_hidden = len(families()["activation"]) - 3
    QTest.mouseClick(palette.tree.viewport(), LEFT, pos=row(palette, f"{num_hidden} more"))
    assert {layer.title for layer in families()["activation"]} <= set(titles(palette))


def test_a_press_folds_a_family_and_opens_it_again(palette: PalettePanel) -> None:
    assert "Conv 2D" in titles(palette)
    QTest.mouseClick(palette.tree.viewport(), LEFT, pos=row(palette, "Convolution"))
    assert "Conv 2D" not in titles(palette)
    QTest.mouseClick(palette.tree.viewport(), LEFT, pos=row(palette, "Convolution"))
    assert "Conv 2D" in titles(palette)


def test_a_double_click_adds_a_layer(palette: PalettePanel, qtbot: QtBot) -> None:
    place = row(palette, "Conv 2D")
    with qtbot.waitSignal(palette.add_requested, timeout=1000) as heard:
        QTest.mouseClick(palette.tree.viewport(), LEFT, pos=place)
        QTest.mouseDClick(palette.tree.viewport(), LEFT, pos=place)
    assert heard.args == ["conv2d"]


def test_dragging_a_layer_says_which_and_where(palette: PalettePanel, qtbot: QtBot) -> None:
    place = row(palette, "Conv 2D")
    view = palette.tree.viewport()
    with qtbot.waitSignal(palette.drag_started, timeout=1000) as heard:
        QTest.mousePress(view, LEFT, pos=place)
        QTest.mouseMove(view, place + QPoint(40, 4))
        QTest.mouseMove(view, place + QPoint(60, 8))
    QTest.mouseRelease(view, LEFT, pos=place + QPoint(60, 8))
    assert heard.args[0] == "conv2d"


def test_a_family_cannot_be_dragged(palette: PalettePanel, qtbot: QtBot) -> None:
    place = row(palette, "Convolution")
    view = palette.tree.viewport()
    with qtbot.assertNotEmitted(palette.drag_started):
        QTest.mousePress(view, LEFT, pos=place)
        QTest.mouseMove(view, place + QPoint(60, 8))
        QTest.mouseRelease(view, LEFT, pos=place + QPoint(60, 8))
