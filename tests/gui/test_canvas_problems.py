"""Problems on the canvas: badges, faulty wires, the card and its fixes, with a real check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine import edits
from engine.analysis import Analysis, NodeFacts
from engine.examples import load_example
from engine.problem import Fix, Problem, Severity, Where
from engine.tensor import TensorInfo
from gui.canvas.boxes import Kind
from gui.canvas.card_place import place
from gui.canvas.findings import differing

from .canvas_world import CHAIN, LEFT, World, chain, make_world, show


@pytest.fixture
def world(styled: QApplication) -> Iterator[World]:
    yield from make_world(chain(*CHAIN))


def mismatch(world: World, name: str, **more: object) -> Problem:
    owner, node = world.key(name)
    where = Where(label=name, node=node, definition=owner)
    arrived = (("a", "32×32×32", "from flat"), ("b", "64×16×16", "from first"))
    return Problem(Severity.ERROR, where, "its two inputs differ in shape", "both the same", arrived=arrived, **more)


def tell(world: World, *problems: Problem, **shapes: tuple[int, ...]) -> None:
    nodes = {world.key(name): NodeFacts(outputs={"out": TensorInfo(shape)}) for name, shape in shapes.items()}
    world.document.accept(Analysis(nodes=nodes, problems=problems), world.document.project)


def test_a_wrong_wire_says_on_the_layer_what_arrived_what_was_expected_and_what_to_do(world: World) -> None:
    from engine.runtime.analyze import analyze

    show(world.view, load_example("digits-mlp"))
    world.add("conv2d", "conv", 400, 200)
    world.drag(world.out("flatten"), world.into("conv"))
    world.drag(world.out("conv"), world.middle("hidden1"))
    world.document.accept(analyze(world.document.project), world.document.project)
    assert world.view.shown.findings.severity(world.box("conv")) is Severity.ERROR
    world.click(world.middle("conv"))
    card = world.view.card
    assert card.isVisible()
    problem = card.problem
    assert problem is not None
    assert problem.arrived
    assert problem.expected
    assert problem.fix


def test_wires_that_bring_the_wrong_shape_are_marked_with_their_differing_numbers(world: World) -> None:
    world.add("add", "sum", 600, 160)
    for name in ("flat", "first"):
        world.drag(world.out(name), world.middle("sum"))
    tell(world, mismatch(world, "sum"), flat=(32, 32, 32), first=(64, 16, 16), images=(1, 8, 8))
    faults = {wire.edge.source: wire for wire in world.view.scene.wires.values() if wire.fault}
    assert set(faults) == {world.key("flat")[1], world.key("first")[1]}
    assert faults[world.key("flat")[1]].label == "32×32×32"
    assert faults[world.key("flat")[1]].marks == (True, True, True)


def test_only_the_numbers_that_differ_are_underlined() -> None:
    assert differing("64×16×16", ["64×32×16"]) == (False, True, False)
    assert differing("100", ["10×10"]) == (True,)
    assert differing("3×8", []) == (False, False)


def test_keys_1_to_9_apply_a_fix_and_undo_takes_it_back(world: World) -> None:
    def bypass(project):
        return project.with_graph(edits.remove_and_bridge(project.graph, "", [world.key("act")[1]]))

    tell(world, mismatch(world, "act", fixes=(Fix("No way"), Fix("Take it out", "a plain chain", "10", bypass))))
    world.click(world.middle("act"))
    assert [fix.title for fix in world.view.card.fixes()] == ["Take it out"]
    world.key_press(Qt.Key.Key_9)
    assert "act" in world.names()
    world.key_press(Qt.Key.Key_1)
    assert "act" not in world.names()
    assert world.document.undo_label == "Take it out"
    world.document.undo()
    assert "act" in world.names()


def test_a_click_on_a_fix_applies_it_and_the_cross_closes_the_card(world: World) -> None:
    def mark(project):
        return replace(project, notes="mended")

    tell(world, mismatch(world, "act", fixes=(Fix("Mend", "", "", mark),)))
    world.click(world.middle("act"))
    card = world.view.card
    QTest.mouseClick(card, LEFT, pos=QPoint(16 + 404 - 24, 16 + 24))
    assert not card.isVisible()
    world.document.selection.clear()
    world.click(world.middle("act"))
    assert card.isVisible()
    QTest.mouseClick(card, LEFT, pos=QPoint(200, card.height() - 16 - 8 - 6 - 20))
    assert world.document.project.notes == "mended"


def test_escape_closes_the_card_and_keeps_the_selection(world: World) -> None:
    tell(world, mismatch(world, "act"))
    world.click(world.middle("act"))
    world.key_press(Qt.Key.Key_Escape)
    assert not world.view.card.isVisible()
    assert world.selected() == {"act"}


def test_a_problem_inside_a_closed_group_stands_on_the_group(world: World) -> None:
    block = world.group("first", "act", repeat=2)
    tell(world, mismatch(world, "act"))
    assert world.view.shown.findings.severity(world.box(block)) is Severity.ERROR
    world.view.set_look(world.box(block), Kind.FRAME)
    assert world.view.shown.findings.severity(world.box(block)) is None
    assert world.view.shown.findings.severity(world.box("act")) is Severity.ERROR


def test_shapes_are_written_only_where_they_change_and_once_per_output(world: World) -> None:
    world.add("relu", "other", 600, 160, after="first")
    facts = {
        "images": NodeFacts(outputs={"out": TensorInfo((1, 8, 8))}),
        "flat": NodeFacts(inputs={"x": (TensorInfo((1, 8, 8)),)}, outputs={"out": TensorInfo((64,))}),
        "first": NodeFacts(inputs={"x": (TensorInfo((64,)),)}, outputs={"out": TensorInfo((100,))}),
        "act": NodeFacts(inputs={"x": (TensorInfo((100,)),)}, outputs={"out": TensorInfo((100,))}),
    }
    nodes = {world.key(name): one for name, one in facts.items()}
    world.document.accept(Analysis(nodes=nodes), world.document.project)
    labels = sorted(wire.label for wire in world.view.scene.wires.values() if wire.label)
    assert labels == ["100", "1×8×8", "64"]


@pytest.mark.parametrize(
    ("node", "wire"),
    [
        (QRectF(500, 200, 48, 48), QRectF(100, 215, 400, 6)),
        (QRectF(500, 520, 48, 48), QRectF(100, 535, 400, 6)),
        (QRectF(20, 20, 120, 56), QRectF(140, 40, 500, 6)),
        (QRectF(500, 250, 48, 48), QRectF(300, 300, 400, 6)),
    ],
)
def test_the_card_stays_inside_the_canvas_and_off_the_wires(node: QRectF, wire: QRectF) -> None:
    canvas, card = QRectF(0, 0, 1000, 600), QSizeF(404, 220)
    corner, _ = place(node, card, canvas, [wire])
    area = QRectF(corner, card)
    assert canvas.adjusted(12, 12, -12, -12).contains(area)
    assert not area.intersects(wire)
    assert not area.intersects(node)


def test_a_canvas_too_small_for_the_card_still_shows_it_within() -> None:
    corner, pointing = place(QRectF(10, 10, 100, 56), QSizeF(404, 300), QRectF(0, 0, 320, 200), [])
    assert corner == QPointF(12, 12)
    assert not pointing
