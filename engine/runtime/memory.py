"""Whether a network fits into memory, asked before it is built. An estimate: activations are not counted."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from engine.problem import Problem, error

COPIES = 4
"""Weights, gradients, and the two running means that Adam keeps."""
BYTES = 4


def memory_problem(parameters: int, device: torch.device | None = None) -> Problem | None:
    """An error when the weights with gradients and optimizer state cannot fit into free memory; None when they do."""
    free = free_bytes(device)
    needed = parameters * COPIES * BYTES
    if free is None or needed <= free:
        return None
    return error(
        "Memory",
        f"Training {parameters:,} parameters needs about {_size(needed)} of memory, and {_size(free)} are free.",
        "A network that fits into memory",
        "Make the largest layers narrower, or close other programs",
        code="memory",
    )


def free_bytes(device: torch.device | None = None) -> int | None:
    """Free memory of the device, or of this computer; None where nobody can tell."""
    if device is not None and device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [amount for amount in (_available(), _left_in_group()) if amount is not None]
    return min(found) if found else None


def _available() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:  # elsewhere the whole memory is the only bound that is told without further packages
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _left_in_group() -> int | None:
    """What a container's limit leaves, under Linux."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        statistics = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
        cache = int(statistics.get("inactive_file", 0))
    except (OSError, ValueError):
        return None
    return max(0, int(limit) - used + cache) if limit.isdecimal() else None


def _size(count: int) -> str:
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if amount < 1000:
            break
        if unit != "PB":
            amount /= 1000
    return f"{amount:,.1f} {unit}"
