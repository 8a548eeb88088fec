"""torchvision's classifiers: which there are, what their weights' metadata says, and how each is made.

Owns `cards` (for a list or gallery) and `make`. torchvision's own builders make the networks, so they are what it would
make; they are handed weights that were read here, safely, and so never fetch or unpickle anything themselves. Without
weights a network stands on the meta device and takes no memory.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from engine.problem import ProblemError, Where, error

NONE = "none"


@dataclass(frozen=True, slots=True)
class Entry:
    """One set of pretrained weights, as its metadata describes it."""

    name: str
    url: str
    accuracy: float
    """Share of ImageNet's validation images whose first answer is right, in percent."""
    accuracy5: float
    """The same for the first five answers."""
    size: int
    """Side of the images that it takes, in pixels."""
    resize: int
    """The shorter side before the middle is cut out."""
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    interpolation: str
    bytes: int
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One network: its parameters, the cost of one image, and its weights, the best first."""

    name: str
    parameters: int
    giga_multiply_adds: float
    smallest: int
    """Smallest side of an image that fits."""
    entries: tuple[Entry, ...]

    @property
    def best(self) -> Entry:
        """What torchvision takes by default."""
        return self.entries[0]

    def entry(self, name: str) -> Entry:
        """The weights of that name, `weights` or `default` for the best; ProblemError lists those there are."""
        if name.lower() in ("weights", "default"):
            return self.best
        for entry in self.entries:
            if entry.name.lower() == name.lower():
                return entry
        there = ", ".join(entry.name for entry in self.entries)
        raise ProblemError(
            error(Where(label=self.name), f"{self.name} has no weights {name!r}", f"One of {there}",
                  "Name one of these, or `default`", code="import.weights")
        )  # fmt: skip


@cache
def cards() -> Mapping[str, Card]:
    """Every classifier by name, in alphabetical order."""
    models = _models()
    return {name: _card(models, name) for name in models.list_models(module=models)}


def card(name: str) -> Card:
    """One classifier; ProblemError guesses what was meant."""
    found = cards().get(name)
    if found is None:
        near = get_close_matches(name, cards(), 1, 0.5)
        guess = f"; did you mean {near[0]}?" if near else ""
        raise ProblemError(
            error(Where(label=name), f"torchvision has no classifier {name!r}{guess}",
                  f"One of its {len(cards())} classifiers", "`import --list` shows them all", code="import.name")
        )  # fmt: skip
    return found


def make(name: str, entry: Entry | None = None, state: Mapping[str, Tensor] | None = None, **more: Any) -> nn.Module:
    """The network, ready for predictions. With an entry its `state` is filled in; without, it is on the meta device.

    ProblemError when the weights are those of another network.
    """
    models = _models()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if entry is None:
            with _without_memory():
                return _built(models, name, more, weights=None)
        weights = models.get_model_weights(name)[entry.name]
        with _given(type(weights), dict(state or {})):
            try:
                return _built(models, name, more, weights=weights)
            except (RuntimeError, KeyError) as fault:
                raise ProblemError(_unfit(name, entry, fault)) from fault


def _built(models: Any, name: str, more: Mapping[str, Any], weights: Any) -> nn.Module:
    try:
        found: nn.Module = models.get_model(name, weights=weights, **more)
    except (ValueError, AssertionError, TypeError) as fault:
        first = (str(fault).strip().splitlines() or [type(fault).__name__])[0].rstrip("!.")
        told = ", ".join(f"{key} {value}" for key, value in more.items())
        raise ProblemError(
            error(Where(label=name), f"It cannot be made with {told}: {first[:200]}", "A size that its code takes",
                  f"Leave --size out: {cards()[name].best.size} is what it was trained with", code="import.size")
        ) from fault  # fmt: skip
    return found


def _models() -> Any:
    try:
        return import_module("torchvision.models")
    except ImportError as fault:
        raise ProblemError(
            error("torchvision", f"torchvision cannot be loaded: {fault}", "torchvision beside torch",
                  "Install it with `pip install torchvision`", code="import.torchvision")
        ) from None  # fmt: skip


def _card(models: Any, name: str) -> Card:
    weights = models.get_model_weights(name)
    best = weights.DEFAULT
    # VGG-16 has weights without a classifier, for other purposes; they name no classes.
    entries = sorted((item for item in weights if item.meta["categories"]), key=lambda item: item is not best)
    meta = best.meta
    return Card(
        name, int(meta["num_params"]), float(meta.get("_ops", 0.0)), max(meta.get("min_size", (1, 1))),
        tuple(_entry(item) for item in entries),
    )  # fmt: skip


def _entry(item: Any) -> Entry:
    figures = item.meta["_metrics"]["ImageNet-1K"]
    shown = item.transforms()
    return Entry(
        item.name, item.url, float(figures["acc@1"]), float(figures["acc@5"]), int(shown.crop_size[0]),
        int(shown.resize_size[0]), tuple(map(float, shown.mean)), tuple(map(float, shown.std)),
        str(shown.interpolation.value), round(float(item.meta["_file_size"]) * 2**20),
        tuple(map(str, item.meta["categories"])),
    )  # fmt: skip


@contextmanager
def _without_memory() -> Iterator[None]:
    """Makes modules on the meta device; RegNet works its widths out with tensors, which must be real."""
    blocks = import_module("torchvision.models.regnet").BlockParams
    original = vars(blocks)["from_init_params"]

    def real(*args: Any, **kwargs: Any) -> Any:
        with torch.device("cpu"):
            return original.__func__(blocks, *args, **kwargs)

    blocks.from_init_params = staticmethod(real)
    try:
        with torch.device("meta"):
            yield
    finally:
        blocks.from_init_params = original


@contextmanager
def _given(kind: Any, state: dict[str, Tensor]) -> Iterator[None]:
    """Lets the weights of a builder be `state` instead of what it would fetch."""
    kind.get_state_dict = lambda self, *args, **kwargs: state
    try:
        yield
    finally:
        del kind.get_state_dict


def _unfit(name: str, entry: Entry, fault: Exception) -> Any:
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    first = lines[1] if len(lines) > 1 else (lines or [type(fault).__name__])[0]
    return error(
        Where(label=name), f"These are not the weights of {name}: {first[:200]}", f"The file of {entry.name}",
        "Choose the file that belongs to this network", code="import.unfit",
    )  # fmt: skip
