"""Layers that disturb the training only: what they do on average, within what, and that predicting is undisturbed.

Bounds are five standard errors of the quantity that is estimated.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.declare import find
from engine.expr import used_helpers
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.meta import namespace
from engine.tensor import TensorInfo
from tests.engine.catalogue import layers
from tests.engine.drawn import box, draw, facts, project

NOISE = {
    "dropout": (200,), "dropout1d": (40, 5), "dropout2d": (40, 2, 3), "dropout3d": (40, 2, 2, 2),
    "alpha_dropout": (200,),
    "feature_alpha_dropout": (40, 2, 3), "gaussian_noise": (200,), "gaussian_dropout": (200,),
    "stochastic_depth": (50,),
    "drop_connect": (200,),
}  # fmt: skip
WHOLE = {"dropout1d": 1, "dropout2d": 1, "dropout3d": 1, "feature_alpha_dropout": 1, "stochastic_depth": 0}
"""Those that treat everything beyond this axis alike."""


def made(type_name: str, shape: tuple[int, ...], **settings: Any) -> nn.Module:
    declaration = find("layer", type_name)
    assert declaration is not None
    constructor = declaration.make(settings).build(TensorInfo(shape))
    module: nn.Module = eval(constructor.text, namespace(used_helpers(constructor)))
    return module.double()


def test_every_layer_of_the_family_is_looked_at_here() -> None:
    assert {declaration.type for declaration in layers() if declaration.family == "regularisation"} == set(NOISE)


@pytest.mark.parametrize("type_name", NOISE)
def test_predicting_is_undisturbed(type_name: str) -> None:
    shape = NOISE[type_name]
    module, x = made(type_name, shape).eval(), torch.randn(3, *shape, dtype=torch.float64)
    expected = nn.functional.linear(x, module.weight, module.bias) if type_name == "drop_connect" else x
    assert torch.equal(module(x), expected)


@pytest.mark.parametrize("type_name", [name for name in NOISE if "alpha" not in name and "noise" not in name])
@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_training_keeps_the_mean_and_gives_dropouts_variance(type_name: str, rate: float) -> None:
    """Of ones: mean 1 and variance rate/(1 − rate), whether by zeros or by normal factors."""
    torch.manual_seed(0)
    shape = NOISE[type_name]
    if type_name == "drop_connect":
        module = made(type_name, (50,), rate=rate, units=400, bias=False)
        nn.init.ones_(module.weight)
        # One unit sums 50 weights, each 1/(1 − rate) or 0; with the identity as samples each is seen alone.
        values = module(torch.eye(50, dtype=torch.float64)).detach().numpy().ravel()
    else:
        x = torch.ones(500, *shape, dtype=torch.float64)
        values = made(type_name, shape, rate=rate)(x).numpy()
        if type_name in WHOLE:
            flat = values.reshape(*values.shape[: WHOLE[type_name] + 1], -1)
            assert (flat == flat[..., :1]).all()
            values = flat[..., 0]
        values = values.ravel()
    variance = rate / (1 - rate)
    assert values.mean() == pytest.approx(1.0, abs=5 * sqrt(variance / values.size))
    fourth = float(((values - 1) ** 4).mean())
    error = 5 * sqrt(max(fourth - variance**2, 0.0) / values.size) + 25 * variance / values.size
    assert values.var() == pytest.approx(variance, abs=error)
    if type_name != "gaussian_dropout":
        assert set(np.round(np.unique(values), 12)) == {0.0, round(1 / (1 - rate), 12)}


@pytest.mark.parametrize("type_name", ["alpha_dropout", "feature_alpha_dropout"])
def test_alpha_dropout_keeps_mean_and_deviation_and_drops_to_its_own_value(type_name: str) -> None:
    """Klambauer et al. 2017 with rate 0.1: a 0.92128, b 0.16197, dropped numbers become a·α′ + b = −1.45774."""
    torch.manual_seed(1)
    shape = NOISE[type_name]
    x = torch.randn(4000, *shape, dtype=torch.float64)
    values = made(type_name, shape, rate=0.1)(x)
    count = values[:, :, 0, 0].numel() if type_name in WHOLE else values.numel()
    assert float(values.mean()) == pytest.approx(0.0, abs=5 / sqrt(count))
    assert float(values.std()) == pytest.approx(1.0, abs=5 / sqrt(count))
    alpha = -1.7580993408473766
    a = 1 / sqrt(0.9 * (1 + 0.1 * alpha**2))
    b = -a * alpha * 0.1
    assert (a, b, a * alpha + b) == (pytest.approx(0.92128, abs=1e-5), pytest.approx(0.16197, abs=1e-5),
                                     pytest.approx(-1.45774, abs=1e-5))  # fmt: skip
    dropped = (values - (a * alpha + b)).abs() < 1e-6
    assert float(dropped.double().mean()) == pytest.approx(0.1, abs=5 * sqrt(0.09 / count))
    kept = ~dropped
    np.testing.assert_allclose(values[kept].numpy(), (a * x + b)[kept].numpy(), rtol=0, atol=1e-7)


def test_noise_is_added_with_its_deviation() -> None:
    torch.manual_seed(2)
    x = torch.linspace(-3, 3, 200, dtype=torch.float64).expand(2000, 200)
    noise = (made("gaussian_noise", (200,), std=0.3)(x) - x).numpy().ravel()
    assert noise.mean() == pytest.approx(0.0, abs=5 * 0.3 / sqrt(noise.size))
    assert noise.std() == pytest.approx(0.3, abs=5 * 0.3 / sqrt(2 * noise.size))
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 5 / sqrt(noise.size)


def test_a_branch_is_left_out_for_the_whole_batch_where_asked() -> None:
    torch.manual_seed(3)
    module, x = made("stochastic_depth", (5,), rate=0.5, batch=True), torch.ones(6, 5, dtype=torch.float64)
    seen = {tuple(module(x).ravel().tolist()) for _ in range(40)}
    assert seen == {(0.0,) * 30, (2.0,) * 30}


def test_they_stand_in_the_generated_code_as_classes_of_their_own() -> None:
    graph = draw(
        box("row", "input"), box("noisy", "gaussian_noise", "row"), box("fc", "drop_connect", "noisy", units=6),
        box("gauss", "gaussian_dropout", "fc"), box("depth", "stochastic_depth", "gauss"),
        box("out", "output", "depth"),
    )  # fmt: skip
    analysis = analyze(project(graph, facts(row=(4,))))
    for name in ("GaussianNoise", "GaussianDropout", "StochasticDepth", "DropConnect"):
        assert f"class {name}(" in analysis.source
    assert analysis.parameters == 30
    model = build(project(graph, facts(row=(4,)))).model.train()
    model(torch.randn(3, 4)).sum().backward()
    assert all(item.grad is not None for item in model.parameters())
