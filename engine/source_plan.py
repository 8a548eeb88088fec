"""The order and the wires of one level, found once and used for every copy of it.

Owns `Plan`: the nodes in order of computation, what feeds each of their ports, which of them an output needs, and
whose module each calls. Never looks at a shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.declare import Declaration, Port, find
from engine.graph import GROUP_INPUT, GROUP_OUTPUT, INPUT, OUTPUT, Edge, Graph, Node, input_ports, order, output_ports

Source = tuple[str, int]
"""(node id, index of its output port)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One node in its place: `sources` holds per input port what is wired to it, in order."""

    node: Node
    owner: Node
    """The node whose module is called: itself, unless it shares another's weights."""
    declaration: Declaration | None
    ports: tuple[Port, ...]
    sources: tuple[tuple[Source, ...], ...]
    outputs: tuple[str, ...]
    live: bool
    """False for a node that no output needs; it is checked but not written."""
    builds: bool
    """True for the call that makes the module: the first one that is needed, among those that share weights."""
    rank: int
    """Place in the order of creation."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One level: steps in order of computation, and the ids of its inputs and outputs in order of creation."""

    steps: tuple[Step, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def plan_level(graph: Graph, definition: str = "") -> Plan:
    """The plan of one level of a graph. `graphlib.CycleError` when its wires go in a circle."""
    level = graph.level(definition)
    nodes = level.nodes
    ports = {node.id: output_ports(graph, node) for node in nodes.values()}
    index = {key: {port.name: place for place, port in enumerate(found)} for key, found in ports.items()}
    arriving = _arriving(level, index)
    entry, leave = (GROUP_INPUT, GROUP_OUTPUT) if definition else (INPUT, OUTPUT)
    live = _live(level, {node.id for node in nodes.values() if node.type == leave})
    ordered = order(level)
    owners = {key: _owner(level, nodes[key]) for key in ordered}
    builders = {owner.id: key for key, owner in reversed(owners.items())}
    builders |= {owners[key].id: key for key in reversed(ordered) if key in live}
    ranks = {key: place for place, key in enumerate(nodes)}
    steps = []
    for key in ordered:
        node, owner = nodes[key], owners[key]
        declaration = None if node.is_group else find("layer", owner.type)
        wanted = input_ports(graph, node)
        sources = tuple(_sources(arriving.get(key, {}).get(port.name, ())) for port in wanted)
        names = tuple(port.name for port in ports[key])
        steps.append(
            Step(node, owner, declaration, wanted, sources, names, key in live, builders[owner.id] == key, ranks[key])
        )
    return Plan(
        tuple(steps),
        tuple(node.id for node in nodes.values() if node.type == entry),
        tuple(node.id for node in nodes.values() if node.type == leave),
    )


def _sources(arriving: Sequence[tuple[int, Source]]) -> tuple[Source, ...]:
    return tuple(source for _, source in sorted(arriving, key=lambda item: item[0]))


def _arriving(level: Graph, index: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, list[tuple[int, Source]]]]:
    found: dict[str, dict[str, list[tuple[int, Source]]]] = {}
    for edge in level.edges:
        place = index.get(edge.source, {}).get(edge.output)
        if place is not None and edge.target in level.nodes:
            found.setdefault(edge.target, {}).setdefault(edge.input, []).append((edge.slot, (edge.source, place)))
    return found


def _live(level: Graph, ends: set[str]) -> set[str]:
    feeding: dict[str, list[Edge]] = {}
    for edge in level.edges:
        feeding.setdefault(edge.target, []).append(edge)
    found, waiting = set(ends), list(ends)
    while waiting:
        for edge in feeding.get(waiting.pop(), ()):
            if edge.source not in found:
                found.add(edge.source)
                waiting.append(edge.source)
    return found


def _owner(level: Graph, node: Node) -> Node:
    """Follows `shares`; a missing or circular one is a fault that the checks report, here it means: its own."""
    found, seen = node, {node.id}
    while found.shares:
        following = level.nodes.get(found.shares)
        if following is None or following.id in seen or following.is_group != node.is_group:
            return node
        seen.add(following.id)
        found = following
    return found
