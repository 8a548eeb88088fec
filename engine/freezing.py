"""Which layers of a project are frozen, and how a choice of layers is written as short patterns. Knows no torch.

`recipe.frozen` holds patterns of instance paths, separated by commas: `conv1, layer1.*`. A block counts with all that
is in it. Owns reading, writing and checking them; what freezing does to a model is `runtime/freezing.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from engine import fixing
from engine.analysis import Analysis
from engine.graph import Graph
from engine.param_groups import fits
from engine.problem import Fix, Problem, Where, error, warning
from engine.project import Project
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


def with_frozen(project: Project, analysis: Analysis, places: Collection[str], frozen: bool) -> Project:
    """The project with the layers at these instance paths, and all in blocks at them, frozen or training; in its first
    phase, where that says what is frozen.
    """
    layers = [path for path in analysis.layers if path not in analysis.parts]
    recipe = project.recipe
    phases = [dict(item) for item in recipe.get("phases")]
    own = bool(phases) and phases[0].get("frozen") is not None
    now = frozen_of(recipe.with_value("frozen", phases[0]["frozen"]) if own else recipe, layers)
    meant = {path for path in layers if any(path == place or path.startswith(f"{place}.") for place in places)}
    text = written(now | meant if frozen else now - meant, layers)
    if own:
        return project.with_recipe(recipe.with_value("phases", ({**phases[0], "frozen": text}, *phases[1:])))
    return project.with_recipe(recipe.with_value("frozen", text))


def below(graph: Graph, place: str) -> list[str]:
    """Instance paths of a layer or block and of all that leads to it, at its own level and those around it: what is
    frozen with "everything below here". Empty for a path that the graph does not have.
    """
    found: list[str] = []
    level, prefix, parts = graph, "", place.split(".")
    while parts:
        name, *parts = parts
        node = level.by_name(name)
        if node is None:
            return []
        found += [f"{prefix}{level.nodes[before].name}" for before in _leading(level, node.id)]
        own = f"{prefix}{name}"
        inner = graph.definitions.get(node.definition) if node.is_group else None
        if inner is not None and node.repeat > 1 and parts:
            number, *parts = parts
            found += [f"{own}.{copy}" for copy in range(int(number) if number.isdecimal() else 0)]
            own = f"{own}.{number}"
        if inner is None or not parts:
            return [*found, own]
        level, prefix = inner, f"{own}."
    return found


def _leading(level: Graph, node: str) -> list[str]:
    """The nodes of a level from which wires lead to a node, it left out."""
    feeding: dict[str, list[str]] = {}
    for edge in level.edges:
        feeding.setdefault(edge.target, []).append(edge.source)
    found: dict[str, None] = {}
    waiting = list(feeding.get(node, ()))
    while waiting:
        before = waiting.pop()
        if before not in found and before in level.nodes and before != node:
            found[before] = None
            waiting += feeding.get(before, ())
    return list(found)


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
