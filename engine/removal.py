"""Edits that take nodes away: with their wires, or joining what they joined.

Leaves nothing dangling: wires at vanished ports, definitions nobody uses and shared modules without an owner go or
find another home.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.graph import GROUP_INPUT, GROUP_OUTPUT, Graph, Node
from engine.levels import drop_unused, level_of, node_of, unwire_port


def remove_nodes(graph: Graph, definition: str, ids: Iterable[str]) -> Graph:
    """Without these nodes, their wires, and the definitions that nothing uses any more."""
    gone = {node_of(graph, definition, key).id: None for key in ids}
    if not gone:
        return graph
    level = level_of(graph, definition)
    heirs: dict[str, str] = {}
    nodes: dict[str, Node] = {}
    for key, node in level.nodes.items():
        if key in gone:
            continue
        if node.shares in gone:
            # The first that shared the removed module becomes its owner.
            heir = heirs.setdefault(node.shares, key)
            nodes[key] = replace(node, shares="" if heir == key else heir)
        else:
            nodes[key] = node
    for key in gone:
        if level.nodes[key].type in (GROUP_INPUT, GROUP_OUTPUT):
            graph = unwire_port(graph, definition, level.nodes[key])
    edges = tuple(edge for edge in level.edges if edge.source not in gone and edge.target not in gone)
    level = replace(level_of(graph, definition), nodes=nodes, edges=edges)
    return drop_unused(graph.with_level(definition, level))


def remove_and_bridge(graph: Graph, definition: str, ids: Iterable[str]) -> Graph:
    """Without these nodes; what fed each is joined to what it fed, where it has one wire in and one output in use."""
    gone = list({node_of(graph, definition, key).id: None for key in ids})
    level = level_of(graph, definition)
    edges = level.edges
    for key in gone:
        before = [edge for edge in edges if edge.target == key]
        after = [edge for edge in edges if edge.source == key]
        if len(before) == 1 and len({edge.output for edge in after}) == 1:
            joined = {edge: replace(edge, source=before[0].source, output=before[0].output) for edge in after}
            edges = tuple(joined.get(edge, edge) for edge in edges if edge != before[0])
    return remove_nodes(graph.with_level(definition, replace(level, edges=edges)), definition, gone)
