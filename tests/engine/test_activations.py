"""Every activation in float64 against its formula, stated here with numpy alone, and what its derivative is."""

from __future__ import annotations

from collections.abc import Callable
from math import erf, sqrt
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from engine.declare import find
from engine.expr import name, used_helpers
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.function_curve import function_curve, is_drawable
from engine.runtime.meta import namespace
from engine.source_calls import forward_of
from engine.tensor import TensorInfo
from tests.engine.catalogue import layers
from tests.engine.drawn import box, draw, facts, project

Array = NDArray[np.float64]
X = np.linspace(-6.0, 6.0, 241) + 0.0125  # no kink of any of them lies on a point
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def softplus(x: Array, beta: float = 1.0) -> Array:
    return np.logaddexp(0.0, beta * x) / beta


def phi(x: Array) -> Array:
    return np.array([0.5 * (1 + erf(value / sqrt(2))) for value in x])


def leaky(slope: float) -> Callable[[Array], Array]:
    return lambda x: np.where(x > 0, x, slope * x)


FORMULAS: list[tuple[str, dict[str, Any], Callable[[Array], Array]]] = [
    ("relu", {}, lambda x: np.maximum(x, 0)),
    ("leaky_relu", {"slope": 0.2}, leaky(0.2)),
    ("prelu", {"init": 0.375}, leaky(0.375)),
    ("prelu", {"init": 0.5, "per_channel": True}, leaky(0.5)),
    ("rrelu", {"lower": 0.1, "upper": 0.3}, leaky(0.2)),
    ("elu", {"alpha": 1.5}, lambda x: np.where(x > 0, x, 1.5 * (np.exp(x) - 1))),
    ("selu", {}, lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * (np.exp(x) - 1))),
    ("celu", {"alpha": 2.0}, lambda x: np.maximum(x, 0) + np.minimum(0, 2.0 * (np.exp(x / 2.0) - 1))),
    ("gelu", {}, lambda x: x * phi(x)),
    ("gelu", {"approximate": "tanh"}, lambda x: 0.5 * x * (1 + np.tanh(sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
    ("silu", {}, lambda x: x * sigmoid(x)),
    ("swish_beta", {"beta": 0.6}, lambda x: x * sigmoid(0.6 * x)),
    ("swish_beta", {"beta": 1.75, "learned": True}, lambda x: x * sigmoid(1.75 * x)),
    ("mish", {}, lambda x: x * np.tanh(softplus(x))),
    ("softplus", {"beta": 2.0}, lambda x: softplus(x, 2.0)),
    ("softplus", {"threshold": 2.0}, lambda x: np.where(x > 2.0, x, softplus(x))),
    ("softsign", {}, lambda x: x / (1 + np.abs(x))),
    ("sigmoid", {}, sigmoid),
    ("log_sigmoid", {}, lambda x: -softplus(-x)),
    ("tanh", {}, np.tanh),
    ("relu6", {}, lambda x: np.clip(x, 0, 6)),
    ("hard_sigmoid", {}, lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    ("hard_swish", {}, lambda x: x * np.clip(x + 3, 0, 6) / 6),
    ("hard_tanh", {"low": -2.0, "high": 0.5}, lambda x: np.clip(x, -2.0, 0.5)),
    ("tanh_shrink", {}, lambda x: x - np.tanh(x)),
    ("hard_shrink", {"limit": 0.7}, lambda x: np.where(np.abs(x) > 0.7, x, 0)),
    ("soft_shrink", {"limit": 0.7}, lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.7, 0)),
]
CASES = [pytest.param(*case, id="-".join(map(str, (case[0], *case[1].values())))) for case in FORMULAS]
JOINING = {"softmax", "log_softmax", "glu", "maxout"}


def applied(type_name: str, settings: dict[str, Any], x: torch.Tensor, *, train: bool = False) -> torch.Tensor:
    """The layer's recorded text, executed in float64 on a batch."""
    declaration = find("layer", type_name)
    assert declaration is not None
    declared, module, scope = declaration.make(settings), None, namespace()
    if hasattr(declaration.cls, "build"):
        constructor = declared.build(TensorInfo(tuple(x.shape[1:])))
        module, scope = name("module"), namespace(used_helpers(constructor))
        scope["module"] = eval(constructor.text, scope).double().train(train)
    found: torch.Tensor = eval(forward_of(declaration, declared, module, [name("x")]).text, {**scope, "x": x})
    return found


def test_every_activation_is_looked_at_here() -> None:
    known = {declaration.type for declaration in layers() if declaration.family == "activation"}
    assert known == {case[0] for case in FORMULAS} | JOINING
    assert {type_name for type_name in known if not is_drawable(type_name)} == JOINING


@pytest.mark.parametrize(("type_name", "settings", "formula"), CASES)
def test_an_activation_is_its_formula(
    type_name: str, settings: dict[str, Any], formula: Callable[[Array], Array]
) -> None:
    found = applied(type_name, settings, torch.from_numpy(X)[:, None])[:, 0]
    np.testing.assert_allclose(found.detach().numpy(), formula(X), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("type_name", "settings", "formula"), CASES)
def test_the_curve_that_is_drawn_has_the_slope_of_the_formula(
    type_name: str, settings: dict[str, Any], formula: Callable[[Array], Array]
) -> None:
    curve = function_curve({"type": type_name, **settings}, float(X[0]), float(X[-1]), points=len(X))
    np.testing.assert_allclose(curve.x, X, atol=1e-12)
    np.testing.assert_allclose(curve.y, formula(X), rtol=0, atol=1e-10)
    step = 1e-5
    slope = (formula(X + step) - formula(X - step)) / (2 * step)
    np.testing.assert_allclose(curve.slope, slope, rtol=0, atol=2e-8)


def test_known_points_of_the_curves() -> None:
    """Values that the papers and textbooks name."""
    fine = {kind: function_curve({"type": kind}, -4.0, 2.0, points=60_001) for kind in ("gelu", "silu", "mish")}
    lowest = {kind: (curve.x[curve.y.argmin()], curve.y.min()) for kind, curve in fine.items()}
    assert lowest["gelu"] == (pytest.approx(-0.752, abs=1e-3), pytest.approx(-0.1700, abs=1e-4))
    assert lowest["silu"] == (pytest.approx(-1.278, abs=1e-3), pytest.approx(-0.2785, abs=1e-4))
    assert lowest["mish"] == (pytest.approx(-1.192, abs=1e-3), pytest.approx(-0.3088, abs=1e-4))
    assert function_curve({"type": "sigmoid"}, -1.0, 1.0, points=3).slope[1] == pytest.approx(0.25, abs=1e-12)
    assert function_curve({"type": "selu"}, -40.0, 0.0, points=3).y[0] == pytest.approx(-1.7580993408473766, abs=1e-9)
    gelu, near = function_curve({"type": "gelu"}), function_curve({"type": "swish_beta", "beta": 1.702})
    assert np.abs(gelu.y - near.y).max() == pytest.approx(0.0203, abs=2e-4)


def test_what_is_no_function_of_one_number_is_not_drawn() -> None:
    for type_name in (*JOINING, "linear", "magic"):
        with pytest.raises(ValueError, match="not a function of one number"):
            function_curve({"type": type_name})


@pytest.mark.parametrize("axis", [0, -1])
def test_softmax_and_its_logarithm(axis: int) -> None:
    values = np.random.default_rng(0).normal(size=(3, 4, 5)) * 4
    place = axis + 1 if axis >= 0 else axis
    shares = np.exp(values) / np.exp(values).sum(place, keepdims=True)
    for type_name, expected in (("softmax", shares), ("log_softmax", np.log(shares))):
        found = applied(type_name, {"axis": axis}, torch.from_numpy(values)).numpy()
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


GATES: dict[str, Callable[[Array], Array]] = {
    "sigmoid": sigmoid,
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: x * phi(x.ravel()).reshape(x.shape),
    "none": lambda x: x,
}


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("axis", ["features", "channels"])
def test_a_gated_unit_is_half_times_the_gate_of_the_other_half(gate: str, axis: str) -> None:
    values = np.random.default_rng(1).normal(size=(2, 6, 3, 8))
    found = applied("glu", {"gate": gate, "axis": axis}, torch.from_numpy(values)).numpy()
    first, second = np.split(values, 2, axis=1 if axis == "channels" else -1)
    np.testing.assert_allclose(found, first * GATES[gate](second), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("axis", "shape"), [("features", (2, 5, 12)), ("channels", (2, 12, 4, 4)), ("features", (3, 12))]
)
def test_maxout_keeps_the_largest_of_neighbours(axis: str, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(2).normal(size=shape)
    found = applied("maxout", {"pieces": 3, "axis": axis}, torch.from_numpy(values)).numpy()
    place = 1 if axis == "channels" else len(shape) - 1
    expected = np.stack([np.take(values, range(part, 12, 3), axis=place) for part in range(3)]).max(0)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("kind", "settings"), [("glu", {}), ("maxout", {"pieces": 3})])
def test_what_cannot_be_divided_says_how_many_units_would_do(kind: str, settings: dict[str, Any]) -> None:
    drawn = project(
        draw(box("row", "input"), box("act", kind, "row", **settings), box("y", "output", "act")), facts(x=(7,))
    )
    (problem,) = [found for found in analyze(drawn).problems if found.where.label == "act"]
    assert "7 features cannot be divided" in problem.happened
    assert "units" in problem.fix


def test_rrelu_draws_slopes_while_training_and_takes_their_mean_after() -> None:
    x = -torch.ones(40_000, 1, dtype=torch.float64)
    torch.manual_seed(0)
    slopes = -applied("rrelu", {"lower": 0.1, "upper": 0.4}, x, train=True)[:, 0].numpy()
    assert 0.1 <= slopes.min() < 0.101
    assert 0.399 < slopes.max() <= 0.4
    # Uniform: deviation 0.3/√12, so the mean of 40,000 stands within five standard errors.
    assert slopes.mean() == pytest.approx(0.25, abs=5 * 0.3 / sqrt(12) / sqrt(len(slopes)))


def test_the_factor_of_swish_learns_when_told_to() -> None:
    def model(learned: bool) -> nn.Module:
        graph = draw(box("row", "input"), box("act", "swish_beta", "row", learned=learned), box("y", "output", "act"))
        return build(project(graph, facts(x=(5,)))).model

    assert [tuple(tensor.shape) for tensor in model(True).parameters()] == [()]
    assert list(model(False).parameters()) == []
    swish, x = model(True).double(), torch.linspace(-2, 2, 5, dtype=torch.float64)[None]
    swish(x).sum().backward()
    values = x.numpy()[0]
    slope = (values**2 * sigmoid(values) * (1 - sigmoid(values))).sum()
    assert float(next(swish.parameters()).grad) == pytest.approx(slope, abs=1e-10)


def test_a_separate_activation_reads_the_generated_code_well() -> None:
    graph = draw(
        box("row", "input"), box("wide", "linear", "row", units=8), box("gate", "glu", "wide", gate="silu"),
        box("best", "maxout", "gate"), box("y", "output", "best"),
    )  # fmt: skip
    source = analyze(project(graph, facts(x=(5,)))).source
    assert "self.gate = GatedUnit(nn.SiLU())" in source
    assert ".unflatten(-1, (-1, 2)).amax(-1)" in source
    assert source.count("class GatedUnit") == 1
