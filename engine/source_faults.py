"""What shape inference found wrong, in a person's words: one problem per broken node, with its fixes.

Owns the way from a fault in the expanded network to the node, its instance path and the wires that arrive there; the
words and fixes are those of `mend.py`. Knows no torch.
"""

from __future__ import annotations

from dataclasses import replace

from engine.expand import Expanded
from engine.graph import Edge
from engine.mend import Arrival, shape_problem
from engine.problem import Problem, Severity, Where
from engine.source_facts import CallFacts, LevelFacts


def fault_problems(expanded: Expanded, network: LevelFacts) -> list[Problem]:
    """One problem per node with a fault, named by its first copy that has it; warnings where no output needs it.

    What is wrong with an activation or normalisation set inside a layer is told of the layer.
    """
    found: dict[tuple[str, str], Problem] = {}
    seen: set[int] = set()

    def visit(level: LevelFacts, prefix: str, needed: bool) -> None:
        if id(level) in seen:
            return
        seen.add(id(level))
        for call in level.calls:
            live = needed and call.step.live
            path = prefix + call.node.name
            key = expanded.place(level.definition, call.node.id)
            if call.fault is not None and key not in found:
                problem = shape_problem(
                    call.node, call.step.declaration, _arrivals(expanded, level, call), call.fault,
                    definition=key[0], label=path, severity=Severity.ERROR if live else Severity.WARNING,
                )  # fmt: skip
                inside = expanded.is_part(level.definition, call.node.id)
                found[key] = _told_of(problem, key, path) if inside else problem
            for index, copy in enumerate(call.copies):
                visit(copy, f"{path}.{index}." if len(call.copies) > 1 else f"{path}.", live)

    visit(network, "", True)
    return list(found.values())


def _told_of(problem: Problem, key: tuple[str, str], path: str) -> Problem:
    """Of the layer that holds the part; ways to mend the part's own wires and settings lead nowhere there."""
    fix = "Choose another activation or normalisation for this layer"
    return replace(problem, where=Where(label=path, node=key[1], definition=key[0]), fix=fix, fixes=())


def _arrivals(expanded: Expanded, level: LevelFacts, call: CallFacts) -> list[Arrival]:
    """The wires at a node with what they carry, in the order of its ports."""
    inside = expanded.graph.level(level.definition)
    depths = _depths(level)
    wires: dict[str, list[Edge]] = {}
    for edge in inside.incoming(call.node.id):
        wires.setdefault(edge.input, []).append(edge)
    return [
        Arrival(port.name, info, expanded.wire(level.definition, edge), inside.nodes[_origin(expanded, level, edge)],
                depths[edge.source])
        for port, infos in zip(call.step.ports, call.arrived, strict=False)
        for info, edge in zip(infos, wires.get(port.name, ()), strict=False)
    ]  # fmt: skip


def _origin(expanded: Expanded, level: LevelFacts, edge: Edge) -> str:
    """The node that the project's wire starts at."""
    return expanded.wire(level.definition, edge).source


def _depths(level: LevelFacts) -> dict[str, int]:
    """How many nodes stand before each on the longest way."""
    found: dict[str, int] = {}
    for call in level.calls:
        before = [found[source] for port in call.step.sources for source, _ in port]
        found[call.node.id] = max(before, default=-1) + 1
    return found
