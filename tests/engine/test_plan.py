"""The plan of rates before a training: what the window draws and `schedule` prints is what the training then does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.datafacts import DataFacts
from engine.edits import add_node
from engine.events import EpochEnded, RunStarted, Step
from engine.examples import load_example
from engine.known import known_data, with_facts
from engine.places import default_places
from engine.plan import known_steps_per_epoch, planned_rates
from engine.project import Project
from engine.runtime.session import run
from tests.engine.cli_tools import command

CYCLE = {"type": "one_cycle", "cycle_momentum": True}
SGD = {"type": "sgd", "lr": 0.1, "momentum": 0.9}


def digits(**recipe: Any) -> Project:
    project = load_example("digits-mlp")
    for name, value in {"epochs": 4, "batch_size": 200, **recipe}.items():
        project = project.with_recipe(project.recipe.with_value(name, value))
    return project


@pytest.mark.parametrize("schedule", [CYCLE, {"type": "exponential", "every": 2.0, "per": "epoch"}])
def test_the_training_does_what_was_planned(schedule: dict[str, Any], tmp_path) -> None:
    project = digits(schedule=schedule, optimizer=SGD, accumulate=2)
    points = planned_rates(project)
    events = list(run(project, runs=tmp_path, places=default_places(None, None), threads=1))
    started = next(event for event in events if isinstance(event, RunStarted))
    steps = [event for event in events if isinstance(event, Step)]
    assert known_steps_per_epoch(project) == started.steps_per_epoch
    assert [(point.step, point.epoch, point.rate) for point in points] == [
        (step.step, step.epoch, step.lr) for step in steps
    ]
    assert len([event for event in events if isinstance(event, EpochEnded)]) == 4


def test_a_long_plan_is_thinned_and_keeps_its_ends() -> None:
    points = planned_rates(digits(schedule=CYCLE, optimizer=SGD, epochs=5_000))
    assert len(points) <= 2_000
    assert (points[0].step, points[0].epoch, points[0].momentum) == (1, 1, 0.95)
    assert points[-1].step == 5_000 * known_steps_per_epoch(digits())
    assert points[-1].epoch == 5_000
    assert min(point.momentum or 1 for point in points) == pytest.approx(0.85, abs=1e-3)


def test_momentum_stands_in_the_plan_where_the_optimizer_has_one() -> None:
    for optimizer, momentum in (({"type": "adam"}, 0.9), (SGD, 0.9), ({"type": "sgd"}, 0.0)):
        assert {point.momentum for point in planned_rates(digits(optimizer=optimizer))} == {momentum}


def test_a_single_last_sample_joins_the_batch_before_it_only_with_batch_norm() -> None:
    plain = digits()
    graph, _ = add_node(plain.graph, "", "batch_norm1d", x=0, y=0)
    normal, facts = plain.with_graph(graph), known_data(plain)
    assert facts is not None
    for project, size, wanted in ((plain, 10, 11), (normal, 10, 10), (plain, 100, 2), (normal, 100, 1),
                                  (normal, 101, 1), (normal, 200, 1), (normal, 99, 2)):  # fmt: skip
        sized = project.with_recipe(project.recipe.with_value("batch_size", size))
        counts = {**facts.counts, "train": 101}
        assert known_steps_per_epoch(with_facts(sized, DataFacts(facts.inputs, facts.targets, counts))) == wanted


def test_without_data_nothing_is_planned_unless_the_steps_are_said() -> None:
    project = digits(data={"type": "csv", "path": "nowhere.csv"})
    assert known_steps_per_epoch(project) == 0
    assert planned_rates(project) == []
    assert len(planned_rates(project, steps_per_epoch=3)) == 3 * project.recipe.epochs


def test_the_command_prints_every_point_as_json(capsys) -> None:
    arguments = ["--set", "recipe.epochs=3", "--set", "recipe.batch_size=200", "--set", "recipe.schedule=cosine"]
    said = command(capsys, "schedule", "digits-mlp", *arguments, "--json")
    assert said.code == 0
    each = len(said.lines) // 3
    assert [line["step"] for line in said.lines] == list(range(1, 3 * each + 1))
    rates = np.array([line["lr"] for line in said.lines]) / said.lines[0]["lr"]
    expected = (1 + np.cos(np.pi * np.arange(3 * each) / (3 * each))) / 2
    np.testing.assert_allclose(rates, expected, rtol=0, atol=1e-10)
    assert {line["epoch"] for line in said.lines} == {1, 2, 3}


def test_the_table_shows_every_change_of_a_stepwise_schedule(capsys) -> None:
    said = command(capsys, "schedule", "digits-mlp", "--set", "recipe.schedule=piecewise",
                   "--set", "recipe.schedule.boundaries=3, 7", "--set", "recipe.epochs=50")  # fmt: skip
    assert said.code == 0
    rows = [line.split() for line in said.out.splitlines()[2:]]
    assert [row[0] for row in rows] == ["1", "4", "8", "50"]


def test_a_plateau_says_that_it_cannot_be_known_before(capsys) -> None:
    assert "val_loss" in command(capsys, "schedule", "digits-mlp", "--set", "recipe.schedule=plateau").out


def test_the_steps_of_an_epoch_can_be_said_for_data_that_is_not_there(capsys) -> None:
    said = command(
        capsys,
        "schedule",
        "digits-mlp",
        "--set",
        "recipe.data=csv",
        "--set",
        "recipe.data.path=nowhere.csv",
        "--steps-per-epoch",
        "5",
        "--set",
        "recipe.epochs=2",
        "--json",
    )
    assert said.code == 0
    assert len(said.lines) == 10


def test_a_schedule_that_contradicts_the_training_is_a_problem(capsys) -> None:
    said = command(capsys, "schedule", "digits-mlp", "--set", "recipe.schedule=chain")
    assert said.code == 1
    assert "no part" in said.err
    assert said.out == ""


def test_a_formula_is_planned_as_far_as_it_gives_a_rate() -> None:
    project = load_example("digits-mlp")
    recipe = project.recipe.with_value("epochs", 10)
    for formula, last in (("1 - epoch / 4", 5), ("1 / epoch", 0), ("0.1 **", 0), ("0.5", 10)):
        changed = project.with_recipe(recipe.with_value("schedule", {"type": "formula", "formula": formula}))
        points = planned_rates(changed)
        assert [points[-1].epoch if points else 0] == [last]
