"""Mean and population deviation of training samples, per feature or per channel, in float64."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from engine.datasets.raw import IMAGE


def kept_axes(kind: str, standardize: str, rank: int) -> tuple[int, ...]:
    """Axes of one sample that keep their own statistics: all per feature; the channel (or the features) per channel."""
    if standardize == "feature":
        return tuple(range(rank))
    return (0,) if kind == IMAGE else (rank - 1,)


class Moments:
    """Collects mean and squared deviations over chunks (Chan, Golub, LeVeque 1983), stable for near-constant pixels."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        self._axes = axes
        self._count = 0
        self._mean: Tensor | None = None
        self._squares: Tensor | None = None

    def add(self, chunk: Tensor) -> None:
        """Takes in samples (N, ...)."""
        away = [0, *(axis + 1 for axis in range(chunk.dim() - 1) if axis not in self._axes)]
        values = chunk.to(torch.float64)
        mean = values.mean(away, keepdim=True)[0]
        squares = (values - mean).square_().sum(away, keepdim=True)[0]
        count = values.numel() // mean.numel()
        if self._mean is None or self._squares is None:
            self._count, self._mean, self._squares = count, mean, squares
            return
        total = self._count + count
        shift = mean - self._mean
        self._squares += squares + shift.square() * (self._count * count / total)
        self._mean += shift * (count / total)
        self._count = total

    def result(self) -> tuple[Tensor, Tensor]:
        """Mean and population deviation, float64, shaped to be broadcast over one sample."""
        if self._mean is None or self._squares is None:
            raise ValueError("no samples were given")
        return self._mean, (self._squares / self._count).sqrt()


def moments(chunks: Iterable[Tensor], *, kind: str, standardize: str) -> tuple[Tensor, Tensor]:
    """Mean and population deviation over all chunks of samples (N, ...)."""
    found: Moments | None = None
    for chunk in chunks:
        if found is None:
            found = Moments(kept_axes(kind, standardize, chunk.dim() - 1))
        found.add(chunk)
    if found is None:
        raise ValueError("no samples were given")
    return found.result()
