"""Every schedule in one table: its factor step by step from the paper's or manual's formula, each setting changed.

`test_schedule_formulas.py` looks at single schedules more closely; this table is what `test_exactness.py` counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.declare import catalogue
from tests.engine.test_schedule_formulas import EACH, EPOCHS, EXACT, E, T, followed, keras_plateau, momenta, plateau

Array = NDArray[np.float64]
TOTAL = EPOCHS * EACH
STEPS = {"unit": "steps"}
BY_EPOCH = {"per": "epoch"}


def cosine(share: Array | float, start: float, end: float) -> Any:
    """From start to end along half a cosine."""
    return end + (start - end) * (1 + np.cos(np.pi * share)) / 2


def restarts(t: Array, first: float, times: int) -> Array:
    """T_cur / T_i of SGDR in closed form: cycle i begins at first·(timesⁱ − 1)/(times − 1)."""
    cycle = np.floor(np.log(t / first * (times - 1) + 1) / np.log(times) + 1e-12)
    begin, length = first * (times**cycle - 1) / (times - 1), first * times**cycle
    return (t - begin) / length


def triangle(t: Array, half: float) -> tuple[Array, Array]:
    """Height between 0 and 1, and the number of the cycle from 1 (Smith 2017)."""
    cycle = np.floor(1 + t / (2 * half))
    return np.maximum(0, 1 - np.abs(t / half - 2 * cycle + 1)), cycle


def legs(leg: Callable[[Array, float, float], Array], start: float, peak: float, final: float, tail: int) -> Array:
    half = (TOTAL - tail) // 2
    up, down, rest = (np.arange(count, dtype=float) / count for count in (half, half, TOTAL - 2 * half))
    return np.concatenate([leg(up, start, peak), leg(down, peak, start), leg(rest, start, final)])


def line(share: Array, start: float, end: float) -> Array:
    return start + (end - start) * share


X = T / EACH
"""Epochs with their fraction."""
FORMULAS: list[tuple[str, dict[str, Any], Array]] = [
    ("constant", {}, np.ones(TOTAL)),
    ("step", {}, 0.1 ** np.floor(E / 10)),
    ("step", {"every": 3, "by": 0.5}, 0.5 ** np.floor(E / 3)),
    ("power", {}, 1 / (1 + X / 10)),
    ("power", {"s": 4.0, "power": 2.0, **STEPS}, (1 + T / 4) ** -2.0),
    ("power", {"s": 2.0, "staircase": True, **BY_EPOCH}, 1 / (1 + np.floor(E / 2))),
    ("exponential", {}, 0.1 ** (X / 20)),
    ("exponential", {"every": 9.0, "by": 0.5, "staircase": True, **STEPS}, 0.5 ** np.floor(T / 9)),
    ("exponential", {"every": 4.0, **BY_EPOCH}, 0.1 ** (E / 4)),
    ("piecewise", {"boundaries": [2, 7], "values": [1, 0.3, 2]}, np.where(E < 2, 1.0, np.where(E < 7, 0.3, 2.0))),
    ("piecewise", {"boundaries": [10], "values": [1, 0.3], **STEPS, **BY_EPOCH}, np.where(E * EACH < 10, 1.0, 0.3)),
    ("cosine", {}, cosine(T / TOTAL, 1, 0)),
    ("cosine", {"warmup": 2.0, "least": 0.1},
     np.where(T < 14, (T + 1) / 14, cosine((T - 14) / (TOTAL - 14), 1, 0.1))),
    ("cosine", {"least": 0.25, **BY_EPOCH}, cosine(E / EPOCHS, 1, 0.25)),
    ("polynomial", {}, 1 - T / TOTAL),
    ("polynomial", {"power": 2.0, "least": 0.1, "length": 30.0, **STEPS},
     0.1 + 0.9 * np.maximum(0, 1 - T / 30) ** 2),
    ("polynomial", {"power": 0.5, "length": 5.0, **BY_EPOCH}, np.maximum(0, 1 - E / 5) ** 0.5),
    ("warmup", {}, np.minimum(1, (T + 1) / EACH)),
    ("warmup", {"length": 20.0, "start": 0.25, **STEPS}, 0.25 + 0.75 * np.minimum(1, (T + 1) / 20)),
    ("warmup", {"length": 3.0, **BY_EPOCH}, np.minimum(1, (E + 1) / 3)),
    ("inverse_sqrt", {}, np.minimum((T + 1) / EACH, np.sqrt(EACH / (T + 1)))),
    ("inverse_sqrt", {"warmup": 20.0, **STEPS}, np.minimum((T + 1) / 20, np.sqrt(20 / (T + 1)))),
    ("inverse_sqrt", {"warmup": 3.0, **BY_EPOCH}, np.minimum((E + 1) / 3, np.sqrt(3 / (E + 1)))),
    ("one_cycle", {}, legs(line, 0.1, 1.0, 1e-4, 9)),
    ("one_cycle", {"legs": "cosine", "start": 0.2, "peak": 3.0, "final": 0.01, "tail": 0.25},
     legs(cosine, 0.2, 3.0, 0.01, 22)),
    ("cosine_restarts", {}, cosine(restarts(X, 10, 2), 1, 0)),
    ("cosine_restarts", {"first": 5.0, "times": 3, "least": 0.2, **STEPS}, cosine(restarts(T, 5, 3), 1, 0.2)),
    ("cosine_restarts", {"first": 1.0, "times": 2, **BY_EPOCH}, cosine(restarts(E, 1, 2), 1, 0)),
    ("cyclical", {}, 0.1 + 0.9 * triangle(X, 2)[0]),
    ("cyclical", {"mode": "triangular2", "low": 0.2, "high": 3.0, "half": 9.0, **STEPS},
     0.2 + 2.8 * triangle(T, 9)[0] / 2 ** (triangle(T, 9)[1] - 1)),
    ("cyclical", {"mode": "exp_range", "half": 1.0, "gamma": 0.98}, 0.1 + 0.9 * triangle(X, 1)[0] * 0.98**T),
    ("cyclical", {"half": 2.5, **STEPS}, 0.1 + 0.9 * triangle(T, 2.5)[0]),
    ("cyclical", {"half": 0.35, "mode": "triangular2"},
     0.1 + 0.9 * triangle(T, 2.45)[0] / 2 ** (triangle(T, 2.45)[1] - 1)),
    ("cyclical", {"half": 3.0, **BY_EPOCH}, 0.1 + 0.9 * triangle(E, 3)[0]),
    ("formula", {}, 0.1 ** (E / 20)),
    ("formula", {"formula": "0.1 ** (epoch / 20)", "per": "step"}, 0.1 ** (X / 20)),
    ("formula", {"formula": "before * 0.1 ** (1 / 20)"}, 0.1 ** ((E + 1) / 20)),
    ("formula", {"formula": "1 / (1 + sqrt(step)) if step < steps / 2 else 0.05", "per": "step"},
     np.where(T < TOTAL / 2, 1 / (1 + np.sqrt(T)), 0.05)),
    ("formula", {"formula": "max(0.01, cos(pi / 2 * epoch // 1 / epochs), -3 % 2 - e + 1.9)"},
     np.maximum(1 - np.e + 1.9, np.cos(np.pi / 2 * E // 1 / EPOCHS))),
    ("chain", {"parts": ({"type": "warmup", "length": 2.0}, {"type": "polynomial"}), "lengths": [3]},
     np.concatenate([np.minimum(1, np.arange(1, 22) / 14), 1 - np.arange(63) / 63])),
]  # fmt: skip
MOMENTA: list[tuple[str, dict[str, Any], Array]] = [
    ("one_cycle", {"cycle_momentum": True}, legs(line, 0.95, 0.85, 0.95, 9)),
    ("one_cycle", {"cycle_momentum": True, "high": 0.9, "low": 0.6, "legs": "cosine"}, legs(cosine, 0.9, 0.6, 0.9, 9)),
]
PLATEAUS: list[dict[str, Any]] = [
    {"by": 0.3, "patience": 2, "min_delta": 0.02, "cooldown": 3, "least": 0.05},
    {"by": 0.5, "patience": 1, "min_delta": 0.0, "cooldown": 0, "least": 0.0},
]


def test_every_schedule_is_in_a_table() -> None:
    assert {case[0] for case in FORMULAS} | {"plateau"} == set(catalogue().all("schedule"))


@pytest.mark.parametrize(("kind", "settings", "expected"), FORMULAS)
def test_the_rate_follows_the_formula_at_every_step(kind: str, settings: dict[str, Any], expected: Array) -> None:
    assert len(expected) == TOTAL
    np.testing.assert_allclose(followed({"type": kind, **settings}), expected, **EXACT)


@pytest.mark.parametrize(("kind", "settings", "expected"), MOMENTA)
def test_momentum_follows_the_formula_at_every_step(kind: str, settings: dict[str, Any], expected: Array) -> None:
    np.testing.assert_allclose(np.array(momenta({"type": kind, **settings}), dtype=float), expected, **EXACT)


@pytest.mark.parametrize("settings", PLATEAUS)
@pytest.mark.parametrize("seed", range(3))
def test_a_plateau_follows_keras(settings: dict[str, Any], seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal(80)
    values = (np.exp(-np.arange(80) / 15) + 0.05 * noise).tolist()
    ours = {"factor" if key == "by" else key: value for key, value in settings.items()}
    np.testing.assert_allclose(plateau(values, **settings), keras_plateau(values, **ours), **EXACT)
