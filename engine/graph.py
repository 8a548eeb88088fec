"""The network as plain frozen values: nodes, edges, and definitions that groups repeat.

Owns the values, the questions one asks of a single level, and the order of its nodes. Edits stand in `edits.py` and
`groups.py` and return a new Graph. Knows no declaration's meaning beyond its ports; knows no torch and no Qt.

One `Graph` value is one level. The outermost also holds `definitions`: the nested levels by id. A group is a node
of type `group` whose `definition` names one of them; its ports are the `group_input` and `group_output` nodes of
that level, in their order. Wires never cross a border.

A node has an `id` (opaque, permanent), a `name` (unique in its level, the Python attribute), and, once expanded,
instance paths (`blocks.3.linear`, the state_dict prefix). Everything about a run is keyed by instance path.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from typing import Any

from engine.declare import Port, find

GROUP = "group"
GROUP_INPUT = "group_input"
GROUP_OUTPUT = "group_output"
INPUT = "input"
OUTPUT = "output"
MAX_REPEAT = 1_000
MAX_DEPTH = 32
MAX_LAYERS = 20_000


@dataclass(frozen=True, slots=True)
class Node:
    """One box on the canvas. `params` holds only what differs from the declaration's defaults."""

    id: str
    name: str
    type: str
    params: Mapping[str, Any] = field(default_factory=dict)
    x: float = 0.0
    y: float = 0.0
    definition: str = ""
    """Groups only: the id of the level inside."""
    repeat: int = 1
    vary: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Groups only: values that differ between copies, by `name.parameter`, one per copy."""
    shares: str = ""
    """Id of a node of the same level whose module (and weights) this one calls again."""
    note: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the file that this version does not know; saved back unchanged."""

    @property
    def is_group(self) -> bool:
        """True for a node that holds a level of its own."""
        return self.type == GROUP


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """A wire from an output port to an input port of the same level; `slot` orders the wires of a variadic port."""

    source: str
    output: str
    target: str
    input: str
    slot: int = 0


@dataclass(frozen=True)
class Graph:
    """One level: nodes by id in order of creation, edges; the outermost level also holds the definitions."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    edges: tuple[Edge, ...] = ()
    title: str = ""
    definitions: Mapping[str, Graph] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Project defaults that layers inherit, outermost level only: {"initializer": {"type": "he_normal"}}."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the file that this version does not know; saved back unchanged."""

    def level(self, definition: str = "") -> Graph:
        """This level for "", else the definition of that id (KeyError when there is none)."""
        return self.definitions[definition] if definition else self

    def with_level(self, definition: str, level: Graph) -> Graph:
        """This graph with one level replaced."""
        if not definition:
            return replace(level, definitions=self.definitions, defaults=self.defaults)
        return replace(self, definitions={**self.definitions, definition: level})

    def by_name(self, name: str) -> Node | None:
        """The node of this level with that name."""
        return next((node for node in self.nodes.values() if node.name == name), None)

    def of_type(self, type_name: str) -> tuple[Node, ...]:
        """The nodes of this level with that type, in order of creation."""
        return tuple(node for node in self.nodes.values() if node.type == type_name)

    def incoming(self, node: str) -> tuple[Edge, ...]:
        """Edges that end at a node, ordered by port and slot."""
        return tuple(sorted((edge for edge in self.edges if edge.target == node), key=lambda e: (e.input, e.slot)))

    def outgoing(self, node: str) -> tuple[Edge, ...]:
        """Edges that start at a node."""
        return tuple(edge for edge in self.edges if edge.source == node)

    def levels(self) -> Iterator[tuple[str, Graph]]:
        """Every level with its definition id, the outermost first."""
        yield "", self
        yield from self.definitions.items()


_ORDERS: deque[tuple[Any, tuple[Edge, ...], list[str]]] = deque(maxlen=16)
"""The last orders: one check asks several times, and most edits change no wire. Threads may share them."""


def order(level: Graph) -> list[str]:
    """Node ids so that each comes after what feeds it, otherwise in order of creation; `CycleError` on a cycle."""
    ids = tuple(level.nodes)
    for nodes, edges, known in tuple(_ORDERS):
        if edges is level.edges and nodes == ids:
            return known.copy()
    found = _ordered(level)
    _ORDERS.append((ids, level.edges, found.copy()))
    return found


def _ordered(level: Graph) -> list[str]:
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(level.nodes, ()))
    for edge in level.edges:
        if edge.source in level.nodes and edge.target in level.nodes:
            sorter.add(edge.target, edge.source)
    rank = {node: index for index, node in enumerate(level.nodes)}
    sorter.prepare()
    found: list[str] = []
    waiting: list[tuple[int, str]] = []
    while sorter.is_active():
        for node in sorter.get_ready():
            heappush(waiting, (rank[node], node))
        found.append(heappop(waiting)[1])
        sorter.done(found[-1])
    return found


def cycle(level: Graph) -> list[str]:
    """Node ids of one cycle, first and last the same; empty when there is none."""
    try:
        order(level)
    except CycleError as fault:
        return list(fault.args[1])
    return []


def input_ports(graph: Graph, node: Node) -> tuple[Port, ...]:
    """Where wires may end at a node; a group asks its definition, an unknown type answers with what is wired."""
    if node.is_group:
        return _group_ports(graph, node, GROUP_INPUT)
    if node.type in (GROUP_INPUT, INPUT):
        return ()
    if node.type in (GROUP_OUTPUT, OUTPUT):
        return (Port("x"),)
    declaration = find("layer", node.type)
    return declaration.inputs if declaration else ()


def output_ports(graph: Graph, node: Node) -> tuple[Port, ...]:
    """Where wires may start at a node."""
    if node.is_group:
        return _group_ports(graph, node, GROUP_OUTPUT)
    if node.type in (GROUP_OUTPUT, OUTPUT):
        return ()
    if node.type in (GROUP_INPUT, INPUT):
        return (Port("out"),)
    declaration = find("layer", node.type)
    return declaration.outputs if declaration else ()


def _group_ports(graph: Graph, node: Node, kind: str) -> tuple[Port, ...]:
    level = graph.definitions.get(node.definition)
    return tuple(Port(port.name) for port in level.of_type(kind)) if level else ()
