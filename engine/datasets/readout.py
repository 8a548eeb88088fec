"""A data set that has been read, as something to look at: samples, answers and classes of each split. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.datafacts import NONE, VALUE, DataFacts
from engine.datasets.raw import TRAIN, Array, Part, Raw, StreamInfo
from engine.problem import ProblemError, Where, error


@dataclass(frozen=True)
class Samples:
    """Some samples as they are in the data, for display."""

    inputs: Mapping[str, Sequence[Array]]
    """By stream; images are (channels, height, width) and may differ in size."""
    labels: tuple[str, ...]
    """Per sample the class or the value in words; empty words where there is no target."""
    columns: Mapping[str, tuple[str, ...]]
    """Names of the features by stream, where they have names."""
    tops: Mapping[str, float]
    """The largest value of the raw scale by stream; 0 where there is none."""


class Readout:
    """Samples before preprocessing, by split. Reading them never changes what a training sees."""

    def __init__(self, facts: DataFacts, raw: Raw) -> None:
        self.facts = facts
        self._raw = raw

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that hold samples: train, and val and test where there are some."""
        return tuple(self._raw.parts)

    @property
    def streams(self) -> Mapping[str, StreamInfo]:
        """The input streams before preprocessing, by name."""
        return self._raw.streams

    @property
    def num_bytes(self) -> int:
        """Memory that the samples take; those that stay in files take none."""
        values = [item for part in self._raw.parts.values() for item in part.inputs.values()]
        return sum(item.nbytes for item in values if isinstance(item, np.ndarray))

    def num_samples(self, split: str = TRAIN) -> int:
        """Samples of a split, 0 when it is absent."""
        return len(self._raw.parts[split]) if split in self._raw.parts else 0

    def labels(self, split: str, target: str = "") -> Array:
        """Answers as they are in the data: class numbers (N,), or values (N, size) in their own unit."""
        name = target or next(iter(self.facts.targets), "")
        found = self.facts.targets.get(name)
        if found is None or found.kind == NONE:
            return np.zeros(0, np.int64)
        return self._part(split).targets[name]

    def class_counts(self, split: str, target: str = "") -> dict[str, int]:
        """Samples per class name, in the order of the classes; empty for values."""
        name = target or next(iter(self.facts.targets), "")
        classes = self.facts.targets[name].classes if name in self.facts.targets else ()
        if not classes:
            return {}
        counts = np.bincount(self.labels(split, name), minlength=len(classes))
        return {word: int(count) for word, count in zip(classes, counts, strict=True)}

    def samples(self, split: str, indices: Sequence[int] | Array) -> Samples:
        """The samples at these places of a split as they are in the data, before preprocessing."""
        part = self._part(split)
        inputs: dict[str, list[Array]] = {}
        for name, values in part.inputs.items():
            load = values.__getitem__ if isinstance(values, np.ndarray) else values.load
            inputs[name] = [load(int(index)) for index in indices]
        return Samples(
            inputs,
            tuple(self._answer(part.targets, int(index)) for index in indices),
            {name: stream.names for name, stream in self._raw.streams.items()},
            {name: stream.top for name, stream in self._raw.streams.items()},
        )

    def _part(self, split: str) -> Part:
        part = self._raw.parts.get(split)
        if part is None:
            raise ProblemError(
                error(
                    Where(label="data", path="recipe.data"),
                    f"The data has no {split} samples; it has {', '.join(self.splits)}.",
                    f"Samples kept apart for {split}",
                    f"Set recipe.data.{'test' if split == 'test' else 'validation'}, or ask for another split",
                    code="data-no-split",
                )
            )
        return part

    def _answer(self, targets: Mapping[str, Array], index: int) -> str:
        for name, target in self.facts.targets.items():
            if name not in targets:
                continue
            if target.kind == VALUE:
                return ", ".join(f"{value:.6g}" for value in np.atleast_1d(targets[name][index]))
            if target.classes:
                return target.classes[int(targets[name][index])]
        return ""
