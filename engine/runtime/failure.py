"""What to tell when a training breaks: out of memory, full disk, a layer that fails, or a fault of ours.

Turns exceptions into problems, and leaves a fault of ours in the run's folder so that it can be reported. Never raises.
"""

from __future__ import annotations

import errno
import traceback
from contextlib import suppress
from pathlib import Path

import torch

from engine.problem import Problem, ProblemError, Where, error
from engine.runtime.build import Built, locate

CRASH = "crash.txt"
"""The traceback of a fault that nobody foresaw, in the run's folder."""


def problem_of(fault: Exception, built: Built | None, folder: Path) -> Problem:
    """The problem an exception means, at its node where it came from one."""
    if isinstance(fault, ProblemError):
        return fault.problem
    where = locate(fault, built) if built is not None else Where(label="project")
    if _is_memory(fault):
        return error(
            where, "There is not enough memory for this training step.", "A batch and a network that fit into memory",
            "Make recipe.batch_size smaller, or the largest layers narrower", code="memory",
        )  # fmt: skip
    if isinstance(fault, OSError):
        full = fault.errno in (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else fault.errno == errno.ENOSPC
        file = str(fault.filename or folder)
        return error(
            Where(label=Path(file).name, file=file),
            "The disk is full." if full else f"A file could not be read or written: {fault.strerror or fault}.",
            "A folder that can be written to, with space left",
            "Free some space, then continue the run" if full else "Check the file, then continue the run",
            code="disk_full" if full else "file",
        )
    with suppress(OSError):
        (folder / CRASH).write_text("".join(traceback.format_exception(fault)), "utf-8")
    first = (str(fault).strip().splitlines() or [""])[0][:300]
    if where.node:
        return error(
            where, f"This layer failed while training: {first or type(fault).__name__}.", "Inputs that the layer takes",
            f"Change its settings or what is wired to it; the details are in {CRASH}", code="layer_failed",
        )  # fmt: skip
    return error(
        Where(label="training", file=str(folder / CRASH)),
        f"The training broke: {type(fault).__name__}: {first}.",
        "",
        f"This is a fault of ours. Please report it with {CRASH} of the run's folder",
        code="bug",
    )


def _is_memory(fault: Exception) -> bool:
    if isinstance(fault, (MemoryError, torch.OutOfMemoryError)):
        return True
    words = str(fault).lower()
    return isinstance(fault, RuntimeError) and ("out of memory" in words or "can't allocate memory" in words)
