"""Where things lie in a run folder, and how its `run.json` is read and replaced.

Owns the layout, `RunInfo` (what `run.json` says) with its JSON form, atomic replacement, and the lock that tells a
living run from a killed one. Never lists, renames or deletes runs (`engine.runs`), never touches weights.

    <time>-<name>-<id>/  run.json  project.lwr  model.py  events.jsonl  run.lock
                         preprocess.json  preprocess.safetensors  checkpoints/{last,best}/
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import inf, isfinite, nan
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from engine.problem import ProblemError, Where, error

FORMAT = 1
INFO = "run.json"
PROJECT = "project.lwr"
MODEL = "model.py"
EVENTS = "events.jsonl"
LOCK = "run.lock"
CHECKPOINTS = "checkpoints"
PREPROCESS = "preprocess.json"
STATISTICS = "preprocess.safetensors"
RUNNING, INTERRUPTED, FAILED = "running", "interrupted", "failed"

_NON_FINITE = {"nan": nan, "inf": inf, "-inf": -inf}
# The window renames a run while the training thread of the same process writes its scores: neither may be lost.
_writing = threading.Lock()


@dataclass(frozen=True)
class RunInfo:
    """What is known of a run without its events: the content of `run.json`, and the folder it was read from."""

    path: Path = Path()
    id: str = ""
    name: str = ""
    status: str = RUNNING
    """running, completed, early_stopped, stopped, interrupted or failed."""
    created: float = 0.0
    """Seconds since 1970, UTC."""
    project: str = ""
    """Name of the project that was trained."""
    epochs: int = 0
    """Planned epochs."""
    epoch: int = 0
    """Epochs that ended."""
    step: int = 0
    seconds: float = 0.0
    """Training seconds, pauses excluded."""
    best: Mapping[str, Any] = field(default_factory=dict)
    """Figures of the best epoch, with `epoch` and the `metric` that decided."""
    final: Mapping[str, Any] = field(default_factory=dict)
    """Figures of the last epoch that ended."""
    result: str = "last"
    """The checkpoint that evaluate, predict and export take when not told otherwise: `last` or `best`."""
    seed: int = 0
    device: str = ""
    threads: int = 0
    parameters: int = 0
    fingerprint: str = ""
    """Of the data it was trained on."""
    versions: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    problem: Mapping[str, Any] | None = None
    """Why it failed."""

    def to_json(self) -> dict[str, Any]:
        """Plain data for `--json` and `run.json`; the folder is left out of the latter."""
        data = {item.name: getattr(self, item.name) for item in fields(self)} | {"path": str(self.path)}
        plain: dict[str, Any] = _plain(data)
        return plain


def read_info(path: Path) -> RunInfo:
    """What `run.json` says; a run marked running that nobody owns is `interrupted`. ProblemError when unreadable."""
    file = path / INFO
    try:
        data = json.loads(file.read_text("utf-8"))
        version = data.get("format", FORMAT)
        if isinstance(version, int) and version > FORMAT:
            raise ProblemError(_newer(path, version))
        known = {item.name for item in fields(RunInfo)} - {"path"}
        info = RunInfo(path=path, **{key: _fitting(key, _number(data[key])) for key in data if key in known})
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as fault:
        raise ProblemError(_unreadable(path, fault)) from None
    if info.status == RUNNING and not is_alive(path):
        info = replace(info, status=INTERRUPTED)
    return info


def write_info(info: RunInfo) -> None:
    """Replaces `run.json` in one step, so that no reader ever meets half of it. OSError when the disk refuses."""
    data = {"format": FORMAT, **info.to_json()}
    del data["path"]
    replace_file(info.path / INFO, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def update_info(path: Path, **changes: Any) -> RunInfo:
    """Changes some values of `run.json` and keeps the others, whoever wrote them meanwhile."""
    with _writing:
        info = read_info(path)
        if info.status == INTERRUPTED and "status" not in changes:
            changes["status"] = INTERRUPTED
        info = replace(info, **changes)
        write_info(info)
    return info


def replace_file(file: Path, text: str) -> None:
    """Writes text beside a file, syncs it and puts it in place; the old content stays when anything fails."""
    new = file.with_name(f".{file.name}.new")
    try:
        with open(new, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(new, file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def own(path: Path) -> FileLock:
    """Takes the run's lock for this process until released; ProblemError when another process trains it."""
    lock = FileLock(path / LOCK, thread_local=False)
    try:
        # Listing runs touches the lock for a moment: wait that long before saying that it is taken.
        lock.acquire(timeout=1.0)
    except Timeout:
        where = Where(label=path.name, file=str(path))
        raise ProblemError(
            error(where, "This run is training right now, here or in another window", "A run that nobody trains",
                  "Wait until it has ended, or stop it there", code="run_alive")
        ) from None  # fmt: skip
    return lock


def is_alive(path: Path) -> bool:
    """True while a process holds the run's lock."""
    file = path / LOCK
    if not file.exists():
        return False
    lock = FileLock(file, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # a folder that cannot be written to is nobody's running training
        return False
    lock.release()
    return False


def _unreadable(path: Path, fault: Exception) -> Any:
    missing = isinstance(fault, FileNotFoundError)
    return error(
        Where(label=path.name, file=str(path / INFO)),
        "This folder is no run: it has no run.json" if missing else f"The run's run.json cannot be read: {fault}",
        "A folder made by a training, with its run.json",
        "Name a run's folder; `main.py runs` lists them" if missing else "Delete the run, or restore its run.json",
        code="run_unreadable",
    )


def _newer(path: Path, version: int) -> Any:
    happened = f"This run was recorded by a newer version (format {version}; this one knows {FORMAT})"
    return error(Where(label=path.name, file=str(path / INFO)), happened, "A format this version knows",
                 "Update Layerwright, or open the run where it was made", code="run_unreadable")  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _fitting(name: str, value: Any) -> Any:
    """The value if it is of the kind that `run.json` holds under that name; ValueError otherwise."""
    usual = getattr(RunInfo, name, None)
    if name == "result":  # it becomes part of a path
        fits = value in ("last", "best")
    elif isinstance(usual, str):
        fits = isinstance(value, str)
    elif isinstance(usual, (int, float)):
        fits = isinstance(value, (int, type(usual))) and not isinstance(value, bool) and isfinite(value)
    else:
        fits = isinstance(value, dict) or (value is None and name == "problem")
    if not fits:
        raise ValueError(f"{name} cannot be {value!r:.40}")
    return value


def _number(value: Any) -> Any:
    """The strings `nan` and `inf` become numbers again inside the figures; names stay text."""
    if isinstance(value, dict):
        return {key: _NON_FINITE.get(item, item) if isinstance(item, str) else item for key, item in value.items()}
    return value


def checkpoint_names(run: Path) -> list[str]:
    """The checkpoints in a run's folder by name, the last and the best first; whether each holds is not looked at."""
    folder = run / CHECKPOINTS
    found = {path.name for path in folder.iterdir() if (path / "manifest.json").is_file()} if folder.is_dir() else set()
    rank = {"last": 0, "best": 1}
    return sorted(found, key=lambda name: (rank.get(name, 2), name))
