"""Schedules inside a training: rates, momentum and velocities as they act, and runs that are stopped in the middle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.course import Course
from engine.declare import make
from engine.events import Alerted, EpochEnded, Step, from_json, to_json
from engine.runtime.control import Control, Edit
from engine.runtime.fit import fit
from engine.runtime.made import make_optimizer
from engine.runtime.rates import momentum_of
from engine.runtime.scoring import evaluate
from engine.runtime.steering import Steering
from engine.timeline import Timeline
from tests.engine.fakes import CPU, recipe, resumed, same_bits, trained, training, weights
from tests.engine.test_schedule_formulas import keras_plateau

SGD = {"type": "sgd", "lr": 0.1, "momentum": 0.9}
CYCLE = {"type": "one_cycle", "cycle_momentum": True}


def steered(optimizer: dict[str, Any], schedule: dict[str, Any], start: np.ndarray, *, steps: int, **more: Any) -> Any:
    """A steering over one float64 parameter."""
    parameter = torch.nn.Parameter(torch.tensor(start))
    settings = recipe(optimizer=optimizer, schedule=schedule, **more)
    steering = Steering(settings, make_optimizer(settings, [parameter], CPU))
    steering.follow(Course(settings.made("schedule"), steps_per_epoch=steps, epochs=1))
    return parameter, steering


def descended(optimizer: dict[str, Any], schedule: dict[str, Any], *, steps: int = 40, **more: Any) -> np.ndarray:
    """Weights after each step down a bowl, as our engine takes them."""
    curvature, start = np.array([0.5, 1.0, 2.0]), np.array([1.0, -2.0, 0.5])
    parameter, steering = steered(optimizer, schedule, start, steps=steps, **more)
    found = []
    for step in range(1, steps + 1):
        steering.prepare(step)
        parameter.grad = torch.tensor(curvature * parameter.detach().numpy())
        steering.update()
        found.append(parameter.detach().numpy().copy())
    return np.array(found)


def keras_sgd(rates: np.ndarray, momenta: np.ndarray, *, nesterov: bool = False) -> np.ndarray:
    """Keras's SGD: v <- mu v - lr g; w <- w + v, or with Nesterov w <- w + mu v - lr g with the new v."""
    curvature, w, v = np.array([0.5, 1.0, 2.0]), np.array([1.0, -2.0, 0.5]), np.zeros(3)
    found = []
    for rate, mu in zip(rates, momenta, strict=True):
        g = curvature * w
        v = mu * v - rate * g
        w = w + (mu * v - rate * g if nesterov else v)
        found.append(w)
    return np.array(found)


def factors(schedule: dict[str, Any], steps: int = 40) -> np.ndarray:
    course = Course(make("schedule", schedule), steps_per_epoch=steps, epochs=1)
    return np.array([course.factor(step) for step in range(1, steps + 1)])


CHANGING = [
    {"type": "exponential", "every": 10.0, "unit": "steps"},
    {"type": "one_cycle"},
    {"type": "cyclical", "half": 5, "unit": "steps", "low": 0.0},
    {"type": "piecewise", "boundaries": [10, 20, 30], "values": [1, 0.0, 0.5, 2.0], "unit": "steps"},
]


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("schedule", CHANGING, ids=lambda item: item["type"])
def test_rescaled_velocities_are_keras_s(schedule: dict[str, Any], nesterov: bool) -> None:
    rates = 0.1 * factors(schedule)
    expected = keras_sgd(rates, np.full(40, 0.9), nesterov=nesterov)
    optimizer = {**SGD, "nesterov": nesterov}
    rescaled = descended(optimizer, schedule, momentum_rescale=True)
    np.testing.assert_allclose(rescaled, expected, rtol=0, atol=1e-10)
    plain = descended(optimizer, schedule)
    assert np.abs(plain - expected).max() > 1e-3  # PyTorch's form is another one as soon as the rate changes


def test_rescaled_velocities_are_keras_s_while_momentum_moves_too() -> None:
    schedule = {**CYCLE, "high": 0.95, "low": 0.8}
    course = Course(make("schedule", schedule), steps_per_epoch=40, epochs=1)
    momenta = np.array([course.momentum(step) for step in range(1, 41)])
    expected = keras_sgd(0.1 * factors(schedule), momenta)
    np.testing.assert_allclose(descended(SGD, schedule, momentum_rescale=True), expected, rtol=0, atol=1e-10)


def test_at_a_constant_rate_both_forms_are_the_same() -> None:
    constant = {"type": "constant"}
    expected = keras_sgd(np.full(40, 0.1), np.full(40, 0.9))
    for rescale in (False, True):
        np.testing.assert_allclose(descended(SGD, constant, momentum_rescale=rescale), expected, rtol=0, atol=1e-10)


def test_an_edit_of_the_rate_rescales_too() -> None:
    parameter, steering = steered(SGD, {"type": "constant"}, np.array([1.0, -2.0, 0.5]), steps=20,
                                  momentum_rescale=True)  # fmt: skip
    found = []
    for step in range(20):
        if step == 8:
            steering.edit(Edit("recipe.optimizer.lr", factor=0.25), step=step, epoch=1)
        parameter.grad = torch.tensor(np.array([0.5, 1.0, 2.0]) * parameter.detach().numpy())
        steering.update()
        found.append(parameter.detach().numpy().copy())
    rates = np.where(np.arange(20) < 8, 0.1, 0.025)
    np.testing.assert_allclose(np.array(found), keras_sgd(rates, np.full(20, 0.9)), rtol=0, atol=1e-10)


def test_rmsprop_with_momentum_rescales_as_keras_does() -> None:
    """Keras's RMSprop: v <- mu v + lr g / (sqrt(s) + eps); w <- w - v."""
    schedule = CHANGING[0]
    curvature, w, v, s = np.array([0.5, 1.0, 2.0]), np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3)
    expected = []
    for rate in 0.01 * factors(schedule):
        g = curvature * w
        s = 0.9 * s + 0.1 * g**2
        v = 0.8 * v + rate * g / (np.sqrt(s) + 1e-7)
        w = w - v
        expected.append(w)
    optimizer = {"type": "rmsprop", "lr": 0.01, "momentum": 0.8, "eps": 1e-7}
    found = descended(optimizer, schedule, momentum_rescale=True)
    np.testing.assert_allclose(found, np.array(expected), rtol=0, atol=1e-10)


@pytest.mark.parametrize("optimizer", [
    SGD, {"type": "adam", "lr": 0.01}, {"type": "adamw"}, {"type": "rmsprop", "momentum": 0.5},
], ids=lambda item: item["type"])  # fmt: skip
def test_momentum_moves_in_the_optimizer_and_comes_back_to_its_own(optimizer: dict[str, Any]) -> None:
    chain = {"type": "chain", "parts": ({"type": "constant"}, CYCLE, {"type": "constant"}), "lengths": [0.25, 0.5]}
    _, steering = steered(optimizer, chain, np.zeros(3), steps=40)
    group = steering._optimizer.param_groups[0]
    own, found = momentum_of(group), []
    for step in range(1, 41):
        steering.prepare(step)
        found.append(momentum_of(group))
    assert found[:10] == [own] * 10
    assert found[10] == 0.95
    assert min(found) < 0.87 < found[29]
    assert found[30:] == [own] * 10
    if "betas" in group:
        assert group["betas"][1] == 0.999


def test_adam_takes_the_moved_beta() -> None:
    """Adam (Kingma & Ba 2015) with another beta1 at each step, corrected by that step's own power as torch does."""
    course = Course(make("schedule", CYCLE), steps_per_epoch=40, epochs=1)
    curvature, w, m, s = np.array([0.5, 1.0, 2.0]), np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3)
    expected = []
    for t in range(1, 41):
        b1 = course.momentum(t)
        assert b1 is not None
        g = curvature * w
        m, s = b1 * m + (1 - b1) * g, 0.999 * s + 0.001 * g**2
        w = w - 0.01 * course.factor(t) * (m / (1 - b1**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
        expected.append(w)
    found = descended({"type": "adam", "lr": 0.01}, CYCLE)
    np.testing.assert_allclose(found, np.array(expected), rtol=0, atol=1e-10)


def test_momentum_that_the_schedule_moves_cannot_be_edited() -> None:
    _, steering = steered(SGD, CYCLE, np.zeros(3), steps=40)
    told = steering.edit(Edit("recipe.optimizer.momentum", value=0.5), step=1, epoch=1)
    assert "the schedule moves it" in told.words


SCHEDULES = [
    CYCLE,
    {"type": "plateau", "patience": 1, "min_delta": 0.5},
    {"type": "chain", "parts": ({"type": "warmup", "length": 1}, {"type": "plateau", "patience": 1, "min_delta": 9}),
     "lengths": [1]},
    {"type": "chain", "parts": ({"type": "warmup", "length": 1}, CYCLE), "lengths": [1]},
    {"type": "cosine_restarts", "first": 1, "times": 2},
    {"type": "plateau", "patience": 1, "min_delta": 0.5, "every": 4},
    {"type": "chain", "parts": ({"type": "warmup", "length": 1},
                                {"type": "plateau", "patience": 2, "min_delta": 9, "every": 3}), "lengths": [1]},
    {"type": "formula", "formula": "before * 0.9 + 0.01 * (step % 3)", "per": "step"},
]  # fmt: skip


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda item: item["type"])
@pytest.mark.parametrize("at", [13, 20, 34])
def test_a_run_that_is_stopped_in_mid_schedule_ends_bit_identical(
    tmp_path: Path, schedule: dict[str, Any], at: int
) -> None:
    settings = recipe(optimizer=SGD, schedule=schedule, momentum_rescale=True)
    whole = training(settings, folder=tmp_path / "whole", epochs=5)
    steps = [(event.step, event.lr) for event in trained(whole) if isinstance(event, Step)]
    assert len({rate for _, rate in steps}) > 1
    control = Control()
    stopped = training(settings, folder=tmp_path / "part", epochs=5)
    events = fit(stopped, control)
    for event in events:
        if isinstance(event, Step) and event.step == at:
            control.request_stop()
    again = resumed(tmp_path / "part", settings, epochs=5)
    assert again.step == at
    rest = [(event.step, event.lr) for event in trained(again) if isinstance(event, Step)]
    assert rest == steps[at:]
    assert same_bits(weights(whole), weights(again))


def test_plateau_lowers_the_rate_from_the_figures_of_a_real_training() -> None:
    settings = recipe(schedule={"type": "plateau", "patience": 2, "min_delta": 100.0})
    events = trained(training(settings, epochs=7))
    ended = [event for event in events if isinstance(event, EpochEnded)]
    # Nothing improves by 100: the first epoch is the best, then every two epochs without improvement halve the rate.
    np.testing.assert_allclose([event.lr for event in ended], 0.01 * np.array([1, 1, 1, 0.5, 0.5, 0.25, 0.25]))
    told = [(event.epoch, event.words) for event in events if isinstance(event, Alerted)]
    words = "val_loss without improvement for 2 epochs: rate ×0.5"
    assert told == [(3, words), (5, words), (7, words)]


def test_plateau_looks_every_so_many_steps_at_the_validation_set_as_it_is_then() -> None:
    """Performance scheduling as Keras's callback counts, fed with losses that another evaluation gives at each look."""
    settings = recipe(
        optimizer={"type": "sgd", "lr": 0.3}, schedule={"type": "plateau", "patience": 1, "every": 4, "min_delta": 0.1}
    )
    made = training(settings, epochs=4)
    each, losses, rates = made.steps_per_epoch, [], []
    for event in fit(made, Control()):
        if isinstance(event, Step):
            rates.append(event.lr)
            if event.step % 4 == 0:
                losses.append(evaluate(made.model, made._data, "val", heads=made._objective.heads).loss)
    factors = keras_plateau(losses, factor=0.5, patience=1, min_delta=0.1, cooldown=0, least=0.0)
    assert len(set(factors)) > 2
    assert each % 4
    expected = [0.3 * ([1.0, *factors][step // 4]) for step in range(4 * each)]
    np.testing.assert_allclose(rates, expected)


def test_a_training_that_never_looks_is_not_changed_by_looking() -> None:
    looking = {"type": "plateau", "patience": 1_000, "every": 3}
    found = []
    for settings in (recipe(), recipe(schedule=looking)):
        made = training(settings)
        trained(made)
        found.append(weights(made))
    assert same_bits(*found)


def test_plateau_turns_round_for_a_figure_that_grows() -> None:
    settings = recipe(schedule={"type": "plateau", "monitor": "val_accuracy", "patience": 1, "min_delta": 0.0})
    ended = [event for event in trained(training(settings, epochs=6)) if isinstance(event, EpochEnded)]
    factor, best, expected = 1.0, -1.0, []
    for event in ended:
        expected.append(0.01 * factor)
        if event.metrics["val_accuracy"] > best:
            best = event.metrics["val_accuracy"]
        else:
            factor *= 0.5
    np.testing.assert_allclose([event.lr for event in ended], expected)


@pytest.mark.parametrize("optimizer", [SGD, {"type": "adam"}], ids=["sgd", "adam"])
def test_the_momentum_that_a_cycle_moves_is_told_and_kept(optimizer: dict[str, Any]) -> None:
    made = training(recipe(optimizer=optimizer, schedule=CYCLE), epochs=2)
    events = trained(made)
    told = [(event.step, event.momentum) for event in events if isinstance(event, Step) and event.loss is not None]
    course = made.steering._course
    assert course is not None
    assert len(told) > 3
    assert all(momentum == pytest.approx(course.momentum(step)) for step, momentum in told)
    line = Timeline.from_events(from_json(to_json(event)) for event in events)
    steps, values = line.momentum.points()
    assert np.column_stack([steps, values]) == pytest.approx(np.array(told))
    constant = trained(training(recipe(optimizer=optimizer), epochs=1))
    assert all(event.momentum is None for event in constant if isinstance(event, Step))
