"""Gradient flow: norms per layer, the fallback, the share of the time, and the first layer that is not finite."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.runtime.probe import MOST_OFTEN, SHARE, GradientProbe, first_bad_layer, layers_of, norms


def network() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.MultiheadAttention(4, 2), nn.Linear(5, 2))
    (model[2](model[0](torch.randn(3, 4))).sum() + model[1].in_proj_weight.sum()).backward()
    return model


def test_norms_are_those_of_all_parameters_of_a_layer_together() -> None:
    model = network()
    gradient, weight = GradientProbe(model).read()
    flat = torch.cat([item.grad.flatten() for item in model[0].parameters()])
    assert gradient["0"] == pytest.approx(flat.norm().item(), rel=1e-6)
    assert weight["2"] == pytest.approx(torch.cat([item.flatten() for item in model[2].parameters()]).norm().item())


def test_parts_of_a_layer_count_to_the_layer_that_is_asked_for() -> None:
    model = network()
    assert layers_of(model) == ["0", "1", "1.out_proj", "2"]
    gradient, weight = GradientProbe(model, ["0", "1", "2"]).read()
    assert list(weight) == ["0", "1", "2"]
    whole = torch.cat([item.flatten() for item in model[1].parameters()])
    assert weight["1"] == pytest.approx(whole.norm().item(), rel=1e-6)
    assert gradient["1"] == pytest.approx(model[1].in_proj_weight.numel() ** 0.5)


def test_layers_without_gradient_are_left_out() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[0].requires_grad_(False)
    model(torch.ones(1, 2)).sum().backward()
    gradient, weight = GradientProbe(model).read()
    assert list(gradient) == ["1"]
    assert list(weight) == ["0", "1"]


def test_without_the_private_function_a_loop_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = [torch.randn(7), torch.randn(3, 3)]
    fast = norms(tensors)
    monkeypatch.delattr(torch, "_foreach_norm")
    assert [item.item() for item in norms(tensors)] == pytest.approx([item.item() for item in fast])


def test_probing_takes_its_share_of_the_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = GradientProbe(network())
    now = [100.0]
    monkeypatch.setattr("engine.runtime.probe.time.perf_counter", lambda: now[0])
    monkeypatch.setattr(probe, "_read", lambda: now.__setitem__(0, now[0] + 0.3) or ({}, {}))
    assert probe.due(now[0])
    probe.read()
    assert not probe.due(now[0] + 0.9 * 0.3 / SHARE)
    assert probe.due(now[0] + 1.1 * 0.3 / SHARE)
    assert 0.3 / SHARE > MOST_OFTEN


def test_the_first_layer_whose_result_is_not_finite_is_named() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
    inputs = [torch.ones(2, 3)]
    assert first_bad_layer(model, inputs) == ""
    with torch.no_grad():
        model[3].bias.fill_(float("nan"))
        model[1].weight[0, 0] = 3e38
        model[0].bias.fill_(10.0)
    assert first_bad_layer(model, inputs) == "1"
    assert not model[1]._forward_hooks


def test_gradients_that_overflow_are_named_when_all_results_are_finite() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model(torch.ones(1, 2)).sum().backward()
    model[1].weight.grad[0, 0] = float("inf")
    assert first_bad_layer(model, [torch.ones(1, 2)]) == "1"
