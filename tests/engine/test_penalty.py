"""Penalties on weights and bounds on their norms: against derivatives and formulas, in the model and while training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.analysis import WeightRules
from engine.declare import make
from engine.events import EpochEnded, Step
from engine.examples import load_example
from engine.places import Places
from engine.project import Project
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.control import Control
from engine.runtime.fit import fit
from engine.runtime.made import make_optimizer
from engine.runtime.penalty import EVERY, MaxNorm, Penalty
from engine.runtime.restore import load_run
from engine.runtime.session import run
from engine.runtime.steering import Steering
from engine.settings import set_value
from tests.engine.drawn import box, draw, facts, project
from tests.engine.fakes import CPU, recipe


def net() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()


RULES = {"0": WeightRules(("weight",), l1=0.02, l2=0.3), "2": WeightRules(("weight",), l2=0.1)}


def stated(model: nn.Sequential) -> torch.Tensor:
    """Σ over layers of l1·Σ|w| + l2·Σw², to be differentiated."""
    first, last = model[0].weight, model[2].weight
    return 0.02 * first.abs().sum() + 0.3 * (first**2).sum() + 0.1 * (last**2).sum()


def test_value_and_gradient_are_those_of_the_formula() -> None:
    model, x = net(), torch.randn(7, 4, dtype=torch.float64)
    penalty = Penalty.of(model, RULES)
    assert penalty is not None
    assert penalty.value() == pytest.approx(float(stated(model).detach()), abs=1e-12)
    (model(x).square().mean() + stated(model)).backward()
    expected = [item.grad.clone() for item in model.parameters()]
    model.zero_grad()
    model(x).square().mean().backward()
    penalty.add_gradients()
    for item, wanted in zip(model.parameters(), expected, strict=True):
        np.testing.assert_allclose(item.grad, wanted, rtol=0, atol=1e-12)


def test_a_weight_that_is_shared_or_frozen_costs_once_or_nothing() -> None:
    model = net()
    model[0].weight.requires_grad_(False)
    penalty = Penalty.of(model, RULES)
    assert penalty is not None
    assert penalty.value() == pytest.approx(float((0.1 * model[2].weight.detach() ** 2).sum()), abs=1e-12)
    assert Penalty.of(model, {"0": WeightRules(("weight",), max_norm=1.0)}) is None
    assert MaxNorm.of(model, RULES) is None


def test_plain_descent_with_l2_is_weight_decay_of_twice_as_much() -> None:
    first, second = net(), net()
    penalty = Penalty.of(first, {"0": WeightRules(("weight",), l2=0.05)})
    assert penalty is not None
    plain = torch.optim.SGD(first.parameters(), lr=0.1)
    decay = torch.optim.SGD(
        [{"params": [second[0].weight], "weight_decay": 0.1}, {"params": [second[0].bias, *second[2].parameters()]}],
        lr=0.1,
    )
    for step in range(50):
        x = torch.randn(8, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(step))
        for model, optimizer in ((first, plain), (second, decay)):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            if model is first:
                penalty.add_gradients()
            optimizer.step()
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        np.testing.assert_allclose(one.detach(), two.detach(), rtol=0, atol=1e-12)


def keras_max_norm(kernel: np.ndarray, radius: float) -> np.ndarray:
    """Keras on a kernel (inputs, units), axis 0: w · clip(norm, 0, r) / (1e-7 + norm)."""
    norm = np.sqrt((kernel**2).sum(0, keepdims=True))
    return kernel * np.clip(norm, 0, radius) / (1e-7 + norm)


def test_max_norm_bounds_what_enters_each_unit_and_nothing_else() -> None:
    torch.manual_seed(2)
    layers: dict[str, nn.Module] = {
        "linear": nn.Linear(6, 4), "conv": nn.Conv2d(3, 5, 3), "up": nn.ConvTranspose2d(3, 5, 2),
        "free": nn.Linear(4, 4),
    }  # fmt: skip
    model = nn.ModuleDict(layers).double()
    before = {name: item.detach().clone() for name, item in model.named_parameters()}
    rules = {name: WeightRules(("weight",), max_norm=0.35) for name in ("linear", "conv", "up")}
    bound = MaxNorm.of(model, rules)
    assert bound is not None
    bound.apply()
    units = {"linear": 0, "conv": 0, "up": 1}
    for name, item in model.named_parameters():
        layer, tensor = name.split(".")
        if tensor == "bias" or layer == "free":
            assert torch.equal(item, before[name])
            continue
        kernel = before[name].movedim(units[layer], -1).reshape(-1, before[name].shape[units[layer]]).numpy()
        after = item.detach().movedim(units[layer], -1).reshape(kernel.shape).numpy()
        assert (np.sqrt((kernel**2).sum(0)) > 0.35).any()
        np.testing.assert_allclose(after, keras_max_norm(kernel, 0.35), rtol=0, atol=2e-7)


def test_the_bound_holds_after_every_step_and_clipping_sees_the_penalty() -> None:
    model = net().float()
    settings = recipe(optimizer={"type": "sgd", "lr": 5.0}, clip={"type": "norm", "limit": 1.0})
    rules = {"0": WeightRules(("weight",), l2=10.0, max_norm=0.7)}
    steering = Steering(
        settings, make_optimizer(settings, model.parameters(), CPU), penalty=Penalty.of(model, rules),
        bounds=MaxNorm.of(model, rules),
    )  # fmt: skip
    for step in range(5):
        for item in model.parameters():
            item.grad = None
        loss = model(torch.randn(8, 4, generator=torch.Generator().manual_seed(step))).square().mean()
        steering.backward(loss)
        steering.gathered()
        steering.update()
        assert float(model[0].weight.detach().norm(dim=1).max()) <= 0.7 * (1 + 1e-6)
    told = steering.clipped()
    assert told.hits == 5
    assert told.norm > 5  # the gradient of the data alone is far smaller


def digits(**settings: Any) -> Project:
    made = load_example("digits-mlp")
    for path, value in {"recipe.epochs": 2, "recipe.batch_size": 64, **settings}.items():
        made = set_value(made, path, value if isinstance(value, str) else json.dumps(value))
    return made


def ended(made: Project, folder: Path, **more: Any) -> tuple[list[Any], Any]:
    events = list(run(made, runs=folder, places=Places(folder=folder), threads=1, device="cpu", **more))
    assert events[-1].outcome == "completed", events[-1].problem
    return [event for event in events if isinstance(event, EpochEnded)], load_run(Path(events[-1].run), "last")


def test_layer_block_and_project_say_what_weights_cost() -> None:
    made = load_example("fashion-mlp")
    made = set_value(made, "defaults.regularizer", '{"type": "l2", "l2": 0.1}')
    made = set_value(made, "defaults.max_norm", "3")
    made = set_value(made, "nodes.hidden.regularizer", '{"type": "l1_l2", "l1": 0.2, "l2": 0.3}')
    made = set_value(made, "nodes.classes.max_norm", "0")
    rules = analyze(made).rules
    assert rules["classes"] == WeightRules(("weight",), 0.0, 0.1, 0.0)
    assert {rules[f"hidden.{copy}.linear"] for copy in range(3)} == {WeightRules(("weight",), 0.2, 0.3, 3.0)}
    made = set_value(made, "nodes.hidden.linear.regularizer", '{"type": "none"}')
    assert analyze(made).rules["hidden.1.linear"] == WeightRules(("weight",), 0.0, 0.0, 3.0)
    assert analyze(load_example("fashion-mlp")).rules == {}
    assert analyze(made).source == analyze(load_example("fashion-mlp")).source  # training's business, not the model's


def test_the_penalty_is_told_apart_from_the_loss(tmp_path: Path) -> None:
    plain, _ = ended(digits(), tmp_path / "plain")
    epochs, restored = ended(digits(**{"defaults.regularizer": {"type": "l2", "l2": 0.01}}), tmp_path / "l2")
    weights = [item.detach().double() for name, item in restored.model.named_parameters() if name.endswith("weight")]
    norms = 0.01 * sum(float((item**2).sum()) for item in weights if item.dim() >= 2)
    assert epochs[-1].metrics["penalty"] == pytest.approx(norms, rel=1e-6)
    assert epochs[0].metrics["train_penalty"] > epochs[-1].metrics["penalty"] > 0
    assert "penalty" not in plain[-1].metrics
    assert epochs[-1].val_loss < 3


def test_a_stopped_run_with_penalty_and_bound_ends_bit_identical(tmp_path: Path) -> None:
    made = digits(**{
        "defaults.regularizer": {"type": "l1_l2", "l1": 1e-4, "l2": 1e-3}, "defaults.max_norm": 1.0,
        "recipe.optimizer": {"type": "sgd", "lr": 0.1, "momentum": 0.9}, "recipe.ema": {"type": "ema", "enabled": True},
    })  # fmt: skip
    whole, first = ended(made, tmp_path / "whole")
    control = Control()
    last = None
    for event in run(made, runs=tmp_path / "part", places=Places(folder=tmp_path), threads=1, device="cpu",
                     control=control):  # fmt: skip
        if isinstance(event, Step) and event.step == 17:
            control.request_stop()
        last = event
    assert last is not None
    assert last.outcome == "stopped"
    events = list(
        run(made, runs=tmp_path / "part", places=Places(folder=tmp_path), threads=1, device="cpu",
            resume=Path(last.run))
    )  # fmt: skip
    again = load_run(Path(last.run), "last")
    for name, item in first.model.state_dict().items():
        assert torch.equal(item, again.model.state_dict()[name]), name
    figures = [event for event in events if isinstance(event, EpochEnded)][-1].metrics
    assert figures["penalty"] == whole[-1].metrics["penalty"]
    assert figures["train_penalty"] == whole[-1].metrics["train_penalty"]


def test_the_mean_over_an_epoch_comes_from_every_sixteenth_step() -> None:
    model = net()
    penalty = Penalty.of(model, RULES)
    assert penalty is not None
    values = []
    for step in range(1, 2 * EVERY + 2):
        penalty.note(step)
        if step % EVERY == 1:
            values.append(penalty.value())
        with torch.no_grad():
            model[0].weight.mul_(0.99)
    found = penalty.figures()
    assert found == {"penalty": penalty.value(), "train_penalty": pytest.approx(np.mean(values), rel=1e-12)}
    assert penalty.figures()["train_penalty"] == penalty.value()


def test_lbfgs_sees_loss_and_penalty_together() -> None:
    """The minimum of mean (w·x − y)² + l2·w² is that of ridge regression."""
    draw_ = np.random.default_rng(0)
    x, y = draw_.normal(size=(40, 3)), draw_.normal(size=(40, 1))
    model = nn.Sequential(nn.Linear(3, 1, bias=False)).double()
    settings = recipe(optimizer={"type": "lbfgs", "max_iter": 100})
    steering = Steering(
        settings, make_optimizer(settings, model.parameters(), CPU),
        penalty=Penalty.of(model, {"0": WeightRules(("weight",), l2=0.3)}),
    )  # fmt: skip

    def again() -> torch.Tensor:
        model.zero_grad(set_to_none=True)
        loss = (model(torch.tensor(x)) - torch.tensor(y)).square().mean()
        steering.backward(loss)
        steering.gathered()
        return loss.detach()

    steering.update_along(again(), again)
    ridge = np.linalg.solve(x.T @ x / 40 + 0.3 * np.eye(3), x.T @ y / 40)
    np.testing.assert_allclose(model[0].weight.detach().numpy().T, ridge, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("path", "value", "words"), [
    ("nodes.hidden1.max_norm", "-1", "0 to"), ("nodes.hidden1.regularizer.type", "l3", "l1_l2"),
    ("nodes.relu1.max_norm", "1", "max_norm"),
])  # fmt: skip
def test_what_is_not_allowed_names_what_is(path: str, value: str, words: str) -> None:
    from engine.problem import ProblemError

    made = digits()
    if "relu1" in path:
        kind = next(node.name for node in made.graph.nodes.values() if node.type == "relu")
        path = path.replace("relu1", kind)
    with pytest.raises(ProblemError) as caught:
        set_value(made, path, value)
    said = f"{caught.value.problem.happened} {caught.value.problem.expected}"
    assert words in said


def test_costs_of_every_regularizer() -> None:
    assert (make("regularizer", {"type": "none"}).l1, make("regularizer", {"type": "none"}).l2) == (0.0, 0.0)
    assert (make("regularizer", {"type": "l1"}).l1, make("regularizer", {"type": "l1"}).l2) == (0.01, 0.0)
    both = make("regularizer", {"type": "l1_l2", "l1": 0.5, "l2": 0.25})
    assert (both.l1, both.l2) == (0.5, 0.25)


def test_a_transposed_convolution_and_a_shared_layer_build_their_rules() -> None:
    graph = draw(
        box("image", "input"), box("up", "conv_transpose2d", "image", max_norm=0.5), box("flat", "flatten", "up"),
        box("fc", "linear", "flat", units=3, regularizer={"type": "l2"}), box("out", "output", "fc"),
    )  # fmt: skip
    made = project(graph, facts(image=(2, 4, 4)))
    rules = analyze(made).rules
    model = build(made).model
    assert set(rules) == {"up", "fc"}
    assert Penalty.of(model, rules) is not None
    bound = MaxNorm.of(model, rules)
    assert bound is not None
    bound.apply()
    assert float(model.get_submodule("up").weight.detach().square().sum((0, 2, 3)).max()) <= 0.25 + 1e-6


def test_fit_tells_the_penalty_at_each_epoch() -> None:
    from tests.engine.fakes import training

    made = training(recipe())
    made.steering.penalty = Penalty.of(made.model, {"0": WeightRules(("weight",), l2=0.1)})
    epochs = [event for event in fit(made, Control()) if isinstance(event, EpochEnded)]
    assert all("penalty" in event.metrics and "train_penalty" in event.metrics for event in epochs)
