"""The part of a training script that changes training samples: `augment()`, with the very draws of the training.

Every draw comes from (seed, epoch, sample), so a script repeats them whatever its order of work. Knows no torch.
"""

from __future__ import annotations

from typing import Any

from engine.problem import ProblemError
from engine.script_data import unwritable
from engine.tensor import TensorInfo

DRAWS = {"horizontal_flip": 1, "random_crop": 2, "shift": 2}
"""Uniform draws per sample of the changes that are made to whole batches."""


def augment_lines(steps: list[Any], info: TensorInfo) -> tuple[list[str], list[int]]:
    """The function `augment(images, draws)`, and how many draws each step takes of every sample.

    ProblemError for a change that is made one sample at a time, or of finished batches.
    """
    body: list[str] = []
    for place, step in enumerate(steps):
        if step.mixing or step.batched not in DRAWS:
            raise ProblemError(unwritable(f"the augmentation {type(step).__name__}"))
        body += _WRITERS[step.batched](step, f"draws[{place}]", info)
    lines = [
        "def augment(images: Tensor, draws: list[Tensor]) -> Tensor:",
        '    """Images on their raw scale, each changed by its own draws, one table per change."""',
        *(f"    {line}" for line in body),
        "    return images",
    ]
    return lines, [DRAWS[step.batched] for step in steps]


def _flip(step: Any, draws: str, info: TensorInfo) -> list[str]:
    return [
        f"mirrored = ({draws}[:, 0] < {step.p!r})[:, None, None, None]",
        "images = torch.where(mirrored, images.flip(-1), images)",
    ]


def _crop(step: Any, draws: str, info: TensorInfo) -> list[str]:
    border = step.padding
    corner = f"corner = ({draws} * {2 * border + 1}).floor().long()"
    return [corner, *_windows(border, border, "corner[:, 0]", "corner[:, 1]", info)]


def _shift(step: Any, draws: str, info: TensorInfo) -> list[str]:
    height, width = info.spatial
    # As float32, in which torch reckons.
    return [
        f"largest = {step.amount!r} * torch.tensor([{height}, {width}])",
        f"moves = ((2 * {draws} - 1) * largest).round().long()",
        "high, wide = (int(value) for value in largest.ceil())",
        *_windows("high", "wide", "high - moves[:, 0]", "wide - moves[:, 1]", info),
    ]


def _windows(high: object, wide: object, down: str, right: str, info: TensorInfo) -> list[str]:
    height, width = info.spatial
    return [
        f"padded = F.pad(images, ({wide}, {wide}, {high}, {high}))",
        f"windows = padded.unfold(2, {height}, 1).unfold(3, {width}, 1)",
        f"images = windows[torch.arange(len(images)), :, {down}, {right}]",
    ]


_WRITERS = {"horizontal_flip": _flip, "random_crop": _crop, "shift": _shift}
