"""Schedules and the planned curve against formulas written here anew, and against torch's own schedulers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.declare import Declaration, catalogue, make
from engine.plan import plan
from engine.progress import Progress
from tests.engine.catalogue import named, settings_of

SCHEDULES = list(catalogue().all("schedule").values())


def factors(tagged: dict[str, Any], *, epochs: int, steps: int) -> np.ndarray:
    schedule = make("schedule", tagged)
    places = (Progress.at(step, steps_per_epoch=steps, epochs=epochs) for step in range(epochs * steps))
    return np.array([schedule.factor(place) for place in places])


@pytest.mark.parametrize("declaration", **named(SCHEDULES))
def test_every_factor_is_finite_and_not_negative(declaration: Declaration) -> None:
    for settings in settings_of(declaration):
        if declaration.type == "formula" and "formula" in settings:  # a word alone is no formula
            assert make("schedule", {"type": "formula", **settings}).refuse() is not None
            continue
        for epochs, steps in ((1, 1), (3, 1), (5, 7), (1, 20)):
            found = factors({"type": declaration.type, **settings}, epochs=epochs, steps=steps)
            assert np.isfinite(found).all()
            assert (found >= 0).all()


def test_a_constant_rate_never_changes() -> None:
    assert (factors({"type": "constant"}, epochs=3, steps=5) == 1).all()


@pytest.mark.parametrize(("every", "by"), [(1, 0.5), (3, 0.1), (10, 2.0)])
def test_steps_come_every_few_epochs_as_in_torch(every: int, by: float) -> None:
    found = factors({"type": "step", "every": every, "by": by}, epochs=8, steps=4)
    np.testing.assert_allclose(found, by ** np.floor(np.arange(32) // 4 / every), rtol=1e-12)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, every, by)
    for epoch in range(8):
        assert found[epoch * 4] == pytest.approx(scheduler.get_last_lr()[0], rel=1e-12)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("least", [0.0, 0.1])
def test_the_cosine_is_torch_s(least: float) -> None:
    found = factors({"type": "cosine", "least": least}, epochs=4, steps=25)
    t = np.arange(100)
    np.testing.assert_allclose(found, least + (1 - least) * 0.5 * (1 + np.cos(np.pi * t / 100)), atol=1e-12)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100, eta_min=least)
    for step in range(100):
        assert found[step] == pytest.approx(scheduler.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        scheduler.step()


def test_a_warm_up_rises_evenly_to_the_full_rate_and_the_cosine_takes_the_rest() -> None:
    found = factors({"type": "cosine", "warmup": 0.5}, epochs=4, steps=20)
    np.testing.assert_allclose(found[:10], np.arange(1, 11) / 10)
    np.testing.assert_allclose(found[10:], 0.5 * (1 + np.cos(np.pi * np.arange(70) / 70)), atol=1e-12)


def test_a_warm_up_longer_than_the_training_still_leaves_one_step() -> None:
    found = factors({"type": "cosine", "warmup": 100.0}, epochs=2, steps=3)
    np.testing.assert_allclose(found, [0.2, 0.4, 0.6, 0.8, 1.0, 1.0])


def test_beyond_the_planned_end_the_cosine_stays_at_its_least() -> None:
    schedule = make("schedule", {"type": "cosine", "least": 0.25})
    assert schedule.factor(Progress(step=200, epoch=20, steps_per_epoch=10, total_steps=100, epochs=10)) == 0.25


@pytest.mark.parametrize("declaration", **named(SCHEDULES))
@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 5), (10, 45), (100, 1719), (100_000, 10_000)])
def test_the_planned_curve_is_bounded_and_true(declaration: Declaration, epochs: int, steps: int) -> None:
    schedule = declaration.make()
    curve = plan(schedule, 0.5, epochs=epochs, steps_per_epoch=steps, points=300)
    numbers = [step for step, _ in curve]
    assert len(curve) <= 300
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 0
    assert numbers[-1] == epochs * steps - 1
    for step, rate in curve:
        place = Progress(step, step // steps, steps, epochs * steps, epochs)
        assert rate == 0.5 * schedule.factor(place)


def test_the_planned_curve_shows_both_sides_of_a_step() -> None:
    curve = dict(plan(make("schedule", {"type": "step", "every": 5}), 1.0, epochs=10, steps_per_epoch=1000))
    assert curve[4999] == 1.0
    assert curve[5000] == pytest.approx(0.1)


def test_a_plan_without_steps_or_points_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one epoch"):
        Progress.at(0, steps_per_epoch=0, epochs=3)
    with pytest.raises(ValueError, match="two points"):
        plan(make("schedule", {"type": "constant"}), 1.0, epochs=1, steps_per_epoch=1, points=1)
