"""Fewer points for the same picture: two per pixel column, and moving means.

Plain numpy on plain arrays; knows nothing of Qt or runs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def thin(x: Array, y: Array) -> tuple[Array, Array]:
    """At most two points per whole number of `x` (pixels, rising): the least and the greatest of the column.

    They come in the order in which the curve passes them, so the line does not zigzag on a slope.
    """
    if len(x) < 3:
        return x, y
    starts = _columns(x)
    if len(starts) * 2 >= len(x):
        return x, y
    least, greatest = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    ends = np.append(starts[1:], len(x)) - 1
    rising = y[ends] >= y[starts]
    pairs = np.stack([np.where(rising, least, greatest), np.where(rising, greatest, least)], axis=1)
    return np.repeat(x[starts], 2), pairs.ravel()


def thin_smooth(x: Array, y: Array, spacing: float = 2.0) -> tuple[Array, Array]:
    """One mean per `spacing` pixels, for a curve that is already smooth; its first and last points stay."""
    if len(x) < 3:
        return x, y
    starts = _columns(x / spacing)
    if len(starts) * 2 >= len(x):
        return x, y
    counts = np.diff(np.append(starts, len(x)))
    means_x, means_y = np.add.reduceat(x, starts) / counts, np.add.reduceat(y, starts) / counts
    ends = ([x[0]], means_x, [x[-1]]), ([y[0]], means_y, [y[-1]])
    return np.concatenate(ends[0]), np.concatenate(ends[1])


def _columns(x: Array) -> NDArray[np.intp]:
    """Index of the first point of each column."""
    return np.concatenate([[0], np.flatnonzero(np.diff(np.floor(x))) + 1])


def moving_mean(values: Array, share: float) -> Array:
    """The mean over the `share` (0 to 1) of all points around each point.

    The window shrinks towards the start, where a loss falls fastest, and looks only back at the end, where the newest
    value must not be one noisy sample.
    """
    size = len(values)
    half = int(size * share / 2)
    if half < 1:
        return values
    sums = np.concatenate([[0.0], np.cumsum(values)])
    index = np.arange(size)
    back = np.minimum(half, index)
    first = index - back
    last = np.minimum(index + back, size - 1)
    return (sums[last + 1] - sums[first]) / (last + 1 - first)
