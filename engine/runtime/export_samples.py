"""A few samples to try an export on: real ones where the data is at hand, else drawn numbers of the right form.

Owns their choice and their form. Draws from a generator of its own, so a training beside it notices nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.datasets.encoding import Column, decode_rows, encode_rows
from engine.datasets.facts import raw_streams
from engine.datasets.raw import IMAGE, TOKENS, StreamInfo
from engine.places import Places
from engine.problem import ProblemError
from engine.project import Project
from engine.runtime.data import Preprocess, read_data
from engine.standalone_table import table_columns
from engine.tensor import TensorInfo

COUNT = 16
"""Samples that an export is tried on."""


@dataclass(frozen=True)
class Trial:
    """Samples in batches. Images that differ in size come one by one."""

    raw: tuple[tuple[Tensor, ...], ...]
    """Per batch one tensor per input, as `predict` takes them; empty where raw samples are not known."""
    prepared: tuple[tuple[Tensor, ...], ...]
    """The same as the model takes them."""
    are_real: bool
    rows: tuple[list[dict[str, str]], ...] = ()
    """Per batch the rows of the table that its raw samples are; empty where the data is no table."""

    @property
    def count(self) -> int:
        """Number of samples."""
        return sum(len(batch[0]) for batch in self.prepared)


def real_trial(
    project: Project, streams: Sequence[str], preprocess: Mapping[str, Preprocess], places: Places
) -> Trial | None:
    """The first samples of validation (else training) data; None when the data is not at hand."""
    try:
        found = read_data(project.recipe, places)
    except ProblemError:
        return None
    split = "val" if "val" in found.splits else "train"
    samples = found.samples(split, range(min(COUNT, found.num_samples(split)))).inputs
    rows = [[torch.from_numpy(np.ascontiguousarray(value)) for value in samples[name]] for name in streams]
    if all(len({tuple(item.shape) for item in column}) == 1 for column in rows):
        raw: tuple[tuple[Tensor, ...], ...] = (tuple(torch.stack(column) for column in rows),)
    else:
        raw = tuple(tuple(item[None] for item in row) for row in zip(*rows, strict=True))
    return _prepared(raw, streams, preprocess, are_real=True, columns=table_columns(found.facts))


def drawn_trial(project: Project, streams: Sequence[str], preprocess: Mapping[str, Preprocess]) -> Trial:
    """Drawn raw samples where their form is known, else drawn inputs of the model."""
    known = raw_streams(project.data) if project.data else {}
    generator = torch.Generator().manual_seed(0)
    if all(name in known and name in preprocess for name in streams):
        raw = (tuple(_raw(known[name], generator) for name in streams),)
        return _prepared(raw, streams, preprocess, are_real=False, columns=table_columns(project.data))
    infos = project.data.inputs if project.data else {}
    prepared = tuple(_input(infos[name], generator) for name in streams)
    return Trial((), (prepared,), False)


def _prepared(
    raw: tuple[tuple[Tensor, ...], ...], streams: Sequence[str], preprocess: Mapping[str, Preprocess], *,
    are_real: bool, columns: Sequence[Column] = (),
) -> Trial:  # fmt: skip
    rows: tuple[list[dict[str, str]], ...] = ()
    if columns:
        # All inputs of a table read the same stream. The first row is tried with nothing but gaps.
        rows = tuple(decode_rows(columns, batch[0].numpy()) for batch in raw)
        rows[0][0].update(dict.fromkeys(rows[0][0], ""))
        encoded = [torch.from_numpy(encode_rows(columns, batch)) for batch in rows]
        raw = tuple(tuple(values for _ in streams) for values in encoded)
    with torch.inference_mode():
        prepared = tuple(
            tuple(preprocess[name](item).clone() for name, item in zip(streams, batch, strict=True)) for batch in raw
        )
    return Trial(raw, prepared, are_real, rows)


def _raw(stream: StreamInfo, generator: torch.Generator) -> Tensor:
    shape = (COUNT, *stream.shape)
    if stream.kind == TOKENS:
        return torch.randint(0, 2, shape, generator=generator)  # the only ids that every vocabulary is sure to have
    if stream.kind == IMAGE and stream.top == 255.0:
        return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    if stream.top:
        return torch.rand(shape, generator=generator) * stream.top
    return torch.randn(shape, generator=generator)


def _input(info: TensorInfo, generator: torch.Generator) -> Tensor:
    if info.dtype == "int64":
        return torch.randint(0, 2, (COUNT, *info.shape), generator=generator)
    return torch.randn((COUNT, *info.shape), generator=generator)
