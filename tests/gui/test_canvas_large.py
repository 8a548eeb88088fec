"""A network of 1,000 layers: what opening, panning, moving and selecting paint; looks at every zoom; empty canvas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.graph import Edge, Graph, Node
from gui.canvas.boxes import text_width
from gui.canvas.measures import Detail, detail_at
from gui.canvas.paint.layer import BESIDE_GLYPH, fitting
from gui.theme import themes

from .canvas_world import CHAIN, World, chain, make_world

SIDE = 1_000


def large() -> Graph:
    """1,000 linear layers in rows of 40, one long chain."""
    nodes = {
        f"n{index}": Node(f"n{index}", f"layer{index}", "linear", x=200.0 * (index % 40), y=110.0 * (index // 40))
        for index in range(SIDE)
    }
    edges = tuple(Edge(f"n{index}", "out", f"n{index + 1}", "x") for index in range(SIDE - 1))
    return Graph(nodes=nodes, edges=edges)


@pytest.fixture
def world(styled: QApplication) -> Iterator[World]:
    yield from make_world(large())


@pytest.fixture
def small(styled: QApplication) -> Iterator[World]:
    yield from make_world(chain(*CHAIN))


def test_every_layer_is_there_and_only_those_in_view_are_painted(world: World) -> None:
    assert len(world.view.scene.boxes) == SIDE
    assert len(world.view.scene.wires) == SIDE - 1
    world.view.grab()
    assert 0 < world.view.picture.plates.num_painted < 60


def test_panning_paints_only_the_strip_that_comes_into_view(world: World) -> None:
    view = world.view
    view.grab()
    areas: list[QRect] = []
    paint = view.picture.paint
    view.picture.paint = lambda painter, area: (areas.extend(area), paint(painter, area))  # type: ignore[method-assign]
    for _ in range(10):
        view.pan(-8, 0)
        view.grab()
    assert len(areas) == 10
    assert all(area.width() <= 10 for area in areas)


def test_a_panned_picture_equals_one_painted_anew(world: World) -> None:
    view = world.view
    view.grab()
    for step in ((-37, 12), (20, -55), (-8, -8)):
        view.pan(*step)
        view.grab()
    panned = view.grab().toImage()
    view.invalidate_all()
    anew = view.grab().toImage()
    differ = [
        apart
        for x in range(0, 1200)
        for y in range(100, 400)
        if (apart := _apart(anew.pixelColor(x, y), panned.pixelColor(x, y)))
    ]
    # A smooth edge on the border of two strips may be rounded otherwise, by a step or two of 255.
    assert max(differ, default=0) <= 2, (len(differ), max(differ))


def _apart(one: QColor, other: QColor) -> int:
    pairs = ((one.red(), other.red()), (one.green(), other.green()), (one.blue(), other.blue()))
    return max(abs(a - b) for a, b in pairs)


def test_an_edit_keeps_every_box_that_it_does_not_touch(world: World) -> None:
    before = dict(world.view.scene.boxes)
    start = world.middle("layer0")
    world.drag(start, start + QPoint(0, 40))
    kept = [item for item, box in world.view.scene.boxes.items() if before[item] is box]
    assert len(kept) == SIDE - 1


def test_from_afar_no_text_and_no_plates_are_painted(world: World) -> None:
    view = world.view
    view.fit()
    view.grab()
    assert view.camera.detail is Detail.DOT
    painted = view.picture.plates.num_painted
    view.zoom_at(QPointF(600, 300), 1.2)
    view.grab()
    assert view.picture.plates.num_painted == painted


@pytest.mark.parametrize(
    ("zoom", "detail"),
    [
        (0.1, Detail.DOT),
        (0.39, Detail.DOT),
        (0.4, Detail.COMPACT),
        (0.69, Detail.COMPACT),
        (0.7, Detail.FULL),
        (4, Detail.FULL),
    ],
)
def test_the_look_follows_the_zoom(zoom: float, detail: Detail) -> None:
    assert detail_at(zoom) is detail


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("zoom", [0.1, 0.3, 0.5, 1.0, 2.0, 4.0])
def test_every_look_paints_in_both_themes(small: World, zoom: float, theme: str) -> None:
    themes.set_mode(theme)
    small.group("first", "act", repeat=20)
    small.view.aim(small.view.scene.bounds().center(), zoom)
    image = small.view.grab().toImage()
    ground = QColor(themes.current.canvas)
    colours = {image.pixelColor(x, y).name() for x in range(0, 1200, 3) for y in range(200, 400, 3)}
    assert ground.name() in colours
    assert len(colours) > 3


def test_boxes_do_not_change_their_size_with_the_zoom(small: World) -> None:
    sizes = {box.node.name: box.rect.size() for box in small.view.scene.boxes.values()}
    small.view.zoom_at(QPointF(100, 100), 0.3)
    small.view.grab()
    assert sizes == {box.node.name: box.rect.size() for box in small.view.scene.boxes.values()}


def test_the_scene_point_at_the_centre_stays_when_the_view_resizes(small: World) -> None:
    view = small.view
    centre = view.to_scene(QPointF(600, 300))
    view.resize(900, 500)
    QTest.qWait(1)
    assert (view.to_scene(QPointF(450, 250)) - centre).manhattanLength() < 1.5


def test_a_narrow_canvas_folds_the_minimap_to_a_button(small: World) -> None:
    overlays = small.view.overlays
    assert overlays.minimap.isVisible()
    small.view.resize(600, 500)
    QTest.qWait(1)
    assert not overlays.minimap.isVisible()
    overlays.map_button.click()
    assert overlays.minimap.isVisible()


def test_a_press_on_the_minimap_goes_there(world: World) -> None:
    minimap = world.view.overlays.minimap
    minimap.grab()
    QTest.mouseClick(minimap, Qt.MouseButton.LeftButton, pos=QPoint(150, 70))
    centre = world.view.to_scene(QPointF(600, 300))
    bounds = world.view.scene.bounds()
    assert centre.x() > bounds.center().x()
    assert centre.y() > bounds.center().y()


def test_an_empty_canvas_offers_examples(small: World) -> None:
    small.view.select_all()
    small.view.delete()
    empty = small.view.overlays.empty
    assert empty.isVisible()
    QTest.qWait(1)
    assert abs(empty.geometry().center().x() - small.view.rect().center().x()) <= 1
    asked: list[str] = []
    small.view.example_chosen.connect(asked.append)
    buttons = empty.buttons()
    assert len(buttons) == 3
    buttons[0].click()
    assert asked == ["digits-mlp"]
    small.document.undo()
    assert not empty.isVisible()


def test_a_network_too_large_to_be_read_opens_at_its_beginning(world: World, small: World) -> None:
    view = world.view
    view.fit_first()
    assert detail_at(view.camera.zoom) is not Detail.DOT, "names can be read"
    seen = view.seen_rect()
    assert seen.contains(world.box("layer0").rect)
    assert not seen.contains(view.scene.bounds())
    view.fit()
    assert view.seen_rect().contains(view.scene.bounds()), "Fit shows the whole, however small"
    small.view.fit_first()
    assert small.view.seen_rect().contains(small.view.scene.bounds())


def test_names_are_whole_where_a_small_box_has_room_for_them(small: World) -> None:
    for name in ("images", "flatten", "hidden1", "hidden2", "digits", "scores"):
        size, left = fitting(name, 112 * 0.5)
        assert text_width(name, size, 600) <= 112 * 0.5 - left
    assert fitting("relu1", 112 * 0.6)[1] == BESIDE_GLYPH, "the glyph stays where there is room for both"
