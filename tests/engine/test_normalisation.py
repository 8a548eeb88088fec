"""Every normalisation in double precision against its paper's formula in numpy: while training, afterwards, and inside.

Batch norm (Ioffe & Szegedy 2015), layer norm (Ba et al. 2016), group norm (Wu & He 2018), instance norm (Ulyanov et al.
2016), RMS norm (Zhang & Sennrich 2019).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from engine.declare import catalogue, find
from engine.expr import used_helpers
from engine.known import known_data, with_facts
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.compress import fold_norms
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
    ("channel_layer_norm", (6, 4, 5), {}),
    ("channel_layer_norm", (6, 4, 5), {"eps": 0.1, "affine": False}),
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
    ("batch_norm", {"axis": "last", "eps": 0.01}), ("batch_norm", {"axis": "all", "variance": "biased"}),
    ("layer_norm", {"eps": 0.01, "axes": 3}), ("layer_norm", {"affine": False}), ("layer_norm", {"axes": 1}),
    ("group_norm", {"groups": 2, "eps": 0.1}), ("group_norm", {"groups": 3, "affine": False}),
    ("instance_norm", {"eps": 0.2, "affine": True}), ("rms_norm", {"eps": 0.01}),
    ("rms_norm", {"affine": False, "axes": 3}),
]  # fmt: skip


def over(values: Array, axes: tuple[int, ...], eps: float) -> Array:
    """Mean 0 and deviation 1 over the axes."""
    mean = values.mean(axes, keepdims=True)
    return (values - mean) / np.sqrt(((values - mean) ** 2).mean(axes, keepdims=True) + eps)


def batch_axes(x: Array, o: dict[str, Any]) -> tuple[int, ...]:
    """What batch norm takes a mean over: the batch, and all that its axis does not tell apart."""
    rest = {"channels": range(2, x.ndim), "last": range(1, x.ndim - 1), "all": range(0)}
    return (0, *rest[o.get("axis", "channels")])


def stated(kind: str, x: Array, o: dict[str, Any]) -> Array:
    """What a norm gives before factor and shift, while training."""
    eps, channels_last = o.get("eps", 1e-5), tuple(range(2, x.ndim))
    if kind.startswith("batch_norm"):
        return over(x, batch_axes(x, o), eps)
    if kind.startswith("instance_norm"):
        return over(x, channels_last, eps)
    if kind == "channel_layer_norm":
        return over(x, (1,), eps)
    if kind == "group_norm":
        groups = o.get("groups", 4)
        return over(x.reshape(len(x), groups, -1), (2,), eps).reshape(x.shape)
    last = tuple(range(x.ndim - o.get("axes", 1), x.ndim))
    if kind == "layer_norm":
        return over(x, last, eps)
    # Without eps of its own torch adds the smallest step of the numbers in use, here float64's.
    return x / np.sqrt((x**2).mean(last, keepdims=True) + o.get("eps", np.finfo(np.float64).eps))


def scaled(kind: str, values: Array, factor: Array | None, shift: Array | None, axis: str = "channels") -> Array:
    """Times the learned factor, plus the learned shift: per channel, over the last axes, or for each number."""
    if factor is None:
        return values
    whole = kind in ("layer_norm", "rms_norm") or axis == "last"
    place = factor.shape if whole else (1, -1, *(1 for _ in values.shape[2:]))
    place = values.shape[1:] if axis == "all" else place
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
        # Left open, the axes are all that a sample of the convolution has (Ba et al. 2016: all units of a layer).
        return scaled(
            kind, stated(kind, values, {"axes": 3, **settings}), factor, shift, settings.get("axis", "channels")
        )

    expected = np.tanh(norm(raw)) if place == "before" else norm(np.tanh(raw))
    found: Any = model(torch.tensor(x))
    np.testing.assert_allclose(found.detach().numpy(), expected, **EXACT)
    if kind == "batch_norm":
        seen, m = raw if place == "before" else np.tanh(raw), settings.get("momentum", 0.1)
        spread = seen.var(batch_axes(seen, settings), ddof=settings.get("variance") != "biased").ravel()
        (running,) = [item.numpy() for key, item in model.named_buffers() if key.endswith("running_var")]
        np.testing.assert_allclose(running, 1 - m + m * spread, **EXACT)


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


# ------------------------------------------------------------------ axes and Keras's running variance


AXES: list[tuple[str, tuple[int, ...], str, int, tuple[int, ...]]] = [
    ("batch_norm1d", (28, 28), "last", 28, (0, 1)),
    ("batch_norm1d", (28, 28), "channels", 28, (0, 2)),
    ("batch_norm1d", (28, 28), "all", 784, (0,)),
    ("batch_norm1d", (5,), "last", 5, (0,)),
    ("batch_norm1d", (5,), "all", 5, (0,)),
    ("batch_norm2d", (1, 6, 7), "last", 7, (0, 1, 2)),
    ("batch_norm2d", (3, 4, 5), "all", 60, (0,)),
    ("batch_norm3d", (2, 3, 4, 5), "last", 5, (0, 1, 2, 3)),
    ("batch_norm3d", (2, 3, 4, 5), "all", 120, (0,)),
]
"""Layer, sample, axis, how many statistics (S-099 to S-102), and the axes of a batch that each mean is taken over."""


@pytest.mark.parametrize(("kind", "shape", "axis", "count", "axes"), AXES)
@pytest.mark.parametrize("variance", ["unbiased", "biased"])
def test_each_entry_of_the_axis_has_its_own_statistics(
    kind: str, shape: tuple[int, ...], axis: str, count: int, axes: tuple[int, ...], variance: str
) -> None:
    graph = draw(
        box("data", "input"), box("norm", kind, "data", axis=axis, variance=variance, momentum=0.2, eps=0.01),
        box("out", "output", "norm"),
    )  # fmt: skip
    model = build(project(graph, facts(data=shape))).model.double().train()
    assert sum(item.numel() for item in model.parameters()) == 2 * count
    state = dict(model.norm.named_buffers())
    mean, running = np.zeros(count), np.ones(count)
    random = np.random.default_rng(4)
    for _ in range(3):
        x = random.normal(2.0, 3.0, (BATCH, *shape))
        entering = torch.from_numpy(x).requires_grad_()
        found = model(entering)
        np.testing.assert_allclose(found.detach().numpy(), over(x, axes, 0.01), **EXACT)
        (slope,) = torch.autograd.grad(found.pow(3).sum(), entering)
        stated = torch.from_numpy(x).requires_grad_()
        spread, centre = torch.var_mean(stated, axes, correction=0, keepdim=True)
        (expected,) = torch.autograd.grad((((stated - centre) / (spread + 0.01).sqrt()) ** 3).sum(), stated)
        np.testing.assert_allclose(slope, expected, **EXACT)
        numbers = x.size // count
        deviation = x.var(axes).reshape(-1) * (1.0 if variance == "biased" else numbers / (numbers - 1))
        mean, running = 0.8 * mean + 0.2 * x.mean(axes).reshape(-1), 0.8 * running + 0.2 * deviation
        np.testing.assert_allclose(state["running_mean"], mean, **EXACT)
        np.testing.assert_allclose(state["running_var"], running, **EXACT)
    x = random.normal(size=(2, *shape))
    form = [1 if place in axes else size for place, size in enumerate(x.shape)]
    expected = (x - mean.reshape(form)) / np.sqrt(running.reshape(form) + 0.01)
    np.testing.assert_allclose(model.eval()(torch.from_numpy(x)).detach().numpy(), expected, **EXACT)


@pytest.mark.parametrize(
    ("shape", "kind", "settings"),
    [((784,), "batch_norm1d", {}), ((1, 28, 28), "batch_norm2d", {}), ((1, 28, 28), "batch_norm2d", {"axis": "all"}),
     ((9, 4), "batch_norm1d", {"axis": "last"})],
    ids=["vector", "image", "pixels", "sequence"],
)  # fmt: skip
def test_a_batch_norm_can_stand_first_and_standardises_what_arrives(
    shape: tuple[int, ...], kind: str, settings: dict[str, Any]
) -> None:
    graph = draw(
        box("data", "input"), box("norm", kind, "data", **settings), box("flat", "flatten", "norm"),
        box("head", "linear", "flat", units=3), box("out", "output", "head"),
    )  # fmt: skip
    found = analyze(project(graph, facts(data=shape)))
    assert not found.errors
    x = torch.from_numpy(np.random.default_rng(1).normal(50.0, 9.0, (64, *shape))).float()
    model = build(project(graph, facts(data=shape))).model.train()
    inside = model.norm(x).detach()
    assert abs(float(inside.mean())) < 1e-3
    assert float(inside.std()) == pytest.approx(1.0, abs=0.02)


def test_a_norm_inside_a_layer_takes_the_axis_and_the_variance_too() -> None:
    chosen = {"type": "batch_norm", "variance": "biased", "axis": "last"}
    graph = draw(
        box("data", "input"), box("conv", "conv2d", "data", filters=4, normalization=chosen),
        box("out", "output", "conv"),
    )  # fmt: skip
    source = analyze(project(graph, facts(data=(1, 8, 8)))).source
    assert 'self.conv_norm = AxisBatchNorm(6, axis="last", biased=True)' in source


def test_batches_of_one_row_are_refused_where_one_row_has_no_deviation() -> None:
    def problems(kind: str, shape: tuple[int, ...], size: int, **settings: Any) -> list[str]:
        graph = draw(
            box("data", "input"), box("norm", kind, "data", **settings), box("flat", "flatten", "norm"),
            box("head", "linear", "flat", units=3), box("out", "output", "head"),
        )  # fmt: skip
        made = project(graph, facts(data=shape), batch_size=size)
        found = analyze(made).errors
        for problem in found:
            assert problem.where.node == "norm"
            assert not analyze(problem.fixes[0].apply(made)).errors
        return [problem.code for problem in found]

    assert problems("batch_norm1d", (5,), 1) == ["batch-norm.single"]
    assert problems("batch_norm2d", (1, 4, 4), 1, axis="all") == ["batch-norm.single"]
    assert problems("batch_norm2d", (1, 4, 4), 1) == []
    assert problems("batch_norm1d", (5,), 2) == []
    assert problems("layer_norm", (5,), 1) == []


def test_one_training_sample_in_all_is_refused_as_well() -> None:
    graph = draw(box("data", "input"), box("norm", "batch_norm1d", "data"), box("head", "linear", "norm", units=3),
                 box("out", "output", "head"))  # fmt: skip
    base = project(graph, facts(data=(5,)), batch_size=32)
    known = known_data(base)
    assert known is not None
    for train, codes in ((1, ["batch-norm.single"]), (2, [])):
        made = with_facts(base, replace(known, counts={"train": train, "val": 3}))
        assert [problem.code for problem in analyze(made).errors] == codes


def test_a_biased_norm_is_folded_as_torch_s_own_is_and_other_axes_are_left_alone() -> None:
    for axis, folds in (("channels", True), ("last", False)):
        graph = draw(
            box("data", "input"), box("conv", "conv2d", "data", filters=4),
            box("norm", "batch_norm2d", "conv", axis=axis, variance="biased"), box("act", "relu", "norm"),
            box("flat", "flatten", "act"), box("head", "linear", "flat", units=3),
            box("norm2", "batch_norm1d", "head"), box("out", "output", "norm2"),
        )  # fmt: skip
        model = build(project(graph, facts(data=(1, 6, 6)))).model.double()
        x = torch.from_numpy(np.random.default_rng(2).normal(size=(5, 1, 6, 6)))
        model.train()(x)
        expected = model.eval()(x)
        folded, names = fold_norms(model, (x,))
        assert names == (["norm", "norm2"] if folds else ["norm2"])
        np.testing.assert_allclose(folded(x).detach(), expected.detach(), rtol=1e-10, atol=1e-10)
