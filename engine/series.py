"""A bounded record of one number over time that keeps its spikes.

Owns `Series`: append for ever, read at most `capacity` points. Once full it halves its resolution: every bucket of
samples keeps its least and its greatest value (with the step of each) and the bucket's mean, so a single outlier is
still there after a million steps and a smoothed curve is not pulled towards the outliers.
Never knows what the number means, never draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CAPACITY = 4096
"""Points kept per series: about eight per pixel of a wide chart, 96 kB."""

_PENDING = 512
"""Samples gathered before a fold: large enough that numpy's fixed cost per call is small beside the appends."""


@dataclass(slots=True)
class _Block:
    """Rows of a series: step, value, and the mean of the bucket that the row stands for."""

    step: Array
    value: Array
    mean: Array

    def upto(self, end: int) -> _Block:
        return _Block(self.step[:end], self.value[:end], self.mean[:end])

    def __len__(self) -> int:
        return len(self.step)


def _joined(*blocks: _Block) -> _Block:
    return _Block(
        np.concatenate([block.step for block in blocks]),
        np.concatenate([block.value for block in blocks]),
        np.concatenate([block.mean for block in blocks]),
    )


def _empty() -> _Block:
    return _Block(np.empty(0), np.empty(0), np.empty(0))


def _extremes(block: _Block, size: int) -> _Block:
    """Two rows, in time order, for every `size` rows of `block`; its length is a multiple of `size`."""
    step, value = block.step.reshape(-1, size), block.value.reshape(-1, size)
    rows = np.arange(len(step))
    least, most = value.argmin(axis=1), value.argmax(axis=1)
    # A flat bucket has one extreme: its first and last samples say as much and keep the curve's full length.
    least = np.where(least == most, 0, least)
    most = np.where(least == most, size - 1, most)
    first, second = np.minimum(least, most), np.maximum(least, most)
    picked = np.stack([first, second], axis=1)
    mean = np.repeat(block.mean.reshape(-1, size).mean(axis=1), 2)
    return _Block(step[rows[:, None], picked].ravel(), value[rows[:, None], picked].ravel(), mean)


class Series:
    """One number per step, steps never falling, in at most `capacity` points plus one short tail.

    Non-finite samples are left out: a curve cannot show them, and the timeline marks the first by itself.
    """

    __slots__ = ("_closed", "_count", "_held", "_num_closed", "_open", "_pending_step", "_pending_value", "_stride")

    def __init__(self, capacity: int = CAPACITY) -> None:
        if capacity < 8 or capacity % 4:
            raise ValueError(f"capacity must be a multiple of 4 and at least 8, not {capacity}")
        self._closed = _Block(np.empty(capacity), np.empty(capacity), np.empty(capacity))
        self._num_closed = 0
        self._stride = 1
        """Samples per kept point; a bucket is two points, so `2 * stride` samples."""
        self._open = _empty()
        self._held = 0
        """Samples in the open bucket, which itself keeps at most two rows and their mean."""
        self._count = 0
        self._pending_step: list[float] = []
        self._pending_value: list[float] = []

    def append(self, step: float, value: float) -> None:
        """Add one sample; a non-finite value is ignored."""
        if not isfinite(value):
            return
        self._count += 1
        self._pending_step.append(step)
        self._pending_value.append(value)
        if len(self._pending_step) >= _PENDING:
            self._fold()

    def __len__(self) -> int:
        """Samples seen, not points kept."""
        return self._count

    @property
    def last(self) -> tuple[float, float] | None:
        """Step and value of the newest sample, or None."""
        if self._pending_step:
            return self._pending_step[-1], self._pending_value[-1]
        kept = self._rows()
        return (float(kept.step[-1]), float(kept.value[-1])) if len(kept) else None

    def points(self) -> tuple[Array, Array]:
        """Steps and values, rising in step: `(n,)` each, n at most `capacity` + 2."""
        self._fold()
        rows = self._rows()
        return rows.step, rows.value

    def means(self) -> tuple[Array, Array]:
        """Steps and bucket means: what a smoothed curve is made from."""
        self._fold()
        rows = self._rows()
        return rows.step, rows.mean

    def drop_after(self, step: float) -> None:
        """Forget every sample beyond `step`: the run went back to there."""
        self._fold()
        rows = self._rows()
        kept = int(np.searchsorted(rows.step, step, side="right"))
        if kept == len(rows):
            return
        share = kept / len(rows)
        self._count = round(self._count * share) if self._stride > 1 else kept
        self._num_closed, self._open, self._held = 0, _empty(), 0
        self._store(rows.upto(min(kept, len(self._closed.step))))

    def _rows(self) -> _Block:
        return _joined(self._closed.upto(self._num_closed), self._open)

    def _fold(self) -> None:
        """Move the pending samples into buckets."""
        if not self._pending_step:
            return
        value = np.array(self._pending_value)
        fresh = _Block(np.array(self._pending_step), value, value)
        self._pending_step, self._pending_value = [], []
        while len(fresh):
            fresh = self._fold_some(fresh)

    def _fold_some(self, fresh: _Block) -> _Block:
        """Take as many samples as fit at the present resolution; return the rest."""
        size = 2 * self._stride
        if self._held or len(fresh) < size:
            return self._fill_open(fresh, size)
        room = (len(self._closed.step) - self._num_closed) // 2
        if not room:
            self._halve()
            return fresh
        taken = min(room, len(fresh) // size) * size
        whole = fresh.upto(taken)
        self._store(whole if size == 2 else _extremes(whole, size))
        return _Block(fresh.step[taken:], fresh.value[taken:], fresh.mean[taken:])

    def _fill_open(self, fresh: _Block, size: int) -> _Block:
        taken = min(max(size - self._held, 0), len(fresh))
        part = fresh.upto(taken)
        if taken:
            total = self._held + taken
            sums = (float(self._open.mean[0]) * self._held if self._held else 0.0) + float(part.mean.sum())
            rows = _joined(self._open, part)
            if len(rows) > 2:
                rows = _extremes(rows, len(rows))
            if size > 2:
                rows.mean = np.full(len(rows), sums / total)
            self._open, self._held = rows, total
        if self._held >= size:
            if len(self._closed.step) - self._num_closed < len(self._open):
                self._halve()
            self._store(self._open)
            self._open, self._held = _empty(), 0
        return _Block(fresh.step[taken:], fresh.value[taken:], fresh.mean[taken:])

    def _store(self, rows: _Block) -> None:
        end = self._num_closed + len(rows)
        self._closed.step[self._num_closed : end] = rows.step
        self._closed.value[self._num_closed : end] = rows.value
        self._closed.mean[self._num_closed : end] = rows.mean
        self._num_closed = end

    def _halve(self) -> None:
        """Merge neighbouring buckets: half the points, each for twice as many samples."""
        whole = self._num_closed - self._num_closed % 4
        merged = _extremes(self._closed.upto(whole), 4)
        rest = slice(whole, self._num_closed)
        left = _Block(self._closed.step[rest], self._closed.value[rest], self._closed.mean[rest])
        rows = _joined(merged, left)
        self._num_closed = 0
        self._store(rows)
        self._stride *= 2
