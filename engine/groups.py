"""Edits of groups: put nodes into a block, take a block apart, give it an inside of its own.

A group's ports are the `group_input` and `group_output` nodes of its definition, in their order. Repeats and their
expansion into layers stand in `instances.py`, offered here too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.graph import (
    GROUP,
    GROUP_INPUT,
    GROUP_OUTPUT,
    INPUT,
    OUTPUT,
    Edge,
    Graph,
    Node,
    input_ports,
    output_ports,
)  # fmt: skip
from engine.instances import Instance, depth, expanded_count, instances
from engine.levels import level_of, node_of
from engine.names import free_name, fresh_name, new_id
from engine.problem import ProblemError, Where, error
from engine.unpack import copy_definition, ungroup, unlink
from engine.wires import downstream

__all__ = ["Instance", "copy_definition", "depth", "expanded_count", "group", "instances", "ungroup", "unlink"]

_ASIDE = 192.0
"""How far beside its layers the ports of a new block are put, in pixels."""
_BELOW = 88.0
"""Distance of two ports, one below the other."""


def group(graph: Graph, definition: str, ids: Iterable[str], *, title: str = "") -> tuple[Graph, str]:
    """Puts nodes into a new block at their place. Returns the graph and the id of the group node.

    One input port per distinct output outside that feeds the selection, one output port per distinct output inside
    that is used outside; with no wire across the border, open inputs and unused outputs become ports.
    """
    level = level_of(graph, definition)
    chosen = {node_of(graph, definition, key).id: None for key in ids}
    chosen = {key: None for key in level.nodes if key in chosen}
    _check(level, definition, chosen)
    inside, entries, exits = _inside(graph, level, chosen, title)
    inner_id, nodes = new_id(), [level.nodes[key] for key in chosen]
    rest = {key: node for key, node in level.nodes.items() if key not in chosen}
    box = Node(
        id=new_id(),
        name=fresh_name(replace(level, nodes=rest), (title or "block").lower()),
        type=GROUP,
        x=sum(node.x for node in nodes) / len(nodes),
        y=sum(node.y for node in nodes) / len(nodes),
        definition=inner_id,
    )
    first = next(iter(chosen))
    placed = {
        (box.id if key == first else key): (box if key == first else node)
        for key, node in level.nodes.items()
        if key == first or key not in chosen
    }
    edges = _outside(level, chosen, box.id, entries, exits)
    graph = graph.with_level(definition, replace(level, nodes=placed, edges=edges))
    return replace(graph, definitions={**graph.definitions, inner_id: inside}), box.id


Ports = dict[tuple[str, str], str]
"""(node, output) -> name of the port that carries it across the border."""


def _check(level: Graph, definition: str, chosen: dict[str, None]) -> None:
    def refuse(node: str, happened: str, fix: str) -> ProblemError:
        where = Where(label=level.nodes[node].name if node else "selection", node=node, definition=definition)
        return ProblemError(error(where, happened, "Layers that can become one block", fix, code="group"))

    if not chosen:
        raise refuse("", "Nothing is selected", "Select one layer or more")
    for key in chosen:
        node = level.nodes[key]
        if node.type in (INPUT, OUTPUT, GROUP_INPUT, GROUP_OUTPUT):
            raise refuse(
                key, f"{node.name} cannot be grouped: it stands at the border", "Leave it out of the selection"
            )
        if node.shares and node.shares not in chosen:
            raise refuse(key, f"{node.name} shares weights with a layer outside", "Select both layers")
    for node in level.nodes.values():
        if node.shares in chosen and node.id not in chosen:
            raise refuse(node.id, f"{node.name} shares weights with a selected layer", "Select both layers")
    between: set[str] = set()
    for edge in level.edges:
        if edge.source in chosen and edge.target not in chosen and edge.target not in between:
            between |= {edge.target} | downstream(level, edge.target)
    if between & set(chosen):
        fed_by = {edge.source for edge in level.edges if edge.target in chosen}
        name = level.nodes[next(key for key in level.nodes if key in between & fed_by - set(chosen))].name
        happened = f"Data would leave the block and come back through {name}: the block would feed itself"
        raise refuse("", happened, f"Select {name} too")


def _inside(graph: Graph, level: Graph, chosen: dict[str, None], title: str) -> tuple[Graph, Ports, Ports]:
    """The new level, and its ports by what they carry."""
    crossing = [edge for edge in level.edges if edge.source not in chosen and edge.target in chosen]
    leaving = [edge for edge in level.edges if edge.source in chosen and edge.target not in chosen]
    edges = [edge for edge in level.edges if edge.source in chosen and edge.target in chosen]
    nodes = {key: level.nodes[key] for key in chosen}
    sources = list(dict.fromkeys((edge.source, edge.output) for edge in crossing))
    sinks = list(dict.fromkeys((edge.source, edge.output) for edge in leaving))
    loose = [] if sources else _open_inputs(graph, nodes, edges)
    sinks = sinks or _unused_outputs(graph, nodes, edges)
    left = _ports(nodes, GROUP_INPUT, "x", len(sources) + len(loose))
    right = _ports({**nodes, **{node.id: node for node in left}}, GROUP_OUTPUT, "out", len(sinks))
    at = dict(zip(sources, left, strict=False))
    edges += [replace(edge, source=at[(edge.source, edge.output)].id, output="out") for edge in crossing]
    edges += [Edge(port.id, "out", key, name) for port, (key, name) in zip(left[len(sources) :], loose, strict=True)]
    edges += [Edge(key, output, port.id, "x") for port, (key, output) in zip(right, sinks, strict=True)]
    inner = {node.id: node for node in (*left, *nodes.values(), *right)}
    entries = {source: port.name for source, port in at.items()}
    exits = {sink: port.name for sink, port in zip(sinks, right, strict=True)}
    return Graph(nodes=inner, edges=tuple(edges), title=title[:200]), entries, exits


def _ports(nodes: dict[str, Node], kind: str, wish: str, number: int) -> list[Node]:
    """New port nodes, left or right of the others, one below the other about their middle."""
    xs, ys = [node.x for node in nodes.values()], [node.y for node in nodes.values()]
    x = min(xs) - _ASIDE if kind == GROUP_INPUT else max(xs) + _ASIDE
    middle = (min(ys) + max(ys)) / 2
    taken = [node.name for node in nodes.values()]
    made: list[Node] = []
    for index in range(number):
        name = free_name(taken, wish, port=kind == GROUP_INPUT)
        taken.append(name)
        made.append(Node(new_id(), name, kind, x=x, y=middle + _BELOW * (index - (number - 1) / 2)))
    return made


def _open_inputs(graph: Graph, nodes: dict[str, Node], edges: list[Edge]) -> list[tuple[str, str]]:
    fed = {(edge.target, edge.input) for edge in edges}
    ports = [(key, port.name) for key, node in nodes.items() for port in input_ports(graph, node)]
    return [port for port in ports if port not in fed]


def _unused_outputs(graph: Graph, nodes: dict[str, Node], edges: list[Edge]) -> list[tuple[str, str]]:
    used = {(edge.source, edge.output) for edge in edges}
    feeding = {edge.source for edge in edges}
    # A second output that nobody reads (the state of a recurrent layer) is no result of the block.
    firsts = [(key, output_ports(graph, node)[:1]) for key, node in nodes.items() if key not in feeding]
    return [(key, port.name) for key, ports in firsts for port in ports if (key, port.name) not in used]


def _outside(level: Graph, chosen: dict[str, None], box: str, entries: Ports, exits: Ports) -> tuple[Edge, ...]:
    """The wires that remain outside, those across the border ending at the box."""
    found: dict[Edge, None] = {}
    for edge in level.edges:
        if edge.source in chosen and edge.target in chosen:
            continue
        if edge.target in chosen:
            found[Edge(edge.source, edge.output, box, entries[(edge.source, edge.output)])] = None
        elif edge.source in chosen:
            found[replace(edge, source=box, output=exits[(edge.source, edge.output)])] = None
        else:
            found[edge] = None
    return tuple(found)
