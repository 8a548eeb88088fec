"""The last check of an Output: its loss is run once, on the meta device, on what arrives and what the target gives.

The rules of kinds and class counts stand in `engine.check_outputs` and come first, because torch stretches a wrong
target without a word. Only Outputs that pass them are run here.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from engine.check_outputs import check_outputs, loss_of, suits, target_of, units_for
from engine.datafacts import CLASS, NONE
from engine.declare import make
from engine.graph import OUTPUT, Node
from engine.known import known_data
from engine.problem import Problem, Where, error
from engine.project import Project
from engine.runtime.meta import namespace, sample_batch
from engine.source_facts import LevelFacts
from engine.tensor import INT, TensorInfo, shape_text


def output_problems(project: Project, network: LevelFacts) -> list[Problem]:
    """Problems of Outputs whose shape and target are known."""
    arrived = {
        call.node.id: call.arrived[0][0]
        for call in network.calls
        if call.node.type == OUTPUT and call.arrived and call.arrived[0]
    }
    known = {key: info for key, info in arrived.items() if info is not None}
    found = list(check_outputs(project, known))
    said = {problem.where.node for problem in found}
    return found + _run(project, {key: info for key, info in known.items() if key not in said})


def _run(project: Project, arrived: Mapping[str, TensorInfo]) -> list[Problem]:
    facts = known_data(project)
    found: list[Problem] = []
    for node in project.graph.of_type(OUTPUT):
        loss = loss_of(project, node)
        target = target_of(node, facts) if facts else None
        if node.id not in arrived or loss is None or target is None or target.kind == NONE or not suits(loss, target):
            continue
        classes = getattr(loss.cls, "target", target.kind) == CLASS
        wanted = TensorInfo((), INT) if classes else TensorInfo((units_for(loss, target),))
        words = _refusal(project, node, arrived[node.id], wanted)
        if words:
            found.append(
                error(
                    Where(label=node.name, node=node.id, path=f"nodes.{node.name}"),
                    f"The loss cannot compare {shape_text(arrived[node.id].shape)} with its target: {words}.",
                    "Outputs and targets that the loss can compare", "Choose another loss, or change the last layer",
                    code="output.loss",
                )
            )  # fmt: skip
    return found


def _refusal(project: Project, node: Node, arrived: TensorInfo, wanted: TensorInfo) -> str:
    tagged = node.params.get("loss") or project.recipe.get("loss")
    try:
        call = make("loss", tagged).build()
        with torch.device("meta"), torch.no_grad():
            eval(call.text, namespace())(sample_batch(arrived), sample_batch(wanted))
    except (RuntimeError, ValueError, IndexError) as fault:
        return (str(fault).strip().splitlines() or [type(fault).__name__])[0].rstrip(".")[:200]
    return ""
