"""What the tests of the command line share: running a command in this process, or as a person would in another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.__main__ import main

ROOT = Path(__file__).parents[2]


@dataclass
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str
    lines: list[Any] = field(default_factory=list)
    """stdout as JSON, line by line; filled for `--json`."""


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> Said:
    """Runs a command here. With `--json` every line of stdout must be strict JSON, and no traceback ever shows."""
    capsys.readouterr()
    code = main([str(item) for item in arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    lines = [strict(line) for line in said.out.splitlines()] if "--json" in arguments else []
    return Said(code, said.out, said.err, lines)


def strict(line: str) -> Any:
    """A line of strict JSON; NaN and Infinity are refused."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    return json.loads(line, parse_constant=refuse)


def environment(home: Path) -> dict[str, str]:
    """Variables for another process: one thread, folders of its own."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "LAYERWRIGHT_HOME": str(home), "PYTHONUNBUFFERED": "1"}


def elsewhere(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs `main.py` in a process of its own."""
    line = [sys.executable, str(ROOT / "main.py"), *map(str, arguments)]
    return subprocess.run(
        line, capture_output=True, text=True, env=environment(home), cwd=ROOT, timeout=110, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def train(capsys: pytest.CaptureFixture[str], runs: Path, project: object, *settings: str, epochs: int = 1) -> Path:
    """A short training; the folder of its run."""
    given = [part for setting in settings for part in ("--set", setting)]
    said = command(
        capsys,
        "train",
        project,
        "--runs",
        runs,
        "--epochs",
        epochs,
        "--threads",
        1,
        "--device",
        "cpu",
        "--json",
        *given,
    )
    assert said.code == 0, said.err
    return Path(said.lines[-1]["run"])
