"""Reads many image files into blocks of equal arrays, several at a time; names every file that cannot be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from engine.datasets.images import reason_of, unreadable
from engine.datasets.raw import Array, Files, Request
from engine.problem import ProblemError
from engine.runtime.data.preprocess import Preprocess

BLOCK = 256


def shaped_image(files: Files, index: int, process: Preprocess) -> Array:
    """One file as an array (C, H, W) after colour and size."""
    image = torch.from_numpy(files.load(index))
    return process.shape(image[None])[0].contiguous().numpy()


def decoded(files: Files, process: Preprocess, request: Request, words: str) -> Iterator[Array]:
    """Blocks (n, C, H, W) of all files in order. One ProblemError at the end names the first that could not be read."""
    faults: list[tuple[str, str]] = []

    def load(index: int) -> Array | None:
        try:
            return shaped_image(files, index, process)
        except ProblemError as fault:
            faults.append((fault.problem.where.file, reason_of(fault)))
            return None

    total = len(files)
    # Decoding happens outside Python's lock, so threads help and no process has to be started.
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        for start in range(0, total, BLOCK):
            request.report(start, total, words)
            block = list(pool.map(load, range(start, min(start + BLOCK, total))))
            if not faults:
                yield np.stack([image for image in block if image is not None])
    if faults:
        raise ProblemError(unreadable(sorted(faults), total))
