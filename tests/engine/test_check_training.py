"""Contradictions of the training's settings are told before anything trains, and what is offered mends them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.check import check_project
from engine.check_training import watched_figures
from engine.declare import find
from engine.examples import load_example
from engine.known import known_data, with_facts
from engine.problem import Problem, Severity
from engine.project import Project


def digits(**recipe: Any) -> Project:
    project = load_example("digits-mlp")
    for name, value in recipe.items():
        project = project.with_recipe(project.recipe.with_value(name, value))
    return project


def only(project: Project, code: str) -> Problem:
    """The one problem of that code; each of its fixes must mend it."""
    found = [problem for problem in check_project(project) if problem.code == code]
    assert len(found) == 1, [str(problem) for problem in check_project(project)]
    assert found[0].fixes
    for fix in found[0].fixes:
        assert fix.apply is not None
        assert code not in [problem.code for problem in check_project(fix.apply(project))], fix.title
    assert found[0].happened
    assert found[0].expected
    return found[0]


def callbacks(*chosen: dict[str, Any], **more: Any) -> Project:
    return digits(callbacks=chosen, **more)


def test_sensible_choices_are_no_problem() -> None:
    project = callbacks(
        {"type": "checkpoint", "best": True, "monitor": "val_accuracy"}, {"type": "csv_log"},
        {"type": "alert", "figure": "train_loss"}, {"type": "alert", "figure": "val_accuracy", "when": "above"},
        {"type": "checkpoint", "every": 0, "best": True},
        accumulate=2, precision="bf16", sampler="balanced", ema={"type": "ema", "enabled": True},
        train_figures="evaluated",
    )  # fmt: skip
    assert [str(problem) for problem in check_project(project)] == []


@pytest.mark.parametrize("chosen", [
    {"type": "alert", "figure": "val_los"}, {"type": "checkpoint", "best": True, "monitor": "accuracy"},
    {"type": "alert", "figure": "running_loss"}, {"type": "alert", "figure": ""},
])  # fmt: skip
def test_a_figure_that_does_not_exist_is_told_with_those_that_do(chosen: dict[str, Any]) -> None:
    problem = only(callbacks(chosen), "recipe.monitor")
    assert "val_loss, val_accuracy, train_loss, train_accuracy" in problem.expected
    assert problem.where.path.startswith("recipe.callbacks.0.")


def test_the_figures_to_watch_are_those_an_epoch_has() -> None:
    more = ({"type": "accuracy"}, {"type": "f1"})
    assert watched_figures(digits(metrics=more)) == ["val_loss", "val_accuracy", "val_f1", "train_loss",
                                                     "train_accuracy"]  # fmt: skip
    assert watched_figures(digits(metrics=more, train_figures="evaluated")) == [
        "val_loss", "val_accuracy", "val_f1", "train_loss", "train_accuracy", "train_f1", "running_loss",
        "running_accuracy",
    ]  # fmt: skip


@pytest.mark.parametrize("twice", [
    {"type": "csv_log"}, {"type": "checkpoint", "every": 3}, {"type": "checkpoint", "every": 0, "best": True},
])  # fmt: skip
def test_two_callbacks_that_write_the_same_are_told(twice: dict[str, Any]) -> None:
    only(callbacks(twice, twice), "recipe.callback_twice")


def test_a_checkpoint_that_is_never_saved_is_told() -> None:
    only(callbacks({"type": "checkpoint", "every": 0}), "recipe.callback_idle")


def test_tensorboard_without_its_package_is_told_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.check_training.find_spec", lambda name: None)
    problem = only(callbacks({"type": "tensorboard"}), "package_missing")
    assert "pip install tensorboard" in problem.fix
    assert problem.severity is Severity.ERROR


def test_fp16_on_a_cpu_is_told() -> None:
    only(digits(precision="fp16", device="cpu"), "precision")
    assert check_project(digits(precision="fp16", device="cuda")) == []


@pytest.mark.parametrize("chosen", [{"accumulate": 4}, {"precision": "fp16"}, {"clip": {"type": "norm"}}])
def test_what_lbfgs_cannot_do_is_told(chosen: dict[str, Any]) -> None:
    if find("optimizer", "lbfgs") is None:
        pytest.skip("there is no LBFGS in the catalogue")
    only(digits(optimizer={"type": "lbfgs"}, **chosen), "recipe.lbfgs")


def test_values_cannot_be_balanced() -> None:
    project = digits(sampler="balanced")
    facts = known_data(project)
    assert facts is not None
    targets = {name: replace(target, kind="value", classes=(), size=1) for name, target in facts.targets.items()}
    only(with_facts(project, replace(facts, targets=targets)), "recipe.sampler")


def test_an_average_that_never_leaves_its_start_is_told() -> None:
    slow = {"type": "ema", "enabled": True, "decay": 0.99999, "warmup": False}
    problem = only(digits(ema=slow, epochs=1), "recipe.ema")
    assert problem.severity is Severity.WARNING
    assert check_project(digits(ema={**slow, "warmup": True}, epochs=1)) == []


def test_more_batches_per_step_than_an_epoch_has_are_told() -> None:
    problem = only(digits(accumulate=1000), "recipe.accumulate")
    assert problem.severity is Severity.WARNING


def test_values_of_a_wrong_kind_are_told_by_the_recipe_alone() -> None:
    from engine.recipe import Recipe

    project = digits()
    odd = Recipe({**project.recipe.values, "accumulate": "many", "batch_size": None, "callbacks": 3, "ema": 7,
                  "clip": [], "optimizer": 4})  # fmt: skip
    found = {problem.where.path for problem in check_project(project.with_recipe(odd))}
    assert {"recipe.accumulate", "recipe.batch_size", "recipe.callbacks", "recipe.ema"} <= found
