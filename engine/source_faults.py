"""What shape inference found wrong, in a person's words: one problem per broken node, with its fixes.

Owns the way from a fault in the expanded network to the node, its instance path and the wires that arrive there; the
words and fixes are those of `mend.py`. Knows no torch.
"""

from __future__ import annotations

from engine.graph import Edge, Graph
from engine.mend import Arrival, shape_problem
from engine.problem import Problem, Severity
from engine.source_facts import CallFacts, LevelFacts


def fault_problems(graph: Graph, network: LevelFacts) -> list[Problem]:
    """One problem per node with a fault, named by its first copy that has it; warnings where no output needs it."""
    found: dict[tuple[str, str], Problem] = {}
    seen: set[int] = set()

    def visit(level: LevelFacts, prefix: str, needed: bool) -> None:
        if id(level) in seen:
            return
        seen.add(id(level))
        for call in level.calls:
            live = needed and call.step.live
            path = prefix + call.node.name
            key = (level.definition, call.node.id)
            if call.fault is not None and key not in found:
                found[key] = shape_problem(
                    call.node, call.step.declaration, _arrivals(graph, level, call), call.fault,
                    definition=level.definition, label=path, severity=Severity.ERROR if live else Severity.WARNING,
                )  # fmt: skip
            for index, copy in enumerate(call.copies):
                visit(copy, f"{path}.{index}." if len(call.copies) > 1 else f"{path}.", live)

    visit(network, "", True)
    return list(found.values())


def _arrivals(graph: Graph, level: LevelFacts, call: CallFacts) -> list[Arrival]:
    """The wires at a node with what they carry, in the order of its ports."""
    inside = graph.level(level.definition)
    depths = _depths(level)
    wires: dict[str, list[Edge]] = {}
    for edge in inside.incoming(call.node.id):
        wires.setdefault(edge.input, []).append(edge)
    return [
        Arrival(port.name, info, edge, inside.nodes[edge.source], depths[edge.source])
        for port, infos in zip(call.step.ports, call.arrived, strict=False)
        for info, edge in zip(infos, wires.get(port.name, ()), strict=False)
    ]


def _depths(level: LevelFacts) -> dict[str, int]:
    """How many nodes stand before each on the longest way."""
    found: dict[str, int] = {}
    for call in level.calls:
        before = [found[source] for port in call.step.sources for source, _ in port]
        found[call.node.id] = max(before, default=-1) + 1
    return found
