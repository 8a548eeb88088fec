"""From the callbacks a recipe declares to objects that work. One's own are loaded here, before anything trains."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from engine.callback import Callback
from engine.plugins import make_plugin
from engine.recipe import Recipe
from engine.runtime.callbacks.alert import WatchFigure
from engine.runtime.callbacks.checkpoints import SaveCheckpoints
from engine.runtime.callbacks.csv_log import SEPARATORS, WriteCsv
from engine.runtime.callbacks.tensorboard import WriteSteps, WriteTensorBoard
from engine.runtime.metrics import Metric, is_better_when_larger


def make_callbacks(recipe: Recipe, metrics: Iterable[Metric]) -> list[Callback]:
    """The recipe's callbacks in order; ProblemError when a plug-in cannot be used."""
    kinds = [str(tagged["type"]) for tagged in recipe.get("callbacks")]
    found = zip(kinds, recipe.listed("callbacks"), strict=True)
    metrics = tuple(metrics)
    return [_made(kind, declared, metrics) for kind, declared in found]


def _made(kind: str, declared: Any, metrics: tuple[Metric, ...]) -> Callback:
    if kind == "checkpoint":
        return SaveCheckpoints(
            every=declared.every, best=declared.best, monitor=declared.monitor, keep=declared.keep,
            larger_is_better=is_better_when_larger(declared.monitor, metrics),
        )  # fmt: skip
    if kind == "csv_log":
        return WriteCsv(SEPARATORS[declared.separator])
    if kind == "tensorboard":
        return WriteSteps() if declared.steps else WriteTensorBoard()
    if kind == "alert":
        return WatchFigure(
            figure=declared.figure, when=declared.when, value=declared.value, then=declared.then,
            repeat=declared.repeat,
        )  # fmt: skip
    return make_plugin(declared.name, json.loads(declared.settings) if declared.settings.strip() else {})
