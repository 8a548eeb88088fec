"""What shape inference found wrong, in a person's words: one problem per broken node, with its fixes.

Owns the step from a fault of a node to a `Problem`: where it is, what arrived from where, and the edit that mends it.
Knows no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.declare import Declaration, Refusal
from engine.problem import Fix, Problem, Severity, Where
from engine.project import Project
from engine.source_facts import CallFacts, LevelFacts
from engine.tensor import shape_text


def fault_problems(project: Project, network: LevelFacts) -> list[Problem]:
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
                found[key] = _problem(project, level, call, call.fault, path, live)
            for index, copy in enumerate(call.copies):
                visit(copy, f"{path}.{index}." if len(call.copies) > 1 else f"{path}.", live)

    visit(network, "", True)
    return list(found.values())


def _problem(project: Project, level: LevelFacts, call: CallFacts, fault: Refusal, path: str, live: bool) -> Problem:
    names = {other.node.id: other.node.name for other in level.calls}
    arrived = tuple(
        (port.name, "unknown" if info is None else shape_text(info.shape), f"from {names.get(source[0], '?')}")
        for port, infos, sources in zip(call.step.ports, call.arrived, call.step.sources, strict=False)
        for info, source in zip(infos, sources, strict=False)
    )
    where = Where(label=path, node=call.node.id, definition=level.definition, path=f"nodes.{path}")
    severity = Severity.ERROR if live else Severity.WARNING
    fixes = (_fix(project, level.definition, call, fault),) if fault.mend else ()
    return Problem(severity, where, fault.happened, fault.expected, fault.fix, "shape", arrived, fixes)


def _fix(project: Project, definition: str, call: CallFacts, fault: Refusal) -> Fix:
    mend = dict(fault.mend or {})
    words = ", ".join(f"{name} = {value}" for name, value in mend.items())
    return Fix(fault.fix, words, "", _setter(definition, call.step.owner.id, mend, call.step.declaration))


def _setter(
    definition: str, node_id: str, mend: Mapping[str, Any], declaration: Declaration | None
) -> Callable[[Project], Project]:
    def apply(project: Project) -> Project:
        level = project.graph.level(definition)
        node = level.nodes[node_id]
        params = {**node.params, **mend}
        if declaration is not None:
            params, _ = declaration.clean(params)
        nodes = {**level.nodes, node_id: replace(node, params=params)}
        return project.with_graph(project.graph.with_level(definition, replace(level, nodes=nodes)))

    return apply
