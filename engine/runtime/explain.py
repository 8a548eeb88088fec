"""Which number of a network an answer stands on, and the saliency map of it. Refuses with one Problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.answer import Answer
from engine.asked import CAM, GRADIENTS, Saliency
from engine.datasets.raw import IMAGE, Array, StreamInfo
from engine.problem import Problem, ProblemError, Where, error
from engine.runtime.inside import last_maps, look_inside, no_such_layer
from engine.runtime.predict import class_names
from engine.runtime.restore import Restored
from engine.runtime.saliency import Score, grad_cam, integrated_gradients, score_of
from engine.source_ends import find_ends


def explain(
    restored: Restored, streams: Mapping[str, StreamInfo], inputs: Sequence[Tensor], answers: Mapping[str, Answer], *,
    method: str = GRADIENTS, output: str = "", answer: str = "", layer: str = "",
    cancelled: Callable[[], bool] = lambda: False,
) -> Saliency:  # fmt: skip
    """The saliency map of one prepared sample, each input (1, ...): for the given answer, else the best one."""
    name = output or next(iter(answers))
    if name not in answers:
        raise ProblemError(_refusal(f"There is no output {name!r}", f"One of {', '.join(answers)}"))
    score, words = _score(restored, name, answers[name], answer)
    if method == CAM:
        return _cam(restored, streams, inputs, score, words, layer)
    if not all(item.is_floating_point() for item in inputs):
        happened = "Integrated gradients need numbers between which there are others; word numbers have none"
        raise ProblemError(_refusal(happened, "An input of images, rows or sequences"))
    baselines, told = _baselines(restored, streams)
    found = integrated_gradients(score, inputs, baselines, cancelled=cancelled)
    maps = {stream: item.cpu().numpy() for stream, item in zip(restored.built.inputs, found.maps, strict=True)}
    return Saliency(GRADIENTS, words, maps, baseline=told, rise=found.rise, gap=found.gap)


def _score(restored: Restored, name: str, answer: Answer, wanted: str) -> tuple[Score, str]:
    """The number that the answer is read from, and the answer in words."""
    ends = find_ends(restored.project).outputs
    place = next(number for number, end in enumerate(ends) if end.name == name)
    facts = restored.project.data
    target = facts.targets.get(ends[place].target) if facts else None
    names = list(answer.values) if answer.values else list(class_names(target, len(answer.scores)))
    chosen = wanted or (names[0] if answer.values else answer.scores[0][0])
    if chosen not in names:
        shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        raise ProblemError(_refusal(f"The network never answers {chosen!r}", f"One of {shown}"))
    yes_or_no = not answer.values and len(names) == 2
    return score_of(restored.model, place, names.index(chosen), yes_or_no=yes_or_no), chosen


def _baselines(restored: Restored, streams: Mapping[str, StreamInfo]) -> tuple[list[Tensor], str]:
    """What integration starts from: black for images; for other numbers the training mean, or 0 where it is unknown."""
    found, words = [], []
    for name in restored.built.inputs:
        stream, process = streams[name], restored.preprocess[name]
        if stream.kind != IMAGE and process.standardize != "none":
            raw = process.mean.cpu().numpy() * process.divide
            array: Array = np.broadcast_to(raw, stream.shape).astype(np.float32)
            words.append("the training mean")
        else:
            array = np.zeros(stream.shape, np.uint8 if stream.top == 255.0 else np.float32)
            words.append("black" if stream.kind == IMAGE else "all numbers 0")
        found.append(process(torch.from_numpy(np.ascontiguousarray(array))[None]))
    return found, " and ".join(dict.fromkeys(words))


def _cam(
    restored: Restored, streams: Mapping[str, StreamInfo], inputs: Sequence[Tensor], score: Score, words: str,
    path: str,
) -> Saliency:  # fmt: skip
    names = restored.built.inputs
    image = next((place for place, name in enumerate(names) if streams[name].kind == IMAGE), None)
    layers, _ = look_inside(restored.built, inputs)
    chosen = next((layer for layer in layers if layer.path == path), None) if path else last_maps(layers)
    if path and chosen is None:
        raise ProblemError(no_such_layer(path, layers))
    if image is None or chosen is None or len(chosen.shape) != 3:
        happened = f"{path} gives no feature maps" if path and chosen else "No layer of the network gives feature maps"
        fix = "Choose a convolution" if path and chosen else "Use integrated gradients"
        raise ProblemError(_refusal(happened, "Grad-CAM needs a layer that gives maps over the image", fix))
    module = restored.model.get_submodule(chosen.path)
    found = grad_cam(score, inputs, module, inputs[image].shape[2:])
    if found is None:
        happened = f"The answer does not depend on {chosen.path} by a gradient"
        raise ProblemError(_refusal(happened, "A layer on the way to the answer", "Choose another layer"))
    return Saliency(CAM, words, {names[image]: found.cpu().numpy()}, layer=chosen.path)


def _refusal(happened: str, expected: str, fix: str = "Choose another") -> Problem:
    return error(Where(label="saliency"), happened, expected, fix, code="predict-saliency")
