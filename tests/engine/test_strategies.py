"""Ways to train what was trained before: what they freeze of a network, that they train, and leave the rest alone."""

from __future__ import annotations

from typing import Any

import pytest

from engine.examples import load_example
from engine.phases import stages_of
from engine.project import Project
from engine.runtime.analyze import analyze
from engine.strategies import STRATEGIES, apply_strategy

EXAMPLES = ("digits-mlp", "digits-cnn", "two-inputs", "digits-lstm", "spirals")


def made(example: str, way: str) -> Project:
    project = load_example(example)
    project = project.with_recipe(project.recipe.with_value("epochs", 12))
    return apply_strategy(project, analyze(project), next(item for item in STRATEGIES if item.id == way))


@pytest.mark.parametrize("way", [item.id for item in STRATEGIES])
@pytest.mark.parametrize("example", EXAMPLES)
def test_every_strategy_fits_every_network(example: str, way: str) -> None:
    project = made(example, way)
    assert [str(item) for item in analyze(project).errors] == []
    assert project.graph == load_example(example).graph
    assert apply_strategy(project, analyze(project), STRATEGIES[0]).recipe == made(example, "all").recipe


@pytest.mark.parametrize(("way", "expected"), [
    ("all", [(12, "", 0.05)]), ("features", [(12, "hidden1, hidden2", 0.05)]),
    ("freeze_then_all", [(3, "hidden1, hidden2", 0.05), (9, "", 0.005)]),
    ("gradual", [(4, "hidden1, hidden2", 0.05), (4, "hidden1", 0.025), (4, "", 0.0125)]),
])  # fmt: skip
def test_what_trains_when_and_at_which_rate(way: str, expected: list[Any]) -> None:
    stages = stages_of(made("digits-mlp", way).recipe)
    found = [(stage.epochs, stage.recipe.get("frozen"), stage.recipe.get("optimizer")["lr"]) for stage in stages]
    assert [item[:2] for item in found] == [item[:2] for item in expected]
    assert [item[2] for item in found] == pytest.approx([item[2] for item in expected])


def test_rates_fall_towards_the_input() -> None:
    groups = made("digits-mlp", "discriminative").recipe.get("groups")
    assert [(item["layers"], item["lr_factor"]) for item in groups] == [
        ("hidden1", pytest.approx(2.6**-2)), ("hidden2", pytest.approx(2.6**-1)),
    ]  # fmt: skip
