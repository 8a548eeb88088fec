"""Opens a declared data set: fetch when asked, read, check the streams, prepare, choose where samples live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch

from engine.datafacts import DataFacts
from engine.datasets.download import DownloadPlan
from engine.datasets.facts import facts_of, settings_of
from engine.datasets.raw import Cancel, Progress, Raw, Request
from engine.datasets.readout import Readout
from engine.problem import ProblemError, Where, error
from engine.recipe import Recipe
from engine.runtime.data.augment import Augmenter
from engine.runtime.data.data import Data
from engine.runtime.data.prepare import prepare
from engine.runtime.data.targets import wanted_targets

if TYPE_CHECKING:
    from engine.places import Places


def open_data(
    recipe: Recipe, places: Places, *, inputs: Sequence[str] | None = None,
    targets: Sequence[str] | Mapping[str, str] | None = None, device: str | torch.device = "cpu",
    progress: Progress | None = None, cancel: Cancel | None = None, download: bool = False,
    workers: int | None = None,
) -> Data:  # fmt: skip
    """The data of a recipe, divided and prepared, with its batches on `device`.

    `inputs` and `targets` name the streams that batches hold, in order ("" is the first stream; None: all).
    `targets` may map a stream to the form its loss wants: class, binary or value. With `download` missing files are
    fetched first. `workers` processes read streamed files (None: by the number of cores, 0: in this thread);
    batches do not depend on it. ProblemError for everything a person can mend, Cancelled when `cancel` is set.
    """
    if download:
        fetch(recipe, places, progress=progress, cancel=cancel)
    request, raw, facts = _read(recipe, places, progress, cancel)
    input_names = _streams(raw.streams, inputs, "input")
    found = wanted_targets(raw, _streams(raw.targets, targets, "target"), targets)
    augmenter = Augmenter.of(recipe, {name: facts.inputs[name] for name in input_names}, raw, found)
    prepared = prepare(
        raw, request, input_names=input_names, targets=found, augmenter=augmenter,
        device=torch.device(device), workers=workers, sampler=str(recipe.get("sampler")),
    )  # fmt: skip
    return Data(
        facts, raw=raw, loader=prepared.loader, preprocess=prepared.preprocess, input_names=input_names,
        target_names=tuple(item.name for item in found), targets={item.name: item.target for item in found},
        mixes=augmenter.mixes,
    )  # fmt: skip


def read_facts(
    recipe: Recipe, places: Places, *, progress: Progress | None = None, cancel: Cancel | None = None
) -> DataFacts:
    """Facts of a recipe's data from reading it (fingerprint included), without preparing any tensor."""
    return _read(recipe, places, progress, cancel)[2]


def read_data(
    recipe: Recipe, places: Places, *, progress: Progress | None = None, cancel: Cancel | None = None
) -> Readout:
    """A recipe's samples as they are in the data, to look at, without preparing any tensor."""
    _, raw, facts = _read(recipe, places, progress, cancel)
    return Readout(facts, raw)


def needs_download(recipe: Recipe, places: Places) -> DownloadPlan | None:
    """What `fetch` would bring and from where, so that a person can be asked first; None when nothing is missing."""
    settings = settings_of(recipe, "data")
    plan = getattr(import_module(settings.reader), "plan", None)
    found: DownloadPlan | None = plan(settings, places) if plan else None
    return found


def fetch(recipe: Recipe, places: Places, *, progress: Progress | None = None, cancel: Cancel | None = None) -> None:
    """Fetches what is missing, checked against its checksums; nothing partial stays behind.

    ProblemError when the network or the checksum fails, Cancelled when `cancel` is set.
    """
    plan = needs_download(recipe, places)
    if plan is not None:
        plan.fetch(progress, cancel)


def _read(
    recipe: Recipe, places: Places, progress: Progress | None, cancel: Cancel | None
) -> tuple[Request, Raw, DataFacts]:
    settings = settings_of(recipe, "data")
    request = Request(places, settings_of(recipe, "preprocess"), progress, cancel)
    raw: Raw = import_module(settings.reader).read(settings, request)
    return request, raw, facts_of(raw, request.preprocess)


def _streams(known: Mapping[str, Any], wanted: Iterable[str] | None, role: str) -> tuple[str, ...]:
    names = tuple(known) if wanted is None else tuple(wanted)
    first = next(iter(known), "")
    names = tuple(name or first for name in names)
    for name in names:
        if name not in known:
            raise ProblemError(
                error(
                    Where(label="data", path="recipe.data"),
                    f"The data has no {role} stream {name!r}; it has {', '.join(known) or 'none'}.",
                    f"A stream that the data gives, for every {role.capitalize()} of the network",
                    f"Choose another stream in the {role.capitalize()}, or other data",
                    code="data-no-stream",
                )
            )
    return names
