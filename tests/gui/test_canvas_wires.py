"""Drawing, taking and dropping wires with a real mouse, and what is offered while a wire is drawn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from .canvas_world import CHAIN, LEFT, NONE, World, chain, make_world


@pytest.fixture
def world(styled: QApplication) -> Iterator[World]:
    yield from make_world(chain(*CHAIN, wired=False))


@pytest.fixture
def wired(styled: QApplication) -> Iterator[World]:
    yield from make_world(chain(*CHAIN))


def test_a_drag_from_output_to_input_connects_and_undo_disconnects(world: World) -> None:
    world.drag(world.out("images"), world.into("flat"))
    assert world.wires() == {("images", "flat")}
    assert world.document.undo_label == "Connect"
    world.document.undo()
    assert world.wires() == set()


def test_a_wire_can_be_drawn_backwards_from_an_input(world: World) -> None:
    world.drag(world.into("act"), world.out("first"))
    assert world.wires() == {("first", "act")}


def test_a_release_on_the_body_connects_to_the_first_free_port(world: World) -> None:
    world.add("add", "sum", 400, 160)
    world.drag(world.out("images"), world.middle("sum"))
    world.drag(world.out("flat"), world.middle("sum"))
    assert [(edge.input, edge.slot) for edge in world.graph.incoming(world.key("sum")[1])] == [("xs", 0), ("xs", 1)]
    assert world.wires() == {("images", "sum"), ("flat", "sum")}


def test_a_third_wire_to_a_merge_gets_a_port_of_its_own(world: World) -> None:
    world.add("add", "sum", 500, 160)
    for name in ("images", "flat", "first"):
        world.drag(world.out(name), world.middle("sum"))
    assert len(world.sockets("sum")) == 3
    assert len(world.wires()) == 3


def test_while_a_wire_is_drawn_fitting_ports_are_lit_and_others_are_not(wired: World) -> None:
    wired.tell_shapes(images=(1, 8, 8), flat=(64,), first=(100,))
    wired.add("conv2d", "conv", 400, 160)
    wired.tell_shapes(images=(1, 8, 8), flat=(64,), first=(100,))

    def look() -> None:
        fitting = wired.view.shown.fitting or frozenset()
        assert (wired.box("act").item, "x", False) in fitting
        assert (wired.box("images").item, "out", True) not in fitting
        # An image is needed there, and 64 numbers arrive; the layer before is upstream and would close a circle.
        assert (wired.box("conv").item, "x", False) not in fitting
        assert (wired.box("flat").item, "x", False) not in fitting

    wired.drag(wired.out("flat"), wired.into("act") + QPoint(0, 200), before_release=look)
    assert wired.view.shown.fitting is None


def test_a_port_that_does_not_fit_says_why(wired: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda place, text, widget: said.append(text))
    wired.add("conv2d", "conv", 400, 160)
    wired.tell_shapes(flat=(64,))
    wired.press(wired.out("flat"))
    wired.move(wired.into("conv") - QPoint(20, 0))
    wired.move(wired.into("conv"))
    assert "conv needs an image" in said[-1]
    assert "64 arrives" in said[-1]
    wired.move(wired.out("images"))
    wired.move(wired.into("flat"))
    wired.key_press(Qt.Key.Key_Escape)
    assert ("flat", "conv") not in wired.wires()


def test_a_wire_that_would_close_a_circle_is_refused_with_words(wired: World) -> None:
    refused: list[str] = []
    wired.document.refused.connect(lambda problem: refused.append(problem.happened))
    before = wired.wires()
    wired.drag(wired.out("act"), wired.into("flat"))
    assert wired.wires() == before
    assert "circle" in refused[0]


def test_the_end_of_a_wire_can_be_moved_to_another_port(wired: World) -> None:
    wired.add("relu", "other", 600, 160)
    wired.drag(wired.into("act"), wired.into("other"))
    assert ("first", "other") in wired.wires()
    assert ("first", "act") not in wired.wires()
    wired.document.undo()
    assert ("first", "act") in wired.wires()


def test_the_beginning_of_a_wire_can_be_moved_to_another_output(wired: World) -> None:
    wired.drag(wired.between("first", "act", 0.3), wired.out("flat"))
    assert ("flat", "act") in wired.wires()
    assert ("first", "act") not in wired.wires()


def test_a_wire_end_let_go_over_nothing_deletes_the_wire(wired: World) -> None:
    wired.drag(wired.into("act"), wired.into("act") + QPoint(-30, 160))
    assert ("first", "act") not in wired.wires()
    assert wired.view.search is None
    wired.document.undo()
    assert ("first", "act") in wired.wires()


def test_a_wire_end_put_back_changes_nothing(wired: World) -> None:
    project = wired.document.project
    wired.press(wired.into("act"))
    wired.move(wired.into("act") - QPoint(40, 30))
    wired.move(wired.into("act"))
    QTest.mouseRelease(wired.view, LEFT, NONE, wired.into("act"))
    assert wired.document.project is project


def test_escape_while_drawing_leaves_no_wire_and_no_lights(world: World) -> None:
    project = world.document.project
    world.press(world.out("images"))
    world.move(world.into("flat"))
    world.key_press(Qt.Key.Key_Escape)
    QTest.mouseRelease(world.view, LEFT, NONE, world.into("flat"))
    assert world.document.project is project
    assert world.view.shown.fitting is None


def test_a_wire_is_selected_by_a_click_and_deleted_by_a_key(wired: World) -> None:
    edge = wired.edge("flat", "first")
    wired.click(wired.between("flat", "first"))
    assert wired.document.selection.edges == {("", edge)}
    wired.key_press(Qt.Key.Key_Delete)
    assert ("flat", "first") not in wired.wires()
    wired.document.undo()
    assert ("flat", "first") in wired.wires()


def test_a_loose_layer_dropped_on_a_wire_is_put_into_it(wired: World) -> None:
    wired.add("batch_norm1d", "norm", 400, 200)
    place = wired.between("first", "act")

    def look() -> None:
        drop = wired.view.shown.drop
        assert drop is not None
        assert drop[1] == wired.edge("first", "act")

    wired.drag(wired.middle("norm"), place, before_release=look)
    assert {("first", "norm"), ("norm", "act")} <= wired.wires()
    assert ("first", "act") not in wired.wires()
    assert wired.document.undo_label == "Insert layer"
    wired.document.undo()
    assert ("first", "act") in wired.wires()
    assert wired.graph.nodes[wired.key("norm")[1]].y == 200


def test_a_layer_dragged_from_the_palette_lands_where_it_is_let_go(world: World) -> None:
    place = world.at(QPointF(500, 250))
    world.view.begin_palette_drag("linear", world.view.mapToGlobal(place - QPoint(80, 40)))
    world.move(place - QPoint(20, 10))
    world.move(place)
    assert world.view.gesture is not None
    QTest.mouseRelease(world.view, LEFT, NONE, place)
    assert world.view.gesture is None
    assert world.selected() == {"linear"}
    assert (world.box("linear").rect.center() - QPointF(500, 250)).manhattanLength() <= 1
    world.document.undo()
    assert "linear" not in world.names()


def test_a_layer_from_the_palette_dropped_on_a_wire_is_put_into_it(wired: World) -> None:
    place = wired.between("first", "act")
    wired.view.begin_palette_drag("dropout", wired.view.mapToGlobal(place + QPoint(0, 90)))
    wired.move(place + QPoint(0, 50))
    wired.move(place)
    assert wired.view.shown.drop is not None
    QTest.mouseRelease(wired.view, LEFT, NONE, place)
    assert {("first", "dropout"), ("dropout", "act")} <= wired.wires()
    wired.document.undo()
    assert ("first", "act") in wired.wires()
    assert "dropout" not in wired.names()


def test_a_palette_drag_ended_by_escape_or_outside_adds_nothing(world: World) -> None:
    project = world.document.project
    world.view.begin_palette_drag("linear", world.view.mapToGlobal(QPoint(300, 300)))
    world.move(QPoint(320, 300))
    world.key_press(Qt.Key.Key_Escape)
    assert world.view.gesture is None
    world.view.begin_palette_drag("linear", world.view.mapToGlobal(QPoint(300, 300)))
    world.move(QPoint(-50, 300))
    QTest.mouseRelease(world.view, LEFT, NONE, QPoint(-50, 300))
    assert world.document.project is project
