"""Rules of the phases: each is held to what a recipe of its own would be held to, and the fixes change the phase."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from engine import fixing
from engine.check_schedule import check_schedule
from engine.freezing import freezing_problems
from engine.phases import stages_of
from engine.problem import Fix, Problem, Where, error
from engine.project import Project
from engine.recipe import SETTINGS

PATH = "recipe.phases"


def phase_problems(project: Project, layers: tuple[str, ...]) -> Iterator[Problem]:
    """What is wrong with single phases: frozen layers that there are not, nothing left to train, a schedule that does
    not fit its length. Problems carry the phase's path.
    """
    recipe = project.recipe
    if not recipe.get("phases"):
        yield from freezing_problems(recipe, layers)
        return
    try:
        stages = stages_of(recipe)
    except (ValueError, AttributeError):
        return  # told by the rules of the recipe
    for stage in stages:
        for problem in freezing_problems(stage.recipe, layers):
            own = recipe.get("phases")[stage.index].get("frozen") is not None
            path = f"{PATH}.{stage.index}.frozen" if own else "recipe.frozen"
            yield _placed(problem, path, stage.index if own else None)


def check_phases(project: Project) -> Iterator[Problem]:
    """Schedules of phases against the phases' lengths, told before anything trains."""
    recipe = project.recipe
    if not recipe.get("phases"):
        return
    try:
        stages = stages_of(recipe)
    except (ValueError, AttributeError):
        return
    if sum(stage.epochs for stage in stages) > (SETTINGS.by_name["epochs"].max or 0):
        yield error(Where(label=PATH, path=PATH), "The phases have too many epochs together",
                    SETTINGS.by_name["epochs"].domain, "Make them shorter", code=PATH)  # fmt: skip
    for stage in stages:
        if recipe.get("phases")[stage.index].get("schedule") is not None:
            for problem in check_schedule(project.with_recipe(stage.recipe)):
                yield _placed(problem, f"{PATH}.{stage.index}.schedule", stage.index)


def _placed(problem: Problem, path: str, index: int | None) -> Problem:
    """A problem of a phase's own recipe, at the phase's place, with its fixes made on the phase."""
    if index is None:
        return problem
    name = path.rpartition(".")[2]
    fixes = tuple(
        Fix(fix.title, apply=_on_phase(fix.apply, index, name)) for fix in problem.fixes if fix.apply is not None
    )
    return replace(problem, where=Where(label=path, path=path), fixes=fixes)


def _on_phase(apply: Callable[[Project], Project], index: int, name: str) -> Callable[[Project], Project]:
    def mend(project: Project) -> Project:
        stage = stages_of(project.recipe)[index]
        value = apply(project.with_recipe(stage.recipe)).recipe.get(name)
        phases = [dict(item) for item in project.recipe.get("phases")]
        phases[index] |= {name: value}
        return fixing.set_recipe("phases", tuple(phases))(project)

    return mend
