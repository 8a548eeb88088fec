"""Blocks: made, taken apart, repeated, expanded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine import edits
from engine.graph import MAX_LAYERS, Edge, Graph, Node, cycle, input_ports, output_ports
from engine.groups import depth, expanded_count, group, instances, ungroup, unlink
from engine.problem import ProblemError


def line(*types: str) -> tuple[Graph, list[str]]:
    graph, ids = Graph(), []
    for number, type_name in enumerate(types):
        graph, node = edits.add_node(graph, "", type_name, x=200.0 * number)
        if ids:
            graph = edits.connect(graph, "", ids[-1], "out", node.id, "x")
        ids.append(node.id)
    return graph, ids


def shape(graph: Graph) -> set[tuple[str, str, str, str]]:
    """The wires by names instead of ids."""
    name = {key: node.name for key, node in graph.nodes.items()}
    return {(name[edge.source], edge.output, name[edge.target], edge.input) for edge in graph.edges}


def test_grouping_gives_one_port_per_wire_that_crosses_the_border() -> None:
    graph, ids = line("input", "linear", "linear", "output")
    graph, box = group(graph, "", ids[1:3], title="Hidden")
    node = graph.nodes[box]
    assert (node.name, node.type, node.x) == ("hidden", "group", 300.0)
    assert [port.name for port in input_ports(graph, node)] == ["x"]
    assert [port.name for port in output_ports(graph, node)] == ["out"]
    assert shape(graph) == {("input", "out", "hidden", "x"), ("hidden", "out", "output", "x")}
    inside = graph.definitions[node.definition]
    assert inside.title == "Hidden"
    assert shape(inside) == {
        ("x", "out", "linear", "x"), ("linear", "out", "linear2", "x"), ("linear2", "out", "out", "x"),
    }  # fmt: skip


def test_one_source_that_feeds_two_layers_is_one_port() -> None:
    graph, ids = line("input", "linear")
    graph, other = edits.add_node(graph, "", "linear")
    graph = edits.connect(graph, "", ids[0], "out", other.id, "x")
    graph, box = group(graph, "", [ids[1], other.id])
    node = graph.nodes[box]
    assert [port.name for port in input_ports(graph, node)] == ["x"]
    assert [port.name for port in output_ports(graph, node)] == ["out", "out2"], "unused results become outputs"


def test_unwired_layers_become_a_block_with_an_input_and_an_output() -> None:
    graph, ids = line("linear", "linear")
    graph, box = group(graph, "", ids)
    assert [port.name for port in input_ports(graph, graph.nodes[box])] == ["x"]
    assert [port.name for port in output_ports(graph, graph.nodes[box])] == ["out"]


def test_a_selection_that_would_feed_itself_from_outside_is_refused() -> None:
    graph, ids = line("input", "linear", "linear", "linear", "output")
    with pytest.raises(ProblemError, match="linear2"):
        group(graph, "", [ids[1], ids[3]])
    grouped, _ = group(graph, "", ids[1:4])
    assert cycle(grouped) == []


def test_inputs_outputs_and_nothing_cannot_be_grouped() -> None:
    graph, ids = line("input", "linear", "output")
    for chosen in ([], ids, ids[:1], ids[2:]):
        with pytest.raises(ProblemError):
            group(graph, "", chosen)


def test_ungrouping_gives_back_what_was_grouped() -> None:
    graph, ids = line("input", "linear", "linear", "output")
    grouped, box = group(graph, "", ids[1:3])
    back, made = ungroup(grouped, "", box)
    assert set(made) == set(ids[1:3])
    assert shape(back) == shape(graph)
    assert [(node.x, node.y) for node in back.nodes.values()] == [(node.x, node.y) for node in graph.nodes.values()]
    assert back.definitions == {}


def test_ungrouping_a_repeat_writes_its_copies_out_in_a_chain() -> None:
    graph, ids = line("input", "linear", "output")
    graph, box = group(graph, "", ids[1:2])
    graph = edits.set_repeat(graph, "", box, 3)
    graph = replace(graph, nodes={**graph.nodes, box: replace(graph.nodes[box], vary={"linear.units": (7, 8, 9)})})
    back, made = ungroup(graph, "", box)
    assert shape(back) == {
        ("input", "out", "linear", "x"), ("linear", "out", "linear2", "x"), ("linear2", "out", "linear3", "x"),
        ("linear3", "out", "output", "x"),
    }  # fmt: skip
    assert [back.nodes[key].params["units"] for key in made] == [7, 8, 9]
    assert len({node.name for node in back.nodes.values()}) == 5


def test_ungrouping_too_many_copies_is_refused() -> None:
    graph, ids = line("input", "linear", "output")
    graph, box = group(graph, "", ids[1:2])
    with pytest.raises(ProblemError, match="At most 200"):
        ungroup(edits.set_repeat(graph, "", box, 201), "", box)


def test_a_wire_straight_through_a_block_survives_ungrouping() -> None:
    graph, ids = line("input", "linear", "output")
    graph, box = group(graph, "", ids[1:2])
    definition = graph.nodes[box].definition
    inside = graph.definitions[definition]
    port_in, port_out = inside.of_type("group_input")[0], inside.of_type("group_output")[0]
    graph = edits.connect(graph, definition, port_in.id, "out", port_out.id, "x")
    back, _ = ungroup(edits.set_repeat(graph, "", box, 4), "", box)
    assert ("input", "out", "output", "x") in shape(back)


def test_renaming_or_removing_a_port_inside_reaches_the_wires_outside() -> None:
    graph, ids = line("input", "linear", "output")
    graph, box = group(graph, "", ids[1:2])
    definition = graph.nodes[box].definition
    inside = graph.definitions[definition]
    port_in, port_out = inside.of_type("group_input")[0], inside.of_type("group_output")[0]
    renamed = edits.rename(edits.rename(graph, definition, port_in.id, "image"), definition, port_out.id, "result")
    assert shape(renamed) == {("input", "out", "block", "image"), ("block", "result", "output", "x")}
    assert shape(edits.remove_nodes(graph, definition, [port_out.id])) == {("input", "out", "block", "x")}


def test_renaming_a_layer_inside_keeps_what_varies() -> None:
    graph, ids = line("linear")
    graph, box = group(graph, "", ids)
    graph = edits.set_repeat(graph, "", box, 2)
    graph = replace(graph, nodes={box: replace(graph.nodes[box], vary={"linear.units": (1, 2)})})
    graph = edits.rename(graph, graph.nodes[box].definition, ids[0], "dense")
    assert graph.nodes[box].vary == {"dense.units": (1, 2)}
    assert edits.set_repeat(graph, "", box, 3).nodes[box].vary == {"dense.units": (1, 2, 2)}


def test_a_repeat_outside_its_bounds_is_refused() -> None:
    graph, ids = line("linear")
    with pytest.raises(ProblemError, match="Only a group"):
        edits.set_repeat(graph, "", ids[0], 2)
    graph, box = group(graph, "", ids)
    for repeat in (0, 1_001, 10**9, True):
        with pytest.raises(ProblemError):
            edits.set_repeat(graph, "", box, repeat)


def test_instance_paths_number_the_copies_of_repeats_only() -> None:
    graph, ids = line("input", "linear", "output")
    graph, inner = group(graph, "", ids[1:2], title="inner")
    graph, _ = group(graph, "", [inner], title="outer")
    outer = graph.by_name("outer")
    assert outer is not None
    graph = edits.set_repeat(graph, "", outer.id, 2)
    assert [item.path for item in instances(graph)] == [
        "input", "outer.0.inner.linear", "outer.1.inner.linear", "output",
    ]  # fmt: skip
    assert [item.copies for item in instances(graph)][1:3] == [(0, 0), (1, 0)]
    assert (expanded_count(graph), depth(graph)) == (4, 2)


def test_a_linked_block_can_get_an_inside_of_its_own() -> None:
    graph, ids = line("input", "linear", "output")
    graph, box = group(graph, "", ids[1:2])
    graph, other = edits.add_node(graph, "", "group", definition_id=graph.nodes[box].definition)
    changed = edits.set_param(graph, graph.nodes[box].definition, ids[1], "units", 5)
    assert len(changed.definitions) == 1, "linked blocks change together"
    apart = unlink(graph, "", other.id)
    assert len(apart.definitions) == 2
    assert unlink(apart, "", other.id) is apart
    assert len(edits.remove_nodes(apart, "", [other.id]).definitions) == 1, "an inside nobody uses goes"
    assert len(edits.remove_nodes(graph, "", [other.id]).definitions) == 1, "one that is still used stays"


def test_a_block_cannot_be_put_inside_itself() -> None:
    graph, ids = line("linear")
    graph, box = group(graph, "", ids)
    definition = graph.nodes[box].definition
    with pytest.raises(ProblemError, match="contain itself"):
        edits.add_node(graph, definition, "group", definition_id=definition)


def hostile() -> Graph:
    """Thirty blocks inside each other, each repeated a thousand times, with nothing or one layer innermost."""
    definitions = {f"d{level}": Graph(nodes={"g": Node("g", "g", "group", definition=f"d{level + 1}", repeat=1_000)})
                   for level in range(30)}  # fmt: skip
    definitions["d30"] = Graph(nodes={"l": Node("l", "l", "linear")})
    return Graph(nodes={"g": Node("g", "g", "group", definition="d0", repeat=1_000)}, definitions=definitions)


def test_a_hostile_repeat_of_repeats_is_counted_and_never_walked() -> None:
    graph = hostile()
    assert expanded_count(graph) == 1_000**31
    assert sum(1 for _ in instances(graph)) == MAX_LAYERS
    empty = replace(graph, definitions={**graph.definitions, "d30": Graph()})
    assert list(instances(empty)) == []


def test_a_block_that_contains_itself_in_a_file_does_not_hang() -> None:
    level = Graph(nodes={"g": Node("g", "g", "group", definition="d"), "l": Node("l", "l", "linear")})
    graph = Graph(nodes={"g": Node("g", "g", "group", definition="d")}, definitions={"d": level})
    assert expanded_count(graph) == 1
    assert depth(graph) > 32
    assert sum(1 for _ in instances(graph)) <= MAX_LAYERS


def test_grouping_keeps_the_order_of_wires_at_a_port_that_takes_many() -> None:
    graph, ids = line("input", "linear")
    graph, second = edits.add_node(graph, "", "linear")
    graph, merge = edits.add_node(graph, "", "concatenate")
    graph = edits.connect(graph, "", ids[0], "out", second.id, "x")
    port = input_ports(graph, merge)[0].name
    graph = edits.connect(graph, "", second.id, "out", merge.id, port)
    graph = edits.connect(graph, "", ids[1], "out", merge.id, port)
    assert [edge.slot for edge in graph.incoming(merge.id)] == [0, 1]
    grouped, box = group(graph, "", [merge.id])
    definition = grouped.nodes[box].definition
    assert [edge.slot for edge in grouped.definitions[definition].incoming(merge.id)] == [0, 1]
    back, _ = ungroup(grouped, "", box)
    assert sorted(back.edges) == sorted(graph.edges)
    assert Edge(second.id, "out", merge.id, port, 0) in back.edges
