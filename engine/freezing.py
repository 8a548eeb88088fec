"""Which layers of a project are frozen, and how a choice of layers is written as short patterns. Knows no torch.

`recipe.frozen` holds patterns of instance paths, separated by commas: `conv1, layer1.*`. A block counts with all that
is in it. Owns reading, writing and checking them; what freezing does to a model is `runtime/freezing.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from engine import fixing
from engine.param_groups import fits
from engine.problem import Fix, Problem, Where, error, warning
from engine.recipe import Recipe

PATH = "recipe.frozen"


def patterns_of(text: object) -> tuple[str, ...]:
    """The patterns of the setting; anything but text holds none."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else ()


def is_frozen(patterns: Sequence[str], path: str) -> bool:
    """Whether a layer stands in one of the patterns."""
    return any(fits(pattern, path) for pattern in patterns)


def frozen_of(recipe: Recipe, layers: Sequence[str], parts: Mapping[str, str] | None = None) -> frozenset[str]:
    """The instance paths among `layers` that are frozen; what is set inside a layer (`parts`) is so with it."""
    patterns = patterns_of(recipe.get("frozen"))
    known = parts or {}
    return frozenset(path for path in layers if is_frozen(patterns, known.get(path, path)))


def written(frozen: Collection[str], layers: Sequence[str]) -> str:
    """The shortest text that freezes exactly these of all `layers`: a block by its path where all of it is frozen."""
    return ", ".join(_shortest(frozenset(frozen), list(dict.fromkeys(layers)), 1))


def freezing_problems(recipe: Recipe, layers: Sequence[str]) -> Iterator[Problem]:
    """Patterns that fit no layer, and a training in which nothing is left to train."""
    patterns = patterns_of(recipe.get("frozen"))
    where = Where(label=PATH, path=PATH)
    for pattern in patterns:
        if not any(fits(pattern, path) for path in layers):
            rest = ", ".join(item for item in patterns if item != pattern)
            shown = ", ".join(layers[:6]) + (" ..." if len(layers) > 6 else "")
            fix = Fix(f"Leave {pattern} out", apply=fixing.set_recipe("frozen", rest))
            yield error(where, f"No layer with weights fits {pattern[:80]!r}", f"Some of {shown or 'none'}", fix.title,
                        code=PATH, fixes=(fix,))  # fmt: skip
    if patterns and layers and all(is_frozen(patterns, path) for path in layers):
        last = layers[-1]
        fixes = (
            Fix(f"Train {last}", apply=fixing.set_recipe("frozen", written(layers[:-1], layers))),
            Fix("Train all", apply=fixing.set_recipe("frozen", "")),
        )
        yield error(where, "Every layer is frozen: there is nothing to train", "A layer that trains", fixes[0].title,
                    code=PATH, fixes=fixes)  # fmt: skip
    elif patterns and recipe.get("frozen_norms") == "updating":
        yield warning(
            where, "Batch norms of frozen layers go on averaging the new data: what frozen layers give will drift",
            "frozen_norms: held", "Hold their statistics", code="recipe.frozen_norms",
            fixes=(Fix("Hold their statistics", apply=fixing.set_recipe("frozen_norms", "held")),),
        )  # fmt: skip


def _shortest(frozen: frozenset[str], layers: list[str], depth: int) -> list[str]:
    found: list[str] = []
    heads = dict.fromkeys(_head(path, depth) for path in layers)
    for head in heads:
        inside = [path for path in layers if _head(path, depth) == head]
        if all(path in frozen for path in inside):
            found.append(head)
        elif inside != [head]:
            found += _shortest(frozen, inside, depth + 1)
    return found


def _head(path: str, depth: int) -> str:
    return ".".join(path.split(".")[:depth])
