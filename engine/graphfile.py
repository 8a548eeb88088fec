"""A graph as plain JSON data and back. The project file and the clipboard speak this form.

Nodes are objects in their order; wires are texts, `"a1.out -> b2.xs[1]"` (node, output, node, input, slot). Settings
keep what they say even when it is wrong: the checker reports it, and what a newer version wrote is saved back
unchanged. What has no meaning at all is refused with its path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from engine import reading
from engine.declare import find
from engine.defaults import DEFAULTS
from engine.edits import MAX_PLACE
from engine.graph import GROUP, MAX_REPEAT, Edge, Graph, Node
from engine.levels import used_by
from engine.reading import refuse
from engine.values import examine_all

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WIRE = re.compile(r"([\w-]+)\.(\w+) -> ([\w-]+)\.(\w+)(?:\[(\d{1,6})\])?")
_NODE_KEYS = {"id", "name", "type", "params", "x", "y", "definition", "repeat", "vary", "shares", "note"}
_LEVEL_KEYS = {"nodes", "edges", "title"}


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """The whole graph, definitions and project defaults included."""
    data = level_to_json(graph)
    if graph.definitions:
        data["definitions"] = {key: level_to_json(graph.definitions[key]) for key in sorted(graph.definitions)}
    if graph.defaults:
        data["defaults"] = plain(graph.defaults)
    return data


def graph_from_json(data: Any, path: str = "graph") -> Graph:
    """The graph of plain data; ProblemError names the path of what cannot be used."""
    found = reading.mapping(data, path)
    inner = reading.mapping(found.pop("definitions", {}), f"{path}.definitions")
    defaults = reading.mapping(found.pop("defaults", {}), f"{path}.defaults")
    definitions = {}
    for key, level in inner.items():
        _identify(key, f"{path}.definitions")
        definitions[key] = level_from_json(level, f"{path}.definitions.{key}")
    outer = level_from_json(found, path)
    graph = replace(outer, definitions=definitions, defaults=examine_all(DEFAULTS, defaults)[0])
    try:
        TopologicalSorter({key: used_by(graph, level) for key, level in definitions.items()}).prepare()
    except CycleError as fault:
        refuse(f"{path}.definitions.{fault.args[1][0]}", "This block contains itself", "A block of other layers")
    return graph


def level_to_json(level: Graph) -> dict[str, Any]:
    """One level without what is inside its groups."""
    data: dict[str, Any] = {**plain(level.extra), "nodes": [node_to_json(node) for node in level.nodes.values()]}
    data["edges"] = [wire_text(edge) for edge in level.edges]
    if level.title:
        data["title"] = level.title
    return data


def level_from_json(data: Any, path: str) -> Graph:
    """One level of plain data."""
    found = reading.mapping(data, path)
    nodes: dict[str, Node] = {}
    for index, item in enumerate(reading.listed(found.get("nodes", []), f"{path}.nodes")):
        node = node_from_json(item, f"{path}.nodes[{index}]")
        if node.id in nodes:
            refuse(f"{path}.nodes[{index}].id", f"The id {node.id!r} is used twice", "An id of its own for each node")
        nodes[node.id] = node
    edges: dict[Edge, None] = {}
    for index, item in enumerate(reading.listed(found.get("edges", []), f"{path}.edges")):
        edge = _edge(item, f"{path}.edges[{index}]")
        for key in (edge.source, edge.target):
            if key not in nodes:
                refuse(f"{path}.edges[{index}]", f"There is no node {key!r} on this level", "Ids of two nodes")
        edges[edge] = None
    return Graph(
        nodes=nodes,
        edges=tuple(edges),
        title=reading.text(found.get("title", ""), f"{path}.title", limit=200),
        extra={key: value for key, value in found.items() if key not in _LEVEL_KEYS},
    )


def node_to_json(node: Node) -> dict[str, Any]:
    """One node; what is as usual is left out."""
    data: dict[str, Any] = {
        "id": node.id,
        "name": node.name,
        "type": node.type,
        "x": _short(node.x),
        "y": _short(node.y),
    }
    for key, value, usual in (
        ("params", node.params, {}),
        ("definition", node.definition, ""),
        ("repeat", node.repeat, 1),
        ("vary", node.vary, {}),
        ("shares", node.shares, ""),
        ("note", node.note, ""),
    ):
        if value != usual:
            data[key] = plain(value)
    return {**plain(node.extra), **data}


def node_from_json(data: Any, path: str) -> Node:
    """One node of plain data. An unknown type stays as it is, with its settings."""
    found = reading.mapping(data, path)
    type_name = reading.text(found.get("type"), f"{path}.type", limit=200)
    params = reading.mapping(found.get("params", {}), f"{path}.params")
    declaration = find("layer", type_name)
    if declaration is not None:
        type_name, params = declaration.type, examine_all(declaration, params)[0]
    elif type_name == GROUP:
        params = examine_all(DEFAULTS, params)[0]
    vary = reading.mapping(found.get("vary", {}), f"{path}.vary")
    shares = found.get("shares", "")
    return Node(
        id=_identify(found.get("id"), f"{path}.id"),
        name=reading.text(found.get("name"), f"{path}.name", limit=200),
        type=type_name,
        params=params,
        x=reading.number(found.get("x", 0), f"{path}.x", limit=MAX_PLACE),
        y=reading.number(found.get("y", 0), f"{path}.y", limit=MAX_PLACE),
        definition=_identify(found["definition"], f"{path}.definition") if found.get("definition") else "",
        repeat=reading.whole(found.get("repeat", 1), f"{path}.repeat", least=1, most=MAX_REPEAT),
        vary={key: tuple(_hashable(item) for item in reading.listed(value, f"{path}.vary.{key}")[:MAX_REPEAT])
              for key, value in vary.items()},
        shares=_identify(shares, f"{path}.shares") if shares else "",
        note=reading.text(found.get("note", ""), f"{path}.note"),
        extra={key: value for key, value in found.items() if key not in _NODE_KEYS},
    )  # fmt: skip


def wire_text(edge: Edge) -> str:
    """`a1.out -> b2.x`, with `[slot]` where a port takes several wires and this is not the first."""
    slot = f"[{edge.slot}]" if edge.slot else ""
    return f"{edge.source}.{edge.output} -> {edge.target}.{edge.input}{slot}"


def plain(value: Any) -> Any:
    """A setting as JSON has it: tuples as lists, keys sorted."""
    if isinstance(value, Mapping):
        return {key: plain(value[key]) for key in sorted(value)}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def _edge(value: Any, path: str) -> Edge:
    words = reading.text(value, path, limit=400)
    match = _WIRE.fullmatch(words)
    if match is None:
        refuse(path, f"{reading.shown(words)} is no wire", "A text such as 'a1.out -> b2.x'")
    source, output, target, port, slot = match.groups()
    return Edge(source, output, target, port, int(slot or 0))


def _identify(value: Any, path: str) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        refuse(path, f"{reading.shown(value)} is no id", "1 to 64 letters, digits, - and _")
    return value


def _short(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, list) else value
