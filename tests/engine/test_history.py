"""Undo, redo, and what changed between two states."""

from __future__ import annotations

from dataclasses import replace

from engine import edits
from engine.diff import Delta, diff
from engine.graph import Edge, Graph, Node
from engine.groups import group
from engine.history import MAX_STATES, History
from engine.project import Project
from tests.work import steps


def named(name: str) -> Project:
    return Project(name=name)


def test_undo_and_redo_walk_through_the_states() -> None:
    history = History(named("a"))
    history.edit(named("b"), "Rename to b")
    history.edit(named("c"), "Rename to c")
    assert (history.undo_label, history.redo_label, history.can_redo) == ("Rename to c", "", False)
    assert history.undo().name == "b"
    assert (history.undo_label, history.redo_label) == ("Rename to b", "Rename to c")
    assert history.undo().name == "a"
    assert history.undo().name == "a", "there is nothing older"
    assert not history.can_undo
    assert history.redo().name == "b"
    history.edit(named("d"), "Rename to d")
    assert not history.can_redo, "an edit forgets what was undone"


def test_an_identical_state_is_no_step() -> None:
    history = History(named("a"))
    history.edit(named("a"), "Nothing")
    assert not history.can_undo


def test_edits_with_one_merge_key_become_one_step() -> None:
    history = History(named("start"))
    for name in ("m1", "m2", "m3"):
        history.edit(named(name), "Move", merge="drag 1")
    history.edit(named("n"), "Move", merge="drag 2")
    assert history.undo().name == "m3"
    assert history.undo().name == "start"


def test_a_merged_gesture_that_ends_where_it_began_leaves_no_step() -> None:
    history = History(named("a"))
    history.edit(named("b"), "Move", merge="drag")
    history.edit(named("a"), "Move", merge="drag")
    assert not history.can_undo
    assert history.current.name == "a"


def test_after_undo_a_merge_key_begins_a_new_step() -> None:
    history = History(named("a"))
    history.edit(named("b"), "Move", merge="drag")
    history.edit(named("c"), "Other")
    history.undo()
    history.edit(named("d"), "Move", merge="drag")
    assert history.undo().name == "b"


def test_the_number_of_states_is_bounded() -> None:
    history = History(named("first"))
    for number in range(MAX_STATES + 50):
        history.edit(named(str(number)), "Rename")
    steps = 0
    while history.can_undo:
        history.undo()
        steps += 1
    assert steps == MAX_STATES


def large() -> Project:
    nodes = {f"n{number}": Node(f"n{number}", f"n{number}", "linear") for number in range(1_000)}
    edges = tuple(Edge(f"n{number}", "out", f"n{number + 1}", "x") for number in range(998))
    return Project(graph=Graph(nodes=nodes, edges=edges))


def test_a_delta_names_what_was_added_removed_changed_and_moved() -> None:
    old = large()
    graph = edits.remove_nodes(old.graph, "", ["n10"])
    graph, node = edits.add_node(graph, "", "linear")
    graph = edits.move(graph, "", {"n3": (5.0, 5.0)})
    graph = edits.set_param(graph, "", "n4", "units", 5)
    graph = edits.connect(graph, "", "n998", "out", node.id, "x")
    level = diff(old, old.with_graph(graph)).levels[""]
    assert (level.added, level.removed, level.changed, level.moved) == ((node.id,), ("n10",), ("n4",), ("n3",))
    assert level.edges_added == (Edge("n998", "out", node.id, "x"),)
    assert set(level.edges_removed) == {Edge("n9", "out", "n10", "x"), Edge("n10", "out", "n11", "x")}


def test_nothing_changed_is_an_empty_delta() -> None:
    assert not diff(large(), large())
    assert diff(large(), large()) == Delta()


def test_settings_and_words_are_named() -> None:
    old = Project(name="a")
    new = replace(old, name="b", notes="n", recipe=old.recipe.with_value("epochs", 3).with_value("seed", 4))
    delta = diff(old, new)
    assert (delta.name, delta.notes, delta.data, set(delta.recipe)) == (True, True, False, {"epochs", "seed"})
    assert not delta.graph


def test_a_group_counts_as_changed_when_its_ports_change() -> None:
    graph, node = edits.add_node(Graph(), "", "linear")
    graph, box = group(graph, "", [node.id])
    definition = graph.nodes[box].definition
    before = Project(graph=graph)
    after = before.with_graph(edits.add_node(graph, definition, "group_input", name="other")[0])
    delta = diff(before, after)
    assert delta.levels[""].changed == (box,)
    assert len(delta.levels[definition].added) == 1


def test_grouping_adds_a_definition_and_undoing_it_removes_one() -> None:
    graph, node = edits.add_node(Graph(), "", "linear")
    grouped, box = group(graph, "", [node.id])
    old, new = Project(graph=graph), Project(graph=grouped)
    assert diff(old, new).definitions_added == (grouped.nodes[box].definition,)
    assert diff(new, old).definitions_removed == (grouped.nodes[box].definition,)


def test_the_difference_of_an_edit_among_a_thousand_nodes_looks_at_each_a_few_times_at_most() -> None:
    old = large()
    new = old.with_graph(edits.set_param(old.graph, "", "n4", "units", 5))
    assert steps(lambda: diff(old, new)) < 15 * len(old.graph.nodes)
