"""What a trained run says about new samples: images, rows of a table, arrays.

Owns the way from a batch of raw samples to answers. Reading files stands in `samples.py`. Each sample is prepared by
the run's own preprocessing. A file that cannot be used is one Problem and the others go on. Never trains.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.answer import Answer, Prediction
from engine.datafacts import BINARY, CLASS, NONE, Target
from engine.datasets.raw import Array
from engine.problem import Problem, ProblemError
from engine.runtime.mc import McModel
from engine.runtime.metrics import in_real_units
from engine.runtime.randomness import guarded
from engine.runtime.restore import Restored
from engine.runtime.sample import Sample
from engine.runtime.samples import read_samples, wanted_streams
from engine.source_ends import OutputEnd, find_ends

__all__ = ["Answer", "Prediction", "answers", "answers_of", "many_passes", "predict", "prepared", "run_model"]

BATCH = 128
"""Samples that are answered at once."""


def predict(
    restored: Restored, files: Iterable[Path], *, device: torch.device | str = "cpu", mc: int = 0, seed: int = 0,
    drawn: bool = False,
) -> Iterator[Prediction | Problem]:  # fmt: skip
    """Answers to every sample of the files, in order; a Problem in the place of a file that cannot be used.

    With `mc` passes of MC dropout each answer tells its deviations; the same seed gives the same passes. With `drawn`
    pictures are taken as drawings of a character. ProblemError when the network has no dropout.
    """
    model: torch.nn.Module = restored.model.to(device).eval()
    if mc:
        model = many_passes(restored, mc)
    for module in restored.preprocess.values():
        module.to(device)
    found = _read(restored, files, drawn)
    while chunk := list(islice(found, BATCH)):
        samples = [item for item in chunk if isinstance(item, Sample)]
        said = iter(answers_of(restored, model, _batch(restored, samples, device), seed=seed) if samples else ())
        for item in chunk:
            yield item if isinstance(item, Problem) else Prediction(item.file, item.row, next(said), item.remarks)


def _read(restored: Restored, files: Iterable[Path], drawn: bool) -> Iterator[Sample | Problem]:
    streams = wanted_streams(restored)
    for file in files:
        try:
            yield from read_samples(restored, streams, file, drawn=drawn)
        except ProblemError as fault:
            yield from fault.problems


def _batch(restored: Restored, samples: Sequence[Sample], device: torch.device | str) -> list[Tensor]:
    """Samples as one prepared batch; pictures of different sizes are prepared one by one."""
    names = restored.built.inputs
    if all(len({sample.inputs[name].shape for sample in samples}) == 1 for name in names):
        return prepared(
            restored, {name: np.stack([sample.inputs[name] for sample in samples]) for name in names}, device
        )
    each = [prepared(restored, {name: sample.inputs[name][None] for name in names}, device) for sample in samples]
    return [torch.cat(parts) for parts in zip(*each, strict=True)]


def many_passes(restored: Restored, passes: int) -> McModel:
    """The run's model as the mean of passes with dropout on; ProblemError when it has no dropout."""
    ends = find_ends(restored.project).outputs
    return McModel(restored.model, [end.activation for end in ends], passes, restored.info.name)


def prepared(restored: Restored, raw: Mapping[str, Array], device: torch.device | str = "cpu") -> list[Tensor]:
    """Raw samples (N, ...) by stream as what the network takes, one tensor per argument."""
    names = restored.built.inputs
    return [restored.preprocess[name](torch.from_numpy(raw[name]).to(device)) for name in names]


def answers_of(
    restored: Restored, model: torch.nn.Module, inputs: Sequence[Tensor], *, seed: int = 0
) -> list[dict[str, Answer]]:
    """The answers to a prepared batch, by output and for each sample; with deviations from a model of many passes.

    What such a model draws leaves no trace: a training beside it goes on as if alone.
    """
    deviations: Sequence[Tensor] = ()
    if isinstance(model, McModel):
        with guarded(seed):
            outputs = run_model(model, inputs)
        deviations = model.deviations
    else:
        outputs = run_model(model, inputs)
    ends = find_ends(restored.project).outputs
    facts = restored.project.data
    targets = facts.targets if facts else {}
    found = [answers(end, targets.get(end.target), output) for end, output in zip(ends, outputs, strict=True)]
    for place, (end, spread) in enumerate(zip(ends, deviations, strict=False)):
        found[place] = _with_deviations(found[place], targets.get(end.target), spread)
    return [{end.name: found[n][place] for n, end in enumerate(ends)} for place in range(len(inputs[0]))]


def run_model(model: torch.nn.Module, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The model's raw outputs, one tensor each, without gradients."""
    with torch.inference_mode():
        result = model(*inputs)
    return (result,) if isinstance(result, Tensor) else tuple(result)


def answers(end: OutputEnd, target: Target | None, output: Tensor) -> list[Answer]:
    """Raw outputs of one output, (N, ...), as answers: its activation applied, classes named, values in real units."""
    raw = output.detach().float().cpu()
    kind = target.kind if target else NONE
    if kind not in (CLASS, BINARY) and end.activation == "none":
        flat = raw.reshape(len(raw), -1).numpy()
        real = in_real_units(flat, target) if target else flat
        names = _names(target, real.shape[1])
        unit = target.unit if target else ""
        return [Answer(values=dict(zip(names, map(float, row), strict=True)), unit=unit) for row in real]
    if end.activation == "softmax":
        scores = raw.softmax(1)
    elif end.activation == "sigmoid":
        scores = raw.sigmoid()
    else:
        scores = raw
    known = end.activation != "none"
    if scores.shape[1] == 1:  # a yes or no
        scores = torch.cat([1 - scores, scores] if known else [-scores, scores], 1)
    classes = class_names(target, scores.shape[1])
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
        names, table = list(class_names(target, rows.shape[1])), rows.tolist()
    return [
        replace(answer, deviations=dict(zip(names, row, strict=True)))
        for answer, row in zip(found, table, strict=True)
    ]  # fmt: skip


def class_names(target: Target | None, count: int) -> tuple[str, ...]:
    """Words for `count` classes: the data's, else no and yes, else numbers."""
    classes = target.classes if target else ()
    if len(classes) == count:
        return classes
    return ("no", "yes") if count == 2 else tuple(map(str, range(count)))


def _names(target: Target | None, count: int) -> tuple[str, ...]:
    names = target.names if target else ()
    return names if len(names) == count else tuple(f"value {number}" for number in range(1, count + 1))
