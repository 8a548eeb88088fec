"""Groups expanded: which layers there really are once every repeat is written out, by instance path.

`hidden.3.linear` is the layer `linear` in the fourth copy of the block `hidden`; a block with repeat 1 has no index.
Bounded, whatever a file says: a hostile repeat of repeats is counted, never walked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError

from engine.graph import GROUP_INPUT, GROUP_OUTPUT, MAX_DEPTH, MAX_LAYERS, Graph, Node, order


@dataclass(frozen=True, slots=True)
class Instance:
    """One layer of the expanded network."""

    path: str
    """The prefix of its keys in the state_dict."""
    definition: str
    """The level that holds its node."""
    node: Node
    copies: tuple[int, ...] = ()
    """Which copy of each block around it, outermost first; 0 in a block that is not repeated."""


def instances(graph: Graph) -> Iterator[Instance]:
    """Every layer of every copy, each level in order of data; ends after `MAX_LAYERS`."""
    counts = _counts(graph)
    orders: dict[str, list[Node]] = {}

    def walk(definition: str, prefix: str, copies: tuple[int, ...]) -> Iterator[Instance]:
        if definition not in orders:
            orders[definition] = _ordered(graph.level(definition))
        for node in orders[definition]:
            path = f"{prefix}{node.name}"
            if not node.is_group:
                yield Instance(path, definition, node, copies)
            elif counts.get(node.definition, 0) and len(copies) <= MAX_DEPTH:
                for copy in range(node.repeat):
                    inner = f"{path}.{copy}." if node.repeat > 1 else f"{path}."
                    yield from walk(node.definition, inner, (*copies, copy))

    for number, found in enumerate(walk("", "", ())):
        if number >= MAX_LAYERS:
            return
        yield found


def expanded_count(graph: Graph) -> int:
    """How many layers `instances` would yield without its bound; 0 inside a block that contains itself."""
    return _counts(graph)[""]


def depth(graph: Graph) -> int:
    """How many blocks stand around the innermost level; more than `MAX_DEPTH` is not told apart."""
    known: dict[str, int] = {}

    def deep(definition: str, level: int) -> int:
        if level > MAX_DEPTH:
            return 1
        if definition not in known:
            inner = {node.definition for node in graph.level(definition).nodes.values() if node.is_group}
            known[definition] = max((1 + deep(key, level + 1) for key in inner if key in graph.definitions), default=0)
        return known[definition]

    return deep("", 0)


def _counts(graph: Graph) -> dict[str, int]:
    """Layers of each level with everything inside it; a level that is being counted already counts as empty."""
    found: dict[str, int] = {}
    open_levels: set[str] = set()

    def count(definition: str) -> int:
        if definition in found:
            return found[definition]
        if definition in open_levels or len(open_levels) > MAX_DEPTH + 1:
            return 0
        open_levels.add(definition)
        total = 0
        for node in graph.level(definition).nodes.values():
            if node.is_group:
                total += node.repeat * count(node.definition) if node.definition in graph.definitions else 0
            elif node.type not in (GROUP_INPUT, GROUP_OUTPUT):
                total += 1
        open_levels.discard(definition)
        found[definition] = total
        return total

    count("")
    return found


def _ordered(level: Graph) -> list[Node]:
    try:
        keys = order(level)
    except CycleError:
        keys = list(level.nodes)
    return [level.nodes[key] for key in keys if level.nodes[key].type not in (GROUP_INPUT, GROUP_OUTPUT)]
