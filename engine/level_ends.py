"""Which layers of a level stand last: an Output follows them with no other weighted layer in between.

Unlike `last_layers` this looks at nodes, not at their copies: in a block that repeats, what is last in the last copy
stands before a weighted layer in every other, so nothing inside such a block counts as last. Knows no torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.declare import find
from engine.graph import GROUP_INPUT, GROUP_OUTPUT, MAX_DEPTH, OUTPUT, Edge, Graph


@dataclass
class Ends:
    """What was found on the way back from the ends of a level."""

    last: set[str] = field(default_factory=set)
    """Ids of the layers that stand last."""
    ports: dict[str, frozenset[str]] = field(default_factory=dict)
    """Of blocks that run once: the output ports that such a way passes through."""
    inputs: set[str] = field(default_factory=set)
    """Names of the level's own input ports that it reaches."""


def ends_of(graph: Graph, level: Graph, ports: frozenset[str] | None, depth: int = 0) -> Ends:
    """The ends of a level. `ports` are the output ports of a block that an Output follows; None on the outermost level,
    whose ends are its Outputs.
    """
    arriving: dict[str, list[Edge]] = {}
    for edge in level.edges:
        arriving.setdefault(edge.target, []).append(edge)
    if ports is None:
        ends = list(level.of_type(OUTPUT))
    else:
        ends = [node for node in level.of_type(GROUP_OUTPUT) if node.name in ports]
    found = Ends()
    waiting = [edge for node in ends for edge in arriving.get(node.id, ())]
    seen: set[tuple[str, str]] = set()
    while waiting:
        edge = waiting.pop()
        node = level.nodes.get(edge.source)
        if node is None or (node.id, edge.output) in seen:
            continue
        seen.add((node.id, edge.output))
        if node.is_group:
            inner = graph.definitions.get(node.definition)
            if inner is None or depth > MAX_DEPTH:
                continue
            inside = ends_of(graph, inner, frozenset((edge.output,)), depth + 1)
            if node.repeat == 1:
                found.ports[node.id] = found.ports.get(node.id, frozenset()) | {edge.output}
            elif inside.last or inside.ports:
                continue
            waiting += [before for before in arriving.get(node.id, ()) if before.input in inside.inputs]
        elif (declaration := find("layer", node.type)) is not None and declaration.weights:
            found.last.add(level.nodes.get(node.shares, node).id)
        elif node.type == GROUP_INPUT:
            found.inputs.add(node.name)
        else:
            waiting += arriving.get(node.id, ())
    return found


def last_by_level(graph: Graph) -> dict[str, set[str]]:
    """Per level the ids of its last layers, as the first block that holds a definition has it."""
    found: dict[str, set[str]] = {}
    waiting: list[tuple[str, frozenset[str] | None]] = [("", None)]
    while waiting:
        definition, ports = waiting.pop(0)
        if definition in found or (definition and definition not in graph.definitions):
            continue
        level = graph.level(definition)
        ends = ends_of(graph, level, ports)
        found[definition] = ends.last
        inner = [node for node in level.nodes.values() if node.is_group]
        waiting += [(node.definition, ends.ports.get(node.id, frozenset())) for node in inner]
    return found
