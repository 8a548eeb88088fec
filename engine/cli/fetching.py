"""Data that is not on this computer yet: says what would be fetched, asks where it must, fetches with progress."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from engine.cli.outcome import Unusable, usable
from engine.cli.output import Output
from engine.cli.progress import data_progress
from engine.datasets.download import DownloadPlan
from engine.places import Places
from engine.problem import Problem, Where, error
from engine.recipe import Recipe

if TYPE_CHECKING:
    from engine.datasets.raw import Cancel


def ensure_data(
    options: Namespace, recipe: Recipe, places: Places, output: Output, *, cancel: Cancel | None = None
) -> None:
    """Fetches what is missing. Unusable when that is not wanted or not agreed to; `Cancelled` when `cancel` is set."""
    from engine.runtime.data import fetch, needs_download

    with usable():
        plan = needs_download(recipe, places)
    if plan is None:
        return
    output.say(f"The data must be fetched first: {plan.words}, into {plan.folder}")
    # An address that a project file states may come from anybody; those of the catalogue are known.
    asks = bool(recipe.get("data").get("url"))
    if not options.download:
        raise Unusable(_missing(plan, "Leave --no-download out, or name the folder that holds it with --data"))
    if asks and not options.yes and not _agreed(plan):
        raise Unusable(_missing(plan, "Agree with --yes, or name the folder that holds it with --data"))
    with usable():
        fetch(recipe, places, progress=data_progress(output), cancel=cancel)
    output.say("Fetched.")


def _agreed(plan: DownloadPlan) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    hosts = ", ".join(dict.fromkeys(file.urls[0] for file in plan.files))
    sys.stderr.write(f"Fetch {hosts}? Its checksum will be verified. [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _missing(plan: DownloadPlan, fix: str) -> Problem:
    where = Where(label="data", path="recipe.data", file=str(plan.folder))
    return error(
        where, f"The data is not on this computer: {plan.words}", f"It in {plan.folder}", fix, code="data-missing"
    )
