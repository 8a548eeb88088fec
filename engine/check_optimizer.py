"""Checks the optimizer of a recipe against the rest of it: its own rules, groups, decay, and what L-BFGS cannot do.

Never looks at a graph; that a group names layers which exist says `param_groups.py`, which needs their paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine import fixing
from engine.declare import find, make
from engine.problem import Fix, Problem, Where, error, warning
from engine.project import Project

LOST = 6e-8
"""Half a step of single precision at 1: a factor 1 − lr·λ closer to 1 than this changes no weight."""


def check_optimizer(project: Project) -> Iterator[Problem]:
    """Everything that is wrong with the optimizer, or that it makes pointless."""
    made = _made("optimizer", project.recipe.get("optimizer"))
    if made is None:
        return
    yield from _refused(project, made)
    yield from _groups(project, made)
    yield from _lost_decay(project, made)
    yield from _with_lbfgs(project)


def _refused(project: Project, made: Any) -> Iterator[Problem]:
    """The optimizer's own rule on how its settings go together."""
    refuse = getattr(made, "refuse", None)
    found = refuse() if refuse else None
    if found is not None:
        chosen = {**project.recipe.get("optimizer"), **(found.mend or {})}
        fixes = (Fix(found.fix, apply=fixing.set_recipe("optimizer", chosen)),) if found.mend else ()
        yield error(_at("recipe.optimizer"), found.happened, found.expected, found.fix, code="recipe.optimizer",
                    fixes=fixes)  # fmt: skip


def _groups(project: Project, made: Any) -> Iterator[Problem]:
    """Groups and decay settings that this optimizer has no use for."""
    recipe, title = project.recipe, _title(project)
    groups = recipe.get("groups")
    if not isinstance(groups, (list, tuple)):
        return
    if groups and getattr(made, "closure", False):
        fix = Fix("Remove the groups", apply=fixing.set_recipe("groups", ()))
        yield error(_at("recipe.groups"), f"{title} moves all weights along one direction: layers have no own rate",
                    "No groups, or another optimizer", fix.title, code="recipe.groups", fixes=(fix,))  # fmt: skip
    if hasattr(made, "weight_decay"):
        return
    for place, group in enumerate(groups):
        if isinstance(group, Mapping) and group.get("weight_decay") is not None:
            rest = {key: value for key, value in group.items() if key != "weight_decay"}
            changed = tuple(rest if index == place else item for index, item in enumerate(groups))
            fix = Fix("Leave its decay out", apply=fixing.set_recipe("groups", changed))
            path = f"recipe.groups.{place}.weight_decay"
            yield error(_at(path), f"{title} has no weight decay", "A group without one, or another optimizer",
                        fix.title, code="recipe.groups", fixes=(fix,))  # fmt: skip


def _lost_decay(project: Project, made: Any) -> Iterator[Problem]:
    """Decay that single precision rounds away: the weights stay bit for bit as without it."""
    tagged = project.recipe.get("optimizer")
    if tagged.get("type") not in ("adamw", "lion", "muon"):
        return
    share = made.lr * made.weight_decay
    if 0 < share < LOST:
        wanted = 1e-6 / made.lr
        fix = Fix(f"Use {wanted:.1g}", apply=fixing.set_recipe("optimizer", {**tagged, "weight_decay": wanted}))
        yield warning(_at("recipe.optimizer.weight_decay"), f"Each step shrinks the weights by a share of {share:.1g}, "
                      "which single precision rounds away: nothing decays",
                      f"Rate times decay above {LOST:g}", fix.title, code="recipe.decay", fixes=(fix,))  # fmt: skip


def _with_lbfgs(project: Project) -> Iterator[Problem]:
    """LBFGS evaluates one batch many times within a step, so the gradients of a step are no single thing."""
    recipe = project.recipe
    if _type(recipe.get("optimizer")) != "lbfgs":
        return
    if recipe.get("accumulate") != 1:
        fix = Fix("One batch per step", apply=fixing.set_recipe("accumulate", 1))
        yield error(_at("recipe.accumulate"), "LBFGS looks at one batch again and again within a step; several batches "
                    "per step cannot be added up", "accumulate 1, with a larger batch", fix.title,
                    code="recipe.lbfgs", fixes=(fix,))  # fmt: skip
    if recipe.get("precision") == "fp16":
        fix = Fix("Use float32", apply=fixing.set_recipe("precision", "float32"))
        yield error(_at("recipe.precision"), "Loss scaling of fp16 and the line search of LBFGS exclude each other",
                    "float32 or bf16", fix.title, code="recipe.lbfgs", fixes=(fix,))  # fmt: skip
    if _type(recipe.get("clip")) != "none":
        fix = Fix("Do not clip", apply=fixing.set_recipe("clip", {"type": "none"}))
        yield error(_at("recipe.clip"), "LBFGS builds its curvature from true gradients; cut ones mislead it",
                    "No clipping with LBFGS", fix.title, code="recipe.lbfgs", fixes=(fix,))  # fmt: skip


def _title(project: Project) -> str:
    declaration = find("optimizer", str(project.recipe.get("optimizer").get("type")))
    return declaration.title if declaration else "The optimizer"


def _made(kind: str, tagged: Any) -> Any:
    try:
        return make(kind, tagged)
    except (ValueError, AttributeError):
        return None


def _type(tagged: Any) -> str:
    return str(tagged.get("type")) if isinstance(tagged, Mapping) else ""


def _at(path: str) -> Where:
    return Where(label=path, path=path)
