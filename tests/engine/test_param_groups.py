"""Groups of layers with a rate or a decay of their own, what decay leaves alone, and trainings with every optimizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.check import check_project
from engine.course import course_of
from engine.declare import catalogue
from engine.events import Step
from engine.examples import load_example
from engine.last_layers import first_layers, last_layers
from engine.param_groups import fits
from engine.places import Places
from engine.project import Project
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.control import Control, Edit
from engine.runtime.fit import fit
from engine.runtime.groups import made_groups
from engine.runtime.made import make_optimizer
from engine.runtime.restore import load_run
from engine.runtime.session import run
from engine.runtime.setup import hidden_matrices, make_ready
from engine.runtime.steering import Steering
from engine.settings import set_value
from tests.engine.fakes import CPU, recipe, resumed, same_bits, trained, training, weights

OPTIMIZERS = list(catalogue().all("optimizer"))


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.PReLU(), nn.Linear(5, 3))


def groups_of(*groups: dict[str, Any], **settings: Any) -> list[Any]:
    made = recipe(groups=tuple({"type": "group", **group} for group in groups), **settings)
    return made_groups(made, network())


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("hidden.0.linear", "hidden.0.linear", True), ("hidden", "hidden.0.linear", True),
        ("hidden.0", "hidden.10.fc", False),
        ("*", "a.b", True), ("*.linear", "hidden.0.linear", True), ("fc?", "fc1", True), ("fc?", "fc12", False),
        ("hidden.[01]", "hidden.1.linear", True), ("linear", "hidden.0.linear", False), ("FC1", "fc1", False),
    ],
)  # fmt: skip
def test_a_pattern_names_a_layer_or_a_block_around_it(pattern: str, path: str, expected: bool) -> None:
    assert fits(pattern, path) is expected


def test_without_groups_the_parameters_go_as_they_are() -> None:
    assert all(isinstance(item, nn.Parameter) for item in groups_of())
    assert all(isinstance(item, nn.Parameter) for item in groups_of(decay_exempt="biases_and_norms"))


def test_each_group_has_its_rate_and_decay_and_the_rest_comes_first() -> None:
    optimizer = {"type": "adamw", "lr": 0.01, "weight_decay": 0.5}
    rest, first, last = groups_of(
        {"layers": "0", "lr_factor": 0.1}, {"layers": "3", "lr_factor": 2.0, "weight_decay": 0.0}, optimizer=optimizer
    )
    assert ("lr" in rest, [len(item["params"]) for item in (rest, first, last)]) == (False, [3, 2, 2])
    assert first["lr"] == pytest.approx(0.001)
    assert "weight_decay" not in first
    assert (last["lr"], last["weight_decay"]) == (0.02, 0.0)


def test_decay_leaves_vectors_alone() -> None:
    optimizer = {"type": "sgd", "lr": 0.1, "weight_decay": 0.5}
    matrices, vectors = groups_of(decay_exempt="biases_and_norms", optimizer=optimizer)
    assert [item.dim() for item in matrices["params"]] == [2, 2]
    assert {item.dim() for item in vectors["params"]} == {1}
    assert vectors["weight_decay"] == 0.0
    model, settings = network(), recipe(decay_exempt="biases_and_norms", optimizer=optimizer)
    before = {name: item.detach().clone() for name, item in model.named_parameters()}
    made = make_optimizer(settings, made_groups(settings, model), CPU)
    for item in model.parameters():
        item.grad = torch.zeros_like(item)
    made.step()
    for name, item in model.named_parameters():
        np.testing.assert_allclose(item.detach(), before[name] * (0.95 if item.dim() > 1 else 1.0), rtol=1e-6)


def test_schedule_and_edits_keep_the_proportions_of_the_groups() -> None:
    settings = recipe(
        optimizer={"type": "sgd", "lr": 0.1, "momentum": 0.5, "weight_decay": 0.01},
        groups=({"type": "group", "layers": "0", "lr_factor": 0.1, "weight_decay": 0.2},
                {"type": "group", "layers": "3", "lr_factor": 0.0}),
        schedule={"type": "step", "every": 1, "by": 0.5},
    )  # fmt: skip
    made = training(settings, model=nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 3)))
    model = made.model
    optimizer = make_optimizer(settings, made_groups(settings, model), CPU)
    steering = Steering(settings, optimizer)
    steering.edit(Edit("recipe.optimizer.lr", factor=0.5), step=1, epoch=1)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.005, 0.0])
    steering.edit(Edit("recipe.optimizer.weight_decay", value=0.03), step=1, epoch=1)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.2, 0.03]


GROUP_CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "sgd", "lr": 0.1, "momentum": 0.8, "weight_decay": 0.02}, {"lr_factor": 0.25, "weight_decay": 0.3}),
    ({"type": "adam", "lr": 0.01, "weight_decay": 0.05}, {"lr_factor": 3.0, "weight_decay": 0.0}),
    ({"type": "adamw", "lr": 0.01, "weight_decay": 0.1}, {"lr_factor": 0.5, "weight_decay": 0.7}),
    ({"type": "adamw", "lr": 0.01, "weight_decay": 0.1}, {"lr_factor": 0.5}),
    ({"type": "rmsprop", "lr": 0.01, "alpha": 0.95, "eps": 1e-8}, {"lr_factor": 0.0, "weight_decay": 0.4}),
]
"""Optimizers, and the group that the first layer stands in; `test_exactness.py` counts its settings."""


def stepped(kind: str, w: Any, state: dict[str, Any], g: Any, t: int, o: dict[str, float]) -> Any:
    """One step of a parameter, from the papers: coupled decay is added to the gradient, AdamW's to the weights."""
    g = g if kind == "adamw" else g + o["decay"] * w
    if kind == "sgd":
        state["v"] = o["momentum"] * state["v"] + g if "v" in state else g
        return w - o["lr"] * state["v"]
    b1, b2 = (0.0, 0.95) if kind == "rmsprop" else (0.9, 0.999)
    state["m"], state["s"] = b1 * state.get("m", 0.0) + (1 - b1) * g, b2 * state.get("s", 0.0) + (1 - b2) * g**2
    if kind == "rmsprop":
        return w - o["lr"] * g / (np.sqrt(state["s"]) + 1e-8)
    shrunk = w * (1 - o["lr"] * o["decay"]) if kind == "adamw" else w
    m, s = state["m"] / (1 - b1**t), state["s"] / (1 - b2**t)
    return shrunk - o["lr"] * m / (np.sqrt(s) + 1e-8)


@pytest.mark.parametrize("exempt", ["none", "biases_and_norms"])
@pytest.mark.parametrize(("optimizer", "group"), GROUP_CASES)
def test_a_group_follows_the_formula_with_its_own_rate_and_decay(
    optimizer: dict[str, Any], group: dict[str, Any], exempt: str
) -> None:
    """Ten steps in float64 under a falling rate, down the bowl w²/2 for each parameter."""
    settings = recipe(optimizer=optimizer, groups=({"type": "group", "layers": "0", **group},), decay_exempt=exempt,
                      schedule={"type": "exponential", "by": 0.5, "every": 5.0, "unit": "steps"})  # fmt: skip
    model = network().double()
    steering = Steering(settings, make_optimizer(settings, made_groups(settings, model), CPU))
    steering.follow(course_of(settings, steps_per_epoch=10, epochs=1))
    expected = {name: item.detach().numpy().copy() for name, item in model.named_parameters()}
    states: dict[str, dict[str, Any]] = {name: {} for name in expected}
    for t in range(1, 11):
        steering.prepare(t)
        for item in model.parameters():
            item.grad = item.detach().clone()
        steering.update()
        for name, w in expected.items():
            first = name.startswith("0.")
            decay = group.get("weight_decay") if first else None
            decay = optimizer.get("weight_decay", 0.0) if decay is None else decay
            if exempt != "none" and w.ndim < 2 and optimizer.get("weight_decay", 0.0) > 0:
                decay = 0.0
            rate = optimizer["lr"] * (group["lr_factor"] if first else 1.0) * 0.5 ** ((t - 1) / 5)
            rates = {"lr": rate, "decay": decay, "momentum": optimizer.get("momentum", 0.0)}
            expected[name] = stepped(optimizer["type"], w, states[name], w, t, rates)
    for name, item in model.named_parameters():
        np.testing.assert_allclose(item.detach().numpy(), expected[name], rtol=0, atol=1e-10)


def digits(**settings: Any) -> Project:
    project = load_example("digits-mlp")
    for path, value in {"recipe.epochs": 2, "recipe.batch_size": 64, **settings}.items():
        project = set_value(project, path, value if isinstance(value, str) else json.dumps(value))
    return project


def test_a_rate_of_zero_holds_a_layer_still_and_the_others_learn(tmp_path: Path) -> None:
    project = digits(**{
        "recipe.optimizer": {"type": "adam"},
        "recipe.groups": [{"type": "group", "layers": "hidden1", "lr_factor": 0.0}],
    })  # fmt: skip
    *_, ended = run(project, runs=tmp_path, places=Places(folder=tmp_path), threads=1, device="cpu")
    assert ended.outcome == "completed", ended.problem
    after = dict(load_run(Path(ended.run)).model.named_parameters())
    torch.manual_seed(project.recipe.seed)
    before = dict(build(project).model.named_parameters())
    moved = {name: not torch.equal(before[name], after[name]) for name in before}
    assert not moved["hidden1.weight"]
    assert not moved["hidden1.bias"]
    assert moved["hidden2.weight"]
    assert moved["classes.weight"] if "classes.weight" in moved else any(moved.values())


def test_groups_that_name_nothing_or_the_same_are_told_with_a_way_out() -> None:
    project = digits(**{"recipe.groups": [
        {"type": "group", "layers": "hiden*"}, {"type": "group", "layers": "hidden1"},
        {"type": "group", "layers": "hidden*"},
    ]})  # fmt: skip
    problems = [item for item in analyze(project).problems if item.code == "recipe.groups"]
    assert [item.happened for item in problems] == [
        "No layer with weights fits 'hiden*'", "hidden1 stands in group 2 and in group 3",
    ]  # fmt: skip
    assert "hidden1, hidden2" in problems[0].expected
    for problem in problems:
        project = problem.fixes[0].apply(project)
        break
    assert len(project.recipe.get("groups")) == 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"optimizer": {"type": "sgd", "nesterov": True}}, "Nesterov is on, but the momentum is 0"),
        ({"optimizer": {"type": "rprop", "smallest": 60.0}}, "is not below the largest"),
        ({"optimizer": {"type": "lbfgs"}, "groups": [{"type": "group", "layers": "hidden1"}]}, "no own rate"),
        ({"optimizer": {"type": "rprop"}, "groups": [{"type": "group", "layers": "hidden1", "weight_decay": 0.1}]},
         "Rprop has no weight decay"),
        ({"optimizer": {"type": "adamw", "lr": 0.001, "weight_decay": 1e-5}}, "single precision rounds away"),
        ({"optimizer": {"type": "lbfgs"}, "clip": {"type": "norm"}}, "cut ones mislead it"),
        ({"optimizer": {"type": "lbfgs"}, "accumulate": 2}, "several batches"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_told_before_training_and_mended(settings: dict[str, Any], words: str) -> None:
    project = digits(**{f"recipe.{name}": value for name, value in settings.items()})
    problem = next(item for item in check_project(project) if words in item.happened)
    mended = problem.fixes[0].apply(project)
    assert not any(words in item.happened for item in check_project(mended))


def test_decay_that_single_precision_loses_really_changes_nothing() -> None:
    def after(decay: float) -> torch.Tensor:
        parameter = nn.Parameter(torch.linspace(-1, 1, 50))
        made = make_optimizer(recipe(optimizer={"type": "adamw", "lr": 1e-3, "weight_decay": decay}), [parameter], CPU)
        for step in range(20):
            parameter.grad = torch.sin(torch.arange(50.0) + step)
            made.step()
        return parameter.detach()

    assert torch.equal(after(1e-5), after(0.0))
    assert not torch.equal(after(1e-3), after(0.0))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("at", [3, 11])
def test_a_training_with_any_optimizer_that_is_stopped_ends_bit_identical(
    optimizer: str, at: int, tmp_path: Path
) -> None:
    settings = recipe(optimizer={"type": optimizer}, schedule={"type": "step", "every": 1, "by": 0.7})
    whole = training(settings, folder=tmp_path / "whole", epochs=3)
    steps = [event.step for event in trained(whole) if isinstance(event, Step)]
    assert len(steps) > 12
    control = Control()
    stopped = training(settings, folder=tmp_path / "part", epochs=3)
    for event in fit(stopped, control):
        if isinstance(event, Step) and event.step == at:
            control.request_stop()
    again = resumed(tmp_path / "part", settings, epochs=3)
    assert again.step == at
    trained(again)
    assert same_bits(weights(whole), weights(again))


def test_first_and_last_layers_stand_at_the_borders() -> None:
    project = load_example("fashion-mlp")
    layers = analyze(project).layers
    assert first_layers(project.graph, layers) == {"hidden.0.linear"}
    assert last_layers(project.graph, layers) == {"classes"}
    lstm = load_example("two-inputs")
    found = first_layers(lstm.graph, analyze(lstm).layers)
    assert len(found) == 2


def test_muon_takes_the_matrices_between_first_and_last(tmp_path: Path) -> None:
    project = digits(**{"recipe.optimizer": {"type": "muon", "adam_lr": 0.003}, "recipe.epochs": 8})
    ready = make_ready(project, Places(folder=tmp_path), device=torch.device("cpu"), threads=1)
    model = build(ready.project).model
    hidden = hidden_matrices(ready, model)
    names = {name for name, item in model.named_parameters() if id(item) in hidden}
    assert names == {"hidden2.weight"}
    matrices, rest = made_groups(ready.project.recipe, model, hidden)
    assert (len(matrices["params"]), rest["adam"], rest["lr"]) == (1, True, 0.003)
    ready.data.close()
    *_, ended = run(project, runs=tmp_path, places=Places(folder=tmp_path), threads=1, device="cpu")
    assert ended.outcome == "completed", ended.problem
    assert ended.best["val_accuracy"] > 0.8


def test_lbfgs_on_the_whole_set_brings_the_loss_down_far_in_few_steps(tmp_path: Path) -> None:
    project = digits(**{"recipe.optimizer": {"type": "lbfgs"}, "recipe.batch_size": 1437, "recipe.epochs": 8})
    *_, ended = run(project, runs=tmp_path, places=Places(folder=tmp_path), threads=1, device="cpu")
    assert ended.outcome == "completed", ended.problem
    assert ended.final["val_accuracy"] > 0.9
    assert ended.final["train_loss"] < 0.05
