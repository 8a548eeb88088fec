"""Edits of nodes: add, rename, move, set. Each returns a new Graph; nothing is ever changed in place.

Nonsense is refused with a `ProblemError` that says what was wrong and what to do. Wires stand in `wires.py`, removals
in `removal.py` (both offered here too, so that callers know one module), groups in `groups.py`. `graph` is always the
outermost level and `definition` names the level to edit, "" being the outermost itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from engine.declare import find
from engine.defaults import DEFAULTS
from engine.graph import GROUP, GROUP_INPUT, GROUP_OUTPUT, INPUT, MAX_REPEAT, OUTPUT, Graph, Node
from engine.levels import contains, level_of, node_of, rename_in_users
from engine.names import fresh_name, name_problem, new_id
from engine.problem import ProblemError, Where, error
from engine.removal import remove_and_bridge, remove_nodes
from engine.values import checked
from engine.wires import can_connect, connect, disconnect, insert_on_edge, possible_sources, possible_targets

__all__ = [
    "add_node", "can_connect", "clear_param", "connect", "disconnect", "insert_on_edge", "move", "possible_sources",
    "possible_targets", "remove_and_bridge", "remove_nodes", "rename", "set_default", "set_note", "set_param",
    "set_params", "set_repeat", "set_title",
]  # fmt: skip

MAX_PLACE = 1e7
"""Farthest position on the canvas, in pixels."""


def add_node(
    graph: Graph,
    definition: str,
    type_name: str,
    *,
    x: float = 0.0,
    y: float = 0.0,
    params: Mapping[str, Any] | None = None,
    name: str = "",
    definition_id: str = "",
) -> tuple[Graph, Node]:
    """A new node on a level. Without `name` a free one is found; a given one must be free. Groups need a definition."""
    level = level_of(graph, definition)
    where = Where(label=name or type_name, definition=definition)
    _check_type(graph, definition, type_name, definition_id, where)
    port = type_name == GROUP_INPUT
    if name and (fault := name_problem(level, name, type_name=type_name)):
        raise ProblemError(error(where, fault, "A free Python name or a number", "Choose another name", code="name"))
    wished = {GROUP: "block", GROUP_INPUT: "x", GROUP_OUTPUT: "out"}.get(type_name, type_name)
    node = Node(
        id=new_id(),
        name=name or fresh_name(level, wished, port=port),
        type=type_name,
        x=_place(x, where),
        y=_place(y, where),
        definition=definition_id,
    )
    if params:
        node = replace(node, params=_cleaned(node, params, where))
    level = replace(level, nodes={**level.nodes, node.id: node})
    return graph.with_level(definition, level), node


def set_param(graph: Graph, definition: str, node_id: str, name: str, value: Any) -> Graph:
    """One setting changed; its default is stored by leaving it out."""
    return set_params(graph, definition, node_id, {name: value})


def set_params(graph: Graph, definition: str, node_id: str, values: Mapping[str, Any]) -> Graph:
    """Several settings changed at once, each checked against its declaration."""
    node = node_of(graph, definition, node_id)
    where = Where(label=node.name, node=node.id, definition=definition)
    params = _cleaned(node, values, where)
    return _put(graph, definition, replace(node, params=params)) if params != node.params else graph


def clear_param(graph: Graph, definition: str, node_id: str, name: str) -> Graph:
    """A setting back to its default (or to what the project says)."""
    node = node_of(graph, definition, node_id)
    kept = {key: value for key, value in node.params.items() if key != name}
    return graph if len(kept) == len(node.params) else _put(graph, definition, replace(node, params=kept))


def set_default(graph: Graph, name: str, value: Any) -> Graph:
    """A project default that layers inherit; None takes it away."""
    where = Where(path=f"defaults.{name}")
    param = DEFAULTS.by_name.get(name)
    if param is None:
        raise ProblemError(error(where, f"There is no default {name!r}", f"One of {', '.join(DEFAULTS.defaults)}"))
    try:
        cleaned = checked(param, value)
    except ValueError as fault:
        raise ProblemError(error(where, str(fault), param.domain, "Choose an allowed value", code="param")) from None
    rest = {key: item for key, item in graph.defaults.items() if key != name}
    return replace(graph, defaults=rest if cleaned is None else {**rest, name: cleaned})


def rename(graph: Graph, definition: str, node_id: str, name: str) -> Graph:
    """Another name; wires at a group's port and values that vary by name follow."""
    node = node_of(graph, definition, node_id)
    if name == node.name:
        return graph
    fault = name_problem(level_of(graph, definition), name, but=node_id, type_name=node.type)
    if fault:
        where = Where(label=node.name, node=node_id, definition=definition)
        raise ProblemError(error(where, fault, "A free Python name or a number", "Choose another name", code="name"))
    graph = rename_in_users(graph, definition, node, name)
    return _put(graph, definition, replace(node, name=name))


def move(graph: Graph, definition: str, positions: Mapping[str, tuple[float, float]]) -> Graph:
    """Nodes at other places of the canvas."""
    level = level_of(graph, definition)
    nodes = dict(level.nodes)
    for key, (x, y) in positions.items():
        node = node_of(graph, definition, key)
        where = Where(label=node.name, node=key, definition=definition)
        if (node.x, node.y) != (x, y):
            nodes[key] = replace(node, x=_place(x, where), y=_place(y, where))
    if all(nodes[key] is level.nodes[key] for key in positions):
        return graph
    return graph.with_level(definition, replace(level, nodes=nodes))


def set_repeat(graph: Graph, definition: str, node_id: str, repeat: int) -> Graph:
    """How many copies of a group run in a chain; values that vary are cut or continued with their last."""
    node = node_of(graph, definition, node_id)
    where = Where(label=node.name, node=node_id, definition=definition)
    if not node.is_group:
        raise ProblemError(error(where, "Only a group can be repeated", "A group", "Group the layer first (Ctrl+G)"))
    if isinstance(repeat, bool) or not isinstance(repeat, int) or not 1 <= repeat <= MAX_REPEAT:
        expected = f"A whole number from 1 to {MAX_REPEAT:,}"
        raise ProblemError(error(where, f"A group cannot be repeated {repeat} times", expected, code="group.repeat"))
    vary = {
        key: (values + values[-1:] * max(0, repeat - len(values)))[:repeat]
        for key, values in node.vary.items()
        if values
    }
    changed = replace(node, repeat=repeat, vary=vary)
    return graph if changed == node else _put(graph, definition, changed)


def set_title(graph: Graph, definition: str, title: str) -> Graph:
    """The words a level is shown with; a group shows those of its inside."""
    level = level_of(graph, definition)
    return graph if level.title == title else graph.with_level(definition, replace(level, title=title[:200]))


def set_note(graph: Graph, definition: str, node_id: str, note: str) -> Graph:
    """A person's note on a node."""
    node = node_of(graph, definition, node_id)
    return graph if node.note == note else _put(graph, definition, replace(node, note=note[:10_000]))


def _put(graph: Graph, definition: str, node: Node) -> Graph:
    level = level_of(graph, definition)
    return graph.with_level(definition, replace(level, nodes={**level.nodes, node.id: node}))


def _check_type(graph: Graph, definition: str, type_name: str, definition_id: str, where: Where) -> None:
    happened = ""
    if type_name in (GROUP_INPUT, GROUP_OUTPUT):
        happened = "" if definition else "Ports of a group exist only inside a group"
    elif type_name == GROUP:
        if definition_id not in graph.definitions:
            happened = f"There is no definition {definition_id!r} for this group"
        elif definition and contains(graph, definition_id, definition):
            happened = "A group cannot contain itself"
    elif find("layer", type_name) is None and type_name not in (INPUT, OUTPUT):
        happened = f"There is no layer {type_name!r}"
    elif type_name in (INPUT, OUTPUT) and definition:
        happened = f"{type_name.capitalize()} layers stand only on the outermost level"
    if happened:
        raise ProblemError(error(where, happened, "A layer that may stand here", "Choose another", code="node.type"))


def _cleaned(node: Node, values: Mapping[str, Any], where: Where) -> dict[str, Any]:
    # A block takes the settings that its layers inherit.
    declaration = DEFAULTS if node.is_group else find("layer", node.type)
    if declaration is None:
        raise ProblemError(error(where, f"Nothing is known about layers of type {node.type!r}", code="node.type"))
    params = dict(node.params)
    for key, value in values.items():
        param = declaration.by_name.get(key)
        if param is None:
            expected = f"One of {', '.join(declaration.defaults)}" if declaration.params else "No setting"
            raise ProblemError(error(where, f"{declaration.title} has no setting {key!r}", expected, code="param"))
        try:
            params[param.name] = checked(param, value)
        except ValueError as fault:
            words = f"{param.title}: {fault}"
            raise ProblemError(error(where, words, param.domain, "Choose an allowed value", code="param")) from None
        if params[param.name] == param.default:
            del params[param.name]
    return params


def _place(value: float, where: Where) -> float:
    if not isfinite(value) or abs(value) > MAX_PLACE:
        raise ProblemError(error(where, f"{value} is no place on the canvas", f"From -{MAX_PLACE:g} to {MAX_PLACE:g}"))
    return float(value)
