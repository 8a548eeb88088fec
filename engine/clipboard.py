"""Copy, paste and duplicate: a piece of a graph as plain data, put back with fresh ids and names.

A pasted group gets an inside of its own: what is pasted is a copy, never a link. Reads foreign text as carefully as a
file, since a clipboard may hold anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from engine.graph import GROUP_INPUT, GROUP_OUTPUT, INPUT, MAX_DEPTH, OUTPUT, Edge, Graph, Node
from engine.graphfile import graph_from_json, graph_to_json
from engine.instances import depth
from engine.levels import level_of, node_of, reached
from engine.names import free_name, new_id
from engine.problem import ProblemError, error
from engine.unpack import relinked

KIND = "layerwright-fragment"


def copy_nodes(graph: Graph, definition: str, ids: Iterable[str]) -> dict[str, Any]:
    """These nodes, the wires among them and what their groups hold, as plain data for a clipboard."""
    level = level_of(graph, definition)
    chosen = {node_of(graph, definition, key).id for key in ids}
    piece = Graph(
        nodes={key: node for key, node in level.nodes.items() if key in chosen},
        edges=tuple(edge for edge in level.edges if edge.source in chosen and edge.target in chosen),
    )
    needed = {key: graph.definitions[key] for key in reached(graph, piece)}
    return {"kind": KIND, "graph": graph_to_json(replace(piece, definitions=needed))}


def paste(graph: Graph, definition: str, fragment: Any, *, x: float, y: float) -> tuple[Graph, list[str]]:
    """Puts a fragment on a level with its upper left corner at (x, y); returns the graph and the new nodes' ids."""
    if not isinstance(fragment, dict) or fragment.get("kind") != KIND:
        happened = "The clipboard holds no layers"
        raise ProblemError(error("clipboard", happened, "Copied layers", "Copy layers first (Ctrl+C)", code="paste"))
    piece = graph_from_json(fragment.get("graph"), "clipboard")
    if not piece.nodes:
        return graph, []
    left = min(node.x for node in piece.nodes.values())
    top = min(node.y for node in piece.nodes.values())
    return _insert(graph, definition, piece, x - left, y - top)


def duplicate(
    graph: Graph, definition: str, ids: Iterable[str], *, dx: float = 32, dy: float = 32, keep_inputs: bool = False
) -> tuple[Graph, list[str]]:
    """Copies nodes beside themselves. `keep_inputs` also feeds the copies from outside as the originals are fed."""
    level = level_of(graph, definition)
    chosen = {node_of(graph, definition, key).id: None for key in ids}
    order = [key for key in level.nodes if key in chosen]
    piece = Graph(
        nodes={key: level.nodes[key] for key in order},
        edges=tuple(edge for edge in level.edges if edge.source in chosen and edge.target in chosen),
    )
    needed = {key: graph.definitions[key] for key in reached(graph, piece)}
    graph, made = _insert(graph, definition, replace(piece, definitions=needed), dx, dy)
    if keep_inputs:
        twin = dict(zip(order, made, strict=True))
        outside = [edge for edge in level.edges if edge.target in twin and edge.source not in twin]
        level = level_of(graph, definition)
        fed = tuple(replace(edge, target=twin[edge.target]) for edge in outside)
        graph = graph.with_level(definition, replace(level, edges=level.edges + fed))
    return graph, made


def _insert(graph: Graph, definition: str, piece: Graph, dx: float, dy: float) -> tuple[Graph, list[str]]:
    level = level_of(graph, definition)
    _check(piece, definition)
    ids = {key: new_id() for key in piece.nodes}
    inner = {key: new_id() for key in piece.definitions}
    taken = [node.name for node in level.nodes.values()]
    made: dict[str, Node] = {}
    for key, node in relinked(piece, inner).nodes.items():
        name = free_name(taken, node.name, port=node.type == GROUP_INPUT)
        taken.append(name)
        shares = ids.get(node.shares, "")
        made[ids[key]] = replace(node, id=ids[key], name=name, x=node.x + dx, y=node.y + dy, shares=shares)
    edges = tuple(Edge(ids[e.source], e.output, ids[e.target], e.input, e.slot) for e in piece.edges)
    level = replace(level, nodes={**level.nodes, **made}, edges=level.edges + edges)
    insides = {inner[key]: relinked(found, inner) for key, found in piece.definitions.items()}
    graph = replace(graph, definitions={**graph.definitions, **insides}).with_level(definition, level)
    if depth(graph) > MAX_DEPTH:
        happened = f"The blocks would stand more than {MAX_DEPTH} deep inside each other"
        raise ProblemError(error("clipboard", happened, f"At most {MAX_DEPTH}", "Paste further outside", code="paste"))
    return graph, list(made)


def _check(piece: Graph, definition: str) -> None:
    for node in piece.nodes.values():
        misplaced = (INPUT, OUTPUT) if definition else (GROUP_INPUT, GROUP_OUTPUT)
        if node.type in misplaced:
            place = "inside a block" if definition else "on the outermost level"
            happened = f"{node.name} cannot stand {place}"
            raise ProblemError(error(node.name, happened, "Other layers", "Leave it out of the copy", code="paste"))
