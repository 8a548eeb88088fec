"""Turns raw samples into what batches are made of: statistics, finished tensors or streams, on the right device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.datafacts import BINARY, CLASS
from engine.datasets.facts import shape_after
from engine.datasets.raw import IMAGE, TRAIN, Array, Raw, Request
from engine.problem import ProblemError, Where, error
from engine.runtime.data.augment import Augmenter
from engine.runtime.data.batches import Loader
from engine.runtime.data.decoding import decoded
from engine.runtime.data.order import Balanced
from engine.runtime.data.preprocess import Preprocess, make_preprocess
from engine.runtime.data.resident import Column, Resident
from engine.runtime.data.statistics import moments
from engine.runtime.data.streaming import Streamed, num_workers
from engine.runtime.data.targets import Wanted

MAX_FINISHED_BYTES = 512 * 2**20
"""Up to here samples are finished once and kept as floats; beyond, they stay as they came, finished per batch."""
MAX_RESIDENT_BYTES = 2**30
"""Up to here samples live in memory on the device; beyond, arrays stay in ordinary memory and files are streamed."""
CHUNK = 4_096


@dataclass(frozen=True)
class Prepared:
    """What batches come from, and the preprocessing of each stream with its statistics."""

    loader: Loader
    preprocess: Mapping[str, Preprocess]


def prepare(
    raw: Raw, request: Request, *, input_names: Sequence[str], targets: Sequence[Wanted], augmenter: Augmenter,
    device: torch.device, workers: int | None = None, sampler: str = "shuffle",
) -> Prepared:  # fmt: skip
    """Chooses where the samples live and prepares them; tells progress and can be cancelled between chunks."""
    answers = [{split: item.tensor(part.targets[item.name]) for split, part in raw.parts.items()} for item in targets]
    balanced = _balanced(targets, answers) if sampler == "balanced" else None
    streamed = [
        name for name in input_names if _is_files(raw, name) and _num_bytes(raw, name, request) > MAX_RESIDENT_BYTES
    ]
    if streamed:
        files, process = _streamed(raw, streamed[0], request, device)
        stream = Streamed(
            files, answers, preprocess=process, augmenter=augmenter, device=device,
            workers=num_workers() if workers is None else workers, balanced=balanced,
        )  # fmt: skip
        return Prepared(stream, {streamed[0]: process})
    columns, found = [], {}
    # An input that is asked for twice is prepared once.
    for name in dict.fromkeys(input_names):
        column = _column(raw, name, request, augmenter, device)
        found[name] = column.preprocess
        columns.append(column)
    by_name = dict(zip(found, columns, strict=True))
    home = next(iter(columns[0].values.values())).device
    loader = Resident(
        [by_name[name] for name in input_names],
        [{split: values.to(home) for split, values in answer.items()} for answer in answers],
        augmenter=augmenter, device=device, balanced=balanced,
    )  # fmt: skip
    return Prepared(loader, found)


def _balanced(targets: Sequence[Wanted], answers: Sequence[Mapping[str, Tensor]]) -> Balanced:
    """Draws that balance the classes of the first target that has classes; ProblemError when there is none."""
    for item, answer in zip(targets, answers, strict=True):
        if item.target.kind in (CLASS, BINARY):
            values = answer[TRAIN]
            if values.dim() == 2:  # yes or no, for one or several classes
                values = values.argmax(1) if values.shape[1] > 1 else values[:, 0]
            return Balanced(values.to(torch.int64))
    raise ProblemError(
        error(Where(label="recipe.sampler", path="recipe.sampler"), "These targets are no classes to balance",
              "Targets that are classes, or recipe.sampler shuffle", "Set recipe.sampler to shuffle",
              code="recipe.sampler")
    )  # fmt: skip


def _column(raw: Raw, name: str, request: Request, augmenter: Augmenter, device: torch.device) -> Column:
    stream = raw.streams[name]
    process = make_preprocess(stream, request.preprocess)
    augmented = stream.kind == IMAGE and bool(augmenter.steps)
    shaped = {split: _shaped(part.inputs[name], process, request, split) for split, part in raw.parts.items()}
    if process.standardize != "none":
        process.keep_statistics(*_statistics(shaped[TRAIN], process, request))
    total = sum(values.numel() for values in shaped.values())
    finished = not augmented and (4 * total <= MAX_FINISHED_BYTES or not _grows(shaped[TRAIN], process))
    if finished:
        shaped = {split: _finished(values, process, request, split) for split, values in shaped.items()}
    size = sum(values.numel() * values.element_size() for values in shaped.values())
    home = device if size <= MAX_RESIDENT_BYTES else torch.device("cpu")
    process.to(device)
    return Column({split: values.to(home) for split, values in shaped.items()}, process, finished, augmented)


def _streamed(raw: Raw, name: str, request: Request, device: torch.device) -> tuple[dict[str, Any], Preprocess]:
    """The files of a stream by split, and its preprocessing with statistics (one pass over the training files)."""
    process = make_preprocess(raw.streams[name], request.preprocess)
    files = {split: part.inputs[name] for split, part in raw.parts.items()}
    if process.standardize != "none":
        blocks = decoded(files[TRAIN], process, request, "Measuring training images")
        mean, deviation = moments(map(torch.from_numpy, blocks), kind=process.kind, standardize=process.standardize)
        process.keep_statistics(mean / process.divide, deviation / process.divide)
    return files, process.to(device)


def _shaped(values: Any, process: Preprocess, request: Request, split: str) -> Tensor:
    """All samples of a split after colour and size."""
    if not isinstance(values, np.ndarray):
        blocks = list(decoded(values, process, request, f"Reading {split} images"))
        return torch.from_numpy(np.concatenate(blocks))
    tensor = _tensor(values)
    if process.kind != IMAGE or (process.color == "keep" and process.resize is None):
        return tensor
    return _in_chunks(tensor, process.shape, request, f"Resizing {split} images")


def _finished(values: Tensor, process: Preprocess, request: Request, split: str) -> Tensor:
    return _in_chunks(values, process.finish, request, f"Preparing {split} samples")


def _statistics(values: Tensor, process: Preprocess, request: Request) -> tuple[Tensor, Tensor]:
    def chunks() -> Iterator[Tensor]:
        for start in range(0, len(values), CHUNK):
            request.report(start, len(values), "Measuring training samples")
            yield values[start : start + CHUNK]

    mean, deviation = moments(chunks(), kind=process.kind, standardize=process.standardize)
    return mean / process.divide, deviation / process.divide


def _in_chunks(values: Tensor, change: Callable[[Tensor], Tensor], request: Request, words: str) -> Tensor:
    first = change(values[:1])
    if first is values or (first.dtype == values.dtype and first.data_ptr() == values.data_ptr()):
        return values
    result = torch.empty(len(values), *first.shape[1:], dtype=first.dtype)
    for start in range(0, len(values), CHUNK):
        request.report(start, len(values), words)
        result[start : start + CHUNK] = change(values[start : start + CHUNK])
    return result


def _tensor(values: Array) -> Tensor:
    # Tensors share memory with the array, which nobody writes to: a copy would only cost.
    whole = np.ascontiguousarray(values)
    return torch.from_numpy(whole if whole.flags.writeable else whole.copy())


def _grows(values: Tensor, process: Preprocess) -> bool:
    """Whether finishing takes more memory than keeping."""
    return bool(process.finish(values[:1]).element_size() > values.element_size())


def _is_files(raw: Raw, name: str) -> bool:
    return not isinstance(raw.parts[TRAIN].inputs[name], np.ndarray)


def _num_bytes(raw: Raw, name: str, request: Request) -> int:
    shape = shape_after(raw.streams[name], request.preprocess).shape
    return prod(shape) * sum(len(part) for part in raw.parts.values())
