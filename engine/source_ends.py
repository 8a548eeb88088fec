"""What enters and leaves a model, in the order of its arguments and results. Knows no torch and no shapes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from graphlib import CycleError
from typing import Any

from engine.declare import find
from engine.graph import INPUT, OUTPUT, Node
from engine.known import known_data
from engine.project import Project
from engine.source_plan import plan_level


@dataclass(frozen=True)
class InputEnd:
    """One argument of `forward`: its Input node and the data stream that enters there."""

    node: str
    name: str
    stream: str


@dataclass(frozen=True)
class OutputEnd:
    """One result of `forward`: its Output node, the target stream, the loss, and what turns it into an answer."""

    node: str
    name: str
    target: str
    loss: Mapping[str, Any]
    weight: float
    activation: str
    """`softmax`, `sigmoid` or `none`; `auto` is already resolved by the loss."""


@dataclass(frozen=True)
class Ends:
    """Inputs that something needs, and all outputs, each in order of creation."""

    inputs: tuple[InputEnd, ...]
    outputs: tuple[OutputEnd, ...]


def find_ends(project: Project) -> Ends:
    """The ends of a project's network; unresolved stream names stay "" while the data has not been read."""
    try:
        plan = plan_level(project.graph)
    except CycleError:
        return Ends((), ())
    return ends_among(project, {step.node.id for step in plan.steps if step.live})


def ends_among(project: Project, live: Collection[str]) -> Ends:
    """The same where it is already known which nodes an output needs."""
    nodes = project.graph.nodes
    data = known_data(project)
    stream = next(iter(data.inputs), "") if data else ""
    target = next(iter(data.targets), "") if data else ""
    inputs = tuple(
        InputEnd(node.id, node.name, str(node.params.get("stream") or stream))
        for node in nodes.values()
        if node.type == INPUT and node.id in live
    )
    return Ends(inputs, tuple(_output(project, node, target) for node in nodes.values() if node.type == OUTPUT))


def _output(project: Project, node: Node, first: str) -> OutputEnd:
    loss = node.params.get("loss") or project.recipe.get("loss")
    activation = str(node.params.get("activation", "auto"))
    if activation == "auto":
        declaration = find("loss", str(loss.get("type")))
        activation = str(getattr(declaration.cls, "activation", "none")) if declaration else "none"
    target = str(node.params.get("target") or first)
    return OutputEnd(node.id, node.name, target, loss, float(node.params.get("weight", 1.0)), activation)
