"""Writes a run's events to its folder while it trains: `events.jsonl`, line by line, and the scores in `run.json`.

Owns the open record of one run. Keeps only sampled steps, hands lines to the system at every event that matters
(a killed process then loses at most the last few step lines), and never changes what it records.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.events import EpochEnded, Event, RunEnded, Step, to_json
from engine.problem import ProblemError
from engine.runfiles import EVENTS, update_info

INFO_SECONDS = 2.0
"""`run.json` is replaced at most this often while training; synced files are slow, and epochs may be short."""


class Recorder:
    """Appends to one run's record. Opening one that a kill left with a torn last line first removes that line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / EVENTS
        _mend(self._file)
        # Open as long as the run, so no `with`.
        self._stream = open(self._file, "a", encoding="utf-8")  # noqa: SIM115
        self._info_due = 0.0

    def record(self, event: Event) -> None:
        """Appends an event; steps whose loss was not sampled are left out. OSError when the disk refuses."""
        if type(event) is Step:
            if event.loss is not None:
                self._write(event)
            return
        self._write(event)
        self._stream.flush()
        if isinstance(event, EpochEnded):
            self._score(event)

    def close(self, ended: RunEnded, **changes: Any) -> None:
        """Writes the end into the record and `run.json`; a disk that refuses loses this, but raises no second error."""
        with suppress(OSError):
            self._write(ended)
            self._stream.flush()
            os.fsync(self._stream.fileno())
        with suppress(OSError, ProblemError):
            update_info(
                self._folder, status=ended.outcome, epoch=ended.epoch, step=ended.step, seconds=ended.seconds,
                final=ended.final, best=ended.best, problem=ended.problem, **changes,
            )  # fmt: skip

    def abandon(self) -> None:
        """Closes the file of a training that nobody pulls any more, or that has ended."""
        with suppress(OSError):
            self._stream.close()

    def _write(self, event: Event) -> None:
        self._stream.write(json.dumps(to_json(event), ensure_ascii=False, allow_nan=False) + "\n")

    def _score(self, event: EpochEnded) -> None:
        now = time.monotonic()
        if now < self._info_due:
            return
        self._info_due = now + INFO_SECONDS
        os.fsync(self._stream.fileno())
        update_info(self._folder, epoch=event.epoch, step=event.step)


def _mend(file: Path) -> None:
    """Cuts a torn last line off."""
    if not file.exists():
        return
    with open(file, "r+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        while size:
            start = max(0, size - 65_536)
            stream.seek(start)
            cut = stream.read(size - start).rfind(b"\n")
            if cut >= 0:
                stream.truncate(start + cut + 1)
                return
            size = start
        stream.truncate(0)
