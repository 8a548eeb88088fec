"""Data sets that need no file of the user's: the bundled digits and points that are drawn."""

from __future__ import annotations

from typing import ClassVar

from engine.datafacts import Target
from engine.datasets import digits
from engine.datasets.base import WithoutTest
from engine.datasets.raw import TRAIN, VECTOR, Described, StreamInfo
from engine.datasets.strokes import DIGITS, Strokes
from engine.declare import dataset
from engine.param import param


@dataset("digits", title="Digits (8×8)", search=("handwritten", "scikit-learn", "embedded"))
class Digits(WithoutTest):
    """1,797 handwritten digits of 8×8 grey pixels, bundled with scikit-learn: nothing is downloaded."""

    reader: ClassVar[str] = "engine.datasets.digits"
    strokes: ClassVar[Strokes | None] = DIGITS

    form: str = param(
        default="image", choices=("image", "vector", "sequence"), was=("as",),
        help="How a digit arrives: an image 1×8×8, a vector of 64 pixels, or 8 rows of 8 as a sequence",
    )  # fmt: skip
    sums: bool = param(default=False, help="Add a second input stream, sums: 8 row sums and 8 column sums")

    def describe(self) -> Described:
        target = Target(classes=tuple(str(digit) for digit in range(10)))
        return Described(digits.streams_of(self), {"y": target}, {TRAIN: digits.NUM_SAMPLES})


class Drawn(WithoutTest):
    """Points in the plane, drawn with the split's seed."""

    reader: ClassVar[str] = "engine.datasets.synthetic"
    curve: ClassVar[str]

    samples: int = param(default=1_000, min=10, max=1_000_000, help="How many points are drawn, shared by the classes")
    noise: float = param(default=0.1, min=0.0, max=10.0, help="Deviation of the noise added to every point")

    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order in which they are drawn."""
        raise NotImplementedError

    def describe(self) -> Described:
        stream = StreamInfo(VECTOR, (2,), names=("x1", "x2"))
        return Described({"x": stream}, {"y": Target(classes=self.class_names())}, {TRAIN: self.samples})


@dataset("moons", title="Two moons", search=("synthetic", "2d"))
class Moons(Drawn):
    """Two half circles that interlock: the smallest problem no straight line solves."""

    curve: ClassVar[str] = "moons"

    def class_names(self) -> tuple[str, ...]:
        return ("upper", "lower")


@dataset("circles", title="Two circles", search=("synthetic", "2d", "rings"))
class Circles(Drawn):
    """A circle inside another."""

    curve: ClassVar[str] = "circles"

    factor: float = param(default=0.5, min=0.01, max=0.99, help="Radius of the inner circle; the outer one has 1")

    def class_names(self) -> tuple[str, ...]:
        return ("outer", "inner")


@dataset("spirals", title="Spirals", search=("synthetic", "2d"))
class Spirals(Drawn):
    """Arms that wind around each other: easy to see, hard for small networks."""

    curve: ClassVar[str] = "spirals"

    noise: float = param(default=0.02, min=0.0, max=10.0, help="Deviation of the noise added to every point")
    classes: int = param(default=2, min=2, max=100, help="How many arms")
    turns: float = param(default=1.5, min=0.1, max=10.0, help="How often an arm winds around the middle")

    def class_names(self) -> tuple[str, ...]:
        return tuple(f"arm {number}" for number in range(1, self.classes + 1))
