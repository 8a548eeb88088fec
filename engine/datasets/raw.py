"""Samples as they are in the data: streams, targets and parts as numpy arrays, before any preprocessing.

Owns the values that readers give and what they are asked with. Never reads a file itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.datafacts import Target

if TYPE_CHECKING:
    from engine.places import Places

IMAGE, VECTOR, SEQUENCE, TOKENS = "image", "vector", "sequence", "tokens"
TRAIN, VAL, TEST = "train", "val", "test"
SPLITS = (TRAIN, VAL, TEST)

Array = NDArray[Any]
Progress = Callable[[int, "int | None", str], None]
"""Called with how much is done, of how much (None: unknown), and what is being done."""


class Cancelled(Exception):
    """The caller's cancel flag was set while data was fetched or read. Nothing partial is left behind."""


class Cancel(Protocol):
    """Anything that can be asked whether to stop, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """True when the work is no longer wanted."""
        ...


class Files(Protocol):
    """Samples that stay in files until they are needed; behaves like an array along its first axis."""

    def __len__(self) -> int: ...

    def __getitem__(self, indices: Any) -> Files: ...

    def load(self, index: int) -> Array:
        """One sample, (channels, height, width) uint8; ProblemError when its file cannot be read."""
        ...

    def listing(self) -> bytes:
        """What identifies the samples without reading them (names and sizes), for the fingerprint."""
        ...


@dataclass(frozen=True)
class StreamInfo:
    """One input stream before preprocessing."""

    kind: str
    """image (C×H×W), vector (features), sequence (steps×features) or tokens (steps, whole numbers)."""
    shape: tuple[int, ...]
    top: float = 0.0
    """The largest value of the raw scale, which `scale: unit` divides by; 0 means there is nothing to scale."""
    names: tuple[str, ...] = ()
    """Names of the features of a vector, such as table columns."""


@dataclass(frozen=True)
class Part:
    """The samples of one pool or split: arrays (or files) of equal length by stream."""

    inputs: Mapping[str, Any]
    targets: Mapping[str, Array]

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def take(self, indices: Array) -> Part:
        """The samples at `indices`, in that order; a view where the indices are a range."""
        key: Any = indices
        if len(indices) and np.array_equal(indices, np.arange(indices[0], indices[0] + len(indices))):
            key = slice(int(indices[0]), int(indices[0]) + len(indices))
        return Part(
            {name: values[key] for name, values in self.inputs.items()},
            {name: values[key] for name, values in self.targets.items()},
        )


@dataclass(frozen=True)
class Described:
    """What a data set says about itself without being read: streams, targets, samples per pool."""

    streams: Mapping[str, StreamInfo]
    targets: Mapping[str, Target]
    sizes: Mapping[str, int]
    """Samples that the set itself keeps apart: `train`, and `val` or `test` where it has its own."""


@dataclass(frozen=True)
class Raw:
    """A data set that has been read and divided. `parts` always holds `train`."""

    streams: Mapping[str, StreamInfo]
    targets: Mapping[str, Target]
    parts: Mapping[str, Part]
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Plain data that belongs to the set, such as how a table's columns became numbers."""
    fingerprint: str = ""


@dataclass(frozen=True)
class Request:
    """What a reader is asked with: where to look, how it will be prepared, whom to tell, when to stop."""

    places: Places
    preprocess: Any
    """The made `preprocess` record; image folders must know the size that images will get."""
    progress: Progress | None = None
    cancel: Cancel | None = None

    def report(self, done: int, total: int | None, words: str) -> None:
        """Tells how far the work is; raises Cancelled when it is no longer wanted."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled(words)
        if self.progress is not None:
            self.progress(done, total, words)
