"""Rules of the recipe: unknown choices, values out of bounds, figures that do not exist, data without a path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine import fixing
from engine.check_layers import nearest
from engine.check_outputs import target_of
from engine.datafacts import NONE
from engine.declare import find, make
from engine.defaults import DEFAULTS
from engine.edits import set_default
from engine.graph import OUTPUT
from engine.known import known_data
from engine.problem import Fix, Problem, Where, error, warning
from engine.project import Project
from engine.recipe import SETTINGS
from engine.values import Fault, declaration_of, examine_all


def check_recipe(project: Project) -> Iterator[Problem]:
    """The recipe and the project's defaults."""
    values = project.recipe.values
    for fault in examine_all(SETTINGS, values)[1]:
        yield _setting(values, fault)
    for fault in examine_all(DEFAULTS, project.graph.defaults)[1]:
        name = fault.path.partition(".")[0]
        fix = Fix("Use torch's own way", apply=_clear_default(name))
        yield error(_at(f"defaults.{fault.path}"), _said(fault.words), "", fix.title, code="param",
                    fixes=(fix,) if name in DEFAULTS.by_name else ())  # fmt: skip
    for name in project.extra.get("recipe", {}):
        words = f"The setting {name!r} is not known here; it is kept, but has no effect"
        yield warning(_at(f"recipe.{name}"), words, f"One of {', '.join(SETTINGS.defaults)}", code="recipe.unknown")
    yield from _metrics(project)
    yield from _monitor(project)
    yield from _data(project)


def figure_names(project: Project) -> list[str]:
    """The figures of an epoch that can be watched: losses and metrics of training and validation."""
    names = ["loss"]
    outputs = [node.name for node in project.graph.of_type(OUTPUT)]
    chosen = project.recipe.get("metrics")
    for tagged in chosen if isinstance(chosen, tuple) else ():
        made = _made("metric", tagged)
        if made is not None:
            names += [f"{output}_{made.name}" for output in outputs] if len(outputs) > 1 else [str(made.name)]
    return [f"{split}_{name}" for split in ("val", "train") for name in dict.fromkeys(names)]


def _setting(values: Mapping[str, Any], fault: Fault) -> Problem:
    name, _, inner = fault.path.partition(".")
    param = SETTINGS.by_name[name]
    fixes: list[Fix] = []
    if inner and param.kind == "tagged" and fault.unknown != "type":
        tagged = dict(values[name])
        declaration = declaration_of(param, tagged)
        key = inner.partition(".")[0]
        close = nearest(declaration, key, tagged.get(key)) if declaration else None
        if close is not None:
            fixes.append(Fix(f"Use {close:,}", apply=fixing.set_recipe(name, {**tagged, key: close})))
        kept = {item: value for item, value in tagged.items() if item != key}
        title = "Remove the setting" if fault.unknown else "Use the default"
        fixes.append(Fix(title, apply=fixing.set_recipe(name, kept)))
    elif param.kind == "list" and inner:
        items = tuple(item for index, item in enumerate(values[name]) if str(index) != inner.partition(".")[0])
        fixes.append(Fix("Remove it", apply=fixing.set_recipe(name, items)))
    else:
        close = nearest(SETTINGS, name, values[name])
        if close is not None:
            fixes.append(Fix(f"Use {close:,}", apply=fixing.set_recipe(name, close)))
        usual = param.default["type"] if isinstance(param.default, Mapping) else param.default
        fixes.append(Fix(f"Use {usual}", apply=fixing.set_recipe(name, param.default)))
    expected = f"One of {', '.join(fault.allowed)}" if fault.allowed else param.domain
    words = f"{param.title}: {fault.words.partition('; there are')[0]}"
    return error(_at(f"recipe.{fault.path}"), words, expected, fixes[0].title, code="param", fixes=tuple(fixes))


def _metrics(project: Project) -> Iterator[Problem]:
    facts = known_data(project)
    nodes = project.graph.of_type(OUTPUT)
    targets = [target_of(node, facts) for node in nodes] if facts else []
    kinds = {target.kind for target in targets if target is not None} - {NONE}
    chosen = project.recipe.get("metrics")
    for index, tagged in enumerate(chosen if isinstance(chosen, tuple) else ()):
        made = _made("metric", tagged)
        if made is None or not kinds or kinds & set(made.tasks):
            continue
        declaration = find("metric", str(tagged["type"]))
        title = declaration.title if declaration else tagged["type"]
        rest = tuple(item for place, item in enumerate(chosen) if place != index)
        fix = Fix("Remove it", apply=fixing.set_recipe("metrics", rest))
        words = f"{title} says nothing about targets that are {'real values' if 'value' in kinds else 'classes'}"
        yield error(_at(f"recipe.metrics.{index}"), words, "A figure for this kind of target", fix.title,
                    code="recipe.metric", fixes=(fix,))  # fmt: skip


def _monitor(project: Project) -> Iterator[Problem]:
    tagged = project.recipe.get("early_stopping")
    stated = isinstance(tagged, Mapping) and tagged.get("type") == "early_stopping"
    made = _made("record", tagged) if stated else None
    names = figure_names(project)
    if made is None or made.monitor in names:
        return
    fix = Fix("Watch val_loss", apply=fixing.set_recipe("early_stopping", {**tagged, "monitor": "val_loss"}))
    yield error(_at("recipe.early_stopping.monitor"), f"There is no figure {made.monitor!r} to watch",
                f"One of {', '.join(names)}", fix.title, code="recipe.monitor", fixes=(fix,))  # fmt: skip


def _data(project: Project) -> Iterator[Problem]:
    tagged = project.recipe.get("data")
    declaration = find("dataset", str(tagged.get("type"))) if isinstance(tagged, Mapping) else None
    param = declaration.by_name.get("path") if declaration else None
    # A path that may stay empty is advanced: those sets know where they are kept.
    if declaration is None or param is None or param.advanced or tagged.get("path") or tagged.get("url"):
        return
    yield error(_at("recipe.data.path"), f"No file or folder is chosen for {declaration.title}",
                "The path of a file or folder", "Choose one in the Data panel, or set recipe.data.path",
                code="data.path")  # fmt: skip


def _clear_default(name: str) -> fixing.Apply:
    return lambda project: project.with_graph(set_default(project.graph, name, None))


def _made(kind: str, tagged: Any) -> Any:
    try:
        return make(kind, tagged)
    except (ValueError, AttributeError):
        return None


def _at(path: str) -> Where:
    return Where(label=path, path=path)


def _said(words: str) -> str:
    return words[:1].upper() + words[1:]
