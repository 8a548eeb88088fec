"""Tidy places: left to right, without overlaps, the same every time."""

from __future__ import annotations

import random
from itertools import pairwise

from engine.graph import Edge, Graph, Node
from engine.layout import GAP_X, GAP_Y, arrange, node_size
from tests.work import steps


def made(names: list[str], wires: list[tuple[str, str]], types: dict[str, str] | None = None) -> Graph:
    nodes = {name: Node(name, name, (types or {}).get(name, "linear")) for name in names}
    return Graph(nodes=nodes, edges=tuple(Edge(a, "out", b, "x", slot) for slot, (a, b) in enumerate(wires)))


def assert_tidy(graph: Graph) -> None:
    boxes = {key: (node.x, node.y, *node_size(graph, node)) for key, node in graph.nodes.items()}
    for edge in graph.edges:
        left, right = boxes[edge.source], boxes[edge.target]
        assert left[0] + left[2] + GAP_X <= right[0] + 1, f"{edge} does not run to the right"
    placed = sorted(boxes.items(), key=lambda item: (item[1][0], item[1][1]))
    for (first, a), (second, b) in pairwise(placed):
        assert a[0] != b[0] or a[1] + a[3] + GAP_Y <= b[1] + 1, f"{first} and {second} are too close"


def test_a_chain_becomes_one_straight_row() -> None:
    graph = arrange(made(list("abcd"), [("a", "b"), ("b", "c"), ("c", "d")]))
    assert_tidy(graph)
    assert len({node.y for node in graph.nodes.values()}) == 1


def test_a_skip_connection_gets_a_lane_beside_what_it_skips() -> None:
    graph = arrange(made(list("abcde"), [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("d", "e")]))
    assert_tidy(graph)
    through = (graph.nodes["a"].y + graph.nodes["d"].y) / 2
    assert abs(graph.nodes["b"].y - through) > 0, "the wire that skips would run behind the layers"


def test_parallel_branches_do_not_cross() -> None:
    wires = [("in", "a1"), ("in", "b1"), ("a1", "a2"), ("b1", "b2"), ("a2", "out"), ("b2", "out")]
    graph = arrange(made(["in", "b2", "a1", "a2", "b1", "out"], wires))
    assert_tidy(graph)
    nodes = graph.nodes
    assert (nodes["a1"].y < nodes["b1"].y) == (nodes["a2"].y < nodes["b2"].y)
    middle = (nodes["a1"].y + nodes["b1"].y) / 2
    assert abs(nodes["in"].y - middle) <= 1


def test_outputs_stand_at_the_right_end() -> None:
    graph = made(list("iabop"), [("i", "a"), ("a", "b"), ("b", "o"), ("i", "p")], {"o": "output", "p": "output"})
    nodes = arrange(graph).nodes
    assert nodes["p"].x == nodes["o"].x > nodes["b"].x


def test_given_sizes_are_respected() -> None:
    graph = arrange(made(list("ab"), [("a", "b")]), sizes={"a": (500.0, 300.0), "b": (100.0, 100.0)})
    assert graph.nodes["b"].x - graph.nodes["a"].x == 500 + GAP_X
    assert graph.nodes["b"].y - graph.nodes["a"].y == 100


def test_a_cycle_and_loose_nodes_are_placed_too() -> None:
    graph = arrange(made(list("abcx"), [("a", "b"), ("b", "c"), ("c", "a")]))
    assert len({(node.x, node.y) for node in graph.nodes.values()}) == 4
    assert arrange(Graph()) == Graph()


def test_arranging_inside_a_block_leaves_the_outside_alone() -> None:
    inner = made(list("ab"), [("a", "b")])
    graph = Graph(nodes={"g": Node("g", "g", "group", definition="d", x=7.0)}, definitions={"d": inner})
    after = arrange(graph, "d")
    assert after.nodes == graph.nodes
    assert_tidy(after.definitions["d"])


def large(number: int) -> Graph:
    draw = random.Random(3)
    names = [f"n{index}" for index in range(number)]
    wires = [(names[index - 1 - draw.randrange(min(index, 5))], names[index]) for index in range(1, number)]
    wires += [(names[draw.randrange(index)], names[index]) for index in range(50, number, 25)]
    return made(names, list(dict.fromkeys(wires)))


def test_arranging_is_deterministic_and_tidy_for_large_graphs() -> None:
    graph = large(300)
    assert arrange(graph) == arrange(graph)
    assert_tidy(arrange(graph))


def test_the_time_of_arranging_grows_with_the_layers_and_not_with_their_square() -> None:
    few, many = (steps(lambda graph=graph: arrange(graph)) for graph in (large(200), large(800)))
    assert few > 1_000
    assert many < 6 * few
