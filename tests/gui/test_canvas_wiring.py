"""The wires after any edit are those that a scene made afresh would have, and an edit touches only its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from benchmarks.canvas import analysis_of, network
from engine import edits, groups, wires
from engine.analysis import Analysis
from engine.graph import Graph
from engine.problem import ProblemError
from engine.project import Project
from engine.removal import remove_nodes
from gui.canvas.board import Board
from gui.canvas.boxes import ItemKey, Kind
from gui.canvas.scene import Scene
from gui.canvas.wiring import Wiring
from gui.document import Document


def _said(scene: Scene) -> dict[object, tuple[object, ...]]:
    """Everything that a wire's place and look follow from; equal means the pictures are equal."""
    found: dict[object, tuple[object, ...]] = {
        key: (wire.start, wire.end, wire.lane, wire.points, wire.bounds, wire.source.item, wire.target.item,
              wire.output.port, wire.input.port, wire.input.slot)
        for key, wire in scene.wires.items()
    }  # fmt: skip
    for item, box in scene.boxes.items():
        sockets = tuple((socket.port, socket.slot, socket.wired) for socket in (*box.inputs, *box.outputs))
        found[item] = (sockets, box.rect, {wire.key for wire in scene.wires_at(box)})
    return found


def _fresh(project: Project, analysis: Analysis, looks: Mapping[ItemKey, Kind]) -> dict[object, tuple[object, ...]]:
    scene = Scene()
    scene.sync(project, analysis, "", looks)
    return _said(scene)


def _moved(chance: random.Random, graph: Graph) -> Graph:
    node = chance.choice(list(graph.nodes.values()))
    places = {node.id: (node.x + chance.choice((-230, 180)), node.y + chance.choice((-110, 0, 90)))}
    return edits.move(graph, "", places)


def _joined(chance: random.Random, graph: Graph) -> Graph:
    first, second = chance.sample(list(graph.nodes), 2)
    if wires.can_connect(graph, "", first, "out", second, "x"):
        return graph
    return wires.connect(graph, "", first, "out", second, "x")


def _cut(chance: random.Random, graph: Graph) -> Graph:
    return wires.disconnect(graph, "", chance.choice(graph.edges)) if graph.edges else graph


def _gone(chance: random.Random, graph: Graph) -> Graph:
    return remove_nodes(graph, "", {chance.choice(list(graph.nodes))}) if len(graph.nodes) > 8 else graph


def _added(chance: random.Random, graph: Graph) -> Graph:
    kind = chance.choice(("add", "linear", "concatenate"))
    return edits.add_node(graph, "", kind, x=chance.uniform(0, 900), y=chance.uniform(0, 500))[0]


def _renamed(chance: random.Random, graph: Graph) -> Graph:
    node = chance.choice([one for one in graph.nodes.values() if not one.is_group])
    longer = replace(node, name=node.name + "_with_a_longer_name"[: chance.randint(1, 19)])
    return graph.with_level("", replace(graph, nodes={**graph.nodes, node.id: longer}))


def _grouped(chance: random.Random, graph: Graph) -> Graph:
    loose = [one.id for one in graph.nodes.values() if one.type in ("linear", "relu")]
    try:
        return groups.group(graph, "", chance.sample(loose, min(2, len(loose))), title="block")[0] if loose else graph
    except ProblemError:  # the two would feed each other through what stays outside
        return graph


_EDITS: tuple[Callable[[random.Random, Graph], Graph], ...] = (
    _moved, _moved, _moved, _joined, _joined, _cut, _gone, _added, _added, _renamed, _renamed, _grouped,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_after_any_row_of_edits_the_wires_are_those_of_a_scene_made_afresh(qapp: object, seed: int) -> None:
    chance = random.Random(seed)
    project = network(24, across=8)
    analysis, looks, scene = analysis_of(project), dict[ItemKey, Kind](), Scene()
    scene.sync(project, analysis, "", looks)
    for _ in range(60):
        graph = chance.choice(_EDITS)(chance, project.graph)
        project = project.with_graph(graph)
        frames = [box.item for box in scene.boxes.values() if box.is_group]
        if frames and chance.random() < 0.2:
            looks[chance.choice(frames)] = chance.choice((Kind.FRAME, Kind.CARD))
        if chance.random() < 0.3:
            scene.preview([("", chance.choice(list(project.graph.nodes)))], 40, -30)
        scene.sync(project, analysis, "", looks)
        assert _said(scene) == _fresh(project, analysis, looks)


def test_an_edit_asks_only_for_the_wires_at_the_box_that_it_moves(
    qapp: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = network(100)
    scene = Scene()
    scene.sync(project, analysis_of(project), "", {})
    before = dict(scene.wires)
    asked: list[str] = []
    made = Wiring._wire
    monkeypatch.setattr(Wiring, "_wire", lambda self, edge, *more: asked.append(edge.source) or made(self, edge, *more))
    node = project.graph.nodes["n50"]
    moved = project.with_graph(edits.move(project.graph, "", {"n50": (node.x, node.y + 300)}))
    scene.sync(moved, analysis_of(project), "", {})
    assert sorted(asked) == ["n49", "n50"]
    assert list(scene.wires) == list(before)
    assert [key for key, wire in scene.wires.items() if before[key] is not wire] == [
        key for key in before if "n50" in (key[1].source, key[1].target)
    ]


def test_a_check_that_finds_the_same_lays_nothing_out_anew(qapp: object, monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document()
    board = Board(document)
    project = network(30)
    document.adopt(project)
    document.accept(analysis_of(project), project)
    laid: list[object] = []
    monkeypatch.setattr(board.scene, "sync", lambda *found, **more: laid.append(found) or [])
    document.accept(analysis_of(project), project)
    assert not laid
    assert {wire.label for wire in board.scene.wires.values()} - {""}


def test_a_check_that_counts_a_group_otherwise_makes_its_card_anew(qapp: object) -> None:
    document = Document()
    board = Board(document)
    graph, block = groups.group(network(8).graph, "", ["n0", "n1"], title="block")
    project = Project(graph=graph)
    document.adopt(project)
    facts = analysis_of(project)
    document.accept(facts, project)
    first = board.scene.boxes[(), block].summary
    other = replace(facts.nodes["", block], parameters=12_345)
    document.accept(replace(facts, nodes={**facts.nodes, ("", block): other}), project)
    assert board.scene.boxes[(), block].summary != first
    assert "12,345" in board.scene.boxes[(), block].summary
