"""Where a layer's setting comes from when it says nothing itself: a block around it, or the project. Knows no torch.

A definition that several blocks use may inherit from each of them; what is told here is that of the first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from engine.graph import MAX_DEPTH, Graph, Node


class Inherited(NamedTuple):
    """A value and who says it: the name of a block, or "" for the project's default."""

    value: Any
    block: str = ""


def inherited(graph: Graph, definition: str, name: str) -> Inherited | None:
    """What layers of a level inherit for a setting; None where nobody around them says anything."""
    for _ in range(MAX_DEPTH):
        if not definition:
            break
        found = _block_of(graph, definition)
        if found is None:
            break
        definition, block = found
        if block.params.get(name) is not None:
            return Inherited(block.params[name], block.name)
    value = graph.defaults.get(name)
    return None if value is None else Inherited(value)


def _block_of(graph: Graph, definition: str) -> tuple[str, Node] | None:
    """The level and the node of the first block that holds a definition."""
    for outer, level in graph.levels():
        for node in level.nodes.values():
            if node.definition == definition:
                return outer, node
    return None
