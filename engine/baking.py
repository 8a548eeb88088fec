"""A project whose kernels are plain again: what an export with the reparametrisations baked in is written from.

Knows no torch: the weights themselves are reckoned in `runtime/reparametrized.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.graph import Graph, Node
from engine.project import Project

SETTING = "reparametrize"


def reparametrized_layers(graph: Graph) -> list[str]:
    """Names of the layers whose kernel is computed from other numbers, in order of the levels."""
    return [node.name for _, level in graph.levels() for node in level.nodes.values() if _is_set(node)]


def plain_layers(project: Project) -> Project:
    """The project with every kernel a plain one; the same value where all are."""
    graph = project.graph
    if not reparametrized_layers(graph):
        return project
    definitions = {key: _plain(level) for key, level in graph.definitions.items()}
    return replace(project, graph=replace(_plain(graph), definitions=definitions))


def _plain(level: Graph) -> Graph:
    nodes = {
        key: replace(
            node, params=_without(node.params, SETTING),
            vary={name: values for name, values in node.vary.items() if not name.endswith(f".{SETTING}")},
        )
        for key, node in level.nodes.items()
    }  # fmt: skip
    return replace(level, nodes=nodes)


def _is_set(node: Node) -> bool:
    chosen = node.params.get(SETTING)
    own = isinstance(chosen, Mapping) and chosen.get("type") != "none"
    return own or any(name.endswith(f".{SETTING}") for name in node.vary)


def _without(params: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in params.items() if key != name}
