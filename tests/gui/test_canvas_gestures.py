"""Every drag on the canvas, with a real mouse: what it edits, that one undo takes it back, that Esc leaves no trace."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from .canvas_world import ALT, CHAIN, CTRL, LEFT, MIDDLE, NONE, SHIFT, World, chain, make_world


@pytest.fixture
def world(styled: QApplication) -> Iterator[World]:
    yield from make_world(chain(*CHAIN))


def wheel(world: World, point: QPoint, notches: int) -> None:
    view = world.view
    event = QWheelEvent(
        QPointF(point), QPointF(view.mapToGlobal(point)), QPoint(), QPoint(0, 120 * notches), NONE_BUTTONS, NONE,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


NONE_BUTTONS = Qt.MouseButton.NoButton


def test_a_drag_moves_a_layer_and_one_undo_brings_it_back(world: World) -> None:
    before = world.graph.nodes[world.key("first")[1]]
    world.drag(world.middle("first"), world.middle("first") + QPoint(40, 120))
    after = world.graph.nodes[before.id]
    assert (after.x, after.y) == (before.x + 40, before.y + 120)
    assert world.document.undo_label == "Move"
    world.document.undo()
    assert world.graph.nodes[before.id] == before
    assert world.box("first").rect.x() == before.x


def test_a_drag_with_shift_snaps_to_the_grid(world: World) -> None:
    world.drag(world.middle("first"), world.middle("first") + QPoint(43, 117), SHIFT)
    node = world.graph.nodes[world.key("first")[1]]
    assert node.x % 8 == 0
    assert node.y % 8 == 0
    world.drag(world.middle("first"), world.middle("first") + QPoint(37, 21), SHIFT | CTRL)
    node = world.graph.nodes[node.id]
    assert (node.x % 24, node.y % 24) == (0, 0)


def test_all_selected_layers_move_together(world: World) -> None:
    world.select("first", "act")
    world.drag(world.middle("act"), world.middle("act") + QPoint(0, 80))
    ys = {node.name: node.y for node in world.graph.nodes.values()}
    assert ys == {"images": 0, "flat": 0, "first": 80, "act": 80, "scores": 0}
    world.document.undo()
    assert all(node.y == 0 for node in world.graph.nodes.values())


def test_escape_during_a_drag_leaves_everything_as_it_was(world: World) -> None:
    project, rect = world.document.project, world.box("first").rect
    world.press(world.middle("first"))
    world.move(world.middle("first") + QPoint(60, 60))
    assert world.box("first").rect != rect
    world.key_press(Qt.Key.Key_Escape)
    assert world.box("first").rect == rect
    assert world.document.project is project
    QTest.mouseRelease(world.view, LEFT, NONE, world.middle("first"))
    assert world.document.project is project


def test_a_marquee_selects_what_it_touches_and_ctrl_adds(world: World) -> None:
    first, act = world.box("first"), world.box("act")
    world.drag(world.at(first.rect.topLeft() - QPointF(20, 40)), world.at(act.rect.bottomLeft() + QPointF(30, 20)))
    assert world.selected() == {"first", "act"}
    flat = world.box("flat").rect
    world.drag(world.at(flat.topLeft() - QPointF(10, 40)), world.at(flat.center()), CTRL)
    assert world.selected() == {"flat", "first", "act"}
    world.click(world.at(QPointF(300, 300)))
    assert world.selected() == set()


def test_escape_brings_the_selection_before_the_marquee_back(world: World) -> None:
    world.select("images")
    world.press(world.at(QPointF(380, -60)))
    world.move(world.at(QPointF(620, 90)))
    assert world.selected() == {"first", "act"}
    world.key_press(Qt.Key.Key_Escape)
    assert world.selected() == {"images"}


def test_a_click_selects_and_ctrl_or_shift_click_adds(world: World) -> None:
    world.click(world.middle("first"))
    assert world.selected() == {"first"}
    world.click(world.middle("act"), CTRL)
    world.click(world.middle("flat"), SHIFT)
    assert world.selected() == {"first", "act", "flat"}
    world.click(world.middle("act"), CTRL)
    assert world.selected() == {"first", "flat"}
    world.click(world.middle("flat"))
    assert world.selected() == {"flat"}


@pytest.mark.parametrize(("keys", "button"), [(NONE, MIDDLE), (ALT, LEFT)])
def test_the_view_pans_with_the_middle_button_and_with_alt(
    world: World, keys: Qt.KeyboardModifier, button: Qt.MouseButton
) -> None:
    start = QPoint(300, 300)
    seen = world.view.to_scene(QPointF(start))
    world.drag(start, start + QPoint(70, -50), keys, button)
    assert world.view.to_scene(QPointF(start + QPoint(70, -50))) == seen
    assert world.document.project.graph.nodes


def test_space_held_pans_and_does_not_open_the_search(world: World) -> None:
    QTest.keyPress(world.view, Qt.Key.Key_Space)
    start = world.middle("first")
    seen = world.view.to_scene(QPointF(start))
    world.drag(start, start + QPoint(-40, 90))
    QTest.keyRelease(world.view, Qt.Key.Key_Space)
    assert world.view.to_scene(QPointF(start + QPoint(-40, 90))) == seen
    assert world.view.search is None


def test_the_wheel_zooms_at_the_pointer_within_bounds_and_never_to_nonsense(world: World) -> None:
    point = QPoint(210, 170)
    seen = world.view.to_scene(QPointF(point))
    wheel(world, point, 2)
    now = world.view.to_scene(QPointF(point))
    assert world.view.camera.zoom == pytest.approx(2**0.5, rel=0.02)
    assert math.dist((now.x(), now.y()), (seen.x(), seen.y())) < 1.0
    for _ in range(60):
        wheel(world, point, 8)
    assert world.view.camera.zoom == 4.0
    for _ in range(90):
        wheel(world, point, -8)
    assert world.view.camera.zoom == 0.1
    world.view.zoom_at(QPointF(point), float("nan"))
    world.view.zoom_at(QPointF(point), 0.0)
    world.view.pan(float("nan"), 1.0)
    assert (world.view.camera.zoom, math.isfinite(world.view.camera.x)) == (0.1, True)


def test_a_cut_line_takes_the_wires_it_crosses_in_one_step(world: World) -> None:
    world.add("linear", "second", 400, 120, after="flat")
    cut = world.between("flat", "first")
    world.drag(cut + QPoint(0, -40), cut + QPoint(4, 160), ALT | SHIFT)
    assert world.wires() == {("images", "flat"), ("first", "act"), ("act", "scores")}
    world.document.undo()
    assert {("flat", "first"), ("flat", "second")} <= world.wires()


def test_a_press_without_a_drag_edits_nothing(world: World) -> None:
    project = world.document.project
    for name in ("images", "first", "scores"):
        world.click(world.middle(name))
        world.click(world.into(name) if name != "images" else world.out(name))
    assert world.document.project is project
