"""`guide`: the guideline tables, and presets applied to a project and explained."""

from __future__ import annotations

from argparse import Namespace

from engine.cli.outcome import GOOD, Unusable, usable
from engine.cli.output import Output, columns
from engine.cli.projects import open_project
from engine.guide import TABLES, Table
from engine.presets import PRESETS, apply_changes
from engine.problem import error
from engine.projectfile import write_project

APPLY = "apply"


def guide(options: Namespace, output: Output) -> int:
    """Prints the tables, one of them, or applies a preset."""
    words = list(options.words)
    if words and words[0] == APPLY:
        return _apply(options, output, words[1:])
    wanted = [word.upper() for word in words]
    if len(wanted) > 1 or any(word not in TABLES for word in wanted) or options.output is not None:
        raise _unusable(f"There is no table {' '.join(words)!r}" if words else "-o goes with apply")
    for table in TABLES.values():
        if not wanted or table.id in wanted:
            _print(table, output)
    if not wanted:
        output.text("Presets (guide apply PRESET PROJECT -o FILE):")
        for preset in PRESETS.values():
            output.text(f"  {preset.id:<20}{preset.title}: {preset.help}.")
    return GOOD


def _print(table: Table, output: Output) -> None:
    for row in table.rows:
        output.record({
            "table": table.id, "title": table.title, **dict(zip(table.head, row.cells, strict=True)),
            "applies": row.apply is not None, "show": row.show, "preset": table.preset,
            **({"differs": row.differs} if row.differs else {}),
        })  # fmt: skip
    output.text(f"{table.id}  {table.title}")
    for line in columns([list(row.cells) for row in table.rows], head=table.head):
        output.text(f"  {line}")
    output.text("")


def _apply(options: Namespace, output: Output, words: list[str]) -> int:
    """Tells every change; writes the project where -o says, else nowhere."""
    if len(words) != 2 or words[0] not in PRESETS:
        raise _unusable(f"There is no preset {words[0]!r}" if words else "No preset was named")
    options.project = words[1]
    project = open_project(options, output).project
    changes = PRESETS[words[0]].plan(project)
    for change in changes:
        output.record({"what": change.what, "before": change.before, "after": change.after, "why": change.why})
        output.text(f"{change.what}: {change.before} -> {change.after}. {change.why}.")
    if not changes:
        output.text("Everything is so already.")
    if options.output is not None:
        with usable():
            write_project(apply_changes(project, changes), options.output)
        output.text(f"Wrote {options.output}")
    return GOOD


def _unusable(happened: str) -> Unusable:
    expected = f"One of {', '.join(TABLES)}; or apply with one of {', '.join(PRESETS)} and a project"
    return Unusable(error("guide", happened, expected, "Choose one of these", code="arguments"))
