"""Optimizers, clipping and initializers, as torch executes their recorded text, against formulas written here anew."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.declare import Declaration, catalogue, make
from engine.expr import name
from tests.engine.catalogue import named

STEPS = 20
Rule = Callable[[np.ndarray, np.ndarray, dict[str, Any], dict[str, Any]], np.ndarray]
"""(weights, gradient, state kept between steps, settings) -> new weights."""


def sgd(w: np.ndarray, g: np.ndarray, kept: dict[str, Any], o: dict[str, Any]) -> np.ndarray:
    mu = o.get("momentum", 0.0)
    g = g + o.get("weight_decay", 0.0) * w
    velocity = kept["v"] = mu * kept.get("v", 0.0) + g
    return w - o.get("lr", 0.01) * (g + mu * velocity if o.get("nesterov") else velocity)


def adam(w: np.ndarray, g: np.ndarray, kept: dict[str, Any], o: dict[str, Any]) -> np.ndarray:
    return _adam(w, g + o.get("weight_decay", 0.0) * w, kept, o)


def adamw(w: np.ndarray, g: np.ndarray, kept: dict[str, Any], o: dict[str, Any]) -> np.ndarray:
    return _adam(w * (1 - o.get("lr", 0.001) * o.get("weight_decay", 0.01)), g, kept, o)


def _adam(w: np.ndarray, g: np.ndarray, kept: dict[str, Any], o: dict[str, Any]) -> np.ndarray:
    b1, b2 = o.get("beta1", 0.9), o.get("beta2", 0.999)
    t = kept["t"] = kept.get("t", 0) + 1
    m = kept["m"] = b1 * kept.get("m", 0.0) + (1 - b1) * g
    s = kept["s"] = b2 * kept.get("s", 0.0) + (1 - b2) * g**2
    if o.get("amsgrad"):
        s = kept["most"] = np.maximum(kept.get("most", 0.0), s)
    return w - o.get("lr", 0.001) * (m / (1 - b1**t)) / (np.sqrt(s / (1 - b2**t)) + o.get("eps", 1e-8))


def rmsprop(w: np.ndarray, g: np.ndarray, kept: dict[str, Any], o: dict[str, Any]) -> np.ndarray:
    a = o.get("alpha", 0.9)
    g = g + o.get("weight_decay", 0.0) * w
    s = kept["s"] = a * kept.get("s", 0.0) + (1 - a) * g**2
    if o.get("centered"):
        mean = kept["mean"] = a * kept.get("mean", 0.0) + (1 - a) * g
        s = s - mean**2
    v = kept["v"] = o.get("momentum", 0.0) * kept.get("v", 0.0) + g / (np.sqrt(s) + o.get("eps", 1e-8))
    return w - o.get("lr", 0.001) * v


CASES: list[tuple[str, Rule, dict[str, Any]]] = [
    ("sgd", sgd, {}),
    ("sgd", sgd, {"lr": 0.1, "momentum": 0.9}),
    ("sgd", sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("adam", adam, {}),
    ("adam", adam, {"lr": 0.01, "beta1": 0.8, "beta2": 0.99, "eps": 1e-7, "weight_decay": 0.1}),
    ("adam", adam, {"lr": 0.1, "amsgrad": True, "beta2": 0.9}),
    ("adamw", adamw, {}),
    ("adamw", adamw, {"lr": 0.05, "weight_decay": 0.2, "amsgrad": True, "beta2": 0.9}),
    ("rmsprop", rmsprop, {}),
    ("rmsprop", rmsprop, {"lr": 0.01, "alpha": 0.99, "eps": 1e-7, "momentum": 0.9, "weight_decay": 0.1}),
    ("rmsprop", rmsprop, {"lr": 0.01, "centered": True}),
]


def optimizer_of(tagged: dict[str, Any], parameters: list[torch.Tensor], *, fused: bool) -> torch.optim.Optimizer:
    recorded = make("optimizer", tagged).build(name("parameters"), fused=fused).text
    return eval(recorded, {"torch": torch, "parameters": parameters})


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(("type_name", "rule", "settings"), CASES)
def test_twenty_steps_follow_the_formula(type_name: str, rule: Rule, settings: dict[str, Any], fused: bool) -> None:
    tagged = {"type": type_name, **settings}
    fused = fused and make("optimizer", tagged).fused_on("cpu")
    draw = np.random.default_rng(3)
    ours = draw.normal(size=7)
    theirs = torch.tensor(ours, dtype=torch.float64, requires_grad=True)
    optimizer = optimizer_of(tagged, [theirs], fused=fused)
    kept: dict[str, Any] = {}
    curvature, start = draw.uniform(0.5, 2.0, size=7), ours.copy()
    for _ in range(STEPS):
        noise = draw.normal(size=7)
        theirs.grad = torch.tensor(curvature * theirs.detach().numpy() + noise)
        ours = rule(ours, curvature * ours + noise, kept, settings)
        optimizer.step()
    assert np.abs(ours - start).max() > 1e-3
    np.testing.assert_allclose(theirs.detach().numpy(), ours, rtol=0, atol=1e-10)


@pytest.mark.parametrize("declaration", **named(list(catalogue().all("optimizer").values())))
def test_a_fused_kernel_is_named_only_where_torch_has_one(declaration: Declaration) -> None:
    made = declaration.make()
    for fused in (False, True):
        recorded = made.build(name("parameters"), fused=fused).text
        assert recorded.startswith("torch.optim.")
        assert ("fused" in recorded) == (fused and made.fused_on("cpu"))
        parameters = [torch.zeros(2, requires_grad=True)]
        parameters[0].grad = torch.ones(2)
        eval(recorded, {"torch": torch, "parameters": parameters}).step()
    assert not made.fused_on("toaster")


def test_the_learning_rate_may_be_small_or_large_but_not_zero() -> None:
    for declaration in catalogue().all("optimizer").values():
        assert declaration.clean({"lr": 0.0})[1]
        assert declaration.clean({"lr": 101.0})[1]
        assert declaration.clean({"learning_rate": 1e-6}) == ({"lr": 1e-6}, [])
        assert declaration.by_name["lr"].log


def test_nesterov_without_momentum_is_refused_and_mended() -> None:
    refusal = make("optimizer", {"type": "sgd", "nesterov": True}).refuse()
    assert refusal is not None
    assert make("optimizer", {"type": "sgd", "nesterov": True, **refusal.mend}).refuse() is None
    with pytest.raises(ValueError, match="momentum"):
        optimizer_of({"type": "sgd", "nesterov": True}, [torch.zeros(1)], fused=False)


def clipped(tagged: dict[str, Any], gradients: list[list[float]]) -> list[np.ndarray]:
    parameters = [torch.zeros(len(part), requires_grad=True) for part in gradients]
    for parameter, part in zip(parameters, gradients, strict=True):
        parameter.grad = torch.tensor(part)
    recorded = make("clip", tagged).apply(name("parameters"))
    if recorded is not None:
        eval(recorded.text, {"nn": nn, "parameters": parameters})
    return [parameter.grad.numpy() for parameter in parameters if parameter.grad is not None]


def test_clipping_by_value_cuts_each_number_and_by_norm_keeps_the_direction() -> None:
    gradients = [[3.0, -0.5], [4.0]]
    assert [part.tolist() for part in clipped({"type": "none"}, gradients)] == gradients
    assert [part.tolist() for part in clipped({"type": "value", "limit": 1.0}, gradients)] == [[1.0, -0.5], [1.0]]
    scaled = np.concatenate(clipped({"type": "norm", "limit": 2.0}, gradients))
    whole = np.array([3.0, -0.5, 4.0])
    np.testing.assert_allclose(scaled, whole * 2.0 / np.linalg.norm(whole), rtol=1e-5)
    assert [make("clip", {"type": item}).mode for item in ("none", "value", "norm")] == ["none", "value", "norm"]


SHAPES = {"dense": (400, 300), "convolution": (128, 64, 3, 3)}
VARIANCE: dict[str, Callable[[int, int], float]] = {
    "he_normal": lambda fan_in, fan_out: 2 / fan_in,
    "he_uniform": lambda fan_in, fan_out: 2 / fan_in,
    "glorot_normal": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "glorot_uniform": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "zeros": lambda fan_in, fan_out: 0.0,
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("type_name", VARIANCE)
def test_weights_are_drawn_with_the_variance_of_the_formula(type_name: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    initializer = make("initializer", {"type": type_name})
    w, b = torch.full(shape, torch.nan), torch.full((5,), torch.nan)
    eval(initializer.weight(name("w")).text, {"nn": nn, "w": w})
    eval(initializer.bias(name("b")).text, {"nn": nn, "b": b})
    field = int(np.prod(shape[2:]))
    variance = VARIANCE[type_name](shape[1] * field, shape[0] * field)
    drawn = w.double().numpy().ravel()
    # Five standard errors: of the mean, σ/√n; of the variance, at most σ²·√(2/n) (the normal's, the uniform's is less).
    assert abs(drawn.mean()) <= 5 * sqrt(variance / drawn.size)
    assert abs(drawn.var() - variance) <= 5 * variance * sqrt(2 / drawn.size)
    if type_name.endswith("uniform"):
        assert sqrt(3 * variance) * 0.99 < np.abs(drawn).max() <= sqrt(3 * variance) * (1 + 1e-6)
    elif variance:
        assert np.abs(drawn).max() > 3 * sqrt(variance)  # PyTorch cuts no tails off
    assert b.abs().max() == 0


def test_the_initializer_of_torch_writes_nothing() -> None:
    initializer = make("initializer", {"type": "torch"})
    assert not hasattr(initializer, "weight")
    assert not hasattr(initializer, "bias")
