"""The process in which exports are read back: fresh, unable to see Layerwright, with one thread.

Owns its start, its jobs and its end. It starts importing torch at once, while the files are still being written.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from engine.problem import Problem, ProblemError, Where, error

SCRIPT = Path(__file__).with_name("read_back.py")
TIMEOUT = 300.0
"""Seconds after which reading back counts as failed."""


class Reader:
    """One such process, until `close`."""

    def __init__(self) -> None:
        self._words = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(SCRIPT)], cwd=tempfile.gettempdir(), stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=self._words, text=True,
        )  # fmt: skip

    @property
    def is_alive(self) -> bool:
        """False once it has ended."""
        return self._process.poll() is None

    def read(self, wanted: dict[str, Any], folder: Path) -> dict[str, Any]:
        """Does one job, whose files lie in `folder`; what it tells. ProblemError when the export cannot be read."""
        job, told = folder / "job.json", folder / "told.json"
        told.unlink(missing_ok=True)
        job.write_text(json.dumps({**wanted, "told": str(told)}), "utf-8")
        self._send(str(job))
        until = time.monotonic() + TIMEOUT
        while not told.is_file():
            if self._process.poll() is not None and not told.is_file():
                raise ProblemError(fault(f"It cannot be read back: {self._last_words()}"))
            if time.monotonic() > until:
                self._process.kill()
                raise ProblemError(fault(f"Reading it back took longer than {TIMEOUT:.0f} s"))
            time.sleep(0.005)
        said: dict[str, Any] = json.loads(told.read_text("utf-8"))
        if "fault" in said:
            raise ProblemError(fault(f"It cannot be read back: {str(said['fault'])[:300]}"))
        return said

    def close(self) -> None:
        """Ends the process."""
        with suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._words.close()

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # a process that has died is told of below
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def _last_words(self) -> str:
        self._words.seek(0)
        return (self._words.read().strip().splitlines() or ["the process ended without a word"])[-1][:300]


@contextmanager
def opened() -> Iterator[Reader]:
    """A fresh process for one export."""
    reader = Reader()
    try:
        yield reader
    finally:
        reader.close()


def fault(happened: str) -> Problem:
    """The problem of an export that did not hold."""
    return error(
        Where(label="export"), happened, "An export that gives what the model gives",
        "Nothing was written. Please report this with the project file", code="export",
    )  # fmt: skip
