"""Optimizers on small landscapes: their ways are those of the formulas, and show what the landscapes are there for."""

from __future__ import annotations

import numpy as np
import pytest

from engine.runtime.descent import descend
from engine.surfaces import SURFACES, surface


def heights(name: str, tagged: dict[str, object], steps: int = 200) -> np.ndarray:
    item = surface(name)
    way = descend(item.function, {"lr": item.rates[str(tagged["type"])], **tagged}, item.start, steps)
    return item.function(way[:, 0], way[:, 1]) - item.function(*item.goal)


@pytest.mark.parametrize("item", SURFACES, ids=[item.name for item in SURFACES])
def test_the_goal_is_the_least_value_in_view_and_the_start_is_in_view(item) -> None:
    x, y = np.meshgrid(np.linspace(*item.x, 801), np.linspace(*item.y, 801))
    assert item.function(*item.goal) <= item.function(x, y).min() + 1e-9
    for point in (item.start, item.goal):
        assert item.x[0] <= point[0] <= item.x[1]
        assert item.y[0] <= point[1] <= item.y[1]


def test_momentum_on_the_valley_is_the_formula() -> None:
    item = surface("valley")
    place, speed, found = np.array(item.start), np.zeros(2), [item.start]
    for _ in range(50):
        speed = 0.9 * speed + np.array([place[0] / 20, 2 * place[1]])
        place = place - 0.1 * speed
        found.append(tuple(place))
    way = descend(item.function, {"type": "sgd", "lr": 0.1, "momentum": 0.9}, item.start, 50)
    assert np.abs(way - np.array(found)).max() < 1e-12


def test_momentum_rolls_down_the_valley_that_plain_descent_creeps_along() -> None:
    plain, rolling = heights("valley", {"type": "sgd"}), heights("valley", {"type": "sgd", "momentum": 0.9})
    arrived = int(np.flatnonzero(rolling > 0.02 * rolling[0])[-1])
    assert arrived < 60
    assert plain[-1] > 0.02 * plain[0], "still on its way when momentum has long arrived"


def test_adagrad_turns_to_the_goal_at_once_where_plain_descent_goes_across_first() -> None:
    item = surface("valley")
    goal = np.subtract(item.goal, item.start)

    def turned(tagged: dict[str, object]) -> float:
        way = descend(item.function, tagged, item.start, 5)
        gone = way[-1] - way[0]
        return float(np.degrees(np.arccos(gone @ goal / np.linalg.norm(gone) / np.linalg.norm(goal))))

    assert turned({"type": "adagrad", "lr": 0.8}) < turned({"type": "sgd", "lr": 0.1}) / 2


def test_only_what_has_speed_passes_the_nearer_minimum() -> None:
    assert heights("two", {"type": "sgd", "momentum": 0.9})[-1] < 1e-3
    for kind in ("sgd", "adagrad", "rmsprop"):
        assert heights("two", {"type": kind})[-1] > 0.5


def test_a_descent_that_diverges_ends_and_a_bad_setting_is_refused() -> None:
    item = surface("valley")
    way = descend(item.function, {"type": "sgd", "lr": 1.5}, item.start, 500)
    assert len(way) < 100
    assert np.isfinite(way).all()
    with pytest.raises(ValueError, match=r"."):
        descend(item.function, {"type": "sgd", "lr": -1.0}, item.start, 5)
    assert len(descend(item.function, {"type": "sgd", "lr": 0.1}, item.start, 500, lambda: True)) == 1


@pytest.mark.parametrize("kind", ["lbfgs", "rprop", "lion", "muon", "nadam", "radam", "adamax", "adadelta", "adamw"])
def test_every_other_optimizer_runs_too(kind: str) -> None:
    item = surface("valley")
    way = descend(item.function, {"type": kind}, item.start, 20)
    found = item.function(way[:, 0], way[:, 1])
    assert len(way) == 21
    assert found[-1] < found[0]
