"""Batches of one sample before a batch norm that has nothing to normalise over in one.

A last batch of one sample joins the one before it, so only a batch size of 1 is a fault, and a training set of one
sample. Knows no torch.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine import fixing
from engine.expand import Expanded
from engine.known import known_data
from engine.problem import Fix, Problem, Where, error
from engine.project import Project
from engine.source_facts import CallFacts, LevelFacts


def single_problems(project: Project, expanded: Expanded, network: LevelFacts) -> Iterator[Problem]:
    """One error at the first norm that finds a single number for a mean and deviation; none for larger batches."""
    facts = known_data(project)
    alone = facts is not None and facts.counts.get("train") == 1
    if project.recipe.get("batch_size") != 1 and not alone:
        return
    found = _first(network, "", set())
    if found is None:
        return
    path, definition, call = found
    level, node = expanded.place(definition, call.node.id)
    if alone:
        yield error(
            Where(label=path, node=node, definition=level),
            "There is one training sample: it has no mean and deviation to normalise by",
            "Two training samples or more, or a norm that does not need the batch: layer norm, group norm",
            "Train on more samples (recipe.data)", code="batch-norm.single",
        )  # fmt: skip
        return
    fix = Fix("Use batches of 32", apply=fixing.set_recipe("batch_size", 32))
    yield error(
        Where(label=path, node=node, definition=level),
        "Batches of one sample have no mean and deviation to normalise by",
        "Batches of two or more, or a norm that does not need the batch: layer norm, group norm", fix.title,
        code="batch-norm.single", fixes=(fix,),
    )  # fmt: skip


def _first(level: LevelFacts, prefix: str, seen: set[int]) -> tuple[str, str, CallFacts] | None:
    if id(level) in seen:
        return None
    seen.add(id(level))
    for call in level.calls:
        path = prefix + call.step.owner.name
        if call.step.live and _is_bare(call):
            return path, level.definition, call
        for index, copy in enumerate(call.copies if call.step.live else ()):
            found = _first(copy, f"{path}.{index}." if len(call.copies) > 1 else f"{path}.", seen)
            if found is not None:
                return found
    return None


def _is_bare(call: CallFacts) -> bool:
    """Whether one sample brings one number for each mean: a vector, or every number for itself."""
    if call.layer is None or not call.layer.declaration.type.startswith("batch_norm") or not call.layer.outputs:
        return False
    info = call.layer.outputs[0]
    counts = {"channels": info.channels, "last": info.shape[-1], "all": info.size}
    return info.size == counts[str(call.layer.declared.axis)]
