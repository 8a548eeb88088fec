"""What a run is asked about one sample, and what it replies: plain values that window and engine share. No torch."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.answer import Answer
from engine.datasets.raw import Array
from engine.problem import Problem

SEEN, LAYER, SALIENCY = "seen", "layer", "saliency"
"""What is looked at beside the answer: only that is computed."""
GRADIENTS, CAM = "integrated_gradients", "grad_cam"
"""Ways to a map of what mattered."""


@dataclass(frozen=True)
class FromFile:
    """A sample of a file; `row` counts from 0 in a file of several."""

    path: Path
    row: int = 0
    drawn: bool = False
    """The picture is to be taken as a drawing of a character."""


@dataclass(frozen=True)
class FromPixels:
    """A picture without a file: (height, width, 1, 3 or 4) uint8, from the clipboard or the drawing pad."""

    pixels: Array
    label: str
    drawn: bool = False


@dataclass(frozen=True)
class FromData:
    """A sample of a split of the run's own data, by its place in it."""

    split: str
    place: int


@dataclass(frozen=True)
class FromCells:
    """One row of a table as text, by the name of its column."""

    cells: Mapping[str, str]


Source = FromFile | FromPixels | FromData | FromCells


class Desk:
    """Keeps what one questioner has open (a run's model, its data), so that the next question is answered at once.

    Whoever answers holds `lock`; `held` belongs to the runtime.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held: dict[str, Any] = {}


@dataclass(frozen=True)
class Question:
    """One sample put to one checkpoint ("": the run's result) of a run."""

    run: Path
    source: Source
    checkpoint: str = ""
    passes: int = 0
    """Of MC dropout; 0 for a plain answer."""
    look: str = SEEN
    layer: str = ""
    """Instance path of the layer to look into, or that Grad-CAM takes; "" for the first, or the last that fits."""
    method: str = GRADIENTS
    output: str = ""
    """Name of the output that saliency explains; "" for the first."""
    answer: str = ""
    """Class or value that saliency explains; "" for the one that was answered."""

    @property
    def drawn(self) -> bool:
        """Whether pictures are to be taken as drawings of a character."""
        return isinstance(self.source, (FromFile, FromPixels)) and self.source.drawn


@dataclass(frozen=True)
class Seen:
    """One input stream as the network got it: one sample, after preprocessing."""

    kind: str
    values: Array
    names: tuple[str, ...] = ()
    """Of the features of a vector."""

    @property
    def span(self) -> tuple[float, float]:
        """The least and the greatest number."""
        return float(self.values.min()), float(self.values.max())


@dataclass(frozen=True)
class LayerInfo:
    """A layer that can be looked into: its instance path, its node, and the shape of its result without the batch."""

    path: str
    node: tuple[str, str]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Saliency:
    """How much each number of the input mattered for one answer.

    Integrated gradients: signed, in the units of the raw output, per stream in the shape of the input. Grad-CAM: not
    negative, one map (height, width) of the image.
    """

    method: str
    answer: str
    maps: Mapping[str, Array]
    layer: str = ""
    """Where Grad-CAM looked."""
    baseline: str = ""
    """What integrated gradients started from, in words."""
    rise: float = 0.0
    """Output at the input less output at the baseline: what the map has to add up to."""
    gap: float = 0.0
    """By how much the sum of the map misses it."""


@dataclass(frozen=True)
class Weights:
    """Whose answer it is: which checkpoint, how far it was trained, and whether that run is still under way."""

    checkpoint: str
    epoch: int
    step: int
    running: bool


@dataclass(frozen=True)
class Reply:
    """The answer to a question, and what was asked for beside it."""

    label: str
    num_samples: int
    """Samples in the file that was asked about."""
    answers: Mapping[str, Answer]
    weights: Weights
    seen: Mapping[str, Seen]
    said: tuple[str, ...] = ()
    """What was done to the sample before the network saw it."""
    remarks: tuple[Problem, ...] = ()
    truth: Mapping[str, str] = field(default_factory=dict)
    """The true class or value by output, where it is known."""
    cells: Mapping[str, str] = field(default_factory=dict)
    """The sample as a row of its table."""
    picture: Array | None = None
    """The image before preprocessing, (height, width, 3) uint8."""
    layers: tuple[LayerInfo, ...] = ()
    layer: LayerInfo | None = None
    """The one that `activations`, its result for this sample, belongs to."""
    activations: Array | None = None
    saliency: Saliency | None = None
    trouble: Problem | None = None
    """Why there is no saliency map, where one was asked for."""

    def is_right(self, output: str) -> bool | None:
        """Whether the best class is the true one; None where that is unknown, and for values."""
        answer, truth = self.answers[output], self.truth.get(output, "")
        return answer.scores[0][0] == truth if truth and answer.scores else None
