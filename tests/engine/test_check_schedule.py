"""Schedules that contradict the training are told before anything trains, and what is offered mends them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.check import check_project
from engine.declare import catalogue, find
from engine.known import known_data, with_facts
from engine.plan import known_steps_per_epoch
from engine.problem import Problem, Severity
from engine.project import Project
from engine.projectfile import read_project, write_project
from tests.engine.test_check_training import digits, only

CYCLE = {"type": "one_cycle", "cycle_momentum": True}
WARM, COSINE = {"type": "warmup"}, {"type": "cosine"}


def scheduled(schedule: dict[str, Any], **more: Any) -> Project:
    return digits(schedule=schedule, **more)


def chain(*parts: dict[str, Any], lengths: tuple[float, ...] = ()) -> dict[str, Any]:
    return {"type": "chain", "parts": parts, "lengths": lengths}


def told(schedule: dict[str, Any], code: str = "recipe.schedule", **more: Any) -> Problem:
    return only(scheduled(schedule, **more), code)


def without_validation(project: Project) -> Project:
    facts = known_data(project)
    assert facts is not None
    return with_facts(project, replace(facts, counts={**facts.counts, "val": 0}))


@pytest.mark.parametrize("schedule", [
    *({"type": name} for name in catalogue().all("schedule") if name not in ("chain", "piecewise")),
    {"type": "piecewise", "boundaries": [5], "values": [1, 0.1]}, chain(WARM, COSINE, lengths=(1,)),
    chain(WARM, {"type": "plateau"}, lengths=(1, 9)), {**CYCLE, "type": "one_cycle"},
], ids=lambda item: item["type"])  # fmt: skip
def test_sensible_schedules_are_no_problem(schedule: dict[str, Any]) -> None:
    momentum = {"type": "sgd", "momentum": 0.9}
    assert [str(item) for item in check_project(scheduled(schedule, epochs=10, optimizer=momentum))] == []


@pytest.mark.parametrize(("schedule", "words"), [
    (chain(), "no part"),
    (chain(WARM, COSINE), "2 parts and 0 lengths"),
    (chain(WARM, COSINE, lengths=(1, 2, 3)), "2 parts and 3 lengths"),
    (chain(WARM, chain(WARM, COSINE, lengths=(1,)), lengths=(1,)), "A chain stands within"),
    (chain(WARM, COSINE, lengths=(10,)), "take 10 epochs, the training has 10"),
    (chain(WARM, COSINE, lengths=(4, 7)), "take 11 epochs, the training has 10"),
    ({"type": "piecewise", "boundaries": [5], "values": [1]}, "1 boundaries and 1 factors"),
    ({"type": "piecewise", "boundaries": [5, 3], "values": [1, 2, 3]}, "do not rise"),
    ({"type": "one_cycle", "peak": 0.05}, "below the start"),
    ({**CYCLE, "low": 0.96}, "low momentum"),
    ({"type": "cyclical", "low": 0.9, "high": 0.5}, "below the bottom"),
    ({"type": "formula", "formula": "0.1 **"}, "it is no formula"),
    ({"type": "formula", "formula": "lr * 0.9"}, "'lr' is not known"),
    ({"type": "formula", "formula": "1 - epoch / 5"}, "gives no rate at epoch 6: it gives -0.2"),
    ({"type": "formula", "formula": "1 / (epoch - 3)", "per": "epoch"}, "gives no rate at epoch 0"),
    ({"type": "formula", "formula": "1 / (9 - epoch)"}, "gives no rate at epoch 9"),
    ({"type": "formula", "formula": "exp(step)", "per": "step"}, "gives no rate at step"),
    ({"type": "plateau", "monitor": "train_loss", "every": 5}, "only the validation set"),
])  # fmt: skip
def test_contradictions_within_a_schedule_are_told(schedule: dict[str, Any], words: str) -> None:
    problem = told(schedule, epochs=10, optimizer={"type": "sgd", "momentum": 0.9})
    assert words in problem.happened
    assert problem.severity is Severity.ERROR


def test_former_names_are_held_to_the_same_rules() -> None:
    assert "11 epochs" in told({"type": "SequentialLR", "parts": ({"type": "LinearLR"}, COSINE), "lengths": (4, 7)},
                               epochs=10).happened  # fmt: skip
    only(scheduled({"type": "ReduceLROnPlateau", "monitor": "nothing"}), "recipe.monitor")


def test_a_chain_survives_its_file(tmp_path: Path) -> None:
    project = scheduled(chain(WARM, {"type": "piecewise", "boundaries": (2.5,), "values": (1.0, 0.5)}, lengths=(1.0,)))
    write_project(project, tmp_path / "a.lwr")
    read = read_project(tmp_path / "a.lwr").project
    assert read.recipe == project.recipe
    assert check_project(read) == check_project(project) == []


def test_plateau_needs_a_figure_that_there_is() -> None:
    problem = only(scheduled({"type": "plateau", "monitor": "val_los"}), "recipe.monitor")
    assert "val_loss" in problem.expected
    inside = only(scheduled(chain(WARM, {"type": "plateau", "monitor": "x"}, lengths=(1,))), "recipe.monitor")
    assert inside.where.path == "recipe.schedule.parts.1.monitor"


def test_a_formula_that_falls_below_zero_is_held_at_zero_where_that_fits() -> None:
    long = "1 - epoch / 5" + " + 0 * epoch" * 15
    for text, titles in (("1 - epoch / 5", ["Use max(0, 1 - epoch / 5)", "Use 0.1 ** (epoch / 20)"]),
                         (long, ["Use 0.1 ** (epoch / 20)"])):  # fmt: skip
        project = scheduled({"type": "formula", "formula": text}, epochs=10)
        problem = only(project, "recipe.schedule")
        assert [fix.title for fix in problem.fixes] == titles
        assert all(check_project(fix.apply(project)) == [] for fix in problem.fixes)  # type: ignore[misc]


def test_looks_that_never_come_are_told() -> None:
    problem = told({"type": "plateau", "every": 1_000_000})
    assert problem.severity is Severity.WARNING
    assert "never" in problem.happened
    mended = problem.fixes[0].apply(scheduled({"type": "plateau", "every": 1_000_000}))  # type: ignore[misc]
    assert check_project(mended) == []


def test_plateau_needs_validation_unless_it_watches_the_training_set() -> None:
    problem = only(without_validation(scheduled({"type": "plateau"})), "recipe.schedule")
    assert "no validation samples" in problem.happened
    watched = without_validation(scheduled({"type": "plateau", "monitor": "train_loss"}))
    assert "recipe.schedule" not in [item.code for item in check_project(watched)]


def test_one_cycle_needs_steps_to_rise_and_fall() -> None:
    problem = told({"type": "one_cycle"}, epochs=2, batch_size=100_000)
    assert "here it has 2" in problem.happened
    assert "recipe.schedule" not in [item.code for item in check_project(scheduled({"type": "one_cycle"}, epochs=3))]


def test_one_cycle_refuses_an_optimizer_without_momentum_only_if_it_moves_it() -> None:
    still = {"type": "sgd", "momentum": 0.0}
    problem = told(CYCLE, optimizer=still)
    assert "momentum is 0" in problem.happened
    assert check_project(scheduled({"type": "one_cycle"}, optimizer=still)) == []
    assert check_project(scheduled(CYCLE, optimizer={"type": "adam"})) == []
    if find("optimizer", "adagrad") is not None:
        assert "has none" in told(CYCLE, optimizer={"type": "adagrad"}).happened


def test_boundaries_that_are_never_reached_are_told() -> None:
    each = known_steps_per_epoch(scheduled({"type": "constant"}))
    assert each > 1
    late = {"type": "piecewise", "boundaries": [each * 10], "values": [1, 0.1], "unit": "steps"}
    problem = told(late, epochs=10)
    assert (problem.severity, f"{each * 10:,}" in problem.happened) == (Severity.WARNING, True)
    reached = {**late, "boundaries": [each * 10 - 1]}
    assert check_project(scheduled(reached, epochs=10)) == []


@pytest.mark.parametrize("schedule", [
    {"type": "warmup", "length": 11}, {"type": "cosine", "warmup": 10.5}, {"type": "inverse_sqrt", "warmup": 100},
])  # fmt: skip
def test_a_warm_up_longer_than_the_training_is_told(schedule: dict[str, Any]) -> None:
    assert told(schedule, epochs=10).severity is Severity.WARNING


def test_rescaling_without_momentum_is_told() -> None:
    for optimizer in ({"type": "sgd"}, {"type": "adam"}):
        problem = only(digits(optimizer=optimizer, momentum_rescale=True), "recipe.momentum_rescale")
        assert problem.severity is Severity.WARNING
    good = digits(optimizer={"type": "sgd", "momentum": 0.9}, momentum_rescale=True)
    assert "recipe.momentum_rescale" not in [item.code for item in check_project(good)]


def test_rprop_has_no_use_for_a_schedule() -> None:
    if find("optimizer", "rprop") is None:
        pytest.skip("there is no Rprop in the catalogue")
    assert told(COSINE, optimizer={"type": "rprop"}).severity is Severity.WARNING


@pytest.mark.parametrize(("schedule", "domain"), [
    ({"type": "power", "s": 0.0}, "a number from"),
    ({"type": "exponential", "by": -1.0}, "a number from"),
    ({"type": "plateau", "patience": 0}, "a whole number from 1"),
    ({"type": "plateau", "by": 1.0}, "a number from"),
    ({"type": "cosine_restarts", "times": 1.5}, "a whole number from 1"),
    ({"type": "cyclical", "mode": "round"}, "triangular2"),
    ({"type": "piecewise", "values": [1, "much"]}, "a list of numbers"),
    ({"type": "piecewise", "boundaries": [-1.0]}, "a list of numbers, each from 0"),
    ({"type": "one_cycle", "tail": 0.95}, "a number from 0 to 0.9"),
    (chain({"type": "plateau", "patience": 0}), "a whole number from 1"),
    (chain({"type": "never"}), "never"),
])  # fmt: skip
def test_values_out_of_their_domain_say_what_is_allowed(schedule: dict[str, Any], domain: str) -> None:
    project = scheduled({"type": "constant"})
    odd = replace(project.recipe, values={**project.recipe.values, "schedule": schedule})
    found = [item for item in check_project(project.with_recipe(odd)) if item.code == "param"]
    assert len(found) == 1
    assert domain in found[0].happened + found[0].expected
    assert found[0].fixes


@pytest.mark.parametrize("value", [3, "often", {"type": 7}, {"type": "chain", "parts": 3}])
def test_nonsense_never_breaks_the_check(value: Any) -> None:
    project = scheduled({"type": "constant"})
    odd = replace(project.recipe, values={**project.recipe.values, "schedule": value, "epochs": "many"})
    assert check_project(project.with_recipe(odd))
