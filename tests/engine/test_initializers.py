"""Initializers against the papers' variances: fans, exact statistics of what is drawn, and where it is written.

A sample variance of n draws with fourth moment κσ⁴ has a standard error of σ²√((κ−1)/n); bounds are five of these.
"""

from __future__ import annotations

import json
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pytest
import torch

from engine.declare import catalogue, find, make
from engine.defaults import DEFAULTS
from engine.edits import set_param
from engine.examples import load_example
from engine.project import Project
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.draws import draw
from engine.settings import set_value

FAN_IN, FAN_OUT = 600, 200
AVERAGE = (FAN_IN + FAN_OUT) / 2
NORMAL, UNIFORM, CUT = "normal", "uniform", "truncated"
KURTOSIS = {NORMAL: 3.0, UNIFORM: 1.8, CUT: 2.37}
"""Fourth moment over squared variance; that of a standard normal cut at two deviations is 2.3658."""

EXPECTED: dict[str, tuple[dict[str, Any], float, str]] = {
    "torch": ({}, 1 / (3 * FAN_IN), UNIFORM),
    "he_normal": ({}, 2 / FAN_IN, NORMAL),
    "he_uniform": ({}, 2 / FAN_IN, UNIFORM),
    "he_truncated": ({}, 2 / FAN_IN, CUT),
    "glorot_normal": ({}, 1 / AVERAGE, NORMAL),
    "glorot_uniform": ({}, 1 / AVERAGE, UNIFORM),
    "glorot_truncated": ({}, 1 / AVERAGE, CUT),
    "lecun_normal": ({}, 1 / FAN_IN, NORMAL),
    "lecun_uniform": ({}, 1 / FAN_IN, UNIFORM),
    "lecun_truncated": ({}, 1 / FAN_IN, CUT),
    "variance_scaling": ({"scale": 2.0, "mode": "fan_avg", "distribution": "uniform"}, 2 / AVERAGE, UNIFORM),
    "unit_normal": ({}, 1.0, NORMAL),
    "normal": ({"mean": 3.0, "std": 0.2}, 0.04, NORMAL),
    "uniform": ({"low": -1.0, "high": 2.0}, 9 / 12, UNIFORM),
    "truncated_normal": ({"mean": -1.0, "std": 0.3}, (0.3 * 0.87962566103423978) ** 2, CUT),
}
MEAN = {"normal": 3.0, "uniform": 0.5, "truncated_normal": -1.0}
MODES = ("fan_in", "fan_avg", "fan_out")
DISTRIBUTIONS = ("truncated_normal", "normal", "uniform")
FIXED = {"zeros": 0.0, "ones": 1.0, "constant": 0.1}


def tagged(name: str) -> dict[str, Any]:
    return {"type": name, **EXPECTED[name][0]} if name in EXPECTED else {"type": name}


def test_every_initializer_is_looked_at_here() -> None:
    assert set(catalogue().all("initializer")) == {*EXPECTED, *FIXED, "orthogonal"}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_drawn_has_the_mean_variance_and_tails_of_its_formula(name: str) -> None:
    _, variance, kind = EXPECTED[name]
    values = draw(tagged(name), (FAN_IN, FAN_OUT), most=FAN_IN * FAN_OUT).astype(np.float64)
    count, mean = len(values), MEAN.get(name, 0.0)
    assert count == FAN_IN * FAN_OUT
    assert abs(values.mean() - mean) < 5 * sqrt(variance / count)
    assert abs(values.var() - variance) < 5 * variance * sqrt((KURTOSIS[kind] - 1) / count)
    longest = np.abs(values - mean).max() / sqrt(variance)
    if kind == UNIFORM:
        assert 0.999 * sqrt(3) < longest <= sqrt(3) * (1 + 1e-6)
    elif kind == CUT:
        assert 0.99 * 2 / 0.87962566 < longest <= 2 / 0.87962566 * (1 + 1e-6)
    else:
        # Of 120,000 draws the largest lies beyond 3.5 deviations with a chance of all but 1e-24.
        assert longest > 3.5


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_variance_scaling_divides_by_the_fan_that_is_chosen(mode: str, distribution: str) -> None:
    fan = {"fan_in": FAN_IN, "fan_out": FAN_OUT, "fan_avg": AVERAGE}[mode]
    settings = {"type": "variance_scaling", "scale": 3.0, "mode": mode, "distribution": distribution}
    values = draw(settings, (FAN_IN, FAN_OUT), most=FAN_IN * FAN_OUT)
    assert values.var() == pytest.approx(3.0 / fan, rel=5 * sqrt(2 / len(values)))
    assert make("initializer", settings).deviation(FAN_IN, FAN_OUT) == pytest.approx(sqrt(3.0 / fan), rel=1e-12)


@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "torch"])
def test_the_deviation_that_is_shown_is_that_of_the_formula(name: str) -> None:
    assert make("initializer", tagged(name)).deviation(FAN_IN, FAN_OUT) == pytest.approx(
        sqrt(EXPECTED[name][1]), rel=1e-12
    )


@pytest.mark.parametrize("name", FIXED)
def test_a_fixed_number_fills_everything(name: str) -> None:
    assert draw({"type": name}, (7, 5)).tolist() == pytest.approx([FIXED[name]] * 35)


@pytest.mark.parametrize("fans", [(40, 24), (24, 40)])
def test_orthogonal_rows_or_columns_have_their_length(fans: tuple[int, int]) -> None:
    weight = draw({"type": "orthogonal", "gain": 1.5}, fans).reshape(fans[1], fans[0]).astype(np.float64)
    product = weight @ weight.T if fans[1] <= fans[0] else weight.T @ weight
    assert np.abs(product - 1.5**2 * np.eye(min(fans))).max() < 1e-5
    assert weight.std() == pytest.approx(
        make("initializer", {"type": "orthogonal", "gain": 1.5}).deviation(*fans), rel=0.05
    )


def test_looking_at_draws_leaves_the_random_numbers_as_they_were() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again = (draw({"type": "he_truncated"}, (30, 20), seed=1) for _ in range(2))
    assert torch.equal(torch.rand(3), expected)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, draw({"type": "he_truncated"}, (30, 20), seed=2))
    with pytest.raises(ValueError, match="there is no initializer"):
        draw({"type": "magic"}, (3, 3))


def linear_and_conv(initializer: dict[str, Any] | None, bias: dict[str, Any] | None) -> Project:
    project = load_example("digits-cnn")
    for path, value in (("defaults.initializer", initializer), ("defaults.bias_initializer", bias)):
        if value is not None:
            project = set_value(project, path, json.dumps(value))
    return project


def test_fans_and_deviation_of_a_layer_count_the_receptive_field() -> None:
    project = linear_and_conv({"type": "he_normal"}, None)
    facts = analyze(project).nodes
    seen = 0
    for definition, level in project.graph.levels():
        for node in level.nodes.values():
            found = facts.get((definition, node.id))
            if node.type not in ("conv2d", "linear") or found is None:
                assert found is None or found.fans is None
                continue
            entering = next(iter(found.inputs.values()))[0]
            kernel = node.params.get("kernel", 3)
            area = 1 if node.type == "linear" else (kernel**2 if isinstance(kernel, int) else kernel[0] * kernel[1])
            inside = entering.features if node.type == "linear" else entering.channels
            leaving = found.output.features if node.type == "linear" else found.output.channels
            assert found.fans == (inside * area, leaving * area)
            assert found.initial_deviation == pytest.approx(sqrt(2 / (inside * area)), rel=1e-12)
            seen += 1
    assert seen >= 3


def test_what_torch_draws_itself_is_told_too() -> None:
    project = load_example("digits-cnn")
    project = project.with_graph(replace(project.graph, defaults={}))
    found = [item for item in analyze(project).nodes.values() if item.fans and "kaiming" not in item.constructor]
    assert found
    weights = [part for part in build(project).model.modules() if isinstance(part, (torch.nn.Linear, torch.nn.Conv2d))]
    told = sorted(item.initial_deviation for item in found)
    drawn = sorted(float(part.weight.detach().double().std()) for part in weights)
    assert told == pytest.approx(drawn, rel=0.15)


@pytest.mark.parametrize("name", [*EXPECTED, *FIXED, "orthogonal"])
def test_the_generated_model_is_drawn_so_and_its_biases_by_their_own_choice(name: str) -> None:
    project = linear_and_conv(tagged(name), {"type": "constant", "value": 0.25})
    for definition, level in project.graph.levels():
        for node in level.nodes.values():
            declaration = find("layer", node.type)
            if declaration and declaration.weights:
                project = project.with_graph(set_param(project.graph, definition, node.id, "initializer", tagged(name)))
    torch.manual_seed(0)
    model = build(project).model
    wanted = make("initializer", tagged(name))
    checked = 0
    for module in model.modules():
        if not isinstance(module, (torch.nn.Linear, torch.nn.Conv2d)):
            continue
        if module.bias is not None:
            assert set(module.bias.tolist()) == {0.25}
        fans = torch.nn.init._calculate_fan_in_and_fan_out(module.weight)
        deviation = 1 / sqrt(3 * fans[0]) if name == "torch" else wanted.deviation(*fans)
        if name == "orthogonal":
            rows = module.weight.detach().flatten(1).double()
            length = (rows**2).sum(1).sqrt() if rows.shape[0] <= rows.shape[1] else (rows**2).sum(0).sqrt()
            assert length.tolist() == pytest.approx([1.0] * len(length), abs=1e-5)
        else:
            error = 5 * deviation * sqrt(3 / module.weight.numel())
            assert float(module.weight.detach().double().std()) == pytest.approx(deviation, abs=max(error, 1e-7))
        checked += 1
    assert checked >= 3


def test_a_bias_has_no_fans() -> None:
    problems = analyze(linear_and_conv(None, {"type": "he_normal"})).problems
    assert problems
    assert all("a bias has no such count" in problem.happened for problem in problems)
    mended = analyze(linear_and_conv(None, {"type": "zeros"}))
    assert not mended.problems
    assert "zeros_" in mended.source


def test_a_layer_says_otherwise_than_its_block_and_the_block_than_the_project() -> None:
    project = set_value(load_example("fashion-mlp"), "defaults.bias_initializer", '{"type": "constant", "value": 0.5}')
    project = set_value(project, "nodes.hidden.bias_initializer", '{"type": "constant", "value": 0.25}')
    model = build(project).model
    biases = {name: set(tensor.tolist()) for name, tensor in model.named_parameters() if "bias" in name}
    assert biases["classes.bias"] == {0.5}
    assert all(values == {0.25} for name, values in biases.items() if name.startswith("hidden"))
    assert len(biases) == 4
    project = set_value(project, "nodes.hidden.linear.bias_initializer", '{"type": "ones"}')
    inner = dict(build(project).model.named_parameters())
    assert set(inner["hidden.1.linear.bias"].tolist()) == {1.0}
    assert set(DEFAULTS.by_name) >= {"initializer", "bias_initializer"}


def test_a_bad_setting_says_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="mode"):
        make("initializer", {"type": "variance_scaling", "mode": "fan_total"})
    with pytest.raises(ValueError, match="scale"):
        make("initializer", {"type": "variance_scaling", "scale": -1.0})
    refusal = make("initializer", {"type": "uniform", "low": 1.0, "high": 0.0}).refuse()
    assert refusal is not None
    assert refusal.mend == {"low": 0.0, "high": 1.0}
