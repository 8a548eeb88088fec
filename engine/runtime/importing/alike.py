"""Whether two levels are alike, and in which settings they differ. Knows no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.declare import find
from engine.graph import Graph


def shape_of(level: Graph, *, with_values: bool) -> Any:
    """A level as a value to compare: names, types, wires; its settings and inner definitions too if asked."""
    names = {node.id: node.name for node in level.nodes.values()}
    nodes = tuple(
        (node.name, node.type, node.repeat, names.get(node.shares, ""))
        + ((repr(sorted(node.params.items())), node.definition, repr(sorted(node.vary.items()))) if with_values else ())
        for node in level.nodes.values()
    )  # fmt: skip
    edges = tuple(sorted((names[e.source], e.output, names[e.target], e.input, e.slot) for e in level.edges))
    return level.title, nodes, edges


def differing(definitions: Mapping[str, Graph], keys: Sequence[str]) -> dict[str, tuple[Any, ...]] | None:
    """Settings by `name.setting` (or `group.name.setting`) with their value in each level; None when more differs."""
    if len(set(keys)) == 1:
        return {}
    levels = [definitions[key] for key in keys]
    if len({repr(shape_of(level, with_values=False)) for level in levels}) > 1:
        return None
    found: dict[str, tuple[Any, ...]] = {}
    for nodes in zip(*(level.nodes.values() for level in levels), strict=True):
        first = nodes[0]
        if first.is_group:
            if any(node.vary != first.vary for node in nodes):
                return None
            inner = differing(definitions, [node.definition for node in nodes])
            if inner is None or (inner and first.repeat > 1):
                return None
            found |= {f"{first.name}.{path}": values for path, values in inner.items()}
            continue
        declaration = find("layer", first.type)
        defaults = declaration.defaults if declaration else {}
        for setting in dict.fromkeys(key for node in nodes for key in node.params):
            values = tuple(node.params.get(setting, defaults.get(setting)) for node in nodes)
            if any(value != values[0] for value in values):
                found[f"{first.name}.{setting}"] = values
    return found
