"""What the data panel shows of a data set that was read: some samples as images, rows or points, and the balance.

Owns values only and makes them outside the window's thread. Never paints and never reads a file that is not a sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from engine.datafacts import VALUE
from engine.datasets.raw import IMAGE, SEQUENCE, Array
from engine.datasets.readout import Readout, Samples
from gui.numbers import number

NUM_IMAGES = 96
NUM_ROWS = 100
NUM_POINTS = 2_000
NUM_BARS = 24
THUMBNAIL = 192
"""Longer side of a kept image: no cell of the gallery is larger at 200 % scale."""


@dataclass(frozen=True)
class Pictures:
    """Images with their labels, in groups: an image and what augmentation makes of it, or each alone."""

    images: tuple[QImage, ...]
    labels: tuple[str, ...]
    group: int = 1


@dataclass(frozen=True)
class Rows:
    """A table in words; the first column is the answer."""

    columns: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Points:
    """Points in the plane: (N, 2) coordinates, class numbers (N,) or no classes at all."""

    places: Array
    classes: Array
    names: tuple[str, ...]
    axes: tuple[str, str]


@dataclass(frozen=True)
class Balance:
    """Samples per class and split."""

    classes: tuple[str, ...]
    counts: dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Histogram:
    """How the values of a target are spread: `edges` (bins + 1,) and counts per split."""

    name: str
    edges: Array
    counts: dict[str, tuple[int, ...]]
    mean: float
    deviation: float


@dataclass(frozen=True)
class Look:
    """Everything that one reading shows."""

    readout: Readout
    split: str
    samples: Pictures | Rows | Points
    rows: Rows | None
    """The rows behind points, where both are shown."""
    balance: Balance | Histogram | None


def look_at(readout: Readout, split: str, seed: int) -> Look:
    """Some samples of a split and the balance of all; another seed shows others. ProblemError for a broken file."""
    split = split if split in readout.splits else readout.splits[0]
    streams = readout.streams
    name = next((name for name, stream in streams.items() if stream.kind in (IMAGE, SEQUENCE)), next(iter(streams)))
    stream = streams[name]
    if stream.kind in (IMAGE, SEQUENCE):
        found = readout.samples(split, chosen(readout, split, NUM_IMAGES, seed))
        images = tuple(picture(_grid(item, stream.kind), stream.top) for item in found.inputs[name])
        return Look(readout, split, Pictures(images, found.labels), None, balance_of(readout))
    rows = _rows(readout, readout.samples(split, chosen(readout, split, NUM_ROWS, seed)), name)
    if stream.shape == (2,):
        points = _points(readout, split, name, chosen(readout, split, NUM_POINTS, seed))
        return Look(readout, split, points, rows, balance_of(readout))
    return Look(readout, split, rows, None, balance_of(readout))


def chosen(readout: Readout, split: str, num: int, seed: int) -> Array:
    """Places of samples drawn with `seed`, the classes taking turns so that a rare one is seen too."""
    draw = np.random.default_rng(seed)
    order = draw.permutation(readout.num_samples(split))
    labels = readout.labels(split)
    if not readout.class_counts(split) or len(labels) != len(order):
        return order[:num]
    classes = labels[order]
    turn = np.zeros(len(order), np.int64)
    for one in np.unique(classes):
        mine = classes == one
        turn[mine] = np.arange(int(mine.sum()))
    return order[np.lexsort((classes, turn))][:num]


def picture(image: Array, top: float) -> QImage:
    """A (channels, height, width) array as an image; `top` is white, 0 stretches from the least to the greatest value.

    One channel is grey, three are colours, four have transparency; of other numbers the first channel is shown.
    """
    values = image.astype(np.float32)
    low, high = (0.0, top) if top else (float(values.min()), float(values.max()))
    pixels = np.clip((values - low) * (255.0 / ((high - low) or 1.0)) + 0.5, 0, 255).astype(np.uint8)
    return picture_of_pixels(pixels.transpose(1, 2, 0))


def picture_of_pixels(pixels: Array) -> QImage:
    """An (height, width, channels) uint8 array as an image, at most `THUMBNAIL` on its longer side."""
    height, width, channels = pixels.shape
    formats = {3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}
    kept = np.ascontiguousarray(pixels if channels in formats else pixels[:, :, 0])
    form = formats.get(channels, QImage.Format.Format_Grayscale8)
    # A copy, because an image only points to the array, which goes away.
    made = QImage(kept.data, width, height, kept.strides[0], form).copy()
    if max(width, height) > THUMBNAIL:
        keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        made = made.scaled(THUMBNAIL, THUMBNAIL, keep, smooth)
    return made


def balance_of(readout: Readout) -> Balance | Histogram | None:
    """Samples per class, or how the first target's values are spread; None without answers."""
    counts = {split: readout.class_counts(split) for split in readout.splits}
    first = counts[readout.splits[0]]
    if first:
        return Balance(tuple(first), {split: tuple(found.values()) for split, found in counts.items()})
    target = next(iter(readout.facts.targets.values()), None)
    if target is None or target.kind != VALUE:
        return None
    values = {split: readout.labels(split).reshape(readout.num_samples(split), -1)[:, 0] for split in readout.splits}
    everything = np.concatenate(list(values.values())).astype(np.float64)
    everything = everything[np.isfinite(everything)]
    if not len(everything):
        return None
    edges = np.histogram_bin_edges(everything, bins=NUM_BARS)
    spread = {split: tuple(int(item) for item in np.histogram(one, edges)[0]) for split, one in values.items()}
    name = target.names[0] if target.names else ""
    return Histogram(name, edges, spread, float(everything.mean()), float(everything.std()))


def _grid(sample: Array, kind: str) -> Array:
    """A sequence stands as an image of its own: steps downwards, features to the right."""
    return sample if kind == IMAGE else sample[None]


def _rows(readout: Readout, found: Samples, name: str) -> Rows:
    target = next(iter(readout.facts.targets.values()), None)
    answer = target.names[0] if target is not None and target.names else next(iter(readout.facts.targets), "")
    width = int(np.size(found.inputs[name][0])) if found.inputs[name] else 0
    features = found.columns.get(name, ()) or tuple(f"x{place}" for place in range(1, width + 1))
    cells = []
    for label, values in zip(found.labels, found.inputs[name], strict=True):
        words = label
        if target is not None and target.kind == VALUE:
            words = ", ".join(number(float(part), 6) for part in label.split(", "))
        cells.append((words, *(number(float(item), 5) for item in np.ravel(values))))
    return Rows((answer, *features), tuple(cells))


def _points(readout: Readout, split: str, name: str, places: Array) -> Points:
    found = readout.samples(split, places)
    counts = readout.class_counts(split)
    classes = readout.labels(split)[places] if counts else np.zeros(0, np.int64)
    axes = found.columns.get(name, ()) or ("x1", "x2")
    points = np.array(found.inputs[name], dtype=np.float64).reshape(-1, 2)
    return Points(points, classes, tuple(counts), (axes[0], axes[1]))
