"""The edits behind one-click fixes: each returns a function from Project to Project, as `Fix.apply` wants it.

Owns no rule: `check*.py` and `mend.py` say when which fix helps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine import edits
from engine.graph import Edge, Graph, Node
from engine.levels import node_of
from engine.project import Project

Apply = Callable[[Project], Project]
NewLayer = tuple[str, Mapping[str, Any]]
"""(layer type, settings) of a layer to be put in."""


def insert(definition: str, edge: Edge, *layers: NewLayer) -> Apply:
    """Puts new layers into a wire, in the order of data, spread evenly between its ends."""

    def apply(project: Project) -> Project:
        graph, wire = project.graph, edge
        start, end = node_of(graph, definition, edge.source), node_of(graph, definition, edge.target)
        for number, (type_name, params) in enumerate(layers, 1):
            share = number / (len(layers) + 1)
            x, y = start.x + (end.x - start.x) * share, start.y + (end.y - start.y) * share
            graph, node = edits.add_node(graph, definition, type_name, x=x, y=y, params=params)
            graph = edits.insert_on_edge(graph, definition, wire, node.id)
            wire = next(item for item in graph.level(definition).edges if item.source == node.id)
        return project.with_graph(graph)

    return apply


def set_params(definition: str, node: str, params: Mapping[str, Any]) -> Apply:
    """Changes settings of a layer."""
    return lambda project: project.with_graph(edits.set_params(project.graph, definition, node, params))


def drop_param(definition: str, node: str, name: str) -> Apply:
    """Takes a setting away, so that its default holds."""
    return lambda project: project.with_graph(edits.clear_param(project.graph, definition, node, name))


def remove(definition: str, nodes: Sequence[str], *, bridge: bool = False) -> Apply:
    """Removes layers, joining their neighbours when `bridge`."""
    take = edits.remove_and_bridge if bridge else edits.remove_nodes
    return lambda project: project.with_graph(take(project.graph, definition, nodes))


def connect(definition: str, source: str, output: str, target: str, port: str) -> Apply:
    """Adds a wire."""
    return lambda project: project.with_graph(edits.connect(project.graph, definition, source, output, target, port))


def disconnect(definition: str, *wires: Edge) -> Apply:
    """Takes wires away."""

    def apply(project: Project) -> Project:
        graph = project.graph
        for wire in wires:
            graph = edits.disconnect(graph, definition, wire)
        return project.with_graph(graph)

    return apply


def rename(definition: str, node: str, name: str) -> Apply:
    """Gives a node another name."""
    return lambda project: project.with_graph(edits.rename(project.graph, definition, node, name))


def set_repeat(definition: str, node: str, repeat: int) -> Apply:
    """Changes how often a group is repeated."""
    return lambda project: project.with_graph(edits.set_repeat(project.graph, definition, node, repeat))


def change(definition: str, node: str, **fields: Any) -> Apply:
    """Replaces fields of a node that no edit of its own sets, such as its type."""

    def apply(project: Project) -> Project:
        found: Node = replace(node_of(project.graph, definition, node), **fields)
        level: Graph = project.graph.level(definition)
        level = replace(level, nodes={**level.nodes, node: found})
        return project.with_graph(project.graph.with_level(definition, level))

    return apply


def set_recipe(name: str, value: Any) -> Apply:
    """Changes a setting of the recipe."""
    return lambda project: project.with_recipe(project.recipe.with_value(name, value))


def add_beside(type_name: str, node: str, output: str = "", port: str = "", *, dx: float) -> Apply:
    """Adds an Input or Output beside a node and wires it: from `output` of the node, or to its `port`."""

    def apply(project: Project) -> Project:
        graph = project.graph
        found = node_of(graph, "", node)
        graph, made = edits.add_node(graph, "", type_name, x=found.x + dx, y=found.y)
        if output:
            graph = edits.connect(graph, "", node, output, made.id, "x")
        elif port:
            graph = edits.connect(graph, "", made.id, "out", node, port)
        return project.with_graph(graph)

    return apply
