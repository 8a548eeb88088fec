"""Copy, paste and duplicate."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from engine import edits
from engine.clipboard import copy_nodes, duplicate, paste
from engine.graph import Edge, Graph
from engine.groups import group
from engine.problem import ProblemError


def line(*types: str) -> tuple[Graph, list[str]]:
    graph, ids = Graph(), []
    for number, type_name in enumerate(types):
        graph, node = edits.add_node(graph, "", type_name, x=200.0 * number, y=40.0)
        if ids:
            graph = edits.connect(graph, "", ids[-1], "out", node.id, "x")
        ids.append(node.id)
    return graph, ids


def test_a_copy_survives_as_text_and_is_pasted_where_asked() -> None:
    graph, ids = line("input", "linear", "linear", "output")
    graph = edits.set_param(graph, "", ids[1], "units", 7)
    text = json.dumps(copy_nodes(graph, "", ids[1:3]))
    graph, made = paste(graph, "", json.loads(text), x=1_000.0, y=500.0)
    pasted = [graph.nodes[key] for key in made]
    assert [(node.name, node.x, node.y) for node in pasted] == [("linear3", 1000, 500), ("linear4", 1200, 500)]
    assert pasted[0].params == {"units": 7}
    assert Edge(made[0], "out", made[1], "x") in graph.edges
    assert not set(made) & set(ids)


def test_pasting_into_an_empty_project_brings_what_groups_hold() -> None:
    graph, ids = line("input", "linear", "output")
    graph, inner = group(graph, "", ids[1:2], title="inner")
    graph, outer = group(graph, "", [inner], title="outer")
    fresh, made = paste(Graph(), "", copy_nodes(graph, "", [outer]), x=0, y=0)
    assert len(fresh.definitions) == 2
    assert set(fresh.definitions).isdisjoint(graph.definitions)
    inside = fresh.definitions[fresh.nodes[made[0]].definition]
    assert fresh.definitions[inside.of_type("group")[0].definition].title == "inner"


def test_a_pasted_group_is_a_copy_and_no_link() -> None:
    graph, ids = line("linear")
    graph, box = group(graph, "", ids)
    graph, made = duplicate(graph, "", [box])
    assert graph.nodes[made[0]].definition != graph.nodes[box].definition
    changed = edits.set_param(graph, graph.nodes[box].definition, ids[0], "units", 3)
    assert changed.definitions[graph.nodes[made[0]].definition].nodes[ids[0]].params == {}


def test_two_linked_groups_copied_together_stay_linked_to_each_other() -> None:
    graph, ids = line("linear")
    graph, box = group(graph, "", ids)
    graph, twin = edits.add_node(graph, "", "group", definition_id=graph.nodes[box].definition)
    graph, made = duplicate(graph, "", [box, twin.id])
    assert graph.nodes[made[0]].definition == graph.nodes[made[1]].definition
    assert len(graph.definitions) == 2


def test_duplicating_can_keep_the_wires_from_outside() -> None:
    graph, ids = line("input", "linear", "linear", "output")
    plain, made = duplicate(graph, "", ids[1:3])
    assert plain.incoming(made[0]) == ()
    fed, made = duplicate(graph, "", ids[1:3], keep_inputs=True)
    assert fed.incoming(made[0]) == (Edge(ids[0], "out", made[0], "x"),)
    assert [(fed.nodes[made[0]].x, fed.nodes[made[0]].y)] == [(232.0, 72.0)]


def test_shared_weights_stay_shared_within_the_copy_only() -> None:
    graph, ids = line("linear", "linear")
    graph = replace(graph, nodes={**graph.nodes, ids[1]: replace(graph.nodes[ids[1]], shares=ids[0])})
    both, made = duplicate(graph, "", ids)
    assert both.nodes[made[1]].shares == made[0]
    one, made = duplicate(graph, "", ids[1:])
    assert one.nodes[made[0]].shares == ""


@pytest.mark.parametrize(
    "data", [None, 3, {}, {"kind": "other"}, {"kind": "layerwright-fragment"},
             {"kind": "layerwright-fragment", "graph": {"nodes": [{"id": 1}]}}],
)  # fmt: skip
def test_a_clipboard_with_something_else_is_refused(data: object) -> None:
    with pytest.raises(ProblemError):
        paste(Graph(), "", data, x=0, y=0)


def test_inputs_are_not_pasted_into_a_block() -> None:
    graph, ids = line("input", "linear")
    fragment = copy_nodes(graph, "", ids[:1])
    graph, box = group(graph, "", ids[1:])
    with pytest.raises(ProblemError, match="inside a block"):
        paste(graph, graph.nodes[box].definition, fragment, x=0, y=0)


def test_pasting_a_block_into_itself_makes_no_circle() -> None:
    graph, ids = line("linear")
    graph, box = group(graph, "", ids)
    fragment = copy_nodes(graph, "", [box])
    inside = graph.nodes[box].definition
    graph, made = paste(graph, inside, fragment, x=0, y=0)
    assert graph.definitions[inside].nodes[made[0]].definition != inside
