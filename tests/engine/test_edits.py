"""Edits of nodes and wires: what they do, and what they refuse."""

from __future__ import annotations

import pytest

from engine import edits
from engine.graph import Edge, Graph, Node, cycle
from engine.problem import ProblemError
from tests.work import steps


def chain(*types: str) -> tuple[Graph, list[str]]:
    """Nodes one after the other, wired by their first ports."""
    graph, ids = Graph(), []
    for number, type_name in enumerate(types):
        graph, node = edits.add_node(graph, "", type_name, x=200.0 * number)
        if ids:
            graph = edits.connect(graph, "", ids[-1], "out", node.id, "x")
        ids.append(node.id)
    return graph, ids


def names(graph: Graph) -> list[str]:
    return [node.name for node in graph.nodes.values()]


def test_new_nodes_get_free_names_near_their_type() -> None:
    graph, _ = chain("input", "linear", "linear", "linear", "output")
    assert names(graph) == ["input", "linear", "linear2", "linear3", "output"]


def test_a_given_name_that_is_taken_or_forbidden_is_refused() -> None:
    graph, _ = chain("linear")
    for name in ("linear", "train", "class", "my layer", "x", "_hidden", "01", "", "torch"):
        if name:
            with pytest.raises(ProblemError):
                edits.add_node(graph, "", "linear", name=name)
    assert edits.add_node(graph, "", "linear", name="0")[1].name == "0"


def test_an_unknown_layer_and_a_bad_place_are_refused() -> None:
    with pytest.raises(ProblemError, match="no layer 'perceptron'"):
        edits.add_node(Graph(), "", "perceptron")
    with pytest.raises(ProblemError, match="no place"):
        edits.add_node(Graph(), "", "linear", x=float("nan"))
    with pytest.raises(ProblemError, match="only inside a group"):
        edits.add_node(Graph(), "", "group_input")


def test_settings_are_checked_and_defaults_are_left_out() -> None:
    graph, (node,) = chain("linear")
    graph = edits.set_param(graph, "", node, "units", 7)
    assert graph.nodes[node].params == {"units": 7}
    graph = edits.set_param(graph, "", node, "out_features", 9)
    assert graph.nodes[node].params == {"units": 9}, "a former name sets the present one"
    assert edits.set_param(graph, "", node, "units", 100).nodes[node].params == {}
    assert edits.clear_param(graph, "", node, "units").nodes[node].params == {}
    for name, value in (("units", 0), ("units", "many"), ("unit", 3), ("units", 10**30)):
        with pytest.raises(ProblemError) as caught:
            edits.set_param(graph, "", node, name, value)
        assert caught.value.problem.where.node == node


def test_a_tagged_setting_is_checked_inside() -> None:
    graph, (node,) = chain("linear")
    assert edits.set_param(graph, "", node, "initializer", "torch").nodes[node].params["initializer"] == {
        "type": "torch"
    }
    with pytest.raises(ProblemError, match="no initializer 'magic'"):
        edits.set_param(graph, "", node, "initializer", {"type": "magic"})
    with pytest.raises(ProblemError, match="no setting 'strength'"):
        edits.set_param(graph, "", node, "initializer", {"type": "torch", "strength": 9})


def test_an_edit_without_effect_returns_the_same_graph() -> None:
    graph, (first, second) = chain("linear", "linear")
    assert edits.rename(graph, "", first, "linear") is graph
    assert edits.set_param(graph, "", first, "units", 100) is graph
    assert edits.move(graph, "", {first: (0.0, 0.0)}) is graph
    assert edits.connect(graph, "", first, "out", second, "x") is graph
    assert edits.disconnect(graph, "", Edge("a", "out", "b", "x")) is graph


def test_an_occupied_input_lets_go_of_its_old_wire() -> None:
    graph, (first, second, third) = chain("linear", "linear", "linear")
    graph = edits.connect(graph, "", first, "out", third, "x")
    assert graph.incoming(third) == (Edge(first, "out", third, "x"),)
    assert graph.incoming(second) == (Edge(first, "out", second, "x"),)


def test_wires_that_could_never_run_say_why() -> None:
    graph, (first, _, third) = chain("linear", "linear", "linear")
    assert "circle" in edits.can_connect(graph, "", third, "out", first, "x")
    assert "itself" in edits.can_connect(graph, "", first, "out", first, "x")
    assert "same level" in edits.can_connect(graph, "", first, "out", "elsewhere", "x")
    assert "no input 'y'" in edits.can_connect(graph, "", first, "out", third, "y")
    assert edits.can_connect(graph, "", first, "out", third, "x") == ""
    with pytest.raises(ProblemError, match="circle"):
        edits.connect(graph, "", third, "out", first, "x")
    assert cycle(graph) == []


def test_all_possible_ends_are_those_that_connect_accepts() -> None:
    graph, ids = chain("input", "linear", "linear", "output")
    for source in ids:
        targets = edits.possible_targets(graph, "", source, "out")
        for target in ids:
            fits = edits.can_connect(graph, "", source, "out", target, "x") == ""
            assert ((target, "x") in targets) == fits
            assert ((source, "out") in edits.possible_sources(graph, "", target, "x")) == fits


def test_removing_takes_wires_along_and_bridging_joins_the_neighbours() -> None:
    graph, (first, second, third) = chain("input", "linear", "output")
    gone = edits.remove_nodes(graph, "", [second])
    assert list(gone.nodes) == [first, third]
    assert gone.edges == ()
    assert edits.remove_and_bridge(graph, "", [second]).edges == (Edge(first, "out", third, "x"),)


def test_bridging_a_chain_joins_its_outer_ends() -> None:
    graph, ids = chain("input", "linear", "linear", "linear", "output")
    assert edits.remove_and_bridge(graph, "", ids[1:4]).edges == (Edge(ids[0], "out", ids[4], "x"),)


def test_a_node_can_be_put_into_a_wire_but_not_in_a_circle() -> None:
    graph, (first, second) = chain("input", "output")
    graph, node = edits.add_node(graph, "", "linear")
    after = edits.insert_on_edge(graph, "", graph.edges[0], node.id)
    assert set(after.edges) == {Edge(first, "out", node.id, "x"), Edge(node.id, "out", second, "x")}
    graph, extra = edits.add_node(Graph(), "", "output")
    with pytest.raises(ProblemError):
        edits.insert_on_edge(graph, "", Edge(first, "out", second, "x"), extra.id)


def test_the_first_that_shared_a_removed_module_becomes_its_owner() -> None:
    shared = [Node("a", "a", "linear"), Node("b", "b", "linear", shares="a"), Node("c", "c", "linear", shares="a")]
    graph = edits.remove_nodes(Graph(nodes={node.id: node for node in shared}), "", ["a"])
    assert [node.shares for node in graph.nodes.values()] == ["", "b"]


def test_project_defaults_are_checked() -> None:
    graph = edits.set_default(Graph(), "initializer", "torch")
    assert graph.defaults == {"initializer": {"type": "torch"}}
    assert edits.set_default(graph, "initializer", None).defaults == {}
    with pytest.raises(ProblemError, match="no default"):
        edits.set_default(graph, "weather", "sun")


def test_an_edit_of_a_thousand_nodes_takes_less_than_five_milliseconds() -> None:
    nodes = {f"n{number}": Node(f"n{number}", f"n{number}", "linear") for number in range(1_000)}
    edges = tuple(Edge(f"n{number}", "out", f"n{number + 1}", "x") for number in range(998))
    graph = Graph(nodes=nodes, edges=edges)
    cases = {
        "add": lambda: edits.add_node(graph, "", "linear"),
        "remove": lambda: edits.remove_nodes(graph, "", ["n500"]),
        "connect": lambda: edits.connect(graph, "", "n998", "out", "n999", "x"),
        "move": lambda: edits.move(graph, "", {"n3": (1.0, 2.0)}),
        "rename": lambda: edits.rename(graph, "", "n3", "other"),
        "set": lambda: edits.set_param(graph, "", "n3", "units", 3),
        "bridge": lambda: edits.remove_and_bridge(graph, "", ["n500"]),
    }
    for name, case in cases.items():
        assert steps(case) < 20 * len(nodes), name
