"""Shapes that fit each other when axes of size 1 are stretched, as PyTorch does it. Knows no layer."""

from __future__ import annotations

from collections.abc import Sequence

Shape = tuple[int, ...]


def stretched(shapes: Sequence[Shape]) -> Shape | None:
    """The common shape of samples with the same number of axes; None when they do not fit."""
    if len({len(shape) for shape in shapes}) != 1:
        return None
    found: list[int] = []
    for sizes in zip(*shapes, strict=True):
        larger = set(sizes) - {1}
        if len(larger) > 1:
            return None
        found.append(larger.pop() if larger else 1)
    return tuple(found)


def fits_onto(own: Shape, sample: Shape) -> bool:
    """True when learned numbers of shape `own` can meet every sample without changing its shape.

    They are aligned at the last axis; one more axis than the sample has must be of size 1, in place of the batch.
    """
    if len(own) == len(sample) + 1 and own[0] == 1:
        own = own[1:]
    if len(own) > len(sample):
        return False
    return all(mine in (1, size) for mine, size in zip(reversed(own), reversed(sample), strict=False))
