"""Whether each Output fits its target: the loss itself is run once on the meta device.

Owns only this last check. Which kinds of target a loss takes, and class counts, are rules that need no torch.
"""

from __future__ import annotations

import warnings

import torch

from engine.datafacts import BINARY, CLASS, NONE, Target
from engine.declare import make
from engine.graph import OUTPUT
from engine.problem import Problem, Where, error
from engine.project import Project
from engine.runtime.meta import BATCH, namespace, sample_batch
from engine.source_ends import OutputEnd, ends_among
from engine.source_facts import LevelFacts
from engine.tensor import INT, TensorInfo, shape_text


def output_problems(project: Project, network: LevelFacts) -> list[Problem]:
    """Problems of Outputs whose shape is known and whose target is known."""
    arrived = {call.node.id: call.arrived for call in network.calls if call.node.type == OUTPUT}
    live = {call.node.id for call in network.calls if call.step.live}
    targets = project.data.targets if project.data else {}
    found: list[Problem] = []
    for end in ends_among(project, live).outputs:
        target = targets.get(end.target)
        infos = arrived.get(end.node, ())
        info = infos[0][0] if infos and infos[0] else None
        if target is None or target.kind == NONE or info is None:
            continue
        words = _unfit(end, info, target)
        if words:
            found.append(_problem(end, info, words))
    return found


def target_info(target: Target) -> TensorInfo:
    """What the data hands to the loss: a class number, or so many yes-or-no's or values."""
    if target.kind == CLASS:
        return TensorInfo((), INT)
    if target.kind == BINARY:
        return TensorInfo((len(target.classes) if len(target.classes) > 2 else 1,))
    return TensorInfo((target.size,))


def _unfit(end: OutputEnd, info: TensorInfo, target: Target) -> str:
    """Why the loss does not fit, in words; empty when it does."""
    try:
        declared = make("loss", end.loss)
    except ValueError:
        return ""  # an unknown loss is reported by the checks of the recipe
    wanted = target_info(target)
    if getattr(declared, "target", target.kind) == BINARY and target.kind == CLASS:
        wanted = TensorInfo((len(target.classes) if len(target.classes) > 2 else 1,))
    elif getattr(declared, "target", target.kind) != target.kind:
        return ""  # likewise a loss for another kind of target
    if wanted.dtype != INT and info.shape != wanted.shape:
        # torch would stretch one to the other with no more than a warning.
        return f"{shape_text(info.shape)} arrives, but the target has {shape_text(wanted.shape)} per sample."
    if wanted.dtype == INT and info.rank != 1:
        return f"{shape_text(info.shape)} arrives, but a class per sample needs one number for each class."
    try:
        with torch.device("meta"), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("error")
            loss = eval(declared.build().text, namespace())
            loss(sample_batch(info, BATCH), sample_batch(wanted, BATCH))
    except (RuntimeError, ValueError, IndexError, UserWarning) as fault:
        return (str(fault).strip().splitlines() or ["The loss refuses this shape."])[0][:200]
    return ""


def _problem(end: OutputEnd, info: TensorInfo, words: str) -> Problem:
    where = Where(label=end.name, node=end.node, path=f"nodes.{end.name}")
    return error(
        where, words, "One number per class for classes, one per value for real values",
        "Put a Linear layer with that many units before this output, after a Flatten if needed",
        code="output-shape", arrived=(("x", shape_text(info.shape), ""),),
    )  # fmt: skip
