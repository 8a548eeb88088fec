"""Commands of the canvas by key: select, copy, paste, delete, nudge, walk, fit; and the menus."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from gui.canvas.clipping import MIME
from gui.canvas.menus import menu_for

from .canvas_world import CHAIN, CTRL, SHIFT, World, chain, make_world


@pytest.fixture
def world(styled: QApplication) -> Iterator[World]:
    yield from make_world(chain(*CHAIN))


def test_ctrl_a_selects_every_layer(world: World) -> None:
    world.key_press(Qt.Key.Key_A, CTRL)
    assert world.selected() == world.names()


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_delete_takes_layers_and_their_wires_in_one_step(world: World, key: Qt.Key) -> None:
    world.select("first", "act")
    world.key_press(key)
    assert world.names() == {"images", "flat", "scores"}
    assert world.wires() == {("images", "flat")}
    assert not world.view.scene.of(("", "first"))
    world.document.undo()
    assert len(world.wires()) == 4
    assert world.box("first").rect.x() == 400


def test_ctrl_delete_joins_what_stood_around(world: World) -> None:
    world.select("act")
    world.key_press(Qt.Key.Key_Delete, CTRL)
    assert ("first", "scores") in world.wires()


def test_copy_and_paste_bring_layers_with_their_wires(world: World) -> None:
    world.select("first", "act")
    world.key_press(Qt.Key.Key_C, CTRL)
    world.key_press(Qt.Key.Key_V, CTRL)
    assert len(world.names()) == 7
    assert len(world.wires()) == 5
    assert len(world.selected()) == 2
    assert world.selected().isdisjoint({"first", "act"})
    world.document.undo()
    assert len(world.names()) == 5


def test_the_clipboard_holds_our_json_and_the_same_as_text(world: World) -> None:
    world.select("first")
    world.view.copy()
    data = QGuiApplication.clipboard().mimeData()
    assert data.hasFormat(MIME)
    assert json.loads(data.text()) == json.loads(bytes(data.data(MIME).data()))


@pytest.mark.parametrize("text", ["", "hello", "[1, 2]", '{"kind": "other"}', "[" * 100_000])
def test_pasting_anything_else_does_nothing(world: World, text: str) -> None:
    project = world.document.project
    data = QMimeData()
    data.setText(text)
    QGuiApplication.clipboard().setMimeData(data)
    world.key_press(Qt.Key.Key_V, CTRL)
    assert world.document.project is project


def test_a_broken_fragment_is_refused_with_words(world: World) -> None:
    refused: list[str] = []
    world.document.refused.connect(lambda problem: refused.append(problem.happened))
    data = QMimeData()
    data.setText('{"kind": "layerwright-fragment", "graph": {"nodes": 3}}')
    QGuiApplication.clipboard().setMimeData(data)
    project = world.document.project
    world.view.paste()
    assert world.document.project is project
    assert refused


def test_cut_takes_away_what_paste_brings_back(world: World) -> None:
    world.select("act")
    world.key_press(Qt.Key.Key_X, CTRL)
    assert "act" not in world.names()
    world.key_press(Qt.Key.Key_V, CTRL)
    assert len(world.names()) == 5


def test_duplicate_copies_beside_the_original(world: World) -> None:
    world.select("first")
    world.key_press(Qt.Key.Key_D, CTRL)
    (copy,) = world.selected()
    assert copy != "first"
    assert world.box(copy).rect.topLeft() == world.box("first").rect.topLeft() + QPointF(32, 32)


def test_arrows_nudge_by_the_grid_and_a_row_of_presses_is_one_step(world: World) -> None:
    world.select("first")
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        world.key_press(key)
    assert world.box("first").rect.topLeft() == QPointF(416, 8)
    world.key_press(Qt.Key.Key_Up, SHIFT)
    assert world.box("first").rect.y() == -16
    world.document.undo()
    assert world.box("first").rect.topLeft() == QPointF(400, 0)


def test_tab_walks_the_layers_in_the_order_of_the_data(world: World) -> None:
    seen = []
    for _ in range(6):
        world.key_press(Qt.Key.Key_Tab)
        seen += list(world.selected())
    assert seen == ["images", "flat", "first", "act", "scores", "images"]
    world.key_press(Qt.Key.Key_Backtab)
    assert world.selected() == {"scores"}


def test_ctrl_arrows_move_the_keyboard_without_selecting_and_enter_selects(world: World) -> None:
    world.select("flat")
    world.key_press(Qt.Key.Key_Right, CTRL)
    assert world.selected() == {"flat"}
    assert world.view.shown.focus == world.key("first")
    world.key_press(Qt.Key.Key_Return)
    assert world.selected() == {"first"}


def test_fit_shows_everything_and_f_the_selection(world: World) -> None:
    world.add("relu", "far", 4000, 2500)
    world.key_press(Qt.Key.Key_Home)
    seen = world.view.seen_rect()
    assert all(seen.contains(box.rect) for box in world.view.scene.boxes.values())
    assert world.view.camera.zoom < 0.4
    world.select("far")
    world.key_press(Qt.Key.Key_F)
    assert world.view.seen_rect().contains(world.box("far").rect)
    assert world.view.camera.zoom == 2.0
    world.key_press(Qt.Key.Key_1, CTRL)
    assert world.view.camera.zoom == 1.0
    world.key_press(Qt.Key.Key_0, CTRL)
    assert world.view.camera.zoom < 0.4


def test_tidy_arranges_and_one_undo_brings_the_places_back(world: World) -> None:
    world.select("act")
    world.drag(world.middle("act"), world.middle("act") + QPoint(-300, 150))
    world.key_press(Qt.Key.Key_F, CTRL | SHIFT)
    order = sorted(world.graph.nodes.values(), key=lambda node: node.x)
    assert [node.name for node in order] == [name for name, _ in CHAIN]
    assert len({world.out(name).y() for name, _ in CHAIN[:-1]}) == 1
    world.document.undo()
    assert world.graph.nodes[world.key("act")[1]].y == 150


def test_a_layer_added_by_a_command_is_wired_behind_the_selected_one(world: World) -> None:
    world.select("act")
    world.view.delete()
    world.select("first")
    world.view.add_layer("gelu")
    assert ("first", "gelu") in world.wires()
    world.document.selection.clear()
    world.view.add_layer("tanh")
    world.view.add_layer("sigmoid")
    boxes = [world.box(name).rect for name in ("tanh", "sigmoid")]
    assert not boxes[0].intersects(boxes[1])


@pytest.mark.parametrize(
    ("name", "entry"),
    [("first", "Rename\tF2"), ("", "Select all\tCtrl+A"), ("wire", "Insert a layer…"), ("block", "Open here")],
)
def test_every_kind_of_thing_has_its_menu(world: World, name: str, entry: str) -> None:
    block = world.group("first", "act") if name == "block" else ""
    places = {
        "": QPointF(300, 400),
        "wire": world.view.to_scene(QPointF(world.between("images", "flat"))),
    }
    place = places[name] if name in places else world.box(block or name).rect.center()
    menu = menu_for(world.view, place)
    assert entry in [action.text() for action in menu.actions()]
    menu.deleteLater()


def test_closing_the_window_during_a_drag_is_harmless(world: World) -> None:
    world.press(world.middle("first"))
    world.move(world.middle("first") + QPoint(30, 30))
    world.document.undo()
    world.view.hide()
    world.view.cancel_gesture()
    assert world.box("first").rect.x() == 400
