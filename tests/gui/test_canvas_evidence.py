"""Gradient flow on the canvas: readings, their scale, wires and rows, the sentence; and what a tick repaints."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication

from engine.analysis import Analysis, NodeFacts
from engine.events import Probed, RunStarted
from engine.timeline import Timeline
from gui.canvas.evidence import FAMILY, GRADIENT, RATIO, WEIGHT
from gui.canvas.scale import Scale

from .canvas_world import CHAIN, World, chain, make_world


@pytest.fixture
def world(styled: QApplication) -> Iterator[World]:
    yield from make_world(chain(*CHAIN))


def started(*layers: str) -> Timeline:
    timeline = Timeline()
    timeline.add(
        RunStarted(
            run="r", name="r", device="cpu", threads=1, seed=0, epochs=1, steps_per_epoch=10, train_samples=1,
            val_samples=1, parameters=1, trainable=1, layers=layers,
        )
    )  # fmt: skip
    return timeline


def probe(timeline: Timeline, step: int, **norms: float) -> None:
    gradient = {name.replace("__", "."): value for name, value in norms.items()}
    timeline.add(Probed(step=step, epoch=1, gradient=gradient, weight=dict.fromkeys(gradient, 2.0)))


def tell_paths(world: World, **paths: tuple[str, ...]) -> None:
    nodes = {world.key(name): NodeFacts(parameters=10, paths=found) for name, found in paths.items()}
    world.document.accept(Analysis(nodes=nodes, layers=sum(paths.values(), ())), world.document.project)


def test_a_layer_with_weights_grows_a_row_around_its_wire_and_loses_it_again(world: World) -> None:
    tell_paths(world, first=("first",))
    wire = world.out("flat").y()
    timeline = started("first")
    probe(timeline, 1, first=1e-3)
    world.view.show_timeline(timeline)
    assert world.box("first").rect.height() == 80
    assert world.box("act").rect.height() == 56
    assert world.into("first").y() == wire
    world.view.set_show(FAMILY)
    assert world.box("first").rect.height() == 56
    world.view.show_timeline(None)
    assert world.view.shown.evidence.show == FAMILY


def test_wires_take_the_colour_of_the_layer_that_feeds_them(world: World) -> None:
    tell_paths(world, first=("first",))
    timeline = started("first")
    probe(timeline, 1, first=1e-5)
    world.view.show_timeline(timeline)
    levels = {wire.edge.source: wire.level for wire in world.view.scene.wires.values()}
    assert levels[world.key("first")[1]] == levels[world.key("act")[1]] == 0.0
    # The wire into the first layer has nothing before it that learns: it shows the layer it feeds.
    assert levels[world.key("flat")[1]] == 0.0
    assert levels[world.key("images")[1]] == -1.0
    probe(timeline, 2, first=1.0)
    world.view.tick()
    assert max(wire.level for wire in world.view.scene.wires.values()) == 1.0
    world.view.set_show(FAMILY)
    assert {wire.level for wire in world.view.scene.wires.values()} == {-1.0}


def test_a_repeated_group_shows_the_geometric_mean_and_the_range_of_its_copies(world: World) -> None:
    block = world.group("first", "act", repeat=2)
    name = world.graph.nodes[world.key(block)[1]].name
    paths = (f"{name}.0.first", f"{name}.1.first")
    tell_paths(world, first=paths)
    timeline = started(*paths)
    timeline.add(Probed(step=1, epoch=1, gradient={paths[0]: 1e-4, paths[1]: 1e-2}, weight={}))
    world.view.show_timeline(timeline)
    row = world.box(block).rows[0]
    reading = world.view.shown.evidence.reading(row.layers)
    assert reading is not None
    assert reading.value == pytest.approx(1e-3)
    assert (reading.weakest, reading.strongest) == (1e-4, 1e-2)
    assert world.box(block).layers == paths


def test_what_is_not_finite_is_said_and_never_coloured(world: World) -> None:
    tell_paths(world, first=("first",))
    timeline = started("first")
    probe(timeline, 1, first=1e-3)
    probe(timeline, 2, first=math.inf)
    world.view.show_timeline(timeline)
    reading = world.view.shown.evidence.reading(("first",))
    assert reading is not None
    assert not reading.finite
    assert any(wire.broken for wire in world.view.scene.wires.values())
    assert world.view.verdict is not None
    assert world.view.verdict.level == "error"
    assert not world.view.grab().isNull()


def test_the_scale_widens_in_whole_decades_and_never_narrows() -> None:
    scale = Scale()
    assert (scale.low, scale.high) == (-5, 0)
    assert not scale.cover([1e-3, math.nan, 0.0, math.inf])
    assert scale.cover([3e-7])
    assert (scale.low, scale.high, scale.widened) == (-7, 0, True)
    assert scale.cover([40.0])
    assert scale.high == 2
    assert not scale.cover([1.0])
    assert (scale.position(1e-30), scale.position(1e30), scale.position(0.0), scale.position(math.nan)) == (0, 1, 0, 0)
    assert scale.ticks()[0] == -7
    assert scale.ticks()[-1] == 2


def test_other_values_can_be_shown_and_the_choice_follows(world: World) -> None:
    tell_paths(world, first=("first",))
    timeline = started("first")
    probe(timeline, 1, first=1e-2)
    world.view.show_timeline(timeline)
    readings = {}
    choice = world.view.overlays.show_bar.choice
    for show in (GRADIENT, RATIO, WEIGHT):
        choice.committed.emit(show)
        assert choice.value() == show
        reading = world.view.shown.evidence.reading(("first",))
        assert reading is not None
        readings[show] = reading.value
    assert readings == {GRADIENT: 1e-2, RATIO: 5e-3, WEIGHT: 2.0}


def test_a_tick_without_a_new_probe_repaints_nothing(world: World) -> None:
    tell_paths(world, first=("first",))
    timeline = started("first")
    probe(timeline, 1, first=1e-3)
    world.view.show_timeline(timeline)
    world.view.grab()
    before = world.view.num_strips
    world.view.tick()
    world.view.grab()
    assert world.view.num_strips == before


def test_a_tick_draws_the_evidence_over_the_picture_and_nothing_else(world: World) -> None:
    block = world.group("act")
    tell_paths(world, first=("first",), act=(f"{block}.act",))
    timeline = started("first", f"{block}.act")
    probe(timeline, 1, first=1e-3, **{f"{block}__act": 1e-2})
    world.view.show_timeline(timeline)
    world.view.tick()
    before = world.view.grab().toImage()
    strips = world.view.num_strips
    probe(timeline, 2, first=1.4e-3, **{f"{block}__act": 0.8e-2})
    world.view.tick()
    after = world.view.grab().toImage()
    assert world.view.num_strips == strips
    assert after != before
    world.view.invalidate_all()
    assert world.view.grab().toImage() == after


def test_a_box_under_another_one_is_never_drawn_over_it(world: World) -> None:
    tell_paths(world, first=("first",))
    timeline = started("first")
    probe(timeline, 1, first=1e-3)
    world.view.show_timeline(timeline)
    world.view.tick()
    world.drag(world.middle("act"), world.middle("first") + QPoint(30, 10))
    tell_paths(world, first=("first",))
    assert world.view.scene.overlapped == {world.box("first").item, world.box("act").item}
    for step in (2, 3, 4, 5):
        probe(timeline, step, first=1e-3 * step)
        world.view.tick()
    after = world.view.grab().toImage()
    world.view.shown.evidence.color_wires(world.view.scene)
    world.view.invalidate_all()
    assert world.view.grab().toImage() == after


def test_the_value_on_show_survives_an_edit_and_a_new_run(world: World) -> None:
    tell_paths(world, first=("first",))
    timeline = started("first")
    probe(timeline, 1, first=1e-3)
    world.view.show_timeline(timeline)
    world.view.set_show(RATIO)
    world.document.edit("Rename", lambda project: replace(project, name="other"))
    assert world.view.shown.evidence.show == RATIO
    world.view.show_timeline(started("first"))
    assert world.view.shown.evidence.show == RATIO
    assert world.view.shown.evidence.reading(("first",)) is None


def test_on_a_narrow_canvas_only_the_choice_is_left_of_the_show_bar(world: World) -> None:
    tell_paths(world, first=("first",))
    timeline = started("first")
    probe(timeline, 1, first=1e-3)
    world.view.show_timeline(timeline)
    bar, path = world.view.overlays.show_bar, world.view.overlays.path
    world.view.resize(900, 500)
    QApplication.processEvents()
    assert bar.legend.isVisibleTo(world.view)
    wide = bar.width()
    world.view.resize(560, 400)
    QApplication.processEvents()
    assert bar.isVisibleTo(world.view)
    assert not bar.legend.isVisibleTo(world.view)
    assert bar.width() < wide / 2
    assert bar.geometry().left() > path.geometry().right()
    assert "from 1e-5 to 1" in bar.choice.toolTip()
    world.view.resize(900, 500)
    QApplication.processEvents()
    assert bar.legend.isVisibleTo(world.view)
    assert "from" not in bar.choice.toolTip()
