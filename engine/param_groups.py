"""Which layer belongs to which parameter group of a recipe, and what is wrong with the groups. Knows no torch.

A pattern fits a layer's instance path (`hidden.0.linear`) or that of a block around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from engine import fixing
from engine.declare import make
from engine.problem import Fix, Problem, Where, error
from engine.recipe import Recipe


def fits(pattern: str, path: str) -> bool:
    """Whether a pattern names a layer, or a block that the layer stands in."""
    parts = path.split(".")
    return any(fnmatchcase(".".join(parts[:end]), pattern) for end in range(1, len(parts) + 1))


def group_of(groups: Sequence[Any], path: str) -> int | None:
    """The place of the first group that a layer belongs to; None where it belongs to none."""
    return next((place for place, group in enumerate(groups) if fits(group.layers, path)), None)


def group_problems(recipe: Recipe, layers: Sequence[str]) -> Iterator[Problem]:
    """Groups that name no layer, or one that another group names; `layers` are paths of those that hold weights."""
    groups = _made(recipe)
    taken: dict[str, int] = {}
    for place, group in groups:
        found = [path for path in layers if fits(group.layers, path)]
        if not found:
            shown = ", ".join(layers[:6]) + (" ..." if len(layers) > 6 else "")
            yield _problem(recipe, place, f"No layer with weights fits {group.layers!r}", f"Some of {shown or 'none'}")
        twice = next((path for path in found if path in taken), None)
        if twice is not None:
            happened = f"{twice} stands in group {taken[twice] + 1} and in group {place + 1}"
            yield _problem(recipe, place, happened, "One group for each layer")
        taken.update({path: place for path in found if path not in taken})


def _made(recipe: Recipe) -> list[tuple[int, Any]]:
    found = []
    chosen = recipe.get("groups")
    for place, tagged in enumerate(chosen if isinstance(chosen, (list, tuple)) else ()):
        try:
            found.append((place, make("param_group", tagged)))
        except (ValueError, AttributeError):
            continue  # the rules of the recipe tell that
    return found


def _problem(recipe: Recipe, place: int, happened: str, expected: str) -> Problem:
    path = f"recipe.groups.{place}.layers"
    rest = tuple(item for index, item in enumerate(recipe.get("groups")) if index != place)
    fix = Fix("Remove this group", apply=fixing.set_recipe("groups", rest))
    return error(Where(label=path, path=path), happened, expected, fix.title, code="recipe.groups", fixes=(fix,))
