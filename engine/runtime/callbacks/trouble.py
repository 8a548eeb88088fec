"""What is said when a callback breaks: its class, its hook, and the file and line where it happened."""

from __future__ import annotations

import traceback
from pathlib import Path

from engine.callback import Callback
from engine.plugins import file_of
from engine.problem import Problem, Where, error
from engine.runtime.failure import problem_of


def hook_problem(callback: Callback, hook: str, fault: Exception) -> Problem:
    """The problem of an exception in a hook. A full disk is told as such, whoever met it."""
    name, file = type(callback).__name__, file_of(type(callback))
    if file is None:
        return problem_of(fault, None, Path())
    frames = [frame for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == str(file)]
    line = f", line {frames[-1].lineno}" if frames else ""
    words = (str(fault).strip().splitlines() or [""])[0][:300]
    return error(
        Where(label=f"{file.name}{line}", file=str(file), path="recipe.callbacks"),
        f"{name}.{hook} raised {type(fault).__name__}{f': {words}' if words else ''}. The training was saved and ended",
        "A callback whose hooks return", "Mend the file, then continue the run", code="callback_failed",
    )  # fmt: skip
