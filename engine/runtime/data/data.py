"""An opened data set: facts, batches, raw samples for display. Made by `opening.open_data`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.datafacts import NONE, VALUE, DataFacts, Target
from engine.datasets.raw import TRAIN, Array, Part, Raw
from engine.problem import ProblemError, Where, error
from engine.runtime.data.batches import Batch, Loader
from engine.runtime.data.order import batch_sizes
from engine.runtime.data.preprocess import Preprocess

EVALUATED_AT_ONCE = 256
"""Samples per batch where nothing is learned: large enough to be quick, small enough for a processor's cache."""


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


class Data:
    """Batches of one data set, prepared for one model. Close it when done: it may hold worker processes."""

    def __init__(
        self, facts: DataFacts, *, raw: Raw, loader: Loader, preprocess: Mapping[str, Preprocess],
        input_names: tuple[str, ...], target_names: tuple[str, ...], targets: Mapping[str, Target], mixes: bool,
    ) -> None:  # fmt: skip
        self.facts = facts
        self.preprocess = preprocess
        """By stream, on the batches' device."""
        self.input_names = input_names
        self.target_names = target_names
        self.targets = targets
        """What the batches hold by stream: as in the facts, but a yes or no where a loss asked for one."""
        self.mixes = mixes
        """Training batches hold mixtures of classes (MixUp, CutMix): training accuracy means nothing."""
        self._raw = raw
        self._loader = loader

    def __enter__(self) -> Data:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that hold samples: train, and val and test where there are some."""
        return tuple(self._raw.parts)

    def num_samples(self, split: str = TRAIN) -> int:
        """Samples of a split, 0 when it is absent."""
        return len(self._raw.parts[split]) if split in self._raw.parts else 0

    def steps_per_epoch(self, batch_size: int, *, merge_single: bool = False) -> int:
        """Batches of one epoch of training."""
        return len(batch_sizes(self.num_samples(), batch_size, merge_single=merge_single))

    def train_batches(
        self, epoch: int, batch_size: int, seed: int, skip: int = 0, merge_single: bool = False
    ) -> Iterator[Batch]:
        """The batches of an epoch from number `skip` on: the same for the same numbers, wherever they start."""
        sizes = batch_sizes(self.num_samples(), batch_size, merge_single=merge_single)
        return self._loader.train(sizes, epoch=epoch, seed=seed, skip=skip)

    def eval_batches(self, split: str, batch_size: int = EVALUATED_AT_ONCE) -> Iterator[Batch]:
        """All samples of a split in their own order, not augmented; ProblemError when the split is absent."""
        self._part(split)
        return self._loader.evaluate(split, batch_size)

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

    def close(self) -> None:
        """Ends worker processes."""
        self._loader.close()

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
