"""Answers questions about single samples: the sample, the answer, what the network saw, a layer, a saliency map.

The model and the data of the run asked last stay on the questioner's desk, so that a prediction follows a drawing; a
run under way is opened anew when it has saved a newer checkpoint. Works on the CPU and never touches a training beside
it: what draws is guarded. Never trains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from engine.asked import (
    LAYER,
    SALIENCY,
    Desk,
    FromCells,
    FromData,
    FromFile,
    FromPixels,
    Question,
    Reply,
    Seen,
    Weights,
)
from engine.datasets.encoding import Column, decode_rows
from engine.datasets.raw import IMAGE, VECTOR, Array, StreamInfo
from engine.datasets.readout import Readout
from engine.places import Places
from engine.problem import Problem, ProblemError, Where, error
from engine.runfiles import CHECKPOINTS, RUNNING, read_info
from engine.runtime.checkpoint import MANIFEST
from engine.runtime.data import read_data
from engine.runtime.explain import explain
from engine.runtime.inside import look_inside
from engine.runtime.predict import answers_of, many_passes, prepared
from engine.runtime.restore import Restored, load_run
from engine.runtime.sample import Sample
from engine.runtime.sample_pictures import sample_of_picture
from engine.runtime.samples import read_samples, sample_of_cells, wanted_streams
from engine.source_ends import find_ends


@dataclass(frozen=True)
class _Taken:
    """A sample with what is known of it."""

    sample: Sample
    num_samples: int = 1
    truth: Mapping[str, str] | None = None
    """By target stream."""


def answer(
    question: Question, desk: Desk, places: Places, *, cancelled: Callable[[], bool] = lambda: False
) -> Reply:  # fmt: skip
    """The reply to one question; ProblemError when the run or the sample cannot be used."""
    with desk.lock:
        restored = _opened(question, desk)
        streams = wanted_streams(restored)
        taken = _taken(question, restored, streams, desk, places)
        sample = taken.sample
        raw = {name: np.ascontiguousarray(sample.inputs[name][None]) for name in streams}
        with torch.no_grad():
            inputs = prepared(restored, raw)
        model = many_passes(restored, question.passes) if question.passes else restored.model
        (answers,) = answers_of(restored, model, inputs)
        info = read_info(question.run)
        reply = Reply(
            sample.file if sample.row is None or taken.num_samples == 1 else f"{sample.file} [{sample.row}]",
            taken.num_samples, answers,
            Weights(restored.checkpoint, restored.epoch, restored.step, info.status == RUNNING),
            {name: Seen(restored.preprocess[name].kind, item[0].numpy(), streams[name].names)
             for name, item in zip(restored.built.inputs, inputs, strict=True)},
            (*sample.said, *_said(restored, streams)), sample.remarks, _truths(restored, taken.truth or {}),
            _cells(restored, sample, streams), _picture(sample, streams),
        )  # fmt: skip
        if question.look == LAYER:
            layers, values = look_inside(restored.built, inputs, question.layer)
            chosen = next((item for item in layers if item.path == question.layer), layers[0] if layers else None)
            return replace(reply, layers=layers, layer=chosen, activations=None if values is None else values.numpy())
        if question.look == SALIENCY:
            layers, _ = look_inside(restored.built, inputs)
            reply = replace(reply, layers=layers)
            try:
                return replace(reply, saliency=explain(
                    restored, streams, inputs, answers, method=question.method, output=question.output,
                    answer=question.answer, layer=question.layer, cancelled=cancelled,
                ))  # fmt: skip
            except ProblemError as fault:  # the answer stands all the same
                return replace(reply, trouble=fault.problem)
        return reply


def _opened(question: Question, desk: Desk) -> Restored:
    kind = question.checkpoint or read_info(question.run).result
    key = (question.run, kind, _stamp(question.run / CHECKPOINTS / kind))
    if desk.held.get("key") != key:
        if desk.held.get("run") != question.run:
            desk.held.clear()
        desk.held |= {"key": key, "run": question.run, "restored": load_run(question.run, kind)}
    found: Restored = desk.held["restored"]
    return found


def _stamp(folder: Path) -> int:
    """When a checkpoint was written; 0 while it is being replaced."""
    try:
        return (folder / MANIFEST).stat().st_mtime_ns
    except OSError:
        return 0


def _taken(
    question: Question, restored: Restored, streams: Mapping[str, StreamInfo], desk: Desk, places: Places
) -> _Taken:  # fmt: skip
    source = question.source
    first = next(iter(streams))
    if isinstance(source, FromData):
        return _of_data(source, restored, streams, desk, places)
    if isinstance(source, FromCells):
        return _Taken(sample_of_cells(restored, streams, source.cells))
    if isinstance(source, FromPixels):
        return _Taken(sample_of_picture(
            restored, streams[first], first, source.pixels, label=source.label, drawn=source.drawn
        ))  # fmt: skip
    if source.drawn:
        return _Taken(sample_of_picture(restored, streams[first], first, source.path, drawn=True))
    return _of_file(source, restored, streams)


def _of_file(source: FromFile, restored: Restored, streams: Mapping[str, StreamInfo]) -> _Taken:
    chosen, count = None, 0
    for sample in read_samples(restored, streams, source.path):
        chosen = sample if count == source.row else chosen
        count += 1
    if chosen is None:
        where = Where(label=source.path.name, file=str(source.path))
        happened = f"The file has {count:,} samples, and number {source.row:,} is asked for"
        raise ProblemError(_beyond(where, happened, count))
    return _Taken(chosen, count)


def _of_data(
    source: FromData, restored: Restored, streams: Mapping[str, StreamInfo], desk: Desk, places: Places
) -> _Taken:  # fmt: skip
    readout: Readout | None = desk.held.get("readout")
    if readout is None:
        readout = desk.held["readout"] = read_data(restored.project.recipe, places)
    count = readout.num_samples(source.split)
    if count and not 0 <= source.place < count:
        happened = f"There is no {source.split} sample {source.place:,}"
        raise ProblemError(_beyond(Where(label=source.split), happened, count))
    found = readout.samples(source.split, [source.place])
    inputs = {name: np.asarray(found.inputs[name][0]) for name in streams}
    words = f"{source.split} sample {source.place:,}"
    strange = restored.info.fingerprint and readout.facts.fingerprint != restored.info.fingerprint
    said = ("the data is not the data this run was trained on",) if strange else ()
    truth = {name: _truth(readout, name, source) for name in readout.facts.targets}
    return _Taken(Sample(words, None, inputs, said=said), 1, truth)


def _beyond(where: Where, happened: str, count: int) -> Problem:
    return error(where, happened, f"A number from 0 to {count - 1:,}", "Choose another", code="predict-input")


def _truth(readout: Readout, target: str, source: FromData) -> str:
    """The true class or values in words; "" where there is none."""
    labels = readout.labels(source.split, target)
    if not len(labels):
        return ""
    facts = readout.facts.targets[target]
    if facts.classes:
        return facts.classes[int(np.ravel(labels[source.place])[0])]
    return ", ".join(f"{float(value):.6g}" for value in np.ravel(labels[source.place]))


def _truths(restored: Restored, by_target: Mapping[str, str]) -> dict[str, str]:
    ends = find_ends(restored.project).outputs
    return {end.name: by_target[end.target] for end in ends if by_target.get(end.target)}


def _said(restored: Restored, streams: Mapping[str, StreamInfo]) -> tuple[str, ...]:
    """What the run's own preprocessing does."""
    found: list[str] = []
    for name in streams:
        process = restored.preprocess[name]
        words = [f"made {process.color}"] if process.color != "keep" else []
        words += [f"divided by {process.divide:g}"] if process.divide != 1 else []
        if process.standardize != "none":
            words.append(f"standardised per {process.standardize} with the training set's mean and deviation")
        found += [f"{name}: {', '.join(words)}" if len(streams) > 1 else ", ".join(words)] if words else []
    return tuple(found)


def _cells(restored: Restored, sample: Sample, streams: Mapping[str, StreamInfo]) -> dict[str, str]:
    """The sample as a row of the table it could have come from: by column, or by feature where there was no table."""
    name, stream = next(iter(streams.items()))
    if len(streams) > 1 or stream.kind != VECTOR:
        return {}
    values = np.asarray(sample.inputs[name], np.float32).reshape(1, -1)
    facts = restored.project.data
    table = facts.extra.get("table") if facts else None
    if table is not None:
        return decode_rows([Column.from_json(item) for item in table["columns"]], values)[0]
    names = stream.names or tuple(f"x{place}" for place in range(1, values.shape[1] + 1))
    return {name: f"{float(value):.6g}" for name, value in zip(names, values[0], strict=True)}


def _picture(sample: Sample, streams: Mapping[str, StreamInfo]) -> Array | None:
    """The first image as (height, width, 3) uint8."""
    name = next((name for name, stream in streams.items() if stream.kind == IMAGE), "")
    if not name:
        return None
    values = np.asarray(sample.inputs[name], np.float32)
    top = streams[name].top or float(np.abs(values).max()) or 1.0
    pixels = np.clip(values * (255.0 / top) + 0.5, 0, 255).astype(np.uint8)
    return np.ascontiguousarray((pixels if len(pixels) == 3 else np.repeat(pixels[:1], 3, 0)).transpose(1, 2, 0))
