"""Rules of the learning rate's schedule: figures it answers to, lengths that fit the training, momentum it moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from engine import fixing
from engine.check_training import watched_figures
from engine.declare import Refusal, find, make
from engine.known import known_data
from engine.plan import known_steps_per_epoch, momentum_of
from engine.problem import Fix, Problem, ProblemError, Where, error, warning
from engine.progress import Progress
from engine.project import Project

CODE = "recipe.schedule"


@dataclass(frozen=True)
class _Part:
    """A schedule, or one that stands in a chain: its settings, the object, and the steps that it has (0: unknown)."""

    tagged: Mapping[str, Any]
    made: Any
    path: str
    steps: int
    each: int
    """Steps of an epoch; 0 while the data is not known."""
    put: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    """The recipe's schedule with this part replaced."""

    @property
    def type(self) -> str:
        """Its present type, also where a former name stands."""
        declaration = find("schedule", str(self.tagged.get("type")))
        return declaration.type if declaration else ""

    def changed(self, title: str, **settings: Any) -> Fix:
        """A fix that changes settings of this part."""
        return Fix(title, apply=fixing.set_recipe("schedule", self.put({**self.tagged, **settings})))

    def at(self, setting: str = "") -> Where:
        """Where a problem of it is."""
        path = f"{self.path}.{setting}" if setting else self.path
        return Where(label=path, path=path)


def check_schedule(project: Project) -> Iterator[Problem]:
    """Contradictions of the schedule, told before anything trains."""
    tagged = project.recipe.get("schedule")
    made = _made(tagged)
    if made is None:
        return  # said by the rules of the recipe
    each = known_steps_per_epoch(project)
    epochs = project.recipe.get("epochs")
    whole = _Part(
        tagged, made, "recipe.schedule", each * epochs if isinstance(epochs, int) else 0, each, lambda new: new
    )
    for part in (whole, *_parts(whole)):
        refusal: Refusal | None = getattr(part.made, "refuse", lambda: None)()
        if refusal is not None:
            fixes = (part.changed(refusal.fix, **refusal.mend),) if refusal.mend else ()
            yield error(part.at(), refusal.happened, refusal.expected, refusal.fix, code=CODE, fixes=fixes)
            continue
        yield from _RULES.get(part.type, _nothing)(project, part)
    yield from _without_effect(project, made)


def _parts(whole: _Part) -> Iterator[_Part]:
    """The parts of a chain that are valid."""
    if whole.type != "chain" or whole.made.refuse() is not None:
        return
    items = tuple(whole.made.parts)
    starts = (*whole.made.starts(whole.each), whole.steps)
    for index, tagged in enumerate(items):
        made = _made(tagged)
        if made is not None:
            steps = max(0, starts[index + 1] - starts[index]) if whole.each else 0
            yield _Part(tagged, made, f"{whole.path}.parts.{index}", steps, whole.each, _into(whole, index))


def _into(whole: _Part, index: int) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    items = tuple(whole.made.parts)
    return lambda new: {**whole.tagged, "parts": (*items[:index], new, *items[index + 1 :])}


def _chain(project: Project, part: _Part) -> Iterator[Problem]:
    epochs = project.recipe.get("epochs")
    lengths, count = tuple(part.made.lengths), len(part.made.parts)
    if not isinstance(epochs, int):
        return
    before = sum(lengths[: count - 1])
    if count > 1 and before >= epochs:
        least = int(before) + 1
        fixes = (
            Fix(f"Train {least} epochs", apply=fixing.set_recipe("epochs", least)),
            part.changed("Share the epochs evenly", lengths=(epochs / count,) * (count - 1)),
        )
        yield error(part.at("lengths"), f"The parts before the last take {before:g} epochs, the training has {epochs}",
                    f"Less than {epochs} before the last part", fixes[0].title, code=CODE, fixes=fixes)  # fmt: skip
    elif sum(lengths) > epochs:
        fix = part.changed("Let the last part take what is left", lengths=lengths[: count - 1])
        yield error(part.at("lengths"), f"The parts take {sum(lengths):g} epochs, the training has {epochs}",
                    f"{epochs} epochs or less in all", fix.title, code=CODE, fixes=(fix,))  # fmt: skip


def _plateau(project: Project, part: _Part) -> Iterator[Problem]:
    known, name = watched_figures(project), str(part.made.monitor)
    if name not in known:
        fix = part.changed(f"Watch {known[0]}", monitor=known[0])
        yield error(part.at("monitor"), f"There is no figure {name[:80]!r} to watch", f"One of {', '.join(known)}",
                    fix.title, code="recipe.monitor", fixes=(fix,))  # fmt: skip
        return
    every = part.made.every
    if every is not None and not name.startswith("val_"):
        fix = part.changed("Watch val_loss", monitor="val_loss")
        yield error(part.at("monitor"), f"Within an epoch only the validation set is looked at, not {name[:80]}",
                    "A figure of the validation set (val_...), or every: none", fix.title, code=CODE,
                    fixes=(fix,))  # fmt: skip
        return
    if every is not None and part.steps and every >= part.steps:
        fix = part.changed("Look at ends of epochs", every=None)
        yield warning(part.at("every"), f"It looks every {every:,} steps, and there are {part.steps:,}: never",
                      f"Fewer than {part.steps:,} steps", fix.title, code=CODE, fixes=(fix,))  # fmt: skip
    facts = known_data(project)
    if name.startswith("val_") and facts is not None and not facts.counts.get("val"):
        fix = part.changed("Watch train_loss", monitor="train_loss")
        yield error(part.at("monitor"), f"There are no validation samples, so no {name} to watch",
                    "Validation samples (recipe.data), or a figure of the training set", fix.title,
                    code=CODE, fixes=(fix,))  # fmt: skip


def _one_cycle(project: Project, part: _Part) -> Iterator[Problem]:
    if part.steps and part.steps < 3:
        fix = Fix("Use a constant rate", apply=fixing.set_recipe("schedule", part.put({"type": "constant"})))
        yield error(part.at(), f"1cycle rises and falls over a known number of steps; here it has {part.steps}",
                    "At least 3 steps: more epochs or smaller batches", fix.title, code=CODE, fixes=(fix,))  # fmt: skip
    if not part.made.cycle_momentum:
        return
    tagged = project.recipe.get("optimizer")
    declaration = find("optimizer", str(tagged.get("type"))) if isinstance(tagged, Mapping) else None
    optimizer = _made(tagged, "optimizer")
    if declaration is None or optimizer is None or momentum_of(optimizer):
        return
    fixes = [part.changed("Leave the momentum as it is", cycle_momentum=False)]
    happened = f"1cycle is to move the momentum, but {declaration.title} has none"
    if "momentum" in declaration.by_name or "beta1" in declaration.by_name:
        name = "momentum" if "momentum" in declaration.by_name else "beta1"
        happened = f"1cycle is to move the momentum, but {name} is 0: it would be switched on behind your back"
        high = part.made.high
        turn_on = fixing.set_recipe("optimizer", {**tagged, name: high})
        fixes.insert(0, Fix(f"Use {name} {high:g}", apply=turn_on))
    yield error(part.at("cycle_momentum"), happened, "An optimizer whose momentum is above 0, or cycle_momentum off",
                fixes[0].title, code=CODE, fixes=tuple(fixes))  # fmt: skip


def _piecewise(project: Project, part: _Part) -> Iterator[Problem]:
    end = part.steps / part.each if part.each and part.made.unit == "epochs" else float(part.steps)
    beyond = [boundary for boundary in part.made.boundaries if part.steps and boundary >= end]
    if beyond:
        kept = tuple(boundary for boundary in part.made.boundaries if boundary not in beyond)
        fix = part.changed("Leave them out", boundaries=kept, values=part.made.values[: len(kept) + 1])
        words = ", ".join(f"{boundary:,g}" for boundary in beyond)
        yield warning(part.at("boundaries"), f"Never reached: {words}. There are {end:,g} {part.made.unit}",
                      f"Boundaries below {end:,g} {part.made.unit}", fix.title, code=CODE, fixes=(fix,))  # fmt: skip


def _formula(project: Project, part: _Part) -> Iterator[Problem]:
    """A formula that gives no rate somewhere in the plan, told before a training fails there."""
    each, steps = part.each or 1, part.steps or 1
    fault = _first_fault(tuple(part.tagged.items()), each, -(-steps // each))
    if fault is not None:
        fixes = [part.changed("Use 0.1 ** (epoch / 20)", formula="0.1 ** (epoch / 20)")]
        bounded = f"max(0, {part.made.formula})"
        if _first_fault(tuple({**part.tagged, "formula": bounded}.items()), each, -(-steps // each)) is None:
            fixes.insert(0, part.changed(f"Use {bounded}", formula=bounded))
        yield replace(fault, where=part.at("formula"), fix=fixes[0].title, fixes=tuple(fixes))


@lru_cache(maxsize=32)
def _first_fault(tagged: tuple[tuple[str, Any], ...], each: int, epochs: int) -> Problem | None:
    """Asked along the plan: all of it where it is short, else at many places and at its end."""
    schedule = make("schedule", dict(tagged))
    total = each * epochs
    places = sorted({round(index * (total - 1) / _PLACES) for index in range(_PLACES + 1)})
    if schedule.per == "epoch":
        places = sorted({place // each * each for place in places} | {min(total - 1, each)})
    try:
        for place in places:
            schedule.factor(Progress.at(place, steps_per_epoch=each, epochs=epochs))
    except ProblemError as fault:
        return fault.problem
    return None


_PLACES = 1_000


def _rising(project: Project, part: _Part) -> Iterator[Problem]:
    """A warm-up that fills the training: the rate that was chosen is never used."""
    name = "length" if part.type == "warmup" else "warmup"
    length = float(getattr(part.made, name))
    steps = length * part.each if getattr(part.made, "unit", "epochs") == "epochs" else length
    if part.steps and steps > part.steps:
        whole = part.steps / part.each if getattr(part.made, "unit", "epochs") == "epochs" else part.steps
        fix = part.changed("Use a tenth of the training", **{name: whole / 10})
        yield warning(part.at(name), f"The warm-up takes {length:,g}, more than there is ({whole:,g}): the "
                      "full rate is never reached", "A shorter one", fix.title, code=CODE, fixes=(fix,))  # fmt: skip


def _nothing(project: Project, part: _Part) -> Iterator[Problem]:
    yield from ()


_RULES: dict[str, Callable[[Project, _Part], Iterator[Problem]]] = {
    "chain": _chain, "plateau": _plateau, "one_cycle": _one_cycle, "piecewise": _piecewise, "warmup": _rising,
    "inverse_sqrt": _rising, "cosine": _rising, "formula": _formula,
}  # fmt: skip


def _without_effect(project: Project, schedule: Any) -> Iterator[Problem]:
    """Settings that do nothing with this optimizer."""
    tagged = project.recipe.get("optimizer")
    optimizer = _made(tagged, "optimizer")
    if optimizer is None:
        return
    declaration = find("optimizer", str(tagged["type"]))
    title = declaration.title if declaration else tagged["type"]
    if project.recipe.get("schedule").get("type") != "constant" and tagged["type"] == "rprop":
        fix = Fix("Use a constant rate", apply=fixing.set_recipe("schedule", {"type": "constant"}))
        yield warning(Where(label=CODE, path=CODE), "Rprop finds its own step sizes; the rate only starts them",
                      "A constant rate", fix.title, code=CODE, fixes=(fix,))  # fmt: skip
    if project.recipe.get("momentum_rescale") is True and not (tagged["type"] in _VELOCITY and optimizer.momentum):
        path = "recipe.momentum_rescale"
        fix = Fix("Switch it off", apply=fixing.set_recipe("momentum_rescale", False))
        yield warning(Where(label=path, path=path), f"{title} here has no velocity to rescale: this does nothing",
                      "SGD or RMSprop with momentum", fix.title, code=path, fixes=(fix,))  # fmt: skip


_VELOCITY = ("sgd", "rmsprop")


def _made(tagged: Any, kind: str = "schedule") -> Any:
    try:
        return make(kind, tagged)
    except (ValueError, AttributeError):
        return None
