"""`schedule`: the learning rate, and the momentum, that a project plans, before anything trains."""

from __future__ import annotations

from argparse import Namespace

from engine.check import check_project
from engine.cli.checking import with_data
from engine.cli.outcome import GOOD, PROBLEM
from engine.cli.output import Output, columns
from engine.cli.projects import open_project
from engine.declare import find
from engine.plan import Planned, known_steps_per_epoch, planned_rates
from engine.problem import ProblemError, Severity, error
from engine.project import Project

ROWS = 24
"""Lines of the table for people; `--json` gives every point."""


def schedule(options: Namespace, output: Output) -> int:
    """Prints the plan. Returns 1 when the schedule contradicts the training or the data is not there."""
    opened = open_project(options, output)
    project, each = opened.project, int(options.steps_per_epoch or 0)
    if not each:
        project, unread = with_data(opened, options)
        for problem in unread:
            output.say(str(problem))
        each = known_steps_per_epoch(project)
    _refuse(project)
    if not each:
        output.problem(error("data", "How many steps an epoch has is not known without the data", "The data",
                             "Say it with --steps-per-epoch", code="data-missing"))  # fmt: skip
        return PROBLEM
    points = planned_rates(project, steps_per_epoch=each)
    for point in points:
        output.record({"step": point.step, "epoch": point.epoch, "lr": point.rate, "momentum": point.momentum})
    output.text(_title(project, each))
    few = _changes(points) or planned_rates(project, steps_per_epoch=each, points=ROWS)
    width = 3 if few[0].momentum is None else 4
    head = ("epoch", "step", "learning rate", "momentum")[:width]
    for line in columns([_row(point)[:width] for point in few], head=head, right=range(width)):
        output.text(line)
    return GOOD


def _title(project: Project, each: int) -> str:
    recipe = project.recipe
    declaration = find("schedule", str(recipe.get("schedule")["type"]))
    title = declaration.title if declaration else ""
    words = f"{title} over {recipe.epochs:,} epochs of {each:,} steps"
    watched = ", ".join(recipe.made("schedule").watched)
    return f"{words}; answers to {watched}, so what it will do is not known before" if watched else words


def _changes(points: list[Planned]) -> list[Planned]:
    """The points with which something changes, and the last one; empty when these are too many for a table."""
    found = [
        point for before, point in zip([None, *points], points, strict=False)
        if before is None or (before.rate, before.momentum) != (point.rate, point.momentum)
    ]  # fmt: skip
    return [*found, *(points[-1:] if found[-1] != points[-1] else [])] if len(found) < ROWS else []


def _row(point: Planned) -> list[str]:
    momentum = "" if point.momentum is None else f"{point.momentum:.4g}"
    return [f"{point.epoch:,}", f"{point.step:,}", f"{point.rate:.6g}", momentum]


def _refuse(project: Project) -> None:
    """Only what concerns the plan; other problems of a project do not keep it from being seen."""
    about = ("recipe.schedule", "recipe.optimizer", "recipe.epochs", "recipe.batch_size", "recipe.accumulate")
    problems = [
        problem for problem in check_project(project)
        if problem.severity is Severity.ERROR and problem.where.path.startswith(about)
    ]  # fmt: skip
    if problems:
        raise ProblemError(*problems)
