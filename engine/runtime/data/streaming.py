"""Samples that are read from files while training runs, by worker processes that are started once and kept.

Workers come from a fork server, never from forking this process: a forked copy of a process with a window, threads or
a GPU may hang. What a worker does depends on (seed, epoch, index) only, so batches are the same for any number of
workers, none included.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.datasets.images import reason_of, unreadable
from engine.datasets.raw import TRAIN, Files
from engine.problem import ProblemError
from engine.runtime.data.augment import Augmenter, compiled, on_unit_scale, own_generator
from engine.runtime.data.batches import Batch
from engine.runtime.data.decoding import shaped_image
from engine.runtime.data.order import Balanced, epoch_order, generator_of, seed_of
from engine.runtime.data.preprocess import Preprocess

PRELOADED = ["torch", "engine.runtime.data.streaming"]


class Key(NamedTuple):
    """What a worker is asked for: a place in a split, and the seed of its changes (-1: unchanged)."""

    split: str
    place: int
    seed: int


class Unreadable(NamedTuple):
    """A file that could not be read, in place of its sample: exceptions lose their parts between processes."""

    file: str
    reason: str


class FileSamples(Dataset[Tensor | Unreadable]):
    """Loads, resizes and augments one sample; lives in the workers."""

    def __init__(self, files: Mapping[str, Files], config: Mapping[str, Any], texts: Sequence[str], top: float) -> None:
        self._files = files
        self._config = config
        self._texts = tuple(texts)
        self._top = top
        self._ready: tuple[Preprocess, list[Any]] | None = None

    def __getitem__(self, key: Key) -> Tensor | Unreadable:
        process, transforms = self._made()
        try:
            image = torch.from_numpy(shaped_image(self._files[key.split], key.place, process))
        except ProblemError as fault:
            return Unreadable(fault.problem.where.file, reason_of(fault))
        if key.seed >= 0 and transforms:
            with own_generator() as generator:
                generator.manual_seed(key.seed)
                for transform in transforms:
                    image = on_unit_scale(transform, image, self._top)
        return image

    def _made(self) -> tuple[Preprocess, list[Any]]:
        if self._ready is None:
            self._ready = (Preprocess.from_config(self._config), [compiled(text) for text in self._texts])
        return self._ready

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_ready": None}


class Plan:
    """The batches that a loader goes through next; changed between epochs, while the workers stay."""

    def __init__(self) -> None:
        self.batches: list[list[Key]] = []

    def __iter__(self) -> Iterator[list[Key]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


def collate(samples: list[Tensor | Unreadable]) -> Tensor | Unreadable:
    """One tensor (N, C, H, W), or the first sample that could not be read."""
    tensors = []
    for sample in samples:
        if isinstance(sample, Unreadable):
            return sample
        tensors.append(sample)
    return torch.stack(tensors)


class Streamed:
    """A loader over files; see `batches.Loader`."""

    def __init__(
        self, files: Mapping[str, Files], targets: Sequence[Mapping[str, Tensor]], *, preprocess: Preprocess,
        augmenter: Augmenter, device: torch.device, workers: int, balanced: Balanced | None = None,
    ) -> None:  # fmt: skip
        self._balanced = balanced
        self._sizes = {split: len(found) for split, found in files.items()}
        self._targets = targets
        self._preprocess = preprocess
        self._augmenter = augmenter
        self._device = device
        self._samples = FileSamples(files, preprocess.config(), augmenter.texts(), augmenter.top)
        self._workers = workers
        self._loaders: dict[str, tuple[DataLoader[Any], Plan]] = {}

    def train(self, sizes: list[int], *, epoch: int, seed: int, skip: int) -> Iterator[Batch]:
        """Batches of these sizes in the order of the epoch; see `batches.Loader`."""
        total = self._sizes[TRAIN]
        if self._balanced is None:
            changes = order = epoch_order(total, seed=seed, epoch=epoch).tolist()
        else:  # a sample that is drawn twice is changed twice, each time by the numbers of its place in the epoch
            order, changes = self._balanced.order(total, seed=seed, epoch=epoch).tolist(), list(range(total))
        borders = [0, *accumulate(sizes)]
        keys = [
            [Key(TRAIN, order[at], seed_of("sample", seed, epoch, changes[at])) for at in range(start, end)]
            for start, end in zip(borders[skip:-1], borders[skip + 1 :], strict=True)
        ]
        for offset, batch in enumerate(self._batches("train", keys)):
            mixing = self._augmenter.mixes
            yield self._augmenter.mix(batch, seed=seed, epoch=epoch, step=skip + offset) if mixing else batch

    def evaluate(self, split: str, batch_size: int) -> Iterator[Batch]:
        """All samples of a split in their own order; see `batches.Loader`."""
        total = self._sizes[split]
        return self._batches(
            "evaluate",
            [
                [Key(split, place, -1) for place in range(start, min(start + batch_size, total))]
                for start in range(0, total, batch_size)
            ],
        )

    def some(self, split: str, places: Sequence[int]) -> Batch:
        """These samples of a split; see `batches.Loader`."""
        return next(self._batches("evaluate", [[Key(split, place, -1) for place in places]]))

    def close(self) -> None:
        """Ends the workers now; a sweep that is still open cannot go on."""
        for loader, _ in self._loaders.values():
            # Left to the garbage collector, a worker may wait five seconds for its farewell.
            end = getattr(getattr(loader, "_iterator", None), "_shutdown_workers", None)
            if end is not None:
                end()
        self._loaders.clear()

    def _batches(self, purpose: str, keys: list[list[Key]]) -> Iterator[Batch]:
        loader, plan = self._loader(purpose)
        plan.batches = keys
        for chosen, images in zip(keys, loader, strict=True):
            if isinstance(images, Unreadable):
                raise ProblemError(unreadable([(images.file, images.reason)], self._sizes[chosen[0].split]))
            index = torch.tensor([key.place for key in chosen])
            split = chosen[0].split
            yield Batch(
                (self._preprocess.finish(images.to(self._device, non_blocking=True)),),
                tuple(target[split].index_select(0, index).to(self._device) for target in self._targets),
                len(chosen),
            )

    def _loader(self, purpose: str) -> tuple[DataLoader[Any], Plan]:
        """Training and evaluation have one each: a loader can only be in the middle of one sweep."""
        if purpose not in self._loaders:
            plan = Plan()
            more: dict[str, Any] = {}
            if self._workers:
                more = {"multiprocessing_context": _context(), "persistent_workers": True, "prefetch_factor": 4}
            loader: DataLoader[Any] = DataLoader(
                self._samples, batch_sampler=plan, num_workers=self._workers, collate_fn=collate,
                pin_memory=self._device.type == "cuda",
                # Without one of its own the loader draws from the run's generator at every sweep.
                generator=generator_of("loader"), **more,
            )  # fmt: skip
            self._loaders[purpose] = (loader, plan)
        return self._loaders[purpose]


def num_workers() -> int:
    """Worker processes for this machine: all cores but one, at most eight."""
    return max(1, min(8, (os.cpu_count() or 1) - 1))


def _context() -> Any:
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if hasattr(context, "set_forkserver_preload"):
        context.set_forkserver_preload(PRELOADED)
    return context
