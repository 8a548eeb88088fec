"""Samples that live as tensors on the device. Batches are gathered many at once, which makes loading nearly free.

One `index_select` for some dozen batches costs hardly more than for one, so a small network is not held up by its
data: the batches are views of the gathered chunk. Never touches files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from engine.datasets.raw import TRAIN
from engine.runtime.data.augment import Augmenter
from engine.runtime.data.batches import Batch
from engine.runtime.data.order import Balanced, epoch_order
from engine.runtime.data.preprocess import Preprocess

MAX_BATCHES = 64
MAX_CHUNK_BYTES = 2 * 2**20
"""A chunk should stay near the processor; larger ones gain nothing and hold the window's thread up longer."""


@dataclass(frozen=True)
class Column:
    """One input stream of all splits. `values` are finished floats, or still as `Preprocess.shape` left them."""

    values: Mapping[str, Tensor]
    preprocess: Preprocess
    finished: bool
    augmented: bool = False
    """Augmentation applies to this stream (an image)."""


class Resident:
    """A loader over tensors; see `batches.Loader`."""

    def __init__(
        self, columns: Sequence[Column], targets: Sequence[Mapping[str, Tensor]], *, augmenter: Augmenter,
        device: torch.device, balanced: Balanced | None = None,
    ) -> None:  # fmt: skip
        self._balanced = balanced
        self._columns = columns
        self._targets = targets
        self._augmenter = augmenter
        self._device = device

    def train(self, sizes: list[int], *, epoch: int, seed: int, skip: int) -> Iterator[Batch]:
        """Batches of these sizes in the order of the epoch; see `batches.Loader`."""
        total = sum(sizes)
        if self._balanced is None:
            changes = order = epoch_order(total, seed=seed, epoch=epoch)
        else:  # a sample that is drawn twice is changed twice, each time by the numbers of its place in the epoch
            order, changes = self._balanced.order(total, seed=seed, epoch=epoch), torch.arange(total)
        borders = [0, *accumulate(sizes)]
        draws = self._augmenter.draws(len(order), seed=seed, epoch=epoch)
        mix = self._augmenter.mixes
        step = self._batches_at_once(sizes[0])
        for first in range(skip, len(sizes), step):
            group = sizes[first : first + step]
            part = slice(borders[first], borders[first + len(group)])
            index, where = changes[part], order[part].to(self._home)
            inputs = [self._gather(column, where, index, draws, seed, epoch) for column in self._columns]
            targets = [target[TRAIN].index_select(0, where).to(self._device) for target in self._targets]
            pieces = zip(_split(inputs, group), _split(targets, group), strict=True)
            for offset, (xs, ys) in enumerate(pieces):
                batch = Batch(xs, ys, group[offset])
                yield self._augmenter.mix(batch, seed=seed, epoch=epoch, step=first + offset) if mix else batch

    def evaluate(self, split: str, batch_size: int) -> Iterator[Batch]:
        """All samples of a split in their own order; see `batches.Loader`."""
        total = len(self._columns[0].values[split])
        for start in range(0, total, batch_size):
            stop = min(start + batch_size, total)
            yield self._taken(split, slice(start, stop), stop - start)

    def some(self, split: str, places: Sequence[int]) -> Batch:
        """These samples of a split; see `batches.Loader`."""
        return self._taken(split, list(places), len(places))

    def _taken(self, split: str, part: slice | list[int], size: int) -> Batch:
        inputs = tuple(self._finish(column, column.values[split][part].to(self._device)) for column in self._columns)
        targets = tuple(target[split][part].to(self._device) for target in self._targets)
        return Batch(inputs, targets, size)

    def close(self) -> None:
        """Nothing to end."""

    @property
    def _home(self) -> torch.device:
        return self._columns[0].values[TRAIN].device

    def _batches_at_once(self, batch_size: int) -> int:
        one = sum(4 * column.values[TRAIN][:1].numel() for column in self._columns) * batch_size
        return max(1, min(MAX_BATCHES, MAX_CHUNK_BYTES // max(1, one)))

    def _gather(
        self, column: Column, where: Tensor, index: Tensor, draws: Sequence[Tensor | None], seed: int, epoch: int
    ) -> Tensor:
        values = column.values[TRAIN].index_select(0, where).to(self._device)
        if column.augmented:
            values = self._augmenter.apply(values, index=index, draws=draws, seed=seed, epoch=epoch)
        return self._finish(column, values)

    @staticmethod
    def _finish(column: Column, values: Tensor) -> Tensor:
        return values if column.finished else column.preprocess.finish(values)


def _split(items: list[Tensor], sizes: list[int]) -> Iterator[tuple[Tensor, ...]]:
    """Per batch the pieces of all items; empty tuples when there are no items."""
    if not items:
        return iter([()] * len(sizes))
    return zip(*[torch.split(item, sizes) for item in items], strict=True)
