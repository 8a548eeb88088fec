"""Small landscapes of two numbers on which optimizers are watched. Knows no torch: the functions take plain numbers,
numpy arrays and tensors alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Surface:
    """A function f(x, y) to be minimised, the part of the plane that is shown, and where descents start."""

    name: str
    title: str
    help: str
    function: Callable[[Any, Any], Any]
    x: tuple[float, float]
    y: tuple[float, float]
    start: tuple[float, float]
    goal: tuple[float, float]
    """Where the least value is."""
    rates: Mapping[str, float]
    """Learning rates by optimizer that show what is to be seen; others take the optimizer's own."""


SURFACES: tuple[Surface, ...] = (
    Surface(
        "valley", "Long valley", "Steep across, nearly flat along, as the loss of a network without normalisation "
        "often is. Plain descent creeps along the floor; momentum rolls down it ever faster.",
        lambda x, y: x * x / 40 + y * y, (-10.0, 4.0), (-3.5, 3.5), (-9.0, 2.4), (0.0, 0.0),
        {"sgd": 0.1, "adagrad": 0.8, "rmsprop": 0.1, "adam": 0.3},
    ),
    Surface(
        "two", "Two valleys", "The nearer minimum is not the lowest. What has gathered speed rolls past it.",
        lambda x, y: (x * x * x * x - 16 * x * x + 5 * x) / 40 + y * y / 2, (-5.0, 5.5), (-3.0, 3.0), (5.0, 2.0),
        (-2.903534, 0.0), {"sgd": 0.03, "adagrad": 0.5, "rmsprop": 0.05, "adam": 0.15},
    ),
    Surface(
        "bend", "Bent valley", "Rosenbrock's function: a narrow floor that bends, so that the way of the steepest "
        "descent almost never points along it.",
        lambda x, y: (1 - x) * (1 - x) + 20 * (y - x * x) * (y - x * x), (-2.0, 2.0), (-1.0, 3.0), (-1.6, 2.6),
        (1.0, 1.0), {"sgd": 0.004, "adagrad": 0.3, "rmsprop": 0.02, "adam": 0.08},
    ),
    Surface(
        "saddle", "Saddle", "Flat in the middle: along one way it is a minimum, along the other a maximum. Small "
        "gradients make plain descent wait.",
        lambda x, y: x * x / 2 - y * y / 2 + y * y * y * y / 16, (-3.0, 3.0), (-3.2, 3.2), (-2.6, 0.02), (0.0, 2.0),
        {"sgd": 0.05, "adagrad": 0.3, "rmsprop": 0.03, "adam": 0.08},
    ),
)  # fmt: skip


def surface(name: str) -> Surface:
    """The surface of that name; KeyError when there is none."""
    return {item.name: item for item in SURFACES}[name]
