"""What a check found, as the canvas shows it: problems by node, shapes on wires, which numbers do not fit.

Owns the reading of an `Analysis` for boxes and wires. Never checks anything and never paints.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRectF

from engine.analysis import Analysis, NodeFacts
from engine.graph import GROUP_INPUT, INPUT, Graph
from engine.problem import Problem, Severity
from engine.tensor import TensorInfo
from gui.canvas.boxes import Box, Kind, NodeKey
from gui.canvas.scene import Scene
from gui.canvas.wires import Wire

RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.ADVICE: 2}


class Findings:
    """The newest analysis, by node. Problems inside a closed group also stand on the group."""

    def __init__(self, analysis: Analysis | None = None, graph: Graph | None = None) -> None:
        self.analysis = analysis or Analysis()
        self._problems: dict[NodeKey, list[Problem]] = {}
        for problem in self.analysis.problems:
            if problem.where.node:
                self._problems.setdefault((problem.where.definition, problem.where.node), []).append(problem)
        for found in self._problems.values():
            # Of equals, one that says what arrived is worth more than one that says what is not reached.
            found.sort(key=lambda problem: (RANK[problem.severity], not problem.arrived))
        self._inside = _worst_inside(graph, self._problems) if graph is not None else {}

    def problems(self, key: NodeKey) -> list[Problem]:
        """The problems of one node, worst first."""
        return self._problems.get(key, [])

    def severity(self, box: Box) -> Severity | None:
        """The worst problem that a box must show, its inside included while that is closed."""
        found = [problem.severity for problem in self._problems.get(box.key, ())]
        if box.kind in (Kind.CARD, Kind.STACK) and box.node.definition in self._inside:
            found.append(self._inside[box.node.definition])
        return min(found, key=RANK.__getitem__, default=None)

    def facts(self, key: NodeKey) -> NodeFacts | None:
        """Shapes and counts of a node; None while unknown."""
        return self.analysis.nodes.get(key)

    def dress(self, scene: Scene) -> list[QRectF]:
        """Writes shapes and faults onto the wires of a scene, what is frozen onto its boxes; returns what looks
        different now.
        """
        dirty: list[QRectF] = []
        for box in scene.boxes.values():
            still, rows = self._frozen(box.key), [self._frozen(row.key) for row in box.rows]
            if box.frozen != still or [row.frozen for row in box.rows] != rows:
                box.frozen = still
                for row, said in zip(box.rows, rows, strict=True):
                    row.frozen = said
                dirty.append(box.bounds())
        labelled: set[tuple[object, str]] = set()
        unchecked = not self.analysis.nodes
        for wire in scene.wires.values():
            said = self._said(wire)
            if wire.unchecked != unchecked:
                wire.unchecked = unchecked
                dirty.append(wire.bounds)
            output = (wire.source.item, wire.edge.output)
            if output in labelled and not said[3]:
                # All wires from one output carry the same: it is written once.
                said = (said[0], "", said[2], said[3])
            if said[1] and not said[3]:
                labelled.add(output)
            if said != (wire.info, wire.label, wire.marks, wire.fault):
                wire.info, wire.label, wire.marks, wire.fault = said
                dirty.append(wire.bounds)
        return dirty

    def _frozen(self, key: NodeKey) -> str:
        facts = self.analysis.nodes.get(key)
        still, all_layers = facts.frozen if facts is not None else (0, 0)
        if not still:
            return ""
        if still < all_layers:
            return "some"
        return "held" if facts is not None and facts.held else "all"

    def _said(self, wire: Wire) -> tuple[TensorInfo | None, str, tuple[bool, ...], bool]:
        source = self.analysis.nodes.get(wire.source.key)
        info = source.outputs.get(wire.edge.output) if source else None
        fault, marks = self._fault(wire, info)
        label = str(info) if info is not None and (fault or self._changes(wire.source, info)) else ""
        return info, label, marks, fault

    def _changes(self, box: Box, info: TensorInfo) -> bool:
        """Whether the shape that leaves a box is not the one that came in."""
        if box.kind is Kind.PORT:
            # The wire outside the frame says it already.
            return False
        if box.node.type in (INPUT, GROUP_INPUT):
            return True
        facts = self.analysis.nodes.get(box.key)
        arriving = [one.shape for entries in facts.inputs.values() for one in entries] if facts else []
        return bool(arriving) and any(shape != info.shape for shape in arriving)

    def _fault(self, wire: Wire, info: TensorInfo | None) -> tuple[bool, tuple[bool, ...]]:
        for problem in self._problems.get(wire.target.key, ()):
            # On a branch that reaches no Output a shape fault is only a warning, but the wire is as wrong.
            if problem.severity is not Severity.ERROR and not problem.arrived:
                continue
            if problem.where.port and problem.where.port == wire.edge.input and not problem.arrived:
                return True, ()
            if problem.arrived and info is not None:
                shapes = [shape for _, shape, _ in problem.arrived]
                if str(info) in shapes:
                    return True, differing(str(info), [shape for shape in shapes if shape != str(info)])
        return False, ()


def differing(shape: str, others: Iterable[str]) -> tuple[bool, ...]:
    """Per number of a shape text: whether it differs from the same place of another one, or has none there."""
    own = shape.split("×")
    rest = [other.split("×") for other in others]
    if any(len(other) != len(own) for other in rest):
        return tuple(True for _ in own)
    return tuple(any(other[index] != part for other in rest) for index, part in enumerate(own))


def _worst_inside(graph: Graph, problems: dict[NodeKey, list[Problem]]) -> dict[str, Severity]:
    """Per definition the worst problem in it or in any group inside it."""
    own: dict[str, int] = {}
    for (definition, _), found in problems.items():
        if definition:
            own[definition] = min(own.get(definition, 9), *(RANK[one.severity] for one in found))
    # A group inside a group hands its worst outwards; as many rounds as there are levels are always enough.
    for _ in range(len(graph.definitions)):
        before = dict(own)
        for outer, level in graph.definitions.items():
            inner = [own[node.definition] for node in level.nodes.values() if node.definition in own]
            if inner:
                own[outer] = min(own.get(outer, 9), *inner)
        if own == before:
            break
    by_rank = {rank: severity for severity, rank in RANK.items()}
    return {definition: by_rank[rank] for definition, rank in own.items()}
