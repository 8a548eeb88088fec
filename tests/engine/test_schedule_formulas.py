"""Every schedule, step by step, against formulas written here anew from the papers and manuals; to 1e-10 in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.course import Course
from engine.declare import make

EXACT = {"rtol": 0, "atol": 1e-10}
EPOCHS, EACH = 12, 7
T = np.arange(EPOCHS * EACH, dtype=float)
"""Steps, counted from 0."""
E = np.floor(T / EACH)
"""Epochs, counted from 0."""


def followed(tagged: dict[str, Any], *, epochs: int = EPOCHS, each: int = EACH) -> np.ndarray:
    course = Course(make("schedule", tagged), steps_per_epoch=each, epochs=epochs)
    return np.array([course.factor(step) for step in range(1, epochs * each + 1)])


def momenta(tagged: dict[str, Any], *, epochs: int = EPOCHS, each: int = EACH) -> list[float | None]:
    course = Course(make("schedule", tagged), steps_per_epoch=each, epochs=epochs)
    return [course.momentum(step) for step in range(1, epochs * each + 1)]


@pytest.mark.parametrize("c", [1.0, 0.5, 2.0])
def test_power(c: float) -> None:
    """Keras's InverseTimeDecay for c = 1: lr / (1 + t/s), and with a staircase lr / (1 + floor(t/s))."""
    steps = {"type": "power", "s": 5.0, "unit": "steps", "power": c}
    np.testing.assert_allclose(followed(steps), (1 + T / 5) ** -c, **EXACT)
    np.testing.assert_allclose(followed({**steps, "staircase": True}), (1 + T // 5) ** -c, **EXACT)
    epochs = {"type": "power", "s": 3.0, "power": c}
    np.testing.assert_allclose(followed(epochs), (1 + T / EACH / 3) ** -c, **EXACT)
    np.testing.assert_allclose(followed({**epochs, "per": "epoch"}), (1 + E / 3) ** -c, **EXACT)


def test_power_halves_after_s_and_then_takes_a_third_and_a_quarter() -> None:
    found = followed({"type": "power", "s": 2.0})
    np.testing.assert_allclose(found[[0, 14, 28, 42]], [1, 1 / 2, 1 / 3, 1 / 4], **EXACT)


def test_exponential() -> None:
    """lr * 0.1^(t/s): a tenth every s (Keras's ExponentialDecay; per epoch the function 0.1^(epoch/s))."""
    steps = {"type": "exponential", "every": 20.0, "unit": "steps"}
    np.testing.assert_allclose(followed(steps), 0.1 ** (T / 20), **EXACT)
    np.testing.assert_allclose(followed({**steps, "staircase": True}), 0.1 ** (T // 20), **EXACT)
    epochs = {"type": "exponential", "every": 20.0, "per": "epoch"}
    np.testing.assert_allclose(followed(epochs), 0.1 ** (E / 20), **EXACT)
    np.testing.assert_allclose(followed({"type": "exponential", "every": 1.0, "by": 0.9}), 0.9 ** (T / EACH), **EXACT)
    # The rate multiplied by 0.1^(1/n) before each batch, over n steps.
    count = EPOCHS * EACH
    multiplied = np.cumprod(np.full(count, 0.1 ** (1 / count)))
    ours = followed({"type": "exponential", "every": float(count), "unit": "steps"})
    np.testing.assert_allclose(ours[1:], multiplied[:-1], **EXACT)


def test_piecewise() -> None:
    found = followed({"type": "piecewise", "boundaries": [5, 10], "values": [1.0, 0.5, 0.1]})
    np.testing.assert_allclose(found, np.where(E < 5, 1.0, np.where(E < 10, 0.5, 0.1)), **EXACT)
    steps = {"type": "piecewise", "boundaries": [0, 3, 40], "values": [9, 2, 0.5, 0.25], "unit": "steps"}
    expected = np.where(T < 3, 2.0, np.where(T < 40, 0.5, 0.25))
    np.testing.assert_allclose(followed(steps), expected, **EXACT)
    held = np.where(E * EACH < 3, 2.0, np.where(E * EACH < 40, 0.5, 0.25))
    np.testing.assert_allclose(followed({**steps, "per": "epoch"}), held, **EXACT)
    assert (followed({"type": "piecewise", "boundaries": [], "values": [0.5]}) == 0.5).all()


def test_a_boundary_in_parts_of_an_epoch_falls_on_its_step() -> None:
    found = followed({"type": "piecewise", "boundaries": [0.3, 0.7], "values": [3, 2, 1]}, epochs=1, each=10)
    assert found.tolist() == [3, 3, 3, 2, 2, 2, 2, 1, 1, 1]


@pytest.mark.parametrize("power", [1.0, 0.9, 2.0])
def test_polynomial(power: float) -> None:
    """torch's PolynomialLR: (1 - t/T)^p, and Keras's PolynomialDecay with an end value."""
    whole = {"type": "polynomial", "power": power, "least": 0.1}
    np.testing.assert_allclose(followed(whole), 0.1 + 0.9 * (1 - T / len(T)) ** power, **EXACT)
    np.testing.assert_allclose(followed({**whole, "per": "epoch"}), 0.1 + 0.9 * (1 - E / EPOCHS) ** power, **EXACT)
    short = followed({**whole, "length": 4.0})
    np.testing.assert_allclose(short, 0.1 + 0.9 * np.clip(1 - T / 28, 0, 1) ** power, **EXACT)
    assert short[28] == short[-1] == pytest.approx(0.1)
    steps = followed({**whole, "length": 5.0, "unit": "steps"})
    np.testing.assert_allclose(steps[:5], 0.1 + 0.9 * (1 - T[:5] / 5) ** power, **EXACT)


def test_warm_up() -> None:
    found = followed({"type": "warmup", "length": 2.0})
    np.testing.assert_allclose(found, np.minimum(1, (T + 1) / 14), **EXACT)
    assert found[0] > 0
    assert found[13] == 1
    np.testing.assert_allclose(
        followed({"type": "warmup", "length": 5.0, "unit": "steps", "start": 0.2}),
        0.2 + 0.8 * np.minimum(1, (T + 1) / 5), **EXACT,
    )  # fmt: skip
    np.testing.assert_allclose(
        followed({"type": "warmup", "length": 4.0, "per": "epoch"}), np.minimum(1, (E + 1) / 4), **EXACT
    )
    assert (followed({"type": "warmup", "length": 0.0}) == 1).all()


def test_inverse_square_root() -> None:
    """Vaswani et al. 2017: min(n^-0.5, n * w^-1.5) for the n-th step, divided by its peak w^-0.5."""
    n, w = T + 1, 14.0
    paper = np.minimum(n**-0.5, n * w**-1.5) / w**-0.5
    np.testing.assert_allclose(followed({"type": "inverse_sqrt", "warmup": 2.0}), paper, **EXACT)
    np.testing.assert_allclose(followed({"type": "inverse_sqrt", "warmup": 14, "unit": "steps"}), paper, **EXACT)
    by_epoch = np.minimum((E + 1) / 2, np.sqrt(2 / (E + 1)))
    np.testing.assert_allclose(followed({"type": "inverse_sqrt", "warmup": 2, "per": "epoch"}), by_epoch, **EXACT)
    np.testing.assert_allclose(followed({"type": "inverse_sqrt", "warmup": 0}), n**-0.5, **EXACT)


def test_cosine_by_epoch() -> None:
    found = followed({"type": "cosine", "per": "epoch", "least": 0.2})
    np.testing.assert_allclose(found, 0.2 + 0.8 * (1 + np.cos(np.pi * E / EPOCHS)) / 2, **EXACT)


@pytest.mark.parametrize(("first", "times", "restarts"), [(2, 1, [14, 28, 42, 56, 70]), (1, 2, [7, 21, 49]),
                                                         (1, 3, [7, 28])])  # fmt: skip
def test_cosine_with_restarts(first: int, times: int, restarts: list[int]) -> None:
    """SGDR (Loshchilov & Hutter 2017): 1/2 (1 + cos(pi * T_cur / T_i)) with T_i = T_0 * T_mult^i, T_cur in batches."""
    expected, length, current = [], first * EACH, 0
    for _ in T:
        if current == length:
            length, current = length * times, 0
        expected.append(0.1 + 0.9 * (1 + np.cos(np.pi * current / length)) / 2)
        current += 1
    found = followed({"type": "cosine_restarts", "first": first, "times": times, "least": 0.1})
    np.testing.assert_allclose(found, expected, **EXACT)
    assert [step for step in range(1, len(T)) if found[step] == 1] == restarts
    by_epoch = followed({"type": "cosine_restarts", "first": 4, "times": 1, "per": "epoch"})
    np.testing.assert_allclose(by_epoch, (1 + np.cos(np.pi * (E % 4) / 4)) / 2, **EXACT)


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_cyclical(mode: str) -> None:
    """Smith 2017: cycle = floor(1 + t/(2s)), x = |t/s - 2 cycle + 1|, low + (high - low) * max(0, 1 - x) * scale."""
    s = 2 * EACH
    cycle = np.floor(1 + T / (2 * s))
    x = np.abs(T / s - 2 * cycle + 1)
    scale = {"triangular": 1.0, "triangular2": 1 / 2 ** (cycle - 1), "exp_range": 0.97**T}[mode]
    expected = 0.2 + (3.0 - 0.2) * np.maximum(0, 1 - x) * scale
    found = followed({"type": "cyclical", "mode": mode, "low": 0.2, "high": 3.0, "half": 2, "gamma": 0.97})
    np.testing.assert_allclose(found, expected, **EXACT)


def one_cycle(total: int, high: float, start: float, tail: int, last: float) -> np.ndarray:
    """The callback of the notebook of Géron 2022, chapter 11: linear up, linear down, linear tail."""
    half = (total - tail) // 2
    found = []
    for step in range(total):
        if step < half:
            found.append((high - start) * step / half + start)
        elif step < 2 * half:
            found.append((start - high) * (step - half) / half + high)
        else:
            found.append((last - start) * (step - 2 * half) / (total - 2 * half) + start)
    return np.array(found)


@pytest.mark.parametrize(("epochs", "each"), [(12, 7), (1, 3), (1, 30), (25, 43), (3, 10), (1, 100)])
def test_one_cycle_as_in_the_notebook(epochs: int, each: int) -> None:
    total = epochs * each
    expected = one_cycle(total, 1.0, 0.1, total // 10 + 1, 0.1 / 1000)
    np.testing.assert_allclose(followed({"type": "one_cycle"}, epochs=epochs, each=each), expected, **EXACT)


def test_one_cycle_follows_its_settings() -> None:
    tagged = {"type": "one_cycle", "start": 0.05, "peak": 2.0, "final": 0.001, "tail": 0.25}
    np.testing.assert_allclose(followed(tagged), one_cycle(84, 2.0, 0.05, 22, 0.001), **EXACT)
    without = followed({"type": "one_cycle", "tail": 0.0})
    assert without[0] == pytest.approx(0.1)
    assert without.argmax() == 42
    np.testing.assert_allclose(without[1:42], without[-1:-42:-1], **EXACT)


def test_one_cycle_with_cosine_legs() -> None:
    """Each leg from a to b as b + (a - b)/2 * (1 + cos(pi * share)), as torch's OneCycleLR writes it."""
    half, total = (84 - 9) // 2, 84
    expected = []
    for step in range(total):
        a, b, share = (
            (0.1, 1.0, step / half) if step < half
            else (1.0, 0.1, (step - half) / half) if step < 2 * half
            else (0.1, 1e-4, (step - 2 * half) / (total - 2 * half))
        )  # fmt: skip
        expected.append(b + (a - b) / 2 * (1 + np.cos(np.pi * share)))
    np.testing.assert_allclose(followed({"type": "one_cycle", "legs": "cosine"}), expected, **EXACT)


@pytest.mark.parametrize("legs", ["linear", "cosine"])
def test_momentum_goes_against_the_rate_and_stays_high_in_the_tail(legs: str) -> None:
    tagged = {"type": "one_cycle", "legs": legs, "cycle_momentum": True}
    rates, found = followed(tagged), np.array(momenta(tagged), dtype=float)
    assert found[0] == 0.95
    assert found[37] == pytest.approx(0.85, abs=1e-12)
    assert (found[74:] == 0.95).all()
    # Rate and momentum move along the same legs: (rate - 0.1) / 0.9 is the share of the way to the peak.
    np.testing.assert_allclose(found[:74], 0.95 - 0.1 * (rates[:74] - 0.1) / 0.9, **EXACT)
    assert momenta({"type": "one_cycle"}) == [None] * 84


def keras_plateau(values: list[float], *, factor: float, patience: int, min_delta: float, cooldown: int,
                  least: float) -> list[float]:  # fmt: skip
    """The factor after each epoch, by keras.callbacks.ReduceLROnPlateau (mode min), from its manual and source."""
    rate, best, wait, cooling, found = 1.0, np.inf, 0, 0, []
    for value in values:
        if cooling > 0:
            cooling -= 1
            wait = 0
        if np.less(value, best - min_delta):
            best, wait = value, 0
        elif not cooling > 0:
            wait += 1
            if wait >= patience and rate > least:
                rate = max(rate * factor, least)
                cooling, wait = cooldown, 0
        found.append(rate)
    return found


def plateau(values: list[float], *, larger: bool = False, **settings: Any) -> list[float]:
    course = Course(
        make("schedule", {"type": "plateau", **settings}), steps_per_epoch=3, epochs=len(values) + 1,
        larger_is_better=lambda figure: larger,
    )  # fmt: skip
    found = []
    for epoch, value in enumerate(values, 1):
        course.observe(3 * epoch, {"val_loss": value, "train_loss": 0.0})
        found.append(course.factor(3 * epoch + 1))
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("patience", "cooldown"), [(1, 0), (2, 3), (5, 0), (3, 1)])
def test_plateau_counts_as_keras_does(seed: int, patience: int, cooldown: int) -> None:
    draw = np.random.default_rng(seed)
    values = (np.exp(-np.arange(60) / 20) + 0.05 * draw.standard_normal(60)).tolist()
    settings = {"patience": patience, "cooldown": cooldown, "min_delta": 0.01, "least": 0.01}
    expected = keras_plateau(values, factor=0.5, **settings)
    assert expected[-1] < 1
    np.testing.assert_allclose(plateau(values, by=0.5, **settings), expected, **EXACT)
    np.testing.assert_allclose(
        plateau([-value for value in values], larger=True, by=0.5, **settings), expected, **EXACT
    )


def test_plateau_acts_after_exactly_patience_epochs_without_improvement() -> None:
    assert plateau([1.0] * 6, patience=5) == [1, 1, 1, 1, 1, 0.5]
    assert plateau([1.0, 2, 2, 0.9, 2, 2, 2], patience=3, by=0.1) == [1, 1, 1, 1, 1, 1, 0.1]


def test_plateau_halves_the_rate_where_the_printed_run_of_the_notebook_did() -> None:
    """Géron's notebook of chapter 11, performance scheduling: these losses, 0.01 for 18 epochs, then half."""
    printed = [
        0.4814, 0.4615, 0.4199, 0.3845, 0.3742, 0.3853, 0.3627, 0.3574, 0.3410, 0.3410, 0.3629, 0.3379, 0.3223, 0.3405,
        0.3480, 0.3350, 0.3421, 0.3360, 0.3162, 0.3221, 0.3166, 0.3146, 0.3191, 0.3175, 0.3205,
    ]  # fmt: skip
    assert plateau(printed) == [1.0] * 17 + [0.5] * 8


def test_an_improvement_is_larger_than_min_delta_itself_not_in_proportion() -> None:
    slow = [100.0 - 0.5 * epoch for epoch in range(5)]
    assert plateau(slow, patience=2, min_delta=0.4) == [1.0] * 5  # 0.4 % of 100 would be too little in proportion
    assert plateau(slow, patience=3, min_delta=2.0) == [1.0, 1.0, 1.0, 0.5, 0.5]
    assert plateau([1.0, 0.75, 0.75], patience=2, min_delta=0.25) == [1, 1, 0.5]  # exactly min_delta is none


def test_plateau_goes_on_from_what_it_has_seen() -> None:
    values = [1.0, 0.9, 1.0, 1.0, 1.0, 1.0, 0.5, 0.6, 0.7, 0.8]
    whole = plateau(values, patience=2, cooldown=1)
    first = Course(make("schedule", {"type": "plateau", "patience": 2, "cooldown": 1}), steps_per_epoch=3, epochs=9)
    for epoch, value in enumerate(values[:4], 1):
        first.observe(3 * epoch, {"val_loss": value})
    second = Course(make("schedule", {"type": "plateau", "patience": 2, "cooldown": 1}), steps_per_epoch=3, epochs=9)
    second.load(first.state())
    found = []
    for value in values[4:]:
        second.observe(3, {"val_loss": value})
        found.append(second.factor(4))
    assert found == whole[4:]


def test_an_epoch_without_the_figure_changes_nothing() -> None:
    course = Course(make("schedule", {"type": "plateau", "patience": 1}), steps_per_epoch=3, epochs=9)
    for _ in range(5):
        course.observe(3, {"val_loss": None, "train_loss": 1.0})
    assert course.factor(4) == 1.0


def test_a_chain_gives_each_part_its_own_count_and_the_last_what_is_left() -> None:
    parts = ({"type": "warmup", "length": 2.0}, {"type": "constant"}, {"type": "cosine"})
    found = followed({"type": "chain", "parts": parts, "lengths": [2, 3]})
    left = np.arange(7 * EACH) / (7 * EACH)
    expected = np.concatenate([np.arange(1, 15) / 14, np.ones(21), (1 + np.cos(np.pi * left)) / 2])
    np.testing.assert_allclose(found, expected, **EXACT)


def test_the_last_part_of_a_chain_may_end_early_and_then_stays() -> None:
    parts = ({"type": "warmup", "length": 0.5}, {"type": "polynomial"})
    found = followed({"type": "chain", "parts": parts, "lengths": [0.5, 2.0]})
    rising = round(0.5 * EACH)
    expected = np.concatenate([np.arange(1, rising + 1) / rising, 1 - np.arange(14) / 14])
    np.testing.assert_allclose(found[: len(expected)], expected, **EXACT)
    assert (found[len(expected) :] == 0).all()


def test_a_chain_moves_momentum_only_while_its_one_cycle_acts() -> None:
    parts = ({"type": "warmup"}, {"type": "one_cycle", "cycle_momentum": True}, {"type": "constant"})
    found = momenta({"type": "chain", "parts": parts, "lengths": [2, 4]})
    assert found[:14] == [None] * 14
    assert found[14] == 0.95
    assert min(item for item in found if item is not None) == pytest.approx(0.85)
    assert found[42:] == [None] * 42


def test_a_plateau_in_a_chain_sees_only_its_own_epochs() -> None:
    tagged = {"type": "chain", "parts": ({"type": "warmup", "length": 2.0}, {"type": "plateau", "patience": 2}),
              "lengths": [2]}  # fmt: skip
    course = Course(make("schedule", tagged), steps_per_epoch=5, epochs=9)
    found = []
    for epoch, value in enumerate([0.1, 0.1, 1.0, 1.0, 1.0, 1.0, 1.0], 1):
        course.observe(5 * epoch, {"val_loss": value})
        found.append(course.factor(5 * epoch + 1))
    assert found[1:] == [1, 1, 1, 0.5, 0.5, 0.25]
    again = Course(make("schedule", tagged), steps_per_epoch=5, epochs=9)
    again.load(course.state())
    assert again.factor(36) == 0.25


def test_each_training_has_a_schedule_of_its_own() -> None:
    first, second = (make("schedule", {"type": "plateau", "patience": 1}) for _ in range(2))
    for _ in range(3):
        Course(first, steps_per_epoch=1, epochs=5).observe(1, {"val_loss": 1.0})
    assert Course(first, steps_per_epoch=1, epochs=5).factor(2) == 0.25
    assert Course(second, steps_per_epoch=1, epochs=5).factor(2) == 1.0
