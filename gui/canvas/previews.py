"""Which shape a layer would give, asked of whoever can check projects: the canvas itself never loads torch.

Owns the asking. Without a checker (in tests, or while torch warms up) offers simply show no shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from engine import edits
from engine.analysis import Analysis
from engine.graph import Graph, input_ports
from engine.problem import ProblemError, Severity
from engine.project import Project
from gui.canvas.boxes import Box, Socket
from gui.canvas.search_model import Offer


class Previewer(Protocol):
    """Checks projects that do not exist yet; calls back once, in the window's thread. A newer request replaces."""

    def preview(self, projects: Sequence[Project], done: Callable[[Sequence[Analysis]], None]) -> None:
        """Asks for an analysis of each."""


def tried(project: Project, definition: str, offer: Offer, source: tuple[Box, Socket] | None) -> tuple[Project, str]:
    """The project with an offer added and wired, and the id of the new node; "" when it cannot be added."""
    try:
        graph, node = edits.add_node(project.graph, definition, offer.declaration.type, params=offer.params)
        graph = _wired(graph, definition, node.id, source)
    except ProblemError:
        return project, ""
    return project.with_graph(graph), node.id


def outcome(analysis: Analysis, definition: str, node: str) -> tuple[str, str]:
    """(resulting shape, why it does not fit) of the tried node."""
    for problem in analysis.problems:
        here = (problem.where.definition, problem.where.node) == (definition, node)
        if here and problem.severity is Severity.ERROR and problem.arrived:
            return "", problem.happened
    facts = analysis.nodes.get((definition, node))
    return (str(facts.output) if facts and facts.output else ""), ""


def _wired(graph: Graph, definition: str, node: str, source: tuple[Box, Socket] | None) -> Graph:
    inputs = input_ports(graph, graph.level(definition).nodes[node])
    if source is None or not inputs:
        return graph
    box, socket = source
    return edits.connect(graph, definition, box.node.id, socket.port, node, inputs[0].name)
