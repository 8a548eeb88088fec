"""Accumulation, averaged weights, precision and the two kinds of training figures, each against its definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from engine.events import EpochEnded, Step
from engine.recipe import Recipe
from engine.runtime import checkpoint
from engine.runtime.averaging import Average
from engine.runtime.checkpoint import weights_that_count
from engine.runtime.control import Control
from engine.runtime.fit import fit
from engine.runtime.precision import Scaling, precision_problem
from engine.timeline import Timeline
from tests.engine.fakes import CPU, Drawn, figures, recipe, resumed, same_bits, trained, training, weights


class Double(Drawn):
    """The drawn points in double precision."""

    def __init__(self, train: int = 160) -> None:
        super().__init__(train)
        self.x = self.x.double()


def plain() -> nn.Sequential:
    """A network without anything that depends on the size of a batch."""
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).double()


EXACT = {"optimizer": {"type": "sgd", "lr": 0.1, "momentum": 0.9}, "clip": {"type": "norm", "limit": 0.2},
         "schedule": {"type": "cosine"}}  # fmt: skip


@pytest.mark.parametrize("samples", [160, 150, 145])
def test_batches_added_up_train_as_one_large_batch(samples: int) -> None:
    """Also where the last group has fewer batches, and the last batch fewer samples."""
    many = training(recipe(batch_size=16, accumulate=4, **EXACT), data=Double(samples), model=plain())
    large = training(recipe(batch_size=64, **EXACT), data=Double(samples), model=plain())
    told, wanted = trained(many), trained(large)
    for name, value in weights(large).items():
        np.testing.assert_allclose(weights(many)[name], value, rtol=1e-10, atol=1e-12)
    assert [event.step for event in told if isinstance(event, Step)] == list(range(1, 3 * 3 + 1))
    assert [event.lr for event in told if isinstance(event, Step)] == [
        event.lr for event in wanted if isinstance(event, Step)
    ]
    for one, other in zip(figures(told), figures(wanted), strict=True):
        assert one == pytest.approx(other, rel=1e-10)


def test_the_loss_told_at_a_step_is_the_mean_of_its_batches() -> None:
    control = Control()
    control.stepping = True
    many = training(recipe(batch_size=16, accumulate=10), data=Double(145), model=plain(), epochs=1)
    data, model = Double(145), plain()
    order = next(iter(data.train_batches(1, 145, 0)))
    wanted = functional.cross_entropy(model(order.inputs[0]), order.targets[0]).item()
    told = [event for event in trained(many, control) if isinstance(event, Step)]
    assert [event.loss for event in told] == [pytest.approx(wanted, rel=1e-12)]


def stopped_at(made: object, step: int) -> list[object]:
    control, seen = Control(), []
    for event in fit(made, control):  # type: ignore[arg-type]
        seen.append(event)
        if isinstance(event, Step) and event.step == step:
            control.request_stop()
    return seen


ALL = {
    "accumulation": {"accumulate": 3},
    "average": {"ema": {"type": "ema", "enabled": True, "decay": 0.9}},
    "bf16": {"precision": "bf16"},
    "fp16": {"precision": "fp16", "clip": {"type": "norm", "limit": 0.3}},
    "evaluated": {"train_figures": "evaluated"},
    "together": {"accumulate": 3, "ema": {"type": "ema", "enabled": True, "decay": 0.9, "use": False},
                 "precision": "bf16", "train_figures": "evaluated", "clip": {"type": "adaptive", "limit": 0.05}},
}  # fmt: skip


@pytest.mark.parametrize("step", [1, 4, 6])
@pytest.mark.parametrize("name", ALL)
def test_a_run_that_goes_on_ends_bit_identical(name: str, step: int, tmp_path: Path) -> None:
    settings = recipe(**ALL[name])
    whole = training(settings, folder=tmp_path / "whole")
    alone = trained(whole)
    stopped_at(training(settings, folder=tmp_path / "parts"), step)
    rest = resumed(tmp_path / "parts", settings)
    after = trained(rest)
    assert same_bits(weights(rest), weights(whole))
    assert figures(after) == figures(alone)[-len(figures(after)) :]
    for kind in ("last", "best"):
        one, two = (checkpoint.load(tmp_path / folder, kind) for folder in ("whole", "parts"))
        assert same_bits(weights_that_count(one), weights_that_count(two))


def average(decay: float, *, warmup: bool) -> tuple[nn.Parameter, Average]:
    model = nn.Module()
    model.weight = nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    return model.weight, Average(model, decay, warmup=warmup)


def test_the_average_follows_its_closed_form() -> None:
    decay, steps = 0.95, 40
    weight, made = average(decay, warmup=False)
    draw = np.random.default_rng(2)
    path = [weight.detach().numpy().copy()]
    for _ in range(steps):
        path.append(draw.normal(size=2))
        with torch.no_grad():
            weight.copy_(torch.from_numpy(path[-1]))
        made.update()
    wanted = decay**steps * path[0]
    wanted = wanted + (1 - decay) * sum(decay ** (steps - t) * path[t] for t in range(1, steps + 1))
    np.testing.assert_allclose(made.weights()["weight"].numpy(), wanted, rtol=0, atol=1e-12)


def test_the_average_of_a_warm_start_forgets_the_beginning() -> None:
    weight, made = average(0.999, warmup=True)
    kept = weight.detach().numpy().copy()
    for step in range(1, 31):
        with torch.no_grad():
            weight.fill_(float(step))
        made.update()
        decay = min(0.999, (1 + step) / (10 + step))
        kept = decay * kept + (1 - decay) * step
    np.testing.assert_allclose(made.weights()["weight"].numpy(), kept, rtol=1e-12)


def test_validation_and_best_take_the_average_and_training_never_notices(tmp_path: Path) -> None:
    without = training(epochs=2)
    trained(without)
    made = training(recipe(ema={"type": "ema", "enabled": True, "decay": 0.9}), folder=tmp_path, epochs=2)
    events = trained(made)
    assert same_bits(weights(made), weights(without))
    last, best = (checkpoint.load(tmp_path, kind) for kind in ("last", "best"))
    counts = weights_that_count(last)
    assert not torch.equal(counts["0.weight"], last.weights["0.weight"])
    assert torch.equal(counts["1.running_mean"], weights(made)["1.running_mean"])  # buffers are the model's own
    ended = [event for event in events if isinstance(event, EpochEnded)]
    checkpoint.fill(made.model, counts)
    made.model.eval()
    data = Drawn()
    with torch.no_grad():
        loss = functional.cross_entropy(made.model(data.x[160:]), data.y[160:]).item()
    assert ended[-1].val_loss == pytest.approx(loss, rel=1e-5)
    if ended[-1].best:
        assert same_bits(dict(best.weights), counts)


def test_an_average_that_is_not_meant_for_use_is_only_kept(tmp_path: Path) -> None:
    made = training(recipe(ema={"type": "ema", "enabled": True, "use": False}), folder=tmp_path, epochs=2)
    told = figures(trained(made))
    assert told == figures(trained(training(epochs=2)))
    last = checkpoint.load(tmp_path, "last")
    assert same_bits(weights_that_count(last), dict(last.weights))
    assert "0.weight" in last.training["average"]["weights"]


@pytest.mark.parametrize("kind", ["bf16", "fp16"])
def test_sixteen_bits_train_close_to_float32_and_evaluate_in_float32(kind: str) -> None:
    """fp16 is refused on a CPU because it is slow there; torch can do it all the same, and so it is tried here."""
    one = training(recipe(precision="float32"), epochs=8)
    exact = figures(trained(one))
    two = training(recipe(precision=kind), epochs=8)
    rough = figures(trained(two))
    assert not same_bits(weights(one), weights(two))
    assert {value.dtype for value in weights(two).values()} == {torch.float32, torch.int64}
    assert rough[-1]["val"] == pytest.approx(exact[-1]["val"], abs=0.05)
    assert rough[-1]["val"] < rough[0]["val"]


def test_an_overflow_of_fp16_moves_nothing_halves_the_scale_and_is_told() -> None:
    """torch scales on the CPU too, so the arithmetic is tried here; what is refused is training that way."""
    weight = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    scaling = Scaling.of("fp16", CPU)
    assert scaling is not None
    before = scaling.scale
    for factor in (float("inf"), 1.0):
        optimizer.zero_grad()
        scaling.scaled((weight * factor).sum()).backward()
        scaling.unscale(optimizer)
        scaling.step(optimizer)
    assert weight.tolist() == pytest.approx([0.9, 0.9])
    assert (scaling.scale, scaling.take(), scaling.take()) == (before / 2, 1, 0)
    again = Scaling.of("fp16", CPU)
    again.load(scaling.state())
    assert again.scale == scaling.scale
    assert Scaling.of("bf16", CPU) is None


def test_what_a_device_cannot_do_is_told_before_training() -> None:
    problem = precision_problem("fp16", CPU)
    assert problem is not None
    assert "CPU" in problem.happened
    assert precision_problem("bf16", CPU) is None
    assert precision_problem("float32", CPU) is None


def test_evaluated_training_figures_are_those_of_the_training_set_in_eval_mode() -> None:
    made = training(recipe(train_figures="evaluated", metrics=({"type": "accuracy"}, {"type": "f1"})), epochs=2)
    told = [event for event in trained(made) if isinstance(event, EpochEnded)]
    usual = training(recipe(metrics=({"type": "accuracy"}, {"type": "f1"})), epochs=2)
    running = [event for event in trained(usual) if isinstance(event, EpochEnded)]
    assert same_bits(weights(made), weights(usual))
    made.model.eval()
    data = Drawn()
    with torch.no_grad():
        outputs = made.model(data.x[:160])
    assert told[-1].train_loss == pytest.approx(functional.cross_entropy(outputs, data.y[:160]).item(), rel=1e-5)
    assert told[-1].metrics["train_accuracy"] == (outputs.argmax(1) == data.y[:160]).float().mean().item()
    assert "train_f1" in told[-1].metrics
    assert {event.train_figures for event in told} == {"evaluated"}
    assert {event.train_figures for event in running} == {"running"}
    for one, other in zip(told, running, strict=True):
        assert one.metrics["running_loss"] == other.train_loss
        assert one.metrics["running_accuracy"] == other.metrics["train_accuracy"]
        assert one.val_loss == other.val_loss
        assert one.train_loss < one.metrics["running_loss"]  # no dropout, and the weights at the epoch's end


def test_the_figures_name_what_they_are_in_the_record() -> None:
    from engine.events import from_json, to_json

    made = training(recipe(train_figures="evaluated"), epochs=1)
    event = next(event for event in trained(made) if isinstance(event, EpochEnded))
    data = to_json(event)
    assert data["train_figures"] == "evaluated"
    assert "running_loss" in data
    assert from_json(data) == event
    timeline = Timeline.from_events([event])
    assert timeline.metric_names() == ["accuracy"]
    assert timeline.epoch_series("running_loss")[1].tolist() == [event.metrics["running_loss"]]


def test_the_recipe_refuses_what_is_out_of_its_domain() -> None:
    for name, value in [
        ("accumulate", 0), ("precision", "float8"), ("sampler", "odd"), ("train_figures", "both"), ("device", "cuda:x"),
        ("device", "tpu"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match="is not"):
            Recipe().with_value(name, value)
    assert Recipe().with_value("device", "cuda:1").get("device") == "cuda:1"
