"""Stopping and going on with recipes drawn at random from all that is declared: the rest is the same, bit for bit.

New optimizers, schedules, clips, augmentations and callbacks are drawn too, as soon as they are declared.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from engine.declare import catalogue
from engine.events import Step
from engine.examples import load_example
from engine.param import Param
from engine.problem import ProblemError
from engine.project import Project
from engine.recipe import SETTINGS
from engine.runtime.control import Control
from engine.values import checked
from tests.engine.test_resume import assert_same_run, go_on, train

EXAMPLES = ("digits-mlp", "spirals", "two-inputs", "digits-cnn", "digits-lstm")
FIXED = ("data", "device", "epochs", "preprocess", "loss", "metrics", "batch_size")
FOREIGN = ("plugin", "tensorboard")
"""Callbacks that need a file of the user's, or a package that may not be there."""


def value(param: Param, draw: random.Random, depth: int = 0) -> Any:
    """A value within the bounds of a setting, often at one of them."""
    if param.optional and draw.random() < 0.2:
        return None
    if param.kind == "int":
        least = int(param.min or 0)
        return draw.choice((least, least + 1, least + 3, min(int(param.max or 100), 100)))
    if param.kind == "float":
        least, most = param.min or 0.0, 10.0 if param.max is None else param.max
        return draw.choice((least, most, least + (min(most, least + 2.0) - least) * draw.random()))
    if param.kind == "bool":
        return draw.random() < 0.5
    if param.kind == "choice":
        return draw.choice(param.choices)
    if param.kind == "tagged":
        return tagged(param, draw, depth + 1)
    if param.kind == "list" and depth < 3:
        return [tagged(param, draw, depth + 1) for _ in range(draw.randint(0, 3))]
    return param.default


def tagged(param: Param, draw: random.Random, depth: int) -> dict[str, Any]:
    known = {name: item for name, item in catalogue().all(param.of).items() if name not in FOREIGN}
    named = dict(param.default).get("type") if param.of == "record" else draw.choice(list(known))
    chosen = [item for item in known[named].params if item.kind not in ("path", "text") and draw.random() < 0.4]
    return {"type": named, **{item.name: value(item, draw, depth) for item in chosen}}


def drawn(draw: random.Random) -> Project | None:
    """An example with some settings drawn; None where what was drawn contradicts a bound."""
    made = load_example(draw.choice(EXAMPLES))
    free = [param for param in SETTINGS.params if param.name not in FIXED]
    values: dict[str, Any] = {param.name: value(param, draw) for param in draw.sample(free, draw.randint(2, 6))}
    values |= {"batch_size": draw.choice((64, 100, 256)), "epochs": 3}
    try:
        for name, item in values.items():
            made = made.with_recipe(made.recipe.with_value(name, checked(SETTINGS.by_name[name], item)))
    except ValueError:
        return None
    return made


def stopped(folder: Path, made: Project, step: int) -> tuple[str, Path]:
    control = Control()
    for event in train(folder, made, control=control):
        if isinstance(event, Step) and event.step == step:
            control.request_stop()
    return event.outcome, Path(event.run)


@pytest.mark.parametrize("seed", range(4))
def test_any_training_stopped_anywhere_ends_as_if_it_had_not_been(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    same = 0
    for number in range(12):
        made = drawn(draw)
        if made is None:
            continue
        try:
            whole = list(train(tmp_path / f"{number}whole", made))[-1]
        except ProblemError:  # contradictions are refused before anything trains
            continue
        if whole.outcome != "completed":  # such as a rate at its bound, from which the loss is not finite
            continue
        outcome, path = stopped(tmp_path / f"{number}stopped", made, draw.randint(1, whole.step - 1))
        if outcome == "stopped":
            ended = go_on(tmp_path / f"{number}stopped", path)[-1]
            assert ended.outcome == "completed", made.recipe
            assert_same_run(path, Path(whole.run))
            same += 1
        if same == 3:
            return
    assert same, "nothing was tried"
