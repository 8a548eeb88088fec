"""Search to add: how it opens, what it offers, that the chosen layer is added and wired in one step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.analysis import Analysis, NodeFacts
from engine.project import Project
from engine.tensor import TensorInfo
from gui.canvas.search_box import SearchBox
from gui.canvas.search_model import offers

from .canvas_world import CHAIN, World, chain, make_world


@pytest.fixture
def world(styled: QApplication) -> Iterator[World]:
    yield from make_world(chain(*CHAIN))


def opened(world: World) -> SearchBox:
    box = world.view.search
    assert box is not None, "the search is not open"
    return box


def titles(box: SearchBox) -> list[str]:
    return [offer.declaration.title for offer in box.rows.offers]


def test_a_double_click_on_empty_canvas_adds_the_found_layer_there(world: World) -> None:
    place = world.at(QPointF(320, 260))
    world.double_click(place)
    QTest.keyClicks(opened(world).field, "gelu")
    QTest.keyClick(opened(world).field, Qt.Key.Key_Return)
    assert world.view.search is None
    assert world.selected() == {"gelu"}
    assert world.box("gelu").rect.contains(QPointF(330, 260))
    world.document.undo()
    assert "gelu" not in world.names()


def test_space_opens_the_search_and_escape_closes_it(world: World) -> None:
    world.key_press(Qt.Key.Key_Space)
    field = opened(world).field
    project = world.document.project
    QTest.keyClicks(field, "lin")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert world.view.search is None
    assert world.document.project is project


def test_a_released_wire_asks_what_to_add_and_wires_it(world: World) -> None:
    world.tell_shapes(first=(100,))
    world.drag(world.out("first"), world.at(QPointF(640, 220)))
    box = opened(world)
    assert box.request.source is not None
    QTest.keyClicks(box.field, "linear 7")
    QTest.keyClick(box.field, Qt.Key.Key_Return)
    assert ("first", "linear") in world.wires()
    assert world.graph.nodes[world.key("linear")[1]].params == {"units": 7}
    world.document.undo()
    assert "linear" not in world.names()


def test_a_wire_released_backwards_feeds_the_port_it_came_from(world: World) -> None:
    world.add("add", "sum", 700, 200)
    world.drag(world.into("sum"), world.at(QPointF(560, 300)))
    box = opened(world)
    assert box.request.target is not None
    QTest.keyClicks(box.field, "linear")
    QTest.keyClick(box.field, Qt.Key.Key_Return)
    assert ("linear", "sum") in world.wires()


def test_a_double_click_on_a_wire_puts_the_found_layer_into_it(world: World) -> None:
    world.double_click(world.between("first", "act"))
    QTest.keyClicks(opened(world).field, "dropout")
    QTest.keyClick(opened(world).field, Qt.Key.Key_Return)
    assert {("first", "dropout"), ("dropout", "act")} <= world.wires()


def test_what_does_not_fit_stands_last_and_says_why(world: World) -> None:
    found = offers("conv", TensorInfo((3, 32, 32)), nested=False)
    fits = [offer.fits for offer in found]
    assert fits == sorted(fits, reverse=True)
    reasons = {offer.declaration.type: offer.reason for offer in found if not offer.fits}
    assert "needs a signal" in reasons["conv1d"]


def test_numbers_behind_the_name_become_settings_in_order(world: World) -> None:
    offer = next(one for one in offers("conv 64 5", None, nested=False) if one.declaration.type == "conv2d")
    assert offer.params == {"filters": 64, "kernel": 5}
    assert "64" in offer.detail


def test_absurd_numbers_are_left_out_instead_of_breaking_the_list(world: World) -> None:
    for text in ("conv 0", "linear -3", "linear 1e400", "conv nan", "linear 99999999999999"):
        assert all("-3" not in offer.detail for offer in offers(text, None, nested=False))


def test_tab_goes_from_number_to_number(world: World) -> None:
    world.key_press(Qt.Key.Key_Space)
    field = opened(world).field
    QTest.keyClicks(field, "conv 64 3")
    for wanted in ("64", "3", "64"):
        QTest.keyClick(field, Qt.Key.Key_Tab)
        assert field.selectedText() == wanted


def test_arrows_and_the_mouse_choose_a_row(world: World) -> None:
    world.double_click(world.at(QPointF(320, 260)))
    box = opened(world)
    QTest.keyClicks(box.field, "pool")
    QTest.keyClick(box.field, Qt.Key.Key_Down)
    assert box.rows.current == 1
    wanted = box.rows.offers[2].declaration.type
    QTest.mouseClick(box.rows, Qt.MouseButton.LeftButton, pos=QPoint(60, 2 * 44 + 10))
    assert {node.type for node in world.graph.nodes.values()} >= {wanted}


def test_only_seven_rows_are_seen_and_the_keys_scroll_to_the_others(world: World) -> None:
    world.double_click(world.at(QPointF(320, 260)))
    rows = opened(world).rows
    assert rows.height() == 7 * 44
    assert len(rows.offers) > 20
    for _ in range(9):
        QTest.keyClick(opened(world).field, Qt.Key.Key_Down)
    assert 9 in rows.seen()


def test_resulting_shapes_come_from_whoever_checks(world: World) -> None:
    class Checks:
        def preview(self, projects: Sequence[Project], done: Callable[[Sequence[Analysis]], None]) -> None:
            made = []
            for project in projects:
                new = next(node for node in project.graph.nodes if node not in world.graph.nodes)
                made.append(Analysis(nodes={("", new): NodeFacts(outputs={"out": TensorInfo((64, 30, 30))})}))
            done(made)

    world.view.previewer = Checks()
    world.double_click(world.at(QPointF(320, 260)))
    QTest.keyClicks(opened(world).field, "conv 64")
    assert opened(world).rows.offers[0].shape == "64×30×30"
