"""Which layers with weights come last, and which first: no other weighted layer stands between them and the border.

Walks from the outputs backwards and from the inputs on, into blocks and out of them. Knows no torch and no shapes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from engine.graph import GROUP_INPUT, GROUP_OUTPUT, INPUT, OUTPUT, Edge, Graph, Node


@dataclass(frozen=True, slots=True)
class _Inside:
    """One copy of one level: its definition, the prefix of its paths, and the group around it."""

    definition: str = ""
    prefix: str = ""
    around: _Inside | None = None
    group: str = ""
    copy: int = 0


def last_layers(graph: Graph, weighted: Collection[str]) -> set[str]:
    """Instance paths of the layers that stand last before an output; `weighted` are those that hold weights."""
    top = _Inside()
    waiting = [(top, edge) for node in graph.of_type(OUTPUT) for edge in graph.incoming(node.id)]
    seen: set[tuple[_Inside, Edge]] = set()
    found: set[str] = set()
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        inside, edge = place
        level = graph.level(inside.definition)
        node = level.nodes.get(edge.source)
        if node is None:
            continue
        owner = level.nodes.get(node.shares, node)
        if f"{inside.prefix}{owner.name}" in weighted and not node.is_group:
            found.add(f"{inside.prefix}{owner.name}")
        elif node.is_group and node.definition in graph.definitions:
            waiting += _entered(graph, inside, node, node.repeat - 1, edge.output)
        elif node.type == GROUP_INPUT:
            waiting += _left(graph, inside, node)
        else:
            waiting += [(inside, before) for before in level.incoming(node.id)]
    return found


def first_layers(graph: Graph, weighted: Collection[str]) -> set[str]:
    """Instance paths of the layers that an Input reaches with no other weighted layer in between."""
    top = _Inside()
    waiting = [(top, edge) for node in graph.of_type(INPUT) for edge in graph.outgoing(node.id)]
    seen: set[tuple[_Inside, Edge]] = set()
    found: set[str] = set()
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        inside, edge = place
        level = graph.level(inside.definition)
        node = level.nodes.get(edge.target)
        if node is None:
            continue
        owner = level.nodes.get(node.shares, node)
        if f"{inside.prefix}{owner.name}" in weighted and not node.is_group:
            found.add(f"{inside.prefix}{owner.name}")
        elif node.is_group and node.definition in graph.definitions:
            waiting += _begun(graph, inside, node, 0, edge.input)
        elif node.type == GROUP_OUTPUT:
            waiting += _gone_on(graph, inside, node)
        else:
            waiting += [(inside, after) for after in level.outgoing(node.id)]
    return found


def _begun(graph: Graph, inside: _Inside, node: Node, copy: int, port: str) -> Iterator[tuple[_Inside, Edge]]:
    """The wires that start at a block's input; `port` "" means all of them."""
    path = f"{inside.prefix}{node.name}.{f'{copy}.' if node.repeat > 1 else ''}"
    inner = _Inside(node.definition, path, inside, node.id, copy)
    level = graph.definitions[node.definition]
    for begin in level.of_type(GROUP_INPUT):
        if port in ("", begin.name):
            yield from ((inner, edge) for edge in level.outgoing(begin.id))


def _gone_on(graph: Graph, inside: _Inside, node: Node) -> Iterator[tuple[_Inside, Edge]]:
    """What a block's output feeds: the copy after it, or what is wired to the block."""
    if inside.around is None:
        return
    outer = graph.level(inside.around.definition)
    block = outer.nodes[inside.group]
    if inside.copy < block.repeat - 1:
        yield from _begun(graph, inside.around, block, inside.copy + 1, "")
        return
    for edge in outer.outgoing(inside.group):
        if edge.output == node.name:
            yield inside.around, edge


def _entered(graph: Graph, inside: _Inside, node: Node, copy: int, port: str) -> Iterator[tuple[_Inside, Edge]]:
    """The wires that end at a block's output; `port` "" means all of them."""
    path = f"{inside.prefix}{node.name}.{f'{copy}.' if node.repeat > 1 else ''}"
    inner = _Inside(node.definition, path, inside, node.id, copy)
    level = graph.definitions[node.definition]
    for end in level.of_type(GROUP_OUTPUT):
        if port in ("", end.name):
            yield from ((inner, edge) for edge in level.incoming(end.id))


def _left(graph: Graph, inside: _Inside, node: Node) -> Iterator[tuple[_Inside, Edge]]:
    """What feeds a block's input: the copy before it, or what is wired to the block."""
    if inside.around is None:
        return
    outer = graph.level(inside.around.definition)
    if inside.copy:
        yield from _entered(graph, inside.around, outer.nodes[inside.group], inside.copy - 1, "")
        return
    for edge in outer.incoming(inside.group):
        if edge.input == node.name:
            yield inside.around, edge
