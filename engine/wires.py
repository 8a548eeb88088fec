"""Edits of wires: connect, disconnect, put a node into a wire.

Refuses what could never run: a cycle, a wire from a node to itself, a wire across the border of a group, a port that
does not exist. A port that takes one wire lets go of its old one.
"""

from __future__ import annotations

from dataclasses import replace

from engine.declare import Port
from engine.graph import Edge, Graph, input_ports, output_ports
from engine.levels import level_of, node_of
from engine.problem import ProblemError, Where, error


def can_connect(graph: Graph, definition: str, source: str, output: str, target: str, input: str) -> str:
    """Why this wire is not possible; empty when it is."""
    level = level_of(graph, definition)
    reason = _fault(graph, level, source, output, target, input)
    if not reason and source in downstream(level, target):
        names = f"{level.nodes[target].name} already feeds {level.nodes[source].name}"
        reason = f"This wire would close a circle: {names}."
    return reason


def connect(graph: Graph, definition: str, source: str, output: str, target: str, input: str) -> Graph:
    """With a wire from an output port to an input port; at an occupied single port it takes the old one's place."""
    level = level_of(graph, definition)
    reason = can_connect(graph, definition, source, output, target, input)
    if reason:
        node = level.nodes.get(target)
        where = Where(label=node.name if node else target, node=target, definition=definition, port=input)
        fix = "Wire an output to an input of a layer that is not upstream of it"
        raise ProblemError(error(where, reason, "A wire that data can follow", fix, code="wire"))
    there = [edge for edge in level.edges if (edge.target, edge.input) == (target, input)]
    if any((edge.source, edge.output) == (source, output) for edge in there):
        return graph
    slot = 0
    if _port(input_ports(graph, level.nodes[target]), input).variadic:
        slot = max((edge.slot for edge in there), default=-1) + 1
        there = []
    gone = set(there)
    edges = tuple(edge for edge in level.edges if edge not in gone)
    return graph.with_level(definition, replace(level, edges=(*edges, Edge(source, output, target, input, slot))))


def disconnect(graph: Graph, definition: str, edge: Edge) -> Graph:
    """Without this wire; unchanged when it is not there."""
    level = level_of(graph, definition)
    edges = tuple(item for item in level.edges if item != edge)
    return graph if len(edges) == len(level.edges) else graph.with_level(definition, replace(level, edges=edges))


def possible_targets(graph: Graph, definition: str, source: str, output: str) -> frozenset[tuple[str, str]]:
    """Every (node, input port) that a wire from this output may end at; one pass, for use while dragging."""
    level = level_of(graph, definition)
    blocked = upstream(level, source) | {source}
    return frozenset(
        (key, port.name)
        for key, node in level.nodes.items()
        if key not in blocked
        for port in input_ports(graph, node)
        if not _fault(graph, level, source, output, key, port.name)
    )


def possible_sources(graph: Graph, definition: str, target: str, input: str) -> frozenset[tuple[str, str]]:
    """Every (node, output port) that a wire to this input may start at."""
    level = level_of(graph, definition)
    blocked = downstream(level, target) | {target}
    return frozenset(
        (key, port.name)
        for key, node in level.nodes.items()
        if key not in blocked
        for port in output_ports(graph, node)
        if not _fault(graph, level, key, port.name, target, input)
    )


def insert_on_edge(graph: Graph, definition: str, edge: Edge, node_id: str) -> Graph:
    """An existing node put into a wire: first input fed by its source, first output in its place at its target."""
    level = level_of(graph, definition)
    node = node_of(graph, definition, node_id)
    inputs, outputs = input_ports(graph, node), output_ports(graph, node)
    where = Where(label=node.name, node=node_id, definition=definition)
    if not inputs or not outputs or edge not in level.edges or node_id in (edge.source, edge.target):
        happened = f"{node.name} cannot stand in the middle of this wire"
        raise ProblemError(
            error(where, happened, "A layer with an input and an output", "Wire it by hand", code="wire")
        )
    # Its own wires at those two ports would tie it to its old place.
    freed = tuple(
        item
        for item in level.edges
        if item != edge
        and not (item.target == node_id and item.input == inputs[0].name)
        and not (item.source == node_id and item.output == outputs[0].name)
    )
    graph = graph.with_level(definition, replace(level, edges=freed))
    graph = connect(graph, definition, edge.source, edge.output, node_id, inputs[0].name)
    reason = can_connect(graph, definition, node_id, outputs[0].name, edge.target, edge.input)
    if reason:
        raise ProblemError(
            error(where, reason, "A layer that is not wired in a circle", "Wire it by hand", code="wire")
        )
    level = level_of(graph, definition)
    second = replace(edge, source=node_id, output=outputs[0].name)
    return graph.with_level(definition, replace(level, edges=(*level.edges, second)))


def upstream(level: Graph, node: str) -> set[str]:
    """Nodes from which data reaches `node`, without itself (unless it stands in a circle)."""
    feeds: dict[str, list[str]] = {}
    for edge in level.edges:
        feeds.setdefault(edge.target, []).append(edge.source)
    return _reach(feeds, node)


def downstream(level: Graph, node: str) -> set[str]:
    """Nodes that data from `node` reaches, without itself (unless it stands in a circle)."""
    fed: dict[str, list[str]] = {}
    for edge in level.edges:
        fed.setdefault(edge.source, []).append(edge.target)
    return _reach(fed, node)


def _reach(next_of: dict[str, list[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(next_of.get(start, ()))
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += next_of.get(key, ())
    return found


def _fault(graph: Graph, level: Graph, source: str, output: str, target: str, input: str) -> str:
    if source not in level.nodes or target not in level.nodes:
        return "Both ends of a wire must stand on the same level: wires never cross the border of a group."
    if source == target:
        return "A layer cannot feed itself."
    for key, name, ports in (
        (source, output, output_ports(graph, level.nodes[source])),
        (target, input, input_ports(graph, level.nodes[target])),
    ):
        if not any(port.name == name for port in ports):
            kind = "output" if key == source else "input"
            return f"{level.nodes[key].name} has no {kind} {name!r}."
    return ""


def _port(ports: tuple[Port, ...], name: str) -> Port:
    return next(port for port in ports if port.name == name)
