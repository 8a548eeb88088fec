"""An opened data set: facts, batches, raw samples for display. Made by `opening.open_data`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.datafacts import DataFacts, Target
from engine.datasets.raw import Raw
from engine.datasets.readout import Readout
from engine.runtime.data.batches import Batch, Loader
from engine.runtime.data.order import batch_sizes
from engine.runtime.data.preprocess import Preprocess

EVALUATED_AT_ONCE = 256
"""Samples per batch where nothing is learned: large enough to be quick, small enough for a processor's cache."""


class Data(Readout):
    """Batches of one data set, prepared for one model. Close it when done: it may hold worker processes."""

    def __init__(
        self, facts: DataFacts, *, raw: Raw, loader: Loader, preprocess: Mapping[str, Preprocess],
        input_names: tuple[str, ...], target_names: tuple[str, ...], targets: Mapping[str, Target], mixes: bool,
    ) -> None:  # fmt: skip
        super().__init__(facts, raw)
        self.preprocess = preprocess
        """By stream, on the batches' device."""
        self.input_names = input_names
        self.target_names = target_names
        self.targets = targets
        """What the batches hold by stream: as in the facts, but a yes or no where a loss asked for one."""
        self.mixes = mixes
        """Training batches hold mixtures of classes (MixUp, CutMix): training accuracy means nothing."""
        self._loader = loader

    def __enter__(self) -> Data:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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

    def spread(self, split: str, most: int) -> Batch | None:
        """At most so many samples, evenly from the whole split (whose order may be that of its classes), as one batch;
        None for an empty split.
        """
        total = self.facts.counts.get(split, 0)
        size = min(most, total)
        return self._loader.some(split, [place * total // size for place in range(size)]) if size else None

    def close(self) -> None:
        """Ends worker processes."""
        self._loader.close()
