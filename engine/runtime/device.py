"""Which device trains and on how many threads. Never changes a device's own settings."""

from __future__ import annotations

import os

import torch

from engine.problem import ProblemError, Where, error


def choose_device(wanted: str = "auto") -> torch.device:
    """The device for `auto`, `cpu`, `cuda` or `mps`; auto takes a GPU if there is one.

    ProblemError when a GPU is asked for and there is none, or for any other word.
    """
    if wanted == "auto":
        return torch.device(
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if there.get(wanted):
        return torch.device(wanted)
    where = Where(label="Device", path="recipe.device")
    if wanted not in there:
        raise ProblemError(
            error(where, f"There is no device {wanted!r}.", "auto, cpu, cuda or mps", "Choose one of these")
        )
    raise ProblemError(
        error(
            where,
            f"{_WORDS[wanted]} was asked for, but torch finds none on this computer.",
            "A device that is there",
            "Choose auto or cpu, or install the driver and the torch build for it",
            code="device",
        )
    )


def set_threads(wanted: int | None = None) -> int:
    """Sets how many threads torch computes with *in the calling thread* and returns the number.

    None: `OMP_NUM_THREADS`, else one less than there are cores, so that the window stays awake.
    """
    threads = wanted if wanted is not None else default_threads()
    if threads < 1:
        raise ProblemError(
            error("Threads", f"{threads} threads cannot compute anything.", "1 or more", "Give a number")
        )
    torch.set_num_threads(threads)
    return threads


def default_threads() -> int:
    """How many threads a training uses when nobody says."""
    text = os.environ.get("OMP_NUM_THREADS", "")
    if text.isdecimal() and int(text) > 0:
        return int(text)
    return max(1, _cores() - 1)


def describe(device: torch.device, threads: int | None = None) -> str:
    """Words for the status bar: `CPU, 1 thread`, or the name of the GPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    count = threads if threads is not None else default_threads()
    return f"CPU, {count} thread{'' if count == 1 else 's'}"


_WORDS = {"cpu": "A CPU", "cuda": "An NVIDIA GPU (cuda)", "mps": "An Apple GPU (mps)"}


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux tells which cores this process may use
        return os.cpu_count() or 1
