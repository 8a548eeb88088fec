"""What a trained run says about new samples: images, rows of a table, arrays.

Owns the way from a batch of raw samples to answers. Reading files stands in `samples.py`. Each sample is prepared by
the run's own preprocessing. A file that cannot be used is one Problem and the others go on. Never trains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.datafacts import BINARY, CLASS, NONE, Target
from engine.problem import Problem, ProblemError
from engine.runtime.mc import McModel
from engine.runtime.metrics import in_real_units
from engine.runtime.randomness import guarded
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
    deviations: Mapping[str, float] = field(default_factory=dict)
    """With MC dropout: how far the passes lie apart, by class or value; the standard deviation of what is averaged."""

    def to_json(self, top: int = 3) -> dict[str, Any]:
        """Plain data: the best class with its probability and the `top` first, or the values."""
        if self.values:
            only = next(iter(self.values.values()))
            said = {"value": only, "values": dict(self.values)} if len(self.values) == 1 else (
                {"values": dict(self.values)})  # fmt: skip
            return said | ({"deviations": dict(self.deviations)} if self.deviations else {})
        word = "probability" if self.is_probability else "score"
        rows = [
            {"class": name, word: score} | ({"deviation": self.deviations[name]} if self.deviations else {})
            for name, score in self.scores[:top]
        ]
        return {**rows[0], "top": rows}


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
    restored: Restored, files: Sequence[Path], *, device: torch.device | str = "cpu", mc: int = 0, seed: int = 0
) -> Iterator[Prediction | Problem]:
    """Answers to every sample of the files, in order; a Problem in the place of a file that cannot be used.

    With `mc` passes of MC dropout each answer tells its deviations; the same seed gives the same passes. ProblemError
    when the network has no dropout.
    """
    model: torch.nn.Module = restored.model.to(device).eval()
    if mc:
        ends = find_ends(restored.project).outputs
        model = McModel(model, [end.activation for end in ends], mc, restored.info.name)
    for module in restored.preprocess.values():
        module.to(device)
    streams = wanted_streams(restored)
    for file in files:
        try:
            samples = iter(read_samples(restored, streams, file))
            while chunk := list(islice(samples, BATCH)):
                raw = [torch.from_numpy(np.stack([sample.inputs[name] for sample in chunk])) for name in streams]
                prepared = [restored.preprocess[name](item.to(device)) for name, item in zip(streams, raw, strict=True)]
                if isinstance(model, McModel):
                    with guarded(seed):
                        outputs = run_model(model, prepared)
                    yield from _answered(restored, chunk, outputs, model.deviations)
                else:
                    yield from _answered(restored, chunk, run_model(model, prepared))
        except ProblemError as fault:
            yield from fault.problems


def run_model(model: torch.nn.Module, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The model's raw outputs, one tensor each, without gradients."""
    with torch.inference_mode():
        result = model(*inputs)
    return (result,) if isinstance(result, Tensor) else tuple(result)


def _answered(
    restored: Restored, chunk: Sequence[Sample], outputs: Sequence[Tensor], deviations: Sequence[Tensor] = ()
) -> Iterator[Prediction]:
    ends = find_ends(restored.project).outputs
    facts = restored.project.data
    targets = facts.targets if facts else {}
    found = [answers(end, targets.get(end.target), output) for end, output in zip(ends, outputs, strict=True)]
    for place, (end, spread) in enumerate(zip(ends, deviations, strict=False)):
        found[place] = _with_deviations(found[place], targets.get(end.target), spread)
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


def _with_deviations(found: list[Answer], target: Target | None, spread: Tensor) -> list[Answer]:
    """The answers with the deviations of their passes, by class or value; those of values in real units."""
    rows = spread.detach().float().cpu().reshape(len(spread), -1)
    if found and found[0].values:
        scale = torch.tensor(target.deviation) if target and target.deviation else torch.ones(rows.shape[1])
        names = list(found[0].values)
        table = (rows * scale).tolist()
    else:
        # A yes or no has one number for both.
        rows = rows.expand(-1, 2) if rows.shape[1] == 1 else rows
        names, table = list(_classes(target, rows.shape[1])), rows.tolist()
    return [
        replace(answer, deviations=dict(zip(names, row, strict=True)))
        for answer, row in zip(found, table, strict=True)
    ]  # fmt: skip


def _classes(target: Target | None, count: int) -> tuple[str, ...]:
    classes = target.classes if target else ()
    if len(classes) == count:
        return classes
    return ("no", "yes") if count == 2 else tuple(map(str, range(count)))


def _names(target: Target | None, count: int) -> tuple[str, ...]:
    names = target.names if target else ()
    return names if len(names) == count else tuple(f"value {number}" for number in range(1, count + 1))
