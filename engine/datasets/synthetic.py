"""Draws the small two-dimensional sets: moons, circles, spirals. The same seed draws the same points everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.datasets.facts import fingerprint
from engine.datasets.raw import TRAIN, Array, Part, Raw, Request
from engine.datasets.split import divide

Points = tuple[Array, Array]


def read(settings: Any, request: Request) -> Raw:
    """Draws the points (numpy's PCG64 with the split's seed) in random order and divides them."""
    request.report(0, 1, "Drawing points")
    random = np.random.default_rng([settings.split_seed, 0x5EED])
    curves = {"moons": moons, "circles": circles, "spirals": spirals}
    points, labels = curves[settings.curve](settings)
    points = points + random.normal(0.0, 1.0, points.shape) * settings.noise
    order = random.permutation(len(points))
    part = Part({"x": points[order].astype(np.float32)}, {"y": labels[order].astype(np.int64)})
    described = settings.describe()
    parts = divide({TRAIN: part}, settings)
    return Raw(described.streams, described.targets, parts, fingerprint=fingerprint(parts))


def moons(settings: Any) -> Points:
    """Two half circles that interlock, (cos t, sin t) and (1 - cos t, 1/2 - sin t), as in scikit-learn."""
    first = np.linspace(0, np.pi, _share(settings.samples, 2, 0))
    second = np.linspace(0, np.pi, _share(settings.samples, 2, 1))
    upper = np.stack([np.cos(first), np.sin(first)], 1)
    lower = np.stack([1 - np.cos(second), 0.5 - np.sin(second)], 1)
    return _joined([upper, lower])


def circles(settings: Any) -> Points:
    """A circle of radius 1 and one of radius `factor` inside it."""
    rings = []
    for index, radius in enumerate((1.0, settings.factor)):
        turn = np.linspace(0, 2 * np.pi, _share(settings.samples, 2, index), endpoint=False)
        rings.append(radius * np.stack([np.cos(turn), np.sin(turn)], 1))
    return _joined(rings)


def spirals(settings: Any) -> Points:
    """Arms of radius r = t and angle 2π·(turns·t + arm/arms), t from 0.05 to 1, so that the arms never meet."""
    arms = []
    for arm in range(settings.classes):
        along = np.linspace(0.05, 1.0, _share(settings.samples, settings.classes, arm))
        angle = 2 * np.pi * (settings.turns * along + arm / settings.classes)
        arms.append(along[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1))
    return _joined(arms)


def _share(total: int, parts: int, index: int) -> int:
    return total // parts + (index < total % parts)


def _joined(curves: list[Array]) -> Points:
    return np.concatenate(curves), np.repeat(np.arange(len(curves)), [len(curve) for curve in curves])
