"""Every normalisation in double precision against its paper's formula in numpy: while training, afterwards, and inside.

Batch norm (Ioffe & Szegedy 2015), layer norm (Ba et al. 2016), group norm (Wu & He 2018), instance norm (Ulyanov et al.
2016), RMS norm (Zhang & Sennrich 2019).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from engine.declare import catalogue, find
from engine.expr import used_helpers
from engine.runtime.build import build
from engine.runtime.meta import namespace
from engine.tensor import TensorInfo
from tests.engine.drawn import box, draw, facts, project

Array = NDArray[np.float64]
EXACT = {"rtol": 0, "atol": 1e-10}
BATCH = 6

CASES: list[tuple[str, tuple[int, ...], dict[str, Any]]] = [
    ("batch_norm1d", (5,), {}),
    ("batch_norm1d", (5, 7), {"momentum": 0.3, "eps": 0.001}),
    ("batch_norm1d", (5,), {"affine": False}),
    ("batch_norm2d", (3, 4, 5), {"momentum": 0.01}),
    ("batch_norm2d", (3, 4, 5), {"affine": False, "eps": 0.5}),
    ("batch_norm3d", (2, 3, 4, 5), {"momentum": 0.25}),
    ("batch_norm3d", (2, 3, 4, 5), {"affine": False, "eps": 0.5}),
    ("layer_norm", (8,), {}),
    ("layer_norm", (5, 8), {"eps": 0.01}),
    ("layer_norm", (4, 5, 8), {"axes": 2, "affine": False}),
    ("group_norm", (6,), {"groups": 2}),
    ("group_norm", (6, 4, 5), {"groups": 3, "eps": 0.1}),
    ("group_norm", (6, 4, 5), {"groups": 6, "affine": False}),
    ("instance_norm2d", (3, 4, 5), {}),
    ("instance_norm2d", (3, 4, 5), {"eps": 0.2, "affine": True}),
    ("rms_norm", (8,), {"eps": 0.01}),
    ("rms_norm", (4, 5, 8), {"axes": 2, "affine": False, "eps": 1e-3}),
    ("rms_norm", (5, 8), {}),
]  # fmt: skip
"""Layer, shape of a sample, settings."""
INSIDE = [
    ("batch_norm", {"momentum": 0.2, "eps": 0.01}), ("batch_norm", {"affine": False}),
    ("layer_norm", {"eps": 0.01, "axes": 3}), ("layer_norm", {"affine": False}),
    ("group_norm", {"groups": 2, "eps": 0.1}), ("group_norm", {"groups": 3, "affine": False}),
    ("instance_norm", {"eps": 0.2, "affine": True}), ("rms_norm", {"eps": 0.01}),
    ("rms_norm", {"affine": False, "axes": 3}),
]  # fmt: skip


def over(values: Array, axes: tuple[int, ...], eps: float) -> Array:
    """Mean 0 and deviation 1 over the axes."""
    mean = values.mean(axes, keepdims=True)
    return (values - mean) / np.sqrt(((values - mean) ** 2).mean(axes, keepdims=True) + eps)


def stated(kind: str, x: Array, o: dict[str, Any]) -> Array:
    """What a norm gives before factor and shift, while training."""
    eps, channels_last = o.get("eps", 1e-5), tuple(range(2, x.ndim))
    if kind.startswith("batch_norm"):
        return over(x, (0, *channels_last), eps)
    if kind.startswith("instance_norm"):
        return over(x, channels_last, eps)
    if kind == "group_norm":
        groups = o.get("groups", 4)
        return over(x.reshape(len(x), groups, -1), (2,), eps).reshape(x.shape)
    last = tuple(range(x.ndim - o.get("axes", 1), x.ndim))
    if kind == "layer_norm":
        return over(x, last, eps)
    # Without eps of its own torch adds the smallest step of the numbers in use, here float64's.
    return x / np.sqrt((x**2).mean(last, keepdims=True) + o.get("eps", np.finfo(np.float64).eps))


def scaled(kind: str, values: Array, factor: Array | None, shift: Array | None) -> Array:
    """Times the learned factor, plus the learned shift: per channel, or over the last axes."""
    if factor is None:
        return values
    whole = kind in ("layer_norm", "rms_norm")
    place = factor.shape if whole else (1, -1, *(1 for _ in values.shape[2:]))
    moved = 0.0 if shift is None else shift.reshape(place)
    return values * factor.reshape(place) + moved


def module_of(kind: str, shape: tuple[int, ...], settings: dict[str, Any]) -> nn.Module:
    declaration = find("layer", kind)
    assert declaration is not None
    recorded = declaration.make(settings).build(TensorInfo(shape))
    made: nn.Module = eval(recorded.text, namespace(used_helpers(recorded)))
    return random_parameters(made.double())


def random_parameters(module: nn.Module) -> nn.Module:
    """With factors and shifts that are not 1 and 0."""
    draw_ = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for item in module.parameters():
            item.copy_(torch.randn(item.shape, generator=draw_, dtype=torch.float64) + 0.5)
    return module


def learned(module: nn.Module) -> tuple[Array | None, Array | None]:
    found = {key: item.detach().numpy() for key, item in module.named_parameters()}
    return found.get("weight"), found.get("bias")


def samples(shape: tuple[int, ...], seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(2.0, 3.0, size=(BATCH, *shape))


def test_every_normalisation_is_looked_at_here() -> None:
    known = {item.type for item in catalogue().all("layer").values() if item.family == "normalisation"}
    assert {case[0] for case in CASES} == known
    assert {case[0] for case in INSIDE} | {"none"} == set(catalogue().all("normalization"))


@pytest.mark.parametrize(("kind", "shape", "settings"), CASES)
def test_a_norm_is_its_formula_while_training(kind: str, shape: tuple[int, ...], settings: dict[str, Any]) -> None:
    module, x = module_of(kind, shape, settings).train(), samples(shape)
    expected = scaled(kind, stated(kind, x, settings), *learned(module))
    assert (learned(module)[0] is None) == (not settings.get("affine", kind != "instance_norm2d"))
    np.testing.assert_allclose(module(torch.tensor(x)).detach().numpy(), expected, **EXACT)


@pytest.mark.parametrize(("kind", "shape", "settings"), CASES)
def test_afterwards_batch_norm_takes_its_averages_and_the_others_what_they_are_given(
    kind: str, shape: tuple[int, ...], settings: dict[str, Any]
) -> None:
    """running <- (1 - m) running + m batch, from 0 and 1, with the unbiased variance (torch's convention)."""
    module, x = module_of(kind, shape, settings).train(), samples(shape, 9)
    mean, variance, m = np.zeros(shape[0]), np.ones(shape[0]), settings.get("momentum", 0.1)
    for seed in range(4):
        seen = samples(shape, seed)
        module(torch.tensor(seen))
        flat = np.moveaxis(seen, 1, 0).reshape(shape[0], -1)
        mean, variance = (1 - m) * mean + m * flat.mean(1), (1 - m) * variance + m * flat.var(1, ddof=1)
    found = module.eval()(torch.tensor(x)).detach().numpy()
    if kind.startswith("batch_norm"):
        np.testing.assert_allclose(module.running_mean.numpy(), mean, **EXACT)
        np.testing.assert_allclose(module.running_var.numpy(), variance, **EXACT)
        place = (1, -1, *(1 for _ in shape[1:]))
        normal = (x - mean.reshape(place)) / np.sqrt(variance.reshape(place) + settings.get("eps", 1e-5))
    else:
        normal = stated(kind, x, settings)
    np.testing.assert_allclose(found, scaled(kind, normal, *learned(module)), **EXACT)


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize(("kind", "settings"), INSIDE)
def test_a_norm_inside_a_convolution_is_its_formula(kind: str, settings: dict[str, Any], place: str) -> None:
    graph = draw(
        box("image", "input"),
        box("conv", "conv2d", "image", filters=6, activation={"type": "tanh"}, norm_place=place,
            normalization={"type": kind, **settings}),
        box("out", "output", "conv"),
    )  # fmt: skip
    model = random_parameters(build(project(graph, facts(image=(2, 7, 7)))).model.double()).train()
    x = np.random.default_rng(3).normal(size=(BATCH, 2, 7, 7))
    parts = dict(model.named_parameters())
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    kernel, bias = parts["conv.weight"].detach().numpy(), parts["conv.bias"].detach().numpy()
    raw = np.einsum("bchwij,fcij->bfhw", windows, kernel) + bias.reshape(1, -1, 1, 1)
    (own,) = {key.split(".")[0] for key in parts if not key.startswith("conv.")} or {""}
    factor, shift = (parts[f"{own}.{end}"].detach().numpy() if f"{own}.{end}" in parts else None
                     for end in ("weight", "bias"))  # fmt: skip

    def norm(values: Array) -> Array:
        return scaled(kind, stated(kind, values, settings), factor, shift)

    expected = np.tanh(norm(raw)) if place == "before" else norm(np.tanh(raw))
    found: Any = model(torch.tensor(x))
    np.testing.assert_allclose(found.detach().numpy(), expected, **EXACT)


def test_batch_norm_at_the_input_standardises_the_batch() -> None:
    graph = draw(box("row", "input"), box("norm", "batch_norm1d", "row"), box("fc", "linear", "norm", units=2),
                 box("out", "output", "fc"))  # fmt: skip
    model = build(project(graph, facts(row=(784,)))).model.double().train()
    norm = next(part for part in model.modules() if isinstance(part, nn.BatchNorm1d))
    seen: list[Array] = []
    norm.register_forward_hook(lambda module, given, gave: seen.append(gave.detach().numpy()))
    model(torch.tensor(np.random.default_rng(0).uniform(0, 255, size=(40, 784))))
    np.testing.assert_allclose(seen[0].mean(0), 0.0, **EXACT)
    np.testing.assert_allclose(seen[0].std(0), 1.0, rtol=0, atol=1e-8)
