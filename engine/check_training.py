"""Rules of how training runs: callbacks that cannot work, and settings that contradict each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from engine import fixing
from engine.check_optimizer import check_optimizer
from engine.check_recipe import figure_names
from engine.datafacts import VALUE
from engine.declare import make
from engine.graph import OUTPUT
from engine.known import known_data
from engine.plugins import find_class
from engine.problem import Fix, Problem, ProblemError, Where, error, warning
from engine.project import Project

ONCE = ("csv_log", "tensorboard")
"""Callbacks that write into one place: two of them would write over each other."""


def check_training(project: Project) -> Iterator[Problem]:
    """Callbacks, and the extras of training against optimizer, device and data."""
    yield from _callbacks(project)
    yield from check_optimizer(project)
    yield from _precision(project)
    yield from _sampler(project)
    yield from _average(project)
    yield from _accumulation(project)


def watched_figures(project: Project) -> list[str]:
    """The figures that an epoch of this recipe really has, which callbacks may watch."""
    evaluated = project.recipe.get("train_figures") == "evaluated"
    names = figure_names(project)
    running = [name.removeprefix("train_") for name in names if name.startswith("train_") and _is_running(name)]
    if evaluated:
        return [*names, *(f"running_{name}" for name in running)]
    return [name for name in names if not name.startswith("train_") or name.removeprefix("train_") in running]


def _is_running(name: str) -> bool:
    """What is added up while an epoch runs: the loss and right answers."""
    return name == "train_loss" or name.endswith("accuracy")


def _callbacks(project: Project) -> Iterator[Problem]:
    chosen = project.recipe.get("callbacks")
    seen: dict[str, int] = {}
    for index, tagged in enumerate(chosen if isinstance(chosen, tuple) else ()):
        made = _made("callback", tagged)
        if made is None:
            continue  # said by the rules of the recipe
        for place in _places(tagged["type"], made):
            if place in seen:
                yield _problem(project, index, f"It writes {place}, as callback {seen[place] + 1} does",
                               "One callback for each", "recipe.callback_twice")  # fmt: skip
            seen.setdefault(place, index)
        yield from _RULES.get(str(tagged["type"]), _nothing)(project, index, made)


def _places(kind: str, made: Any) -> Iterator[str]:
    """What a callback writes, in words; no two may write the same."""
    if kind in ONCE:
        yield {"csv_log": "metrics.csv", "tensorboard": "the folder tensorboard"}[kind]
    if kind == "checkpoint" and made.every:
        yield "checkpoints epoch-…"
    if kind == "checkpoint" and made.best:
        yield f"the checkpoint best-{made.monitor}"


def _checkpoint(project: Project, index: int, made: Any) -> Iterator[Problem]:
    if not made.every and not made.best:
        fix = Fix("Save every epoch", apply=_changed(project, index, "every", 1))
        yield _problem(project, index, "This checkpoint is never saved: every is 0 and best is off",
                       "every 1 or more, or best on", "recipe.callback_idle", fix)  # fmt: skip
    if made.best:
        yield from _figure(project, index, "monitor", made.monitor)


def _alert(project: Project, index: int, made: Any) -> Iterator[Problem]:
    yield from _figure(project, index, "figure", made.figure)


def _figure(project: Project, index: int, name: str, figure: str) -> Iterator[Problem]:
    known = watched_figures(project)
    if figure in known:
        return
    near = known[0]
    fix = Fix(f"Watch {near}", apply=_changed(project, index, name, near))
    yield _problem(project, index, f"There is no figure {figure[:80]!r} to watch", f"One of {', '.join(known)}",
                   "recipe.monitor", fix, setting=name)  # fmt: skip


def _tensorboard(project: Project, index: int, made: Any) -> Iterator[Problem]:
    if find_spec("tensorboard") is None:
        yield _problem(project, index, "The package tensorboard is not installed",
                       "It, in the environment that runs Layerwright: python -m pip install tensorboard",
                       "package_missing", said="Install it with: python -m pip install tensorboard")  # fmt: skip


def _plugin(project: Project, index: int, made: Any) -> Iterator[Problem]:
    try:
        found = find_class(made.name)
    except ProblemError as fault:
        first = fault.problem
        yield _problem(project, index, first.happened, first.expected, first.code, said=first.fix, setting="name")
        yield from fault.problems[1:]
        return
    if found.problem is not None:
        yield found.problem
    if not made.settings.strip():
        return
    try:
        arguments = json.loads(made.settings)
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        fix = Fix("Use its own defaults", apply=_changed(project, index, "settings", ""))
        yield _problem(project, index, f"{made.settings[:60]!r} is no JSON object", 'A text such as {"every": 5}',
                       "recipe.plugin_settings", fix, setting="settings")  # fmt: skip


def _nothing(project: Project, index: int, made: Any) -> Iterator[Problem]:
    yield from ()


_RULES = {"checkpoint": _checkpoint, "alert": _alert, "tensorboard": _tensorboard, "plugin": _plugin}


def _precision(project: Project) -> Iterator[Problem]:
    if project.recipe.get("precision") == "fp16" and project.recipe.get("device") == "cpu":
        fixes = (
            Fix("Use bf16", apply=fixing.set_recipe("precision", "bf16")),
            Fix("Use float32", apply=fixing.set_recipe("precision", "float32")),
        )
        yield error(_at("recipe.precision"), "fp16 on a CPU is imitated: slower than float32 and less exact",
                    "float32 or bf16 on a CPU", fixes[0].title, code="precision", fixes=fixes)  # fmt: skip


def _sampler(project: Project) -> Iterator[Problem]:
    facts = known_data(project)
    if project.recipe.get("sampler") != "balanced" or facts is None or not facts.targets:
        return
    wanted = {str(node.params.get("target") or next(iter(facts.targets))) for node in project.graph.of_type(OUTPUT)}
    kinds = {facts.targets[name].kind for name in wanted if name in facts.targets}
    if kinds and kinds <= {VALUE}:
        fix = Fix("Shuffle", apply=fixing.set_recipe("sampler", "shuffle"))
        yield error(_at("recipe.sampler"), "The targets are real values: there are no classes to balance",
                    "shuffle", fix.title, code="recipe.sampler", fixes=(fix,))  # fmt: skip


def _average(project: Project) -> Iterator[Problem]:
    tagged = project.recipe.get("ema")
    made = _made("record", tagged) if _type(tagged) == "ema" else None
    if made is None or not made.enabled or made.warmup:
        return
    batches, count = _batches(project), max(1, _number(project, "accumulate"))
    total = -(-batches // count) * _number(project, "epochs")
    if not total:
        return
    left = made.decay**total
    if left > 0.05:
        fix = Fix("Begin faster", apply=fixing.set_recipe("ema", {**project.recipe.get("ema"), "warmup": True}))
        yield warning(_at("recipe.ema.decay"), f"After all {total:,} steps {left:.0%} of the average are still the "
                      "random weights of the start", "warmup, a smaller decay, or more steps", fix.title,
                      code="recipe.ema", fixes=(fix,))  # fmt: skip


def _accumulation(project: Project) -> Iterator[Problem]:
    count, batches = _number(project, "accumulate"), _batches(project)
    if 1 < batches < count:
        fix = Fix(f"Use {batches}", apply=fixing.set_recipe("accumulate", batches))
        yield warning(_at("recipe.accumulate"), f"An epoch has only {batches:,} batches: it becomes one single step",
                      f"accumulate {batches:,} or less", fix.title, code="recipe.accumulate", fixes=(fix,))  # fmt: skip


def _batches(project: Project) -> int:
    """Batches of an epoch; 0 while the data is not known."""
    facts, size = known_data(project), _number(project, "batch_size")
    return -(-facts.counts.get("train", 0) // size) if facts and size else 0


def _number(project: Project, name: str) -> int:
    """A setting that is a whole number; 0 for anything else, which the rules of the recipe tell."""
    value = project.recipe.get(name)
    return value if isinstance(value, int) else 0


def _problem(
    project: Project, index: int, happened: str, expected: str, code: str, *fixes: Fix, said: str = "",
    setting: str = "",
) -> Problem:  # fmt: skip
    """A problem of one callback; removing it is always a way out."""
    chosen = project.recipe.get("callbacks")
    rest = tuple(item for place, item in enumerate(chosen) if place != index)
    ways = (*fixes, Fix("Remove this callback", apply=fixing.set_recipe("callbacks", rest)))
    path = f"recipe.callbacks.{index}{f'.{setting}' if setting else ''}"
    return error(_at(path), happened, expected, said or ways[0].title, code=code, fixes=ways)


def _changed(project: Project, index: int, name: str, value: Any) -> fixing.Apply:
    chosen = list(project.recipe.get("callbacks"))
    chosen[index] = {**chosen[index], name: value}
    return fixing.set_recipe("callbacks", tuple(chosen))


def _made(kind: str, tagged: Any) -> Any:
    try:
        return make(kind, tagged)
    except (ValueError, AttributeError):
        return None


def _type(tagged: Any) -> str:
    return str(tagged.get("type")) if isinstance(tagged, Mapping) else ""


def _at(path: str) -> Where:
    return Where(label=path, path=path)
