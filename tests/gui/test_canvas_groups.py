"""Groups on the canvas: their looks, opening in place, going inside, the repeat badge, and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from engine import edits
from gui import settings
from gui.canvas.boxes import Kind
from gui.widgets.buttons import Button

from .canvas_world import CHAIN, CTRL, SHIFT, World, chain, make_world


@pytest.fixture
def world(styled: QApplication) -> Iterator[World]:
    yield from make_world(chain(*CHAIN))


def test_ctrl_g_groups_the_selection_and_ctrl_shift_g_takes_it_apart(world: World) -> None:
    world.select("first", "act")
    world.key_press(Qt.Key.Key_G, CTRL)
    (block,) = world.selected()
    assert world.names() == {"images", "flat", "scores", block}
    assert world.wires() == {("images", "flat"), ("flat", block), (block, "scores")}
    world.key_press(Qt.Key.Key_G, CTRL | SHIFT)
    assert world.names() == {"images", "flat", "first", "act", "scores"}
    assert world.selected() == {"first", "act"}
    world.document.undo()
    world.document.undo()
    assert len(world.wires()) == 4


def test_a_chain_is_a_stack_with_a_row_per_layer_and_anything_else_a_card(world: World) -> None:
    block = world.group("first", "act")
    assert world.box(block).kind is Kind.STACK
    assert [row.words.name for row in world.box(block).rows] == ["first", "act"]
    world.document.undo()
    world.add("linear", "side", 400, 160, after="flat")
    world.add("add", "sum", 600, 160)
    world.drag(world.out("first"), world.middle("sum"))
    world.drag(world.out("side"), world.middle("sum"))
    block = world.group("first", "side", "sum")
    assert world.box(block).kind is Kind.CARD


def test_a_double_click_opens_a_group_in_place_and_closes_it_again(world: World) -> None:
    block = world.group("first", "act")
    scores = world.box("scores").rect.x()
    world.double_click(world.at(world.box(block).rect.topLeft() + QPointF(90, 14)))
    frame = world.box(block)
    assert frame.kind is Kind.FRAME
    assert frame.rect.contains(world.box("first").rect)
    assert frame.rect.contains(world.box("act").rect)
    # Neighbours give way for the eye; the project did not change.
    assert world.box("scores").rect.x() > scores
    assert world.document.undo_label != "Move"
    world.double_click(world.at(frame.rect.topLeft() + QPointF(120, 20)))
    assert world.box(block).kind is Kind.STACK
    assert world.box("scores").rect.x() == scores


def test_wires_stay_level_when_a_group_opens(world: World) -> None:
    block = world.group("first", "act")
    before = world.out("flat").y()
    assert world.into(block).y() == before
    world.view.toggle_open(world.box(block))
    assert world.into(block).y() == world.out("flat").y()
    assert world.into("first").y() == world.into(block).y()


def test_layers_inside_an_opened_group_move_and_wire_like_any_other(world: World) -> None:
    block = world.group("first", "act")
    world.view.toggle_open(world.box(block))
    definition = world.key("act")[0]
    before = world.graph.level(definition).nodes[world.key("act")[1]]
    world.drag(world.middle("act"), world.middle("act") + QPoint(30, 60))
    after = world.graph.level(definition).nodes[before.id]
    assert (after.x - before.x, after.y - before.y) == (30, 60)
    world.document.undo()
    assert world.graph.level(definition).nodes[before.id] == before


def test_enter_goes_inside_and_the_path_bar_leads_back(world: World) -> None:
    block = world.group("first", "act", title="Hidden")
    world.select(block)
    world.key_press(Qt.Key.Key_Return)
    assert world.view.level == world.key("first")[0]
    assert {box.node.name for box in world.view.scene.boxes.values()} >= {"first", "act"}
    assert "images" not in {box.node.name for box in world.view.scene.boxes.values()}
    back = world.view.overlays.path.findChildren(Button)
    QTest.mouseClick(back[0], Qt.MouseButton.LeftButton)
    assert world.view.level == ""
    assert world.selected() == {block}


def test_leaving_by_command_selects_the_group_that_was_left(world: World) -> None:
    block = world.group("first", "act")
    world.select(block)
    world.view.enter_group()
    world.view.leave_group()
    assert (world.view.level, world.selected()) == ("", {block})


def test_undoing_the_group_that_was_entered_leads_back_to_the_outside(world: World) -> None:
    block = world.group("first", "act")
    world.select(block)
    world.view.enter_group()
    world.document.undo()
    assert world.view.level == ""
    assert {box.node.name for box in world.view.scene.boxes.values()} == {name for name, _ in CHAIN}


def test_the_repeat_badge_is_edited_in_place(world: World) -> None:
    block = world.group("first", "act", repeat=3)
    world.click(world.at(world.box(block).badge_rect().center()))
    field = world.view.inline.field
    assert isinstance(field, QSpinBox)
    assert field.value() == 3
    field.selectAll()
    QTest.keyClicks(field, "20")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert world.graph.nodes[world.key(block)[1]].repeat == 20
    world.document.undo()
    assert world.graph.nodes[world.key(block)[1]].repeat == 3


def test_escape_in_the_repeat_badge_changes_nothing(world: World) -> None:
    block = world.group("first", "act", repeat=3)
    project = world.document.project
    world.click(world.at(world.box(block).badge_rect().center()))
    field = world.view.inline.field
    assert field is not None
    QTest.keyClicks(field, "7")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert world.document.project is project


def test_a_row_of_a_stack_is_selected_by_itself(world: World) -> None:
    block = world.group("first", "act")
    world.click(world.at(world.box(block).row_rect(1).center()))
    assert world.selected() == {"act"}


def test_f2_renames_a_layer_and_gives_a_group_any_words(world: World) -> None:
    world.select("first")
    world.key_press(Qt.Key.Key_F2)
    field = world.view.inline.field
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(field, "wide")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "wide" in world.names()
    block = world.group("wide", "act")
    world.select(block)
    world.key_press(Qt.Key.Key_F2)
    field = world.view.inline.field
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(field, "Residual block")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert world.box(block).words.name == "Residual block"


def test_a_name_that_is_taken_is_refused_with_words(world: World) -> None:
    refused: list[str] = []
    world.document.refused.connect(lambda problem: refused.append(problem.happened))
    world.select("first")
    world.view.rename()
    field = world.view.inline.field
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(field, "act")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert len(refused) == 1
    assert "first" in world.names()


def test_show_node_enters_the_group_that_holds_it(world: World) -> None:
    world.group("first", "act")
    definition, node = world.key("act")
    world.view.show_node(definition, node)
    assert world.view.level == definition
    assert world.selected() == {"act"}
    world.view.show_node("", world.key("images")[1])
    assert world.view.level == ""
    assert world.selected() == {"images"}


def test_a_linked_group_open_twice_shows_its_layers_twice(world: World) -> None:
    block = world.group("first", "act")
    node = world.graph.nodes[world.key(block)[1]]

    def link(graph):
        return edits.add_node(graph, "", "group", x=600, y=300, definition_id=node.definition, name="twin")[0]

    world.document.edit_graph("Link", link)
    for name in (block, "twin"):
        world.view.toggle_open(world.box(name))
    key = world.key("first")
    assert len(world.view.scene.of(key)) == 2
    world.select("first")
    world.view.delete()
    assert world.view.scene.of(key) == []


def test_neighbours_glide_aside_when_motion_is_wanted_and_end_where_they_belong(world: World, qtbot: QtBot) -> None:
    block = world.group("first", "act")
    settings.motion.set("full")
    before = world.box("scores").rect.x()
    world.view.toggle_open(world.box(block))
    qtbot.waitUntil(lambda: world.box("scores").rect.x() > before, timeout=2000)
    world.view.glide.finish()
    there = world.box("scores").rect.x()
    world.view.sync()
    assert world.box("scores").rect.x() == there
    assert world.view.scene.wires_at(world.box("scores"))[0].end.x() == there
