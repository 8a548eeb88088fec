"""Reads and writes `*.lwr`: readable JSON, stable, sorted, `"format": 1`. Text in it is never executed.

Reading = parse, bring to the present format (`migrations/`), understand. What this version does not know (layers,
choices, keys) is kept and saved back unchanged; a newer format opens read-only. Writing replaces the file whole or
not at all.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine import reading
from engine.datafacts import DataFacts
from engine.graphfile import graph_from_json, graph_to_json, plain
from engine.jsontext import readable
from engine.migrations import migrate
from engine.problem import Problem, ProblemError, Where, error, warning
from engine.project import FORMAT, Project, Proposed
from engine.proposal import proposal_from_json, proposal_to_json
from engine.reading import MAX_BYTES, refuse
from engine.recipe import SETTINGS, Recipe
from engine.values import examine_all
from engine.weightfile import expect, put_beside, weights_from_json, weights_to_json

_KEYS = {"format", "name", "notes", "graph", "recipe", "data", "muted", "range_test", "weights"}


@dataclass(frozen=True)
class Loaded:
    """A project that was read, and what was noticed; a newer format must not be overwritten."""

    project: Project
    problems: tuple[Problem, ...] = ()
    read_only: bool = False


def read_project(path: Path) -> Loaded:
    """The project of a file; ProblemError when it cannot be used."""
    label = path.name
    where = Where(label=label, file=str(path))
    try:
        if path.stat().st_size > MAX_BYTES:
            size = f"It is larger than {MAX_BYTES // 2**20} MB"
            raise ProblemError(error(where, size, "A project file", "Choose another file", code="file.size"))
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as fault:
        words = f"The file cannot be read: {fault.strerror or fault}"
        raise ProblemError(error(where, words, "A readable file", "Choose another file", code="file.read")) from None
    except UnicodeDecodeError:
        raise ProblemError(
            error(where, "It is not text", "A project file, *.lwr", "Choose another file", code="file.type")
        ) from None
    try:
        loaded = from_json(reading.parse(text, label))
    except ProblemError as fault:
        raise ProblemError(*(_located(problem, path) for problem in fault.problems)) from None
    expect(loaded.project.weights, path)
    return loaded


def write_project(project: Project, path: Path, *, linked: bool = False) -> None:
    """Writes the file whole or not at all; ProblemError when the disk refuses, the old file is then untouched.

    The project's weights are written first, beside it; `linked`: see `put_beside`.
    """
    if project.weights is not None:
        put_beside(project.weights, path, linked=linked)
    write_whole(path, to_text(project))


def to_text(project: Project) -> str:
    """The text of the file."""
    return readable(to_json(project))


def to_json(project: Project) -> dict[str, Any]:
    """The project as plain data, keys sorted except where order means something (streams of data)."""
    extra = dict(project.extra)
    recipe = plain({**extra.pop("recipe", {}), **project.recipe.values})
    data = {
        **plain(extra),
        "format": FORMAT,
        "name": project.name,
        "graph": _sorted(graph_to_json(project.graph)),
        "recipe": recipe,
    }
    if project.muted:
        data["muted"] = list(project.muted)
    if project.proposed is not None:
        data["range_test"] = proposal_to_json(project.proposed)
    if project.weights is not None:
        data["weights"] = weights_to_json(project.weights)
    if project.notes:
        data["notes"] = project.notes
    if project.data is not None:
        data["data"] = project.data.to_json()
    return {"format": data.pop("format"), **{key: data[key] for key in sorted(data)}}


def from_json(data: Any) -> Loaded:
    """The project of plain data; ProblemError names the path of what cannot be used."""
    found = reading.mapping(data, "the file")
    version = found.get("format")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1 or "graph" not in found:
        refuse("format", "This is JSON, but no Layerwright project", '"format": 1 and a "graph"')
    newer = version > FORMAT
    if not newer:
        found = migrate(found, version, FORMAT)
    graph = graph_from_json(found["graph"])
    recipe, unknown = _recipe(reading.mapping(found.get("recipe", {}), "recipe"))
    extra = {key: value for key, value in found.items() if key not in _KEYS}
    project = Project(
        name=reading.text(found.get("name", "untitled"), "name", limit=200),
        graph=graph,
        recipe=recipe,
        data=_facts(found.get("data")),
        notes=reading.text(found.get("notes", ""), "notes", limit=1_000_000),
        muted=_muted(found.get("muted", [])),
        proposed=_proposed(found.get("range_test")),
        weights=weights_from_json(found.get("weights")),
        extra={**extra, "recipe": unknown} if unknown else extra,
    )
    if not newer:
        return Loaded(project)
    happened = f"This project was written by a newer version (format {version}; this one knows {FORMAT})"
    fix = "Update Layerwright, or save a copy under another name and check it"
    return Loaded(project, (warning("project", happened, "A format this version knows", fix, code="file.newer"),), True)


def write_whole(path: Path, text: str) -> None:
    """Replaces a text file atomically: written beside it, flushed to the disk, then renamed over it."""
    target = path.resolve()
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, target.stat().st_mode & 0o777 if target.exists() else 0o644)
        os.replace(temporary, target)
    except OSError as fault:
        with suppress(OSError):
            os.unlink(temporary)
        where = Where(label=path.name, file=str(path))
        happened = f"The file could not be written: {fault.strerror or fault}"
        raise ProblemError(
            error(where, happened, "A folder with room and permission to write", "Save it elsewhere", code="file.write")
        ) from None


def _recipe(values: dict[str, Any]) -> tuple[Recipe, dict[str, Any]]:
    known = {key: value for key, value in values.items() if key in SETTINGS.by_name}
    unknown = {key: value for key, value in values.items() if key not in SETTINGS.by_name}
    return Recipe(examine_all(SETTINGS, known)[0]), unknown


def _muted(data: Any) -> tuple[str, ...]:
    if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
        refuse("muted", "It is no list of names of advice", '["saturating"]')
    return tuple(sorted(set(data)))


def _proposed(data: Any) -> Proposed | None:
    try:
        return proposal_from_json(data)
    except ValueError as fault:
        refuse("range_test", f"It is no result of a range test ({fault})", '{"lr": 0.03, "for": "..."}')


def _facts(data: Any) -> DataFacts | None:
    if data is None:
        return None
    from engine.datasets.facts import raw_streams
    from engine.standalone_table import table_columns

    try:
        facts = DataFacts.from_json(reading.mapping(data, "data"))
        # What is kept beside, in the words of the data sets, is read once here, so that nobody meets nonsense later.
        raw_streams(facts)
        table_columns(facts)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as fault:
        refuse("data", f"The facts about the data are not of the known form ({fault})", "inputs, targets and counts")
    return facts


def _located(problem: Problem, path: Path) -> Problem:
    where = problem.where
    label = where.label if path.name in where.label else f"{path.name}, {where.label}"
    return replace(problem, where=replace(where, label=label, file=str(path)))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
