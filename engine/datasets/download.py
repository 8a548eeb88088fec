"""Fetches files from the network: progress, cancel, checksum, and nothing partial left behind. Asks nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.datasets.raw import Cancel, Cancelled, Progress
from engine.problem import Problem, ProblemError, Where, error

CHUNK = 256 * 1024
TIMEOUT = 30.0
"""Seconds without a byte after which a server counts as gone."""


@dataclass(frozen=True)
class RemoteFile:
    """One file to fetch: where from (mirrors in order), what it is called, and how it is checked."""

    urls: tuple[str, ...]
    name: str
    """Path below the plan's folder."""
    checksum: str
    """In hexadecimal digits; a beginning of it counts, as some names of files hold."""
    algorithm: str = "md5"


@dataclass(frozen=True)
class DownloadPlan:
    """What would be fetched, so that a person can be asked first."""

    words: str
    """What it is, how much, and from which host."""
    size: int
    """Bytes; 0 when unknown."""
    folder: Path
    files: tuple[RemoteFile, ...] = ()

    def fetch(self, progress: Progress | None = None, cancel: Cancel | None = None) -> None:
        """Fetches every file that is missing or wrong; ProblemError or Cancelled otherwise."""
        for file in self.files:
            target = self.folder / file.name
            if not is_whole(target, file):
                _fetch_one(file, target, progress, cancel)


def size_words(size: int) -> str:
    """`31 MB`, in powers of ten as systems show file sizes; `an unknown size` for 0."""
    return f"{max(1, round(size / 1e6)):,} MB" if size else "an unknown size"


def is_whole(path: Path, file: RemoteFile) -> bool:
    """True when the file is there with its checksum."""
    if not path.is_file():
        return False
    digest = hashlib.new(file.algorithm, usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(CHUNK):
            digest.update(block)
    return digest.hexdigest().startswith(file.checksum.lower())


def _fetch_one(file: RemoteFile, target: Path, progress: Progress | None, cancel: Cancel | None) -> None:
    # Only now: the modules of the network would make the window's start wait.
    import http.client
    import urllib.error

    faults = []
    for url in file.urls:
        try:
            _stream(url, file, target, progress, cancel)
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ValueError) as fault:
            faults.append(f"{url}: {getattr(fault, 'reason', None) or fault}")
        except OSError as fault:
            raise ProblemError(_not_written(target, fault)) from None
        else:
            return
    raise ProblemError(_not_fetched(target, faults))


def _stream(url: str, file: RemoteFile, target: Path, progress: Progress | None, cancel: Cancel | None) -> None:
    import urllib.request

    if not url.startswith(("https://", "http://")):
        raise ValueError("only http and https addresses are fetched")
    digest = hashlib.new(file.algorithm, usedforsecurity=False)
    partial = target.with_name(target.name + ".part")
    words = f"Fetching {target.name}"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            target.parent.mkdir(parents=True, exist_ok=True)
            total = int(answer.headers.get("Content-Length") or 0) or None
            done = 0
            with partial.open("wb") as out:
                while block := answer.read(CHUNK):
                    if cancel is not None and cancel.is_set():
                        raise Cancelled(words)
                    out.write(block)
                    digest.update(block)
                    done += len(block)
                    if progress is not None:
                        progress(done, total, words)
        if total is not None and done != total:
            raise ConnectionError(f"the connection ended after {done:,} of {total:,} bytes")
        if not digest.hexdigest().startswith(file.checksum.lower()):
            raise ProblemError(_wrong(url, target, file, digest.hexdigest()))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _wrong(url: str, target: Path, file: RemoteFile, found: str) -> Problem:
    return error(
        Where(label="data", path="recipe.data", file=str(target)),
        f"{target.name} from {url} is not the expected file: its {file.algorithm.upper()} is {found}. It was removed.",
        f"{file.algorithm.upper()} {file.checksum}",
        f"Try again later, or put the right file at {target} yourself",
        code="data-checksum",
    )


def _not_fetched(target: Path, faults: Sequence[str]) -> Problem:
    return error(
        Where(label="data", path="recipe.data", file=str(target)),
        f"{target.name} could not be fetched. {'; '.join(faults)}.",
        "A connection to the network and a server that answers",
        f"Try again, or put the file into {target.parent} yourself",
        code="data-offline",
    )


def _not_written(target: Path, fault: OSError) -> Problem:
    return error(
        Where(label="data", path="recipe.data", file=str(target)),
        f"{target.name} could not be written: {fault.strerror or fault}.",
        f"A folder with room that may be written, {target.parent}",
        "Make room, or name another folder with --data",
        code="data-not-written",
    )
