"""Which device trains and on how many threads. Never changes a device's own settings."""

from __future__ import annotations

import os

import torch

from engine.problem import ProblemError, Where, error


def choose_device(wanted: str = "auto") -> torch.device:
    """The device for `auto`, `cpu`, `cuda`, `cuda:1` or `mps`; auto takes a GPU if there is one.

    ProblemError when one is asked for that is not there, naming those that are, or for any other word.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    kind, _, number = wanted.partition(":")
    of_several = kind == "cuda" and number.isdecimal() and len(number) <= 2
    fits = int(number) < torch.cuda.device_count() if of_several and available["cuda"] else wanted == kind
    if available.get(kind) and fits:
        return torch.device(wanted)
    if kind not in _WORDS or (wanted != kind and not of_several):
        raise ProblemError(
            error(_WHERE, f"There is no device {wanted!r}.", "auto, cpu, cuda, cuda:N or mps", "Choose one of these")
        )
    there = list_devices()
    present = ", ".join(f"{name} ({words})" if words else name for name, words in there.items() if name != "cuda")
    happened = (
        f"{wanted} was asked for, but torch numbers its GPUs from 0 and finds {torch.cuda.device_count()}."
        if number and "cuda" in there
        else f"{_WORDS[kind]} was asked for, but torch finds none on this computer."
    )
    raise ProblemError(
        error(
            _WHERE, happened, f"A device that is there: {present}",
            f"Choose auto or {'cuda:0' if 'cuda' in there else 'cpu'}, or install the driver and the torch build for "
            "it",
            code="device",
        )
    )  # fmt: skip


def list_devices() -> dict[str, str]:
    """What can be asked for on this computer, with the name of each GPU; `cuda` means the first one."""
    found = {"cpu": ""}
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        found |= {"cuda": names[0] if names else ""} | {f"cuda:{index}": name for index, name in enumerate(names)}
    if torch.backends.mps.is_available():
        found["mps"] = "Apple GPU"
    return found


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


_WHERE = Where(label="Device", path="recipe.device")
_WORDS = {"cpu": "A CPU", "cuda": "An NVIDIA GPU (cuda)", "mps": "An Apple GPU (mps)"}


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux tells which cores this process may use
        return os.cpu_count() or 1
