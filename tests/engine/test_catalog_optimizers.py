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
from engine.expr import name, used_helpers
from engine.runtime.meta import namespace
from engine.runtime.modules.muon import newton_schulz
from tests.engine.catalogue import named

STEPS = 200
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


def adagrad(w: np.ndarray, g: np.ndarray, kept: dict[str, Any], o: dict[str, Any]) -> np.ndarray:
    g = g + o.get("weight_decay", 0.0) * w
    t = kept["t"] = kept.get("t", 0) + 1
    s = kept["s"] = kept.get("s", o.get("initial", 0.0)) + g**2
    rate = o.get("lr", 0.01) / (1 + (t - 1) * o.get("lr_decay", 0.0))
    return w - rate * g / (np.sqrt(s) + o.get("eps", 1e-10))


def adadelta(w: np.ndarray, g: np.ndarray, kept: dict[str, Any], o: dict[str, Any]) -> np.ndarray:
    rho, eps = o.get("rho", 0.9), o.get("eps", 1e-6)
    g = g + o.get("weight_decay", 0.0) * w
    s = kept["s"] = rho * kept.get("s", 0.0) + (1 - rho) * g**2
    step = g * np.sqrt(kept.get("u", 0.0) + eps) / np.sqrt(s + eps)
    kept["u"] = rho * kept.get("u", 0.0) + (1 - rho) * step**2
    return w - o.get("lr", 1.0) * step


def adamax(w: np.ndarray, g: np.ndarray, kept: dict[str, Any], o: dict[str, Any]) -> np.ndarray:
    b1, b2 = o.get("beta1", 0.9), o.get("beta2", 0.999)
    g = g + o.get("weight_decay", 0.0) * w
    t = kept["t"] = kept.get("t", 0) + 1
    m = kept["m"] = b1 * kept.get("m", 0.0) + (1 - b1) * g
    u = kept["u"] = np.maximum(b2 * kept.get("u", 0.0), np.abs(g) + o.get("eps", 1e-8))
    return w - o.get("lr", 0.002) / (1 - b1**t) * m / u


def nadam(w: np.ndarray, g: np.ndarray, kept: dict[str, Any], o: dict[str, Any]) -> np.ndarray:
    b1, b2, psi = o.get("beta1", 0.9), o.get("beta2", 0.999), o.get("momentum_decay", 0.004)
    if o.get("decoupled"):
        w = w * (1 - o.get("lr", 0.002) * o.get("weight_decay", 0.0))
    else:
        g = g + o.get("weight_decay", 0.0) * w
    t = kept["t"] = kept.get("t", 0) + 1
    now, after = (b1 * (1 - 0.5 * 0.96 ** (step * psi)) for step in (t, t + 1))
    product = kept["product"] = kept.get("product", 1.0) * now
    m = kept["m"] = b1 * kept.get("m", 0.0) + (1 - b1) * g
    s = kept["s"] = b2 * kept.get("s", 0.0) + (1 - b2) * g**2
    size = np.sqrt(s / (1 - b2**t)) + o.get("eps", 1e-8)
    return w - o.get("lr", 0.002) * (after * m / (1 - product * after) + (1 - now) * g / (1 - product)) / size


def radam(w: np.ndarray, g: np.ndarray, kept: dict[str, Any], o: dict[str, Any]) -> np.ndarray:
    b1, b2, lr = o.get("beta1", 0.9), o.get("beta2", 0.999), o.get("lr", 0.001)
    if o.get("decoupled"):
        w = w * (1 - lr * o.get("weight_decay", 0.0))
    else:
        g = g + o.get("weight_decay", 0.0) * w
    t = kept["t"] = kept.get("t", 0) + 1
    m = kept["m"] = b1 * kept.get("m", 0.0) + (1 - b1) * g
    s = kept["s"] = b2 * kept.get("s", 0.0) + (1 - b2) * g**2
    longest = 2 / (1 - b2) - 1
    length = longest - 2 * t * b2**t / (1 - b2**t)
    if length <= 5:
        return w - lr * m / (1 - b1**t)
    rectified = sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
    return w - lr * m / (1 - b1**t) * rectified * sqrt(1 - b2**t) / (np.sqrt(s) + o.get("eps", 1e-8))


def rprop(w: np.ndarray, g: np.ndarray, kept: dict[str, Any], o: dict[str, Any]) -> np.ndarray:
    step, before = kept.get("step", np.full_like(w, o.get("lr", 0.01))), kept.get("g", np.zeros_like(w))
    turned = np.sign(g * before)
    step = np.where(turned > 0, step * o.get("grow", 1.2), np.where(turned < 0, step * o.get("shrink", 0.5), step))
    kept["step"] = step = np.clip(step, o.get("smallest", 1e-6), o.get("largest", 50.0))
    kept["g"] = g = np.where(turned < 0, 0.0, g)
    return w - np.sign(g) * step


def lion(w: np.ndarray, g: np.ndarray, kept: dict[str, Any], o: dict[str, Any]) -> np.ndarray:
    b1, b2, lr = o.get("beta1", 0.9), o.get("beta2", 0.99), o.get("lr", 1e-4)
    m = kept.get("m", np.zeros_like(w))
    step = np.sign(b1 * m + (1 - b1) * g) + o.get("weight_decay", 0.0) * w
    kept["m"] = b2 * m + (1 - b2) * g
    return w - lr * step


CASES: list[tuple[str, Rule, dict[str, Any]]] = [
    ("sgd", sgd, {}),
    ("sgd", sgd, {"lr": 0.1, "momentum": 0.9}),
    ("sgd", sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("adam", adam, {}),
    ("adam", adam, {"lr": 0.01, "beta1": 0.8, "beta2": 0.99, "eps": 1e-7, "weight_decay": 0.1}),
    ("adam", adam, {"lr": 0.1, "amsgrad": True, "beta2": 0.9}),
    ("adamw", adamw, {}),
    ("adamw", adamw, {"lr": 0.05, "weight_decay": 0.2, "amsgrad": True, "beta2": 0.9}),
    ("adamw", adamw, {"beta1": 0.7, "eps": 0.01}),
    ("rmsprop", rmsprop, {}),
    ("rmsprop", rmsprop, {"lr": 0.01, "alpha": 0.99, "eps": 1e-7, "momentum": 0.9, "weight_decay": 0.1}),
    ("rmsprop", rmsprop, {"lr": 0.01, "centered": True}),
    ("adagrad", adagrad, {}),
    ("adagrad", adagrad, {"lr": 0.001, "initial": 0.1, "eps": 1e-7}),  # Keras's numbers
    ("adagrad", adagrad, {"lr": 0.2, "lr_decay": 0.01, "weight_decay": 0.1}),
    ("adadelta", adadelta, {}),
    ("adadelta", adadelta, {"lr": 0.5, "rho": 0.95, "eps": 1e-4, "weight_decay": 0.1}),
    ("adamax", adamax, {}),
    ("adamax", adamax, {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.1}),
    ("adamax", adamax, {"eps": 0.1}),
    ("nadam", nadam, {}),
    ("nadam", nadam, {"lr": 0.01, "momentum_decay": 1.0, "eps": 1e-7}),  # newer Keras
    ("nadam", nadam, {"lr": 0.01, "weight_decay": 0.1, "decoupled": True, "beta2": 0.9}),
    ("nadam", nadam, {"beta1": 0.7, "weight_decay": 0.1}),
    ("radam", radam, {}),
    ("radam", radam, {"lr": 0.05, "beta2": 0.95, "weight_decay": 0.1}),
    ("radam", radam, {"lr": 0.05, "weight_decay": 0.1, "decoupled": True}),
    ("radam", radam, {"beta1": 0.7, "eps": 0.01}),
    ("rprop", rprop, {}),
    ("rprop", rprop, {"lr": 0.1, "shrink": 0.4, "grow": 1.5, "largest": 0.3}),
    ("rprop", rprop, {"smallest": 0.005}),
    ("lion", lion, {"lr": 0.003}),
    ("lion", lion, {"lr": 0.01, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.3}),
]


def optimizer_of(tagged: dict[str, Any], parameters: list[torch.Tensor], *, fused: bool) -> torch.optim.Optimizer:
    recorded = make("optimizer", tagged).build(name("parameters"), fused=fused)
    return eval(recorded.text, {**namespace(used_helpers(recorded)), "parameters": parameters})


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(("type_name", "rule", "settings"), CASES)
def test_two_hundred_steps_follow_the_formula(
    type_name: str, rule: Rule, settings: dict[str, Any], fused: bool
) -> None:
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
        assert recorded.startswith(("torch.optim.", "Lion(", "Muon("))
        assert ("fused" in recorded) == (fused and made.fused_on("cpu"))
        parameters = [torch.zeros(2, 3, requires_grad=True)]
        parameters[0].grad = torch.ones(2, 3)
        made_one = optimizer_of({"type": declaration.type}, parameters, fused=fused)
        made_one.step(*([lambda: 0.0] if getattr(made, "closure", False) else []))
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


MUON: list[dict[str, Any]] = [
    {}, {"nesterov": False, "momentum": 0.8, "weight_decay": 0.1, "lr": 0.1}, {"steps": 3},
]  # fmt: skip


def orthogonalised(matrix: np.ndarray, steps: int = 5) -> np.ndarray:
    """Jordan's quintic Newton-Schulz iteration."""
    turned = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if turned else matrix
    x = x / (np.linalg.norm(x) + 1e-7)
    for _ in range(steps):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if turned else x


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (5, 2, 3, 3)])
@pytest.mark.parametrize("settings", MUON)
def test_muon_steps_along_the_orthogonalised_momentum(shape: tuple[int, ...], settings: dict[str, Any]) -> None:
    draw = np.random.default_rng(4)
    ours = draw.normal(size=shape)
    theirs = torch.tensor(ours, requires_grad=True)
    optimizer = optimizer_of({"type": "muon", **settings}, [theirs], fused=False)
    keep, lr, decay = settings.get("momentum", 0.95), settings.get("lr", 0.02), settings.get("weight_decay", 0.0)
    m = np.zeros(shape)
    for _ in range(STEPS):
        g = draw.normal(size=shape)
        theirs.grad = torch.tensor(g)
        optimizer.step()
        m = keep * m + (1 - keep) * g
        update = (1 - keep) * g + keep * m if settings.get("nesterov", True) else m
        flat = update.reshape(shape[0], -1)
        step = orthogonalised(flat, settings.get("steps", 5)) * sqrt(max(1, flat.shape[0] / flat.shape[1]))
        ours = ours * (1 - lr * decay) - lr * step.reshape(shape)
    np.testing.assert_allclose(theirs.detach().numpy(), ours, rtol=0, atol=1e-10)


def test_what_muon_steps_along_is_nearly_orthogonal() -> None:
    matrix = np.random.default_rng(5).normal(size=(20, 50))
    values = np.linalg.svd(newton_schulz(torch.tensor(matrix), 5).numpy(), compute_uv=False)
    # Jordan: the coefficients bring singular values into about 0.7 to 1.2, and no nearer on purpose.
    assert 0.6 < values.min() <= values.max() < 1.25
    exact = np.linalg.svd(matrix, full_matrices=False)
    near = exact[0] @ exact[2]
    cosine = (newton_schulz(torch.tensor(matrix), 5).numpy() * near).sum() / np.sqrt(len(near)) / np.linalg.norm(values)
    assert cosine > 0.97


def test_what_is_no_hidden_matrix_goes_with_adamw_under_muon() -> None:
    draw = np.random.default_rng(6)
    ours, kept = draw.normal(size=9), {}
    theirs = torch.tensor(ours, requires_grad=True)
    groups: Any = [{"params": [theirs], "adam": True, "lr": 0.01}]
    optimizer = optimizer_of({"type": "muon", "weight_decay": 0.2}, groups, fused=False)
    options = {"lr": 0.01, "beta1": 0.9, "beta2": 0.95, "weight_decay": 0.2}
    for _ in range(STEPS):
        g = draw.normal(size=9)
        theirs.grad = torch.tensor(g)
        optimizer.step()
        ours = adamw(ours, g, kept, options)
    np.testing.assert_allclose(theirs.detach().numpy(), ours, rtol=0, atol=1e-10)


def two_loops(gradient: np.ndarray, steps: list[np.ndarray], changes: list[np.ndarray]) -> np.ndarray:
    """Nocedal's two-loop recursion: the direction of L-BFGS from the last steps and changes of the gradient."""
    q, shares = gradient.copy(), []
    for s, y in zip(reversed(steps), reversed(changes), strict=True):
        shares.append((s @ q) / (y @ s))
        q = q - shares[-1] * y
    if steps:
        q = q * (steps[-1] @ changes[-1]) / (changes[-1] @ changes[-1])
    for (s, y), share in zip(zip(steps, changes, strict=True), reversed(shares), strict=True):
        q = q + s * (share - (y @ q) / (y @ s))
    return -q


LBFGS: dict[str, Any] = {"line_search": "none", "lr": 0.3, "max_iter": 8, "history": 4}


def minimised(hessian: np.ndarray, start: np.ndarray, settings: dict[str, Any]) -> tuple[torch.Tensor, int]:
    """One call of L-BFGS on w·H·w/2, and how often it asked for the gradient."""
    theirs, asked = torch.tensor(start, requires_grad=True), [0]
    optimizer = optimizer_of({"type": "lbfgs", **settings}, [theirs], fused=False)

    def closure() -> torch.Tensor:
        asked[0] += 1
        optimizer.zero_grad()
        loss = 0.5 * theirs @ torch.tensor(hessian) @ theirs
        loss.backward()
        return loss

    optimizer.step(closure)
    return theirs.detach(), asked[0]


def test_lbfgs_without_line_search_follows_the_two_loop_recursion() -> None:
    draw = np.random.default_rng(7)
    hessian = np.diag(draw.uniform(0.5, 3.0, size=6))
    start = draw.normal(size=6)
    theirs, _ = minimised(hessian, start, LBFGS)
    ours, steps, changes = start.copy(), [], []
    for iteration in range(8):
        g = hessian @ ours
        direction = two_loops(g, steps, changes)
        length = min(1.0, 1 / np.abs(g).sum()) * 0.3 if iteration == 0 else 0.3
        after = ours + length * direction
        steps, changes = [*steps, after - ours][-4:], [*changes, hessian @ after - g][-4:]
        ours = after
    np.testing.assert_allclose(theirs.detach().numpy(), ours, rtol=0, atol=1e-10)


def test_lbfgs_with_line_search_ends_in_the_minimum_and_its_first_step_meets_the_wolfe_conditions() -> None:
    """Nocedal & Wright, (3.7): f(w + a·d) ≤ f(w) + c₁·a·g·d and |g(w + a·d)·d| ≤ c₂·|g·d|, with 1e-4 and 0.9."""
    draw = np.random.default_rng(8)
    hessian, start = np.diag(draw.uniform(0.5, 30.0, size=6)), draw.normal(size=6)
    first, _ = minimised(hessian, start, {"max_iter": 1})
    after, g = first.numpy(), hessian @ start
    moved = after - start
    np.testing.assert_allclose(moved / np.linalg.norm(moved), -g / np.linalg.norm(g), rtol=0, atol=1e-10)
    before, then = 0.5 * start @ hessian @ start, 0.5 * after @ hessian @ after
    assert then <= before + 1e-4 * g @ moved
    assert abs(hessian @ after @ moved) <= 0.9 * abs(g @ moved)
    end, _ = minimised(hessian, start, {"max_iter": 200, "tolerance_grad": 1e-13, "tolerance_change": 0.0})
    np.testing.assert_allclose(end, np.zeros(6), rtol=0, atol=1e-10)


def test_lbfgs_ends_where_its_tolerances_say() -> None:
    draw = np.random.default_rng(9)
    hessian, start = np.diag(draw.uniform(0.5, 3.0, size=6)), draw.normal(size=6)
    start *= 0.5 / np.abs(hessian @ start).max()
    still, asked = minimised(hessian, start, {**LBFGS, "tolerance_grad": 0.51})
    assert (asked, still.tolist()) == (1, start.tolist())
    long = {**LBFGS, "max_iter": 500, "tolerance_change": 0.0}
    fine = [minimised(hessian, start, {**long, "tolerance_grad": size})[0] for size in (1e-2, 1e-6)]
    largest = [np.abs(hessian @ found.numpy()).max() for found in fine]
    assert 1e-6 < largest[0] <= 1e-2
    assert largest[1] <= 1e-6
    coarse, _ = minimised(hessian, start, {**long, "tolerance_grad": 0.0, "tolerance_change": 0.01})
    assert np.abs(coarse.numpy()).max() > 1e-6


def test_every_optimizer_is_held_to_a_formula() -> None:
    assert set(catalogue().all("optimizer")) == {case[0] for case in CASES} | {"muon", "lbfgs"}
