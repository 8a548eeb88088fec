"""`load-weights`: weights from a file into a project, with a table of what fits before anything is written."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from engine.cli.checking import with_data
from engine.cli.outcome import GOOD, PROBLEM, Unusable, usable
from engine.cli.output import Output, columns
from engine.cli.projects import Opened, open_project
from engine.problem import Where, error
from engine.projectfile import write_project
from engine.weightmatch import ABSENT, DIFFERS, NAMED, ORDERED, UNUSED, Match, Row

TITLES = {
    NAMED: "matched", ORDERED: "by order", DIFFERS: "shape differs", ABSENT: "no weights", UNUSED: "left over",
}  # fmt: skip
_SHOWN = 40
"""Rows of a kind that say nothing new are cut to so many."""


def load_weights(options: Namespace, output: Output) -> int:
    """Shows how a file of weights fits, and writes the project that has them."""
    from engine.runtime.load_weights import examine, why_not

    opened = open_project(options, output)
    target = _target(options, opened)
    project, _ = with_data(opened, options)
    with usable():
        found = examine(project, options.file.expanduser(), part=options.part)
    _tell(found.match, output)
    refusal = why_not(found.match, options.file, partial=options.partial)
    output.record({**found.match.to_json(), "file": str(options.file), "output": "" if refusal else str(target)})
    if refusal is not None:
        output.problem(refusal.problem)
        return PROBLEM
    taken = found.taken(opened.project, partial=options.partial)
    with usable():
        write_project(taken, target)
    output.text(f"Wrote {target} and its weights beside it: training starts from them")
    return GOOD


def _target(options: Namespace, opened: Opened) -> Path:
    """Where the project goes: -o, or the file it came from."""
    target = options.output or opened.path
    if target is None:
        raise Unusable(error(Where(label="-o"), "A built-in project has no file to write into", "A file of your own",
                             "Name one with -o", code="arguments"))  # fmt: skip
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise Unusable(error(Where(label="-o", file=str(target)), "This is a folder, or there is no such folder",
                             "A file in a folder that exists", "Name another", code="arguments"))  # fmt: skip
    return Path(target)


def _tell(found: Match, output: Output) -> None:
    for line in columns([_cells(row) for row in _worth_showing(found)],
                        head=("", "in the network", "shape", "in the file", "shape", "")):  # fmt: skip
        output.text(line)
    hidden = len(found.rows) - len(_worth_showing(found))
    if hidden:
        output.text(f"... and {hidden:,} more that match by name")
    for words in found.said:
        output.text(words)
    output.text(", ".join(f"{count:,} {TITLES[status]}" for status, count in found.counts.items() if count))


def _worth_showing(found: Match) -> list[Row]:
    named = [row for row in found.rows if row.status == NAMED]
    hidden = {id(row) for row in named[_SHOWN:]}
    return [row for row in found.rows if id(row) not in hidden]


def _cells(row: Row) -> tuple[str, ...]:
    return (
        TITLES[row.status], row.own, str(row.own_facts or ""), row.theirs, str(row.their_facts or ""), row.note,
    )  # fmt: skip
