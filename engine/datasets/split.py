"""Which samples train, validate and test: seeded, explicit, the same on every machine. Never touches the samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.datasets.raw import SPLITS, TEST, TRAIN, VAL, Array, Part
from engine.problem import Fix, ProblemError, Where, error


def num_kept(wanted: float, total: int) -> int:
    """Number of samples that a setting stands for: below 1 a part of `total` (rounded), from 1 on a count."""
    return round(wanted * total) if wanted < 1 else int(wanted)


def split_sizes(sizes: Mapping[str, int], settings: Any) -> dict[str, int]:
    """Samples per split, empty ones left out, for pools of these sizes. ProblemError when none is left to train on."""
    total = _limited(sizes[TRAIN], settings)
    kept = {
        name: num_kept(getattr(settings, setting, 0.0), total)
        for name, setting in ((TEST, "test"), (VAL, "validation"))
        if name not in sizes
    }
    left = total - sum(kept.values())
    if left < 1:
        raise ProblemError(_none_left(total, kept))
    found = {TRAIN: left, **kept, **{name: _limited(sizes[name], settings) for name in sizes if name != TRAIN}}
    return {name: found[name] for name in SPLITS if found.get(name)}


def split_indices(sizes: Mapping[str, int], settings: Any) -> dict[str, tuple[str, Array]]:
    """Per split the pool it comes from and the places in it, ascending.

    `random` draws the test samples first, then validation, from one permutation by numpy's PCG64 with the split's seed;
    `last` and `first` take them from that end in file order, the test samples outermost.
    """
    wanted = split_sizes(sizes, settings)
    order = _pool_order(sizes[TRAIN], settings)
    found: dict[str, tuple[str, Array]] = {}
    for name in (TEST, VAL):
        if name in sizes:
            found[name] = (name, np.sort(_limited_order(sizes[name], settings)))
        elif name in wanted:
            found[name] = (TRAIN, np.sort(order[: wanted[name]]))
            order = order[wanted[name] :]
    found[TRAIN] = (TRAIN, np.sort(order))
    return {name: found[name] for name in SPLITS if name in found and len(found[name][1])}


def divide(pools: Mapping[str, Part], settings: Any) -> dict[str, Part]:
    """The parts by split; views of the pools where possible."""
    chosen = split_indices({name: len(pool) for name, pool in pools.items()}, settings)
    for labels in pools[TRAIN].targets.values():
        refuse_lost_classes(labels, chosen[TRAIN][1], settings)
    return {name: pools[pool].take(indices) for name, (pool, indices) in chosen.items()}


def refuse_lost_classes(labels: Array, train: Array, settings: Any) -> None:
    """ProblemError when a split in file order leaves whole classes (int64 labels) without a training sample.

    That is what becomes of a set sorted by class. A random split may lose a class of one or two samples by chance.
    """
    if settings.split == "random" or labels.dtype != np.int64 or labels.ndim != 1:
        return
    lost = np.setdiff1d(labels, labels[train])
    if len(lost):
        raise ProblemError(
            error(
                Where(label="data", path="recipe.data.split"),
                f"Keeping the {settings.split} samples apart leaves {len(lost)} of {len(np.unique(labels))} classes "
                "without a training sample: the set is sorted by class.",
                "Samples of every class to train on", "Set recipe.data.split to random", code="data-lost-classes",
                fixes=(Fix("Split at random", apply=_at_random),),
            )
        )  # fmt: skip


def _at_random(project: Any) -> Any:
    recipe = project.recipe
    return project.with_recipe(recipe.with_value("data", {**recipe.get("data"), "split": "random"}))


def _limited(size: int, settings: Any) -> int:
    return min(size, settings.limit) if settings.limit else size


def _limited_order(size: int, settings: Any) -> Array:
    """All places, or a sorted draw of `limit` of them: class-sorted sets must not lose classes."""
    if _limited(size, settings) == size:
        return np.arange(size)
    return np.sort(np.random.default_rng(settings.split_seed).permutation(size)[: settings.limit])


def _pool_order(size: int, settings: Any) -> Array:
    places = _limited_order(size, settings)
    if settings.split == "random":
        return places[np.random.default_rng(settings.split_seed).permutation(len(places))]
    return places if settings.split == "first" else places[::-1]


def _none_left(total: int, kept: Mapping[str, int]) -> Any:
    words = " and ".join(f"{count:,} for {name}" for name, count in kept.items() if count)
    return error(
        Where(label="data", path="recipe.data.validation"),
        f"Of {total:,} samples {words or 'nothing'} are kept apart, which leaves none to train on.",
        "At least one training sample",
        "Lower recipe.data.validation" + (" or recipe.data.test" if TEST in kept else ""),
        code="data-no-training-samples",
    )
