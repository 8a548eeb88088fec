"""`range-test`: which learning rate a project's network bears, and, where it is wanted, into the project with it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from engine.cli.fetching import ensure_data
from engine.cli.outcome import GOOD, PROBLEM, Unusable, usable
from engine.cli.output import Output, columns
from engine.cli.progress import data_progress
from engine.cli.projects import open_project, places_for
from engine.problem import ProblemError, Where, error
from engine.projectfile import write_project
from engine.proposal import with_proposal
from engine.range_test import RangeTest

ROWS = 24
"""Lines of the table for people; `--json` gives every step."""


def range_test(options: Namespace, output: Output) -> int:
    """Runs the test. Returns 1 when the project cannot train, or when no rate follows and one was to be applied."""
    opened = open_project(options, output)
    target = _target(options, opened.path)
    places = places_for(options, opened.path)
    ensure_data(options, opened.project.recipe, places, output)
    from engine.runtime.range_test import range_test as tested

    reported, count = data_progress(output), int(options.steps)
    total = None if options.epochs else count
    done = 0

    def watch(rate: float, loss: float) -> None:
        nonlocal done
        done += 1
        reported(done, total, f"rate {rate:.3g}  loss {loss:.4g} ")

    try:
        found = tested(
            opened.project, places, low=options.min, high=options.max, steps=count, epochs=options.epochs,
            device=options.device, threads=options.threads, watch=watch, progress=data_progress(output),
        )  # fmt: skip
    except ProblemError as fault:
        if fault.problem.code in ("arguments", "device"):
            raise Unusable(*fault.problems) from None
        raise
    _tell(found, output)
    if target is None:
        return GOOD
    if found.proposal is None:
        output.say("Nothing was written.")
        return PROBLEM
    optimizer = {**opened.project.recipe.get("optimizer"), "lr": found.proposal}
    with usable():
        changed = opened.project.with_recipe(opened.project.recipe.with_value("optimizer", optimizer))
        write_project(with_proposal(changed, found.proposal), target)
    output.text(f"Wrote {target} with recipe.optimizer.lr={found.proposal:g}")
    return GOOD


def _tell(found: RangeTest, output: Output) -> None:
    for step, (rate, loss, smooth) in enumerate(zip(found.rates, found.losses, found.smoothed, strict=True), 1):
        output.record({"step": step, "lr": rate, "loss": loss, "smoothed": smooth})
    output.record(found.to_json())
    last = len(found.rates) - 1
    shown = sorted({round(index * last / (ROWS - 1)) for index in range(ROWS)}) if last >= 0 else []
    rows = [[f"{found.rates[at]:.3g}", f"{found.losses[at]:.4g}", f"{found.smoothed[at]:.4g}"] for at in shown]
    for line in columns(rows, head=("learning rate", "loss", "smoothed"), right=range(3)):
        output.text(line)
    output.text(found.why)
    if found.proposal is not None:
        output.text(f"Proposed: recipe.optimizer.lr={found.proposal:g}")


def _target(options: Namespace, path: Path | None) -> Path | None:
    """The file that gets the rate; None where the project stays as it is."""
    if options.output is not None:
        return Path(options.output)
    if options.apply and path is None:
        raise Unusable(error(
            Where(label="--apply"), "A built-in project has no file to write into", "A project file",
            "Name a file of your own with -o", code="arguments",
        ))  # fmt: skip
    return path if options.apply else None
