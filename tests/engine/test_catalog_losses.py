"""Losses and metrics against numpy and scikit-learn, binary and many classes, values with and without spread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn import metrics as library
from torch import nn

from engine.datafacts import BINARY, CLASS, VALUE
from engine.declare import Declaration, catalogue, make
from engine.expr import name
from tests.engine.catalogue import named

DRAW = np.random.default_rng(5)
LOGITS = DRAW.normal(size=(40, 7)) * 3
CLASSES = DRAW.integers(0, 7, size=40)
LOGIT = DRAW.normal(size=(40, 1)) * 3
BITS = DRAW.integers(0, 2, size=(40, 1))
VALUES = DRAW.normal(size=(40, 2)) * 3
TRUTH = VALUES + DRAW.normal(size=(40, 2))


HELD: list[dict[str, Any]] = [
    {"type": "cross_entropy", "label_smoothing": 0.1}, {"type": "cross_entropy", "class_weights": "balanced"},
    {"type": "binary_cross_entropy"}, {"type": "binary_cross_entropy", "class_weights": "balanced"},
    {"type": "mse"}, {"type": "mae"}, {"type": "huber", "delta": 0.3},
]  # fmt: skip
"""What the formulas below hold each loss to, for `test_exactness.py`."""


def test_every_loss_is_its_formula_in_double_precision() -> None:
    own, gap = -log_shares(LOGITS), np.abs(VALUES - TRUTH)
    right = own[np.arange(40), CLASSES]
    weights = 40 / (7 * np.bincount(CLASSES, minlength=7))
    share = 1 / (1 + np.exp(-LOGIT))
    yes, no = -BITS * np.log(share), -(1 - BITS) * np.log(1 - share)
    heavier = (BITS == 0).sum() / BITS.sum()
    expected = [
        (0.9 * right + 0.1 * own.mean(1)).mean(), (weights[CLASSES] * right).sum() / weights[CLASSES].sum(),
        (yes + no).mean(), (heavier * yes + no).mean(), (gap**2).mean(), gap.mean(),
        np.where(gap < 0.3, gap**2 / 2, 0.3 * (gap - 0.15)).mean(),
    ]  # fmt: skip
    counts = {"cross_entropy": np.bincount(CLASSES, minlength=7), "binary_cross_entropy": np.bincount(BITS.ravel())}
    truth = {"cross_entropy": (LOGITS, CLASSES), "binary_cross_entropy": (LOGIT, BITS.astype(float))}
    for tagged, wanted in zip(HELD, expected, strict=True):
        kind = tagged["type"]
        weight = make("loss", tagged).weights(counts.get(kind, np.zeros(1)).tolist())
        found = loss_of(tagged, *truth.get(kind, (VALUES, TRUTH)), weight=weight)
        assert found == pytest.approx(wanted, rel=0, abs=1e-10), tagged


def loss_of(tagged: dict[str, Any], outputs: np.ndarray, targets: np.ndarray, weight: Any = None) -> float:
    recorded = make("loss", tagged).build(None if weight is None else name("weight"))
    module = eval(
        recorded.text, {"nn": nn, "weight": None if weight is None else torch.tensor(weight, dtype=torch.float64)}
    )
    return float(module(torch.tensor(outputs), torch.tensor(targets)))


def log_shares(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_the_mean_negative_log_share(smoothing: float) -> None:
    wanted = np.full((40, 7), smoothing / 7)
    wanted[np.arange(40), CLASSES] += 1 - smoothing
    found = loss_of({"type": "cross_entropy", "label_smoothing": smoothing}, LOGITS, CLASSES)
    assert found == pytest.approx(-(wanted * log_shares(LOGITS)).sum(axis=1).mean(), rel=1e-9)


def test_balanced_cross_entropy_gives_every_class_the_same_say() -> None:
    counts = [int((number == CLASSES).sum()) for number in range(7)]
    weights = make("loss", {"type": "cross_entropy", "class_weights": "balanced"}).weights(counts)
    from sklearn.utils.class_weight import compute_class_weight

    np.testing.assert_allclose(weights, compute_class_weight("balanced", classes=np.arange(7), y=CLASSES))
    own = -log_shares(LOGITS)[np.arange(40), CLASSES]
    means = [own[number == CLASSES].mean() for number in range(7)]
    found = loss_of({"type": "cross_entropy"}, LOGITS, CLASSES, weight=list(weights))
    assert found == pytest.approx(np.mean(means), rel=1e-6)
    assert make("loss", {"type": "cross_entropy", "class_weights": "balanced"}).weights([6, 0, 2]) == (
        pytest.approx(8 / 12), 0.0, pytest.approx(2.0),
    )  # fmt: skip
    assert make("loss", {"type": "cross_entropy"}).weights(counts) is None


def test_binary_cross_entropy_takes_logits_and_can_be_balanced() -> None:
    share = 1 / (1 + np.exp(-LOGIT))
    wanted = -(BITS * np.log(share) + (1 - BITS) * np.log(1 - share))
    assert loss_of({"type": "binary_cross_entropy"}, LOGIT, BITS.astype(float)) == pytest.approx(wanted.mean())
    made = make("loss", {"type": "binary_cross_entropy", "class_weights": "balanced"})
    assert made.weights([30, 10]) == (3.0,)
    assert made.weights([30, 0]) is None
    assert make("loss", {"type": "binary_cross_entropy"}).weights([30, 10]) is None
    heavier = np.where(BITS == 1, 3.0, 1.0) * wanted
    found = loss_of({"type": "binary_cross_entropy"}, LOGIT, BITS.astype(float), weight=[3.0])
    assert found == pytest.approx(heavier.mean())


def test_losses_of_values_follow_their_formulas() -> None:
    gap = np.abs(VALUES - TRUTH)
    assert loss_of({"type": "mse"}, VALUES, TRUTH) == pytest.approx((gap**2).mean())
    assert loss_of({"type": "mae"}, VALUES, TRUTH) == pytest.approx(gap.mean())
    for delta in (1.0, 0.3):
        wanted = np.where(gap < delta, gap**2 / 2, delta * (gap - delta / 2)).mean()
        assert loss_of({"type": "huber", "delta": delta}, VALUES, TRUTH) == pytest.approx(wanted)


@pytest.mark.parametrize("declaration", **named(list(catalogue().all("loss").values())))
def test_every_loss_says_what_it_needs(declaration: Declaration) -> None:
    made = declaration.make()
    assert {CLASS: "softmax", BINARY: "sigmoid", VALUE: "none"}[made.target] == made.activation
    assert made.weights([3, 4]) is None
    recorded = made.build().text
    assert isinstance(eval(recorded, {"nn": nn}), nn.Module)
    assert recorded.endswith("()")


def metric(outputs: np.ndarray, targets: np.ndarray, type_name: str, **settings: Any) -> float:
    return float(make("metric", {"type": type_name, **settings}).compute(outputs, targets))


def test_metrics_of_many_classes_equal_the_library_s() -> None:
    guess = LOGITS.argmax(axis=1)
    assert metric(LOGITS, CLASSES, "accuracy") == pytest.approx(library.accuracy_score(CLASSES, guess))
    assert metric(LOGITS, CLASSES, "f1") == pytest.approx(library.f1_score(CLASSES, guess, average="macro"))
    ranks = (LOGITS[np.arange(40), CLASSES][:, None] < LOGITS).sum(axis=1)
    for k in (1, 2, 5, 6):
        assert metric(LOGITS, CLASSES, "top5", k=k) == pytest.approx((ranks < k).mean())
    assert metric(LOGITS, CLASSES, "top5", k=7) == 1.0
    assert metric(LOGITS, CLASSES, "top5", k=50) == 1.0


def test_metrics_of_a_yes_or_no_take_one_logit() -> None:
    guess = (LOGIT > 0).astype(int).ravel()
    assert metric(LOGIT, BITS.astype(np.float32), "accuracy") == pytest.approx((guess == BITS.ravel()).mean())
    wanted = library.f1_score(BITS.ravel(), guess, average="macro")
    assert metric(LOGIT, BITS.astype(np.float32), "f1") == pytest.approx(wanted)
    assert metric(LOGIT.ravel(), BITS.ravel(), "f1") == pytest.approx(wanted)


def test_two_classes_with_two_outputs_have_a_top_one() -> None:
    two, bits = LOGITS[:, :2], BITS.ravel()
    assert metric(two, bits, "top5", k=1) == pytest.approx((two.argmax(axis=1) == bits).mean())
    assert metric(two, bits, "top5", k=2) == 1.0


def test_metrics_of_values_are_in_real_units() -> None:
    assert metric(VALUES, TRUTH, "mae") == pytest.approx(np.abs(VALUES - TRUTH).mean())
    left = ((TRUTH - VALUES) ** 2).sum(axis=0)
    whole = ((TRUTH - TRUTH.mean(axis=0)) ** 2).sum(axis=0)
    assert metric(VALUES, TRUTH, "r2") == pytest.approx((1 - left / whole).mean())


@pytest.mark.parametrize("declaration", **named(list(catalogue().all("metric").values())))
def test_every_metric_is_named_and_says_nan_where_it_is_not_defined(declaration: Declaration) -> None:
    made = declaration.make()
    assert made.name == declaration.type
    assert set(made.tasks) <= {CLASS, BINARY, VALUE}
    assert isinstance(made.higher_is_better, bool)
    empty = np.zeros((0, 7)), np.zeros((0, 7) if VALUE in made.tasks else (0,))
    assert np.isnan(made.compute(*empty))
    if VALUE in made.tasks or declaration.type == "top5":
        broken = np.full((4, 7), np.nan)
        assert np.isnan(made.compute(broken, np.zeros((4, 7)) if VALUE in made.tasks else np.zeros(4, dtype=int)))


@pytest.mark.parametrize("declaration", **named(list(catalogue().all("metric").values())))
def test_a_perfect_answer_gets_the_best_figure(declaration: Declaration) -> None:
    made = declaration.make()
    perfect = (TRUTH, TRUTH) if VALUE in made.tasks else (np.eye(7)[CLASSES], CLASSES)
    best = made.compute(*perfect)
    assert best == (1.0 if made.higher_is_better else 0.0)


def test_the_name_of_a_top_metric_says_among_how_many() -> None:
    assert make("metric", {"type": "top5", "k": 3}).name == "top3"
