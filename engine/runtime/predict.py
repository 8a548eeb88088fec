"""What a trained run says about new samples: images, rows of a table, arrays.

Owns the way from a batch of raw samples to answers. Reading files stands in `samples.py`. Each sample is prepared by
the run's own preprocessing. A file that cannot be used is one Problem and the others go on. Never trains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.datafacts import BINARY, CLASS, NONE, Target
from engine.problem import Problem, ProblemError
from engine.runtime.metrics import in_real_units
from engine.runtime.restore import Restored
from engine.runtime.samples import Sample, read_samples, wanted_streams
from engine.source_ends import OutputEnd, find_ends

BATCH = 128
"""Samples that are answered at once."""


@dataclass(frozen=True)
class Answer:
    """What one output says about one sample: classes with their scores, best first, or values by name."""

    scores: tuple[tuple[str, float], ...] = ()
    is_probability: bool = False
    """False when the output was told to apply no activation: the scores are then raw numbers."""
    values: Mapping[str, float] = field(default_factory=dict)
    """In real units."""

    def to_json(self, top: int = 3) -> dict[str, Any]:
        """Plain data: the best class with its probability and the `top` first, or the values."""
        if self.values:
            only = next(iter(self.values.values()))
            return (
                {"value": only, "values": dict(self.values)} if len(self.values) == 1 else {"values": dict(self.values)}
            )
        word = "probability" if self.is_probability else "score"
        name, score = self.scores[0]
        return {"class": name, word: score, "top": [{"class": name, word: score} for name, score in self.scores[:top]]}


@dataclass(frozen=True)
class Prediction:
    """The answers to one sample, by output."""

    file: str
    row: int | None
    """Number of the sample in its file, from 0; None for an image."""
    answers: Mapping[str, Answer]

    @property
    def label(self) -> str:
        """Words for the sample: the file, and the row in it."""
        return self.file if self.row is None else f"{self.file} [{self.row}]"

    def to_json(self, top: int = 3) -> dict[str, Any]:
        """Plain data; with several outputs their answers stand under `outputs`."""
        data: dict[str, Any] = {"input": self.file} | ({} if self.row is None else {"row": self.row})
        if len(self.answers) == 1:
            return data | next(iter(self.answers.values())).to_json(top)
        return data | {"outputs": {name: answer.to_json(top) for name, answer in self.answers.items()}}


def predict(
    restored: Restored, files: Sequence[Path], *, device: torch.device | str = "cpu"
) -> Iterator[Prediction | Problem]:
    """Answers to every sample of the files, in order; a Problem in the place of a file that cannot be used."""
    model = restored.model.to(device).eval()
    for module in restored.preprocess.values():
        module.to(device)
    streams = wanted_streams(restored)
    for file in files:
        try:
            samples = iter(read_samples(restored, streams, file))
            while chunk := list(islice(samples, BATCH)):
                raw = [torch.from_numpy(np.stack([sample.inputs[name] for sample in chunk])) for name in streams]
                prepared = [restored.preprocess[name](item.to(device)) for name, item in zip(streams, raw, strict=True)]
                yield from _answered(restored, chunk, run_model(model, prepared))
        except ProblemError as fault:
            yield from fault.problems


def run_model(model: torch.nn.Module, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The model's raw outputs, one tensor each, without gradients."""
    with torch.inference_mode():
        result = model(*inputs)
    return (result,) if isinstance(result, Tensor) else tuple(result)


def _answered(restored: Restored, chunk: Sequence[Sample], outputs: Sequence[Tensor]) -> Iterator[Prediction]:
    ends = find_ends(restored.project).outputs
    facts = restored.project.data
    targets = facts.targets if facts else {}
    found = [answers(end, targets.get(end.target), output) for end, output in zip(ends, outputs, strict=True)]
    for place, sample in enumerate(chunk):
        yield Prediction(sample.file, sample.row, {end.name: found[n][place] for n, end in enumerate(ends)})


def answers(end: OutputEnd, target: Target | None, output: Tensor) -> list[Answer]:
    """Raw outputs of one output, (N, ...), as answers: its activation applied, classes named, values in real units."""
    raw = output.detach().float().cpu()
    kind = target.kind if target else NONE
    if kind not in (CLASS, BINARY) and end.activation == "none":
        flat = raw.reshape(len(raw), -1).numpy()
        real = in_real_units(flat, target) if target else flat
        names = _names(target, real.shape[1])
        return [Answer(values=dict(zip(names, map(float, row), strict=True))) for row in real]
    if end.activation == "softmax":
        scores = raw.softmax(1)
    elif end.activation == "sigmoid":
        scores = raw.sigmoid()
    else:
        scores = raw
    known = end.activation != "none"
    if scores.shape[1] == 1:  # a yes or no
        scores = torch.cat([1 - scores, scores] if known else [-scores, scores], 1)
    classes = _classes(target, scores.shape[1])
    order = scores.argsort(dim=1, descending=True, stable=True).tolist()
    table = scores.tolist()
    return [
        Answer(tuple((classes[place], row[place]) for place in places), known)
        for row, places in zip(table, order, strict=True)
    ]


def _classes(target: Target | None, count: int) -> tuple[str, ...]:
    classes = target.classes if target else ()
    if len(classes) == count:
        return classes
    return ("no", "yes") if count == 2 else tuple(map(str, range(count)))


def _names(target: Target | None, count: int) -> tuple[str, ...]:
    names = target.names if target else ()
    return names if len(names) == count else tuple(f"value {number}" for number in range(1, count + 1))
