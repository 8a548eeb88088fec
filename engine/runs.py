"""Run folders as a person handles them: make, list, find, read, rename, annotate, compare, delete.

The list is a scan of the folders: there is no index that could disagree with them. Never imports torch, never trains.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.declare import find
from engine.events import Event, RunEnded, RunResumed, from_json
from engine.problem import ProblemError, Where, error
from engine.project import Project
from engine.projectfile import read_project, write_project
from engine.recipe import SETTINGS
from engine.runfiles import (
    EVENTS,
    FAILED,
    INFO,
    MODEL,
    PROJECT,
    RunInfo,
    is_alive,
    own,
    read_info,
    update_info,
    write_info,
)

__all__ = [
    "RunInfo", "annotate_run", "compare_runs", "create_run", "delete_run", "find_run", "is_alive", "list_runs", "own",
    "read_events", "read_info", "rename_run", "update_info", "write_info",
]  # fmt: skip


def create_run(runs_dir: Path, project: Project, *, info: RunInfo, source: str = "") -> RunInfo:
    """Makes a run's folder with the exact project, the generated model and `run.json`; leaves nothing when it fails.

    `info` holds what is known of the run; id, path, creation time and, where empty, the name are filled in here.
    """
    name = info.name or project.name or "run"
    run_id = secrets.token_hex(3)
    folder = runs_dir / f"{time.strftime('%Y%m%d-%H%M%S')}-{_slug(name)}-{run_id}"
    made = replace(info, path=folder, id=run_id, name=name, created=time.time(), project=project.name)
    try:
        folder.mkdir(parents=True)
        write_project(project, folder / PROJECT, linked=True)
        (folder / MODEL).write_text(source, "utf-8")
        (folder / EVENTS).touch()
        write_info(made)
    except (OSError, ProblemError) as fault:  # the project's file says it in words of its own
        shutil.rmtree(folder, ignore_errors=True)
        reason = (fault.strerror or fault) if isinstance(fault, OSError) else fault.problem.happened
        raise ProblemError(
            error(Where(label="run folder", file=str(folder)), f"{folder} could not be made: {reason}",
                  "A folder that can be written to, with space left",
                  "Free some space or choose another folder for runs", code="run_folder")
        ) from None  # fmt: skip
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return made


def list_runs(runs_dir: Path) -> list[RunInfo]:
    """Every run of a folder, newest first; one whose `run.json` is unreadable is listed as failed, with its problem."""
    if not runs_dir.is_dir():
        return []
    found: list[RunInfo] = []
    for folder in runs_dir.iterdir():
        if folder.name.startswith(".") or not (folder / INFO).is_file():
            continue
        try:
            found.append(read_info(folder))
        except ProblemError as fault:
            problem = fault.problem.to_json()
            found.append(RunInfo(path=folder, id=folder.name[-6:], name=folder.name, status=FAILED, problem=problem))
    return sorted(found, key=lambda info: (info.created, info.path.name), reverse=True)


def find_run(runs_dir: Path, text: str) -> Path:
    """The folder meant by a path, a run's name, its id, or a unique beginning of its folder's name, name or id."""
    for direct in (Path(text).expanduser(), runs_dir / text):
        if text and (direct / INFO).is_file():
            return direct
    runs = list_runs(runs_dir)
    exact = [info for info in runs if text in (info.name, info.id)]
    starts = [info for info in runs if text and any(word.startswith(text) for word in _handles(info))]
    matches = exact or starts
    if len(matches) == 1:
        return matches[0].path
    if matches:
        happened = f"{text!r} fits {len(matches)} runs: {_some(matches)}"
        raise ProblemError(_not_found(text, happened, "Write more of the name, or the id at the folder's end"))
    known = f"There are {_some(runs)}" if runs else f"There are no runs in {runs_dir}"
    raise ProblemError(_not_found(text, f"There is no run {text!r}. {known}", "`main.py runs` lists them"))


def is_run(path: Path) -> bool:
    """True for a folder that holds a run."""
    return (path / INFO).is_file()


def read_run_project(path: Path) -> Project:
    """The exact project that a run trained; ProblemError when its copy cannot be read."""
    return read_project(path / PROJECT).project


def read_events(path: Path) -> Iterator[Event]:
    """The events of a run in order, without those that a resume took back and without a torn last line.

    An event with a step beyond the checkpoint that a `run_resumed` names will happen again, so it is dropped, and so
    is the end that turned out to be none.
    """
    kept: list[Event] = []
    try:
        with open(path / EVENTS, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                event = _event(line)
                if isinstance(event, RunResumed):
                    kept = [old for old in kept if _survives(old, event.step)]
                if event is not None:
                    kept.append(event)
    except OSError as fault:
        where = Where(label=path.name, file=str(path / EVENTS))
        raise ProblemError(
            error(where, f"The run's record cannot be read: {fault}", "A readable events.jsonl")
        ) from None
    yield from kept


def rename_run(path: Path, name: str) -> RunInfo:
    """Gives a run another name; its folder keeps its own, so that nothing which points to it breaks."""
    cleaned = " ".join(name.split())[:200]
    if not cleaned:
        raise ProblemError(error(Where(label="name", file=str(path)), "A run needs a name", "Some letters"))
    return update_info(path, name=cleaned)


def annotate_run(path: Path, note: str) -> RunInfo:
    """Replaces a run's note."""
    return update_info(path, note=note[:10_000])


def delete_run(path: Path) -> None:
    """Removes a run's folder for good; refused while it trains and for folders that are no run."""
    read_info(path)
    lock = own(path)
    lock.release()
    # Out of the list in one step: a deletion cut short must not leave half a run behind.
    doomed = path.with_name(f".deleted-{path.name}")
    try:
        path.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as fault:
        where = Where(label=path.name, file=str(path))
        raise ProblemError(
            error(where, f"The run could not be deleted: {fault}", "A folder that may be removed")
        ) from None


def compare_runs(paths: Iterable[Path]) -> dict[str, Any]:
    """Figures side by side and the settings in which the runs differ.

    `runs` holds one dictionary per run; `settings` maps each path whose value is not the same everywhere
    (`recipe.optimizer.lr`, `graph`) to its values in the order of the runs.
    """
    infos = [read_info(path) for path in paths]
    values = [_settings(info.path) for info in infos]
    names = list(dict.fromkeys(name for one in values for name in one))
    table = {name: [one.get(name) for one in values] for name in names}
    return {
        "runs": [info.to_json() for info in infos],
        "settings": {name: row for name, row in table.items() if any(item != row[0] for item in row)},
    }


def _settings(path: Path) -> dict[str, Any]:
    project = read_project(path / PROJECT).project
    found: dict[str, Any] = {}
    for setting in SETTINGS.params:
        found.update(_flat(f"recipe.{setting.name}", setting.of, project.recipe.get(setting.name)))
    for definition, level in project.graph.levels():
        prefix = f"nodes.{level.title or definition}." if definition else "nodes."
        for node in level.nodes.values():
            found[f"{prefix}{node.name}"] = node.type if node.repeat == 1 else f"{node.repeat} x {node.type}"
            found.update({f"{prefix}{node.name}.{key}": value for key, value in node.params.items()})
    found.update({f"defaults.{key}": value for key, value in project.graph.defaults.items()})
    return found


def _flat(path: str, kind: str, value: Any) -> dict[str, Any]:
    """A setting with the declaration's defaults filled in, one row per value."""
    if isinstance(value, Mapping) and "type" in value:
        declaration = find(kind, str(value["type"]))
        filled = {**(declaration.defaults if declaration else {}), **value}
        return {path: filled.pop("type")} | {f"{path}.{key}": item for key, item in filled.items()}
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
        parts = [_flat(f"{path}.{index}", kind, item) for index, item in enumerate(value)]
        return {key: item for part in parts for key, item in part.items()}
    return {path: value}


def _survives(event: Event, step: int) -> bool:
    return not isinstance(event, RunEnded) and getattr(event, "step", 0) <= step


def _event(line: str) -> Event | None:
    if not line.endswith("\n"):  # torn by a kill
        return None
    try:
        return from_json(json.loads(line))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _handles(info: RunInfo) -> tuple[str, str, str]:
    return info.path.name, info.name, info.id


def _some(runs: list[RunInfo]) -> str:
    words = ", ".join(f"{info.name} ({info.id})" for info in runs[:5])
    return f"{words} and {len(runs) - 5} more" if len(runs) > 5 else words


def _not_found(text: str, happened: str, fix: str) -> Any:
    return error(Where(label=text or "run"), happened, "A run's folder, name, id or a unique beginning of these", fix,
                 code="run_unknown")  # fmt: skip


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:40] or "run"
