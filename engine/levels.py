"""Questions and small repairs that cross levels: who uses a definition, which ports its users see, what is unused.

Owns no edit of its own; `edits.py`, `wires.py` and `groups.py` are made of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.graph import GROUP_INPUT, GROUP_OUTPUT, Edge, Graph, Node
from engine.problem import ProblemError, Where, error


def level_of(graph: Graph, definition: str) -> Graph:
    """The level of that id; ProblemError when there is none."""
    try:
        return graph.level(definition)
    except KeyError:
        raise ProblemError(
            error(
                "graph",
                "This block does not exist any more",
                "A block of this project",
                "Go back to the outermost level",
            )
        ) from None


def node_of(graph: Graph, definition: str, node_id: str) -> Node:
    """A node by level and id; ProblemError when there is none."""
    node = level_of(graph, definition).nodes.get(node_id)
    if node is None:
        where = Where(label=node_id, definition=definition)
        raise ProblemError(
            error(where, "This layer does not exist any more", "A layer of this level", "Select another")
        )
    return node


def users(graph: Graph, definition: str) -> Iterator[tuple[str, Node]]:
    """The group nodes that hold a definition, with their levels."""
    for key, level in graph.levels():
        for node in level.nodes.values():
            if node.definition == definition and node.is_group:
                yield key, node


def used_by(graph: Graph, level: Graph) -> list[str]:
    """Definitions that a level's own groups name, each once, those that exist."""
    found = {node.definition: None for node in level.nodes.values() if node.is_group}
    return [key for key in found if key in graph.definitions]


def reached(graph: Graph, start: Graph) -> list[str]:
    """Definitions that a level uses, directly or inside others, outer before inner."""
    found: dict[str, None] = {}
    waiting = used_by(graph, start)
    while waiting:
        key = waiting.pop(0)
        if key not in found:
            found[key] = None
            waiting += used_by(graph, graph.definitions[key])
    return list(found)


def contains(graph: Graph, outer: str, inner: str) -> bool:
    """True when definition `inner` is `outer` or stands anywhere inside it."""
    return outer == inner or inner in reached(graph, graph.definitions[outer])


def drop_unused(graph: Graph) -> Graph:
    """Without the definitions that no group reaches from the outermost level."""
    kept = set(reached(graph, graph))
    if len(kept) == len(graph.definitions):
        return graph
    return replace(graph, definitions={key: level for key, level in graph.definitions.items() if key in kept})


def unwire_port(graph: Graph, definition: str, port: Node) -> Graph:
    """Takes away the wires outside a group that end or start at one of its ports."""

    def kept(edge: Edge, user: str) -> Edge | None:
        inside = port.type == GROUP_INPUT and (edge.target, edge.input) == (user, port.name)
        outside = port.type == GROUP_OUTPUT and (edge.source, edge.output) == (user, port.name)
        return None if inside or outside else edge

    for key, user in list(users(graph, definition)):
        level = graph.level(key)
        edges = tuple(edge for edge in level.edges if kept(edge, user.id))
        graph = graph.with_level(key, replace(level, edges=edges))
    return graph


def rename_in_users(graph: Graph, definition: str, node: Node, name: str) -> Graph:
    """What follows a new name of `node` outside its level: wires at a port, values that vary by name."""
    for key, user in list(users(graph, definition)):
        level = graph.level(key)
        if node.type == GROUP_INPUT:
            edges = tuple(
                replace(edge, input=name) if (edge.target, edge.input) == (user.id, node.name) else edge
                for edge in level.edges
            )
        elif node.type == GROUP_OUTPUT:
            edges = tuple(
                replace(edge, output=name) if (edge.source, edge.output) == (user.id, node.name) else edge
                for edge in level.edges
            )
        else:
            edges = level.edges
        vary = {_renamed(path, node.name, name): values for path, values in user.vary.items()}
        if vary != user.vary:
            level = replace(level, nodes={**level.nodes, user.id: replace(user, vary=vary)})
        if edges != level.edges:
            level = replace(level, edges=edges)
        graph = graph.with_level(key, level)
    return graph


def _renamed(path: str, old: str, new: str) -> str:
    head, dot, rest = path.partition(".")
    return new + dot + rest if head == old else path
