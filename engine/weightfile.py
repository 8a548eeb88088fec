"""Where a project's weights are: `NAME.weights.safetensors` beside `NAME.lwr`, and a store that undo can go back to.

The project names them by the hash of the file's content (`OwnWeights`), so any file with that content will do: the one
beside the project, one that was renamed along with it, or a copy in the store, a folder of the cache in which a file is
called by its hash. Nothing is taken whose hash differs. Never looks at a tensor.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.places import cache_folder
from engine.problem import Fix, Problem, ProblemError, Where, error
from engine.project import OwnWeights, Project
from engine.reading import mapping, refuse

SUFFIX = ".weights.safetensors"
_HASH = re.compile(r"[0-9a-f]{64}")
_KEPT_DAYS = 30
_LARGEST = 2**50

# What this process has seen: the files that a hash was expected in, and the hashes of files as they were.
_expected: dict[str, dict[Path, None]] = {}
_hashes: dict[Path, tuple[tuple[int, int, int], str]] = {}
_busy = threading.Lock()


def beside(project_file: Path) -> Path:
    """The file of weights that belongs to a project's file."""
    return project_file.with_name(project_file.stem + SUFFIX)


def store() -> Path:
    """The folder of copies by hash: undo takes them from there. A file nobody has used for a month is removed."""
    return cache_folder() / "weights"


def expect(weights: OwnWeights | None, project_file: Path) -> None:
    """Remembers that a project read from that file wants its weights beside it."""
    if weights is not None:
        with _busy:
            _expected.setdefault(weights.sha256, {})[beside(project_file).absolute()] = None


def locate(weights: OwnWeights) -> Path:
    """A file with exactly these weights; ProblemError when there is none, or only a changed one."""
    with _busy:
        expected = list(_expected.get(weights.sha256, ()))
    changed: Path | None = None
    for path in [*expected, store() / f"{weights.sha256}.safetensors", *_neighbours(expected)]:
        found = _hash_of(path, weights.bytes)
        if found == weights.sha256:
            with suppress(OSError):
                os.utime(path) if path.parent == store() else None
            return path
        if found is not None and path in expected:
            changed = path
    raise ProblemError(_gone(weights, expected, changed))


def keep(made: Path) -> OwnWeights:
    """Moves a finished file into the store and names it by its content; ProblemError when the disk refuses."""
    try:
        found = _digest(made)
        size = made.stat().st_size
        target = store() / f"{found}.safetensors"
        target.parent.mkdir(parents=True, exist_ok=True)
        _prune(target.parent)
        if _hash_of(target, size) == found:
            made.unlink()
        else:
            _moved(made, target)
    except OSError as fault:
        raise ProblemError(_unwritable(made, fault)) from None
    with _busy:
        _expected.setdefault(found, {})
    return OwnWeights(found, size)


def put_beside(weights: OwnWeights, project_file: Path, *, linked: bool = False) -> None:
    """Makes the file beside a project hold these weights, whole or not at all; ProblemError when the disk refuses.

    Weights that cannot be found leave everything as it is: the project goes on naming them. What stood there is kept
    in the store when this process may still go back to it. `linked` shares the space of a copy, for folders of ours.
    """
    target = beside(project_file.resolve())
    try:
        source = locate(weights)
    except ProblemError:
        return
    try:
        if _hash_of(target, weights.bytes) != weights.sha256:
            _retire(target)
            _copied(source, target, linked=linked)
    except OSError as fault:
        raise ProblemError(_unwritable(target, fault)) from None
    expect(weights, project_file)


def weights_to_json(weights: OwnWeights) -> dict[str, Any]:
    """As the project's file says it."""
    data: dict[str, Any] = {"sha256": weights.sha256, "bytes": weights.bytes}
    if weights.source:
        data["source"] = weights.source
    if weights.partial:
        data["partial"] = True
    return data


def weights_from_json(data: Any) -> OwnWeights | None:
    """What the project's file says; None for nothing. ProblemError when it is of another form."""
    if data is None:
        return None
    found = mapping(data, "weights")
    digest, size = found.get("sha256"), found.get("bytes")
    fits = isinstance(digest, str) and _HASH.fullmatch(digest)
    if not fits or isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= _LARGEST:
        refuse("weights", "It does not name a file of weights", '{"sha256": "64 hexadecimal digits", "bytes": 1234}')
    source, partial = found.get("source", ""), found.get("partial", False)
    if not isinstance(source, str) or not isinstance(partial, bool):
        refuse("weights", "source is no text, or partial is not true or false", '"source": "net.pth", "partial": true')
    return OwnWeights(str(digest), size, source[:500], partial)


def detach(project: Project) -> Project:
    """The project without weights of its own."""
    return replace(project, weights=None)


def _hash_of(path: Path, size: int) -> str | None:
    """The hash of a file; None when there is none, "" when already its size is another."""
    try:
        return _digest(path) if path.stat().st_size == size else ""
    except OSError:
        return None


def _digest(path: Path) -> str:
    """The hash of a file, remembered for as long as the file does not change."""
    state = path.stat()
    mark = (state.st_size, state.st_mtime_ns, state.st_ino)
    known = _hashes.get(path)
    if known is not None and known[0] == mark:
        return known[1]
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    _hashes[path] = (mark, found)
    return found


def _neighbours(expected: list[Path]) -> list[Path]:
    """Files of weights in the same folders: a project renamed by hand may have left its own behind."""
    found: list[Path] = []
    for folder in {path.parent for path in expected}:
        with suppress(OSError):
            found += sorted(path for path in folder.glob(f"*{SUFFIX}") if path not in expected)
    return found


def _retire(target: Path) -> None:
    """Keeps what is about to be replaced, when an older state of an open project may name it."""
    if not target.is_file():
        return
    found = _digest(target)
    with _busy:
        wanted = found in _expected
    if wanted and not (store() / f"{found}.safetensors").is_file():
        store().mkdir(parents=True, exist_ok=True)
        _moved(target, store() / f"{found}.safetensors")


def _moved(source: Path, target: Path) -> None:
    try:
        os.replace(source, target)
    except OSError:  # another file system
        _copied(source, target)
        source.unlink()
    with suppress(OSError):
        os.utime(target)


def _copied(source: Path, target: Path, *, linked: bool = False) -> None:
    """Under its name only once it is whole and on the disk."""
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    os.close(handle)
    try:
        if not (linked and _is_linked(source, temporary)):
            shutil.copyfile(source, temporary)
            os.chmod(temporary, 0o644)
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _is_linked(source: Path, temporary: str) -> bool:
    try:
        os.unlink(temporary)
        os.link(source, temporary)
    except OSError:
        return False
    return True


def _prune(folder: Path) -> None:
    oldest = time.time() - _KEPT_DAYS * 86_400
    for path in folder.glob("*.safetensors"):
        with suppress(OSError):
            if path.stat().st_mtime < oldest and path.stem not in _expected:
                path.unlink()


def _gone(weights: OwnWeights, expected: list[Path], changed: Path | None) -> Problem:
    path = changed or (expected[-1] if expected else None)
    name = path.name if path else f"NAME{SUFFIX}"
    where = Where(label="weights", path="weights", file=str(path or ""))
    origin = f" (they came from {weights.source})" if weights.source else ""
    fixes = (Fix("Go on without these weights", "weights are drawn from the seed", apply=detach),)
    if changed is not None:
        return error(
            where, f"{name} is not the file that the project was saved with: its content differs",
            f"Weights with the hash {weights.sha256[:12]}…{origin}",
            "Bring the old file back, or open weights again", code="weights-changed", fixes=fixes,
        )  # fmt: skip
    return error(
        where, f"The project's weights are missing: there is no {name} beside it",
        f"A file of {weights.bytes:,} bytes{origin}", "Put the file beside the project, or open weights again",
        code="weights-missing", fixes=fixes,
    )  # fmt: skip


def _unwritable(path: Path, fault: OSError) -> Problem:
    return error(
        Where(label=path.name, file=str(path)), f"The weights could not be written: {fault.strerror or fault}",
        "A folder with room and permission to write", "Free some space, or save elsewhere", code="file.write",
    )  # fmt: skip
