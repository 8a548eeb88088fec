"""Completeness of the proof: everything that computes is held to a formula of its own, and so is each of its settings.

The formulas stand in the tests named below, each in a table that those tests go through. A new declaration of one of
these kinds, or a new setting of one, fails here until a table holds a case that changes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.analysis import WeightRules
from engine.declare import KINDS, Declaration, catalogue, make
from engine.expr import name, used_helpers
from engine.param import Param
from engine.runtime.meta import namespace
from engine.runtime.penalty import MaxNorm, Penalty
from tests.engine import (
    test_activations,
    test_catalog_losses,
    test_catalog_optimizers,
    test_clipping,
    test_initializers,
    test_noise_layers,
    test_normalisation,
    test_param_groups,
    test_reparametrized,
    test_schedule_table,
)

Cases = Iterable[tuple[str, Mapping[str, Any]]]
EXACT = {"rtol": 0, "atol": 1e-10}

PENALTIES: list[tuple[str, dict[str, Any], tuple[float, float]]] = [
    ("none", {}, (0.0, 0.0)), ("l1", {"l1": 0.3}, (0.3, 0.0)), ("l2", {"l2": 0.7}, (0.0, 0.7)),
    ("l1_l2", {"l1": 0.2, "l2": 0.05}, (0.2, 0.05)),
]  # fmt: skip
FILLED = [("zeros", {}, 0.0), ("ones", {}, 1.0), ("constant", {"value": -2.625}, -2.625)]
HELD: dict[str, list[tuple[str, Mapping[str, Any]]]] = {
    "optimizer": [
        *((kind, settings) for kind, _, settings in test_catalog_optimizers.CASES),
        *(("muon", settings) for settings in test_catalog_optimizers.MUON), ("muon", {"adam_lr": 0.01}),
        ("lbfgs", test_catalog_optimizers.LBFGS), ("lbfgs", {"tolerance_grad": 1e-2, "tolerance_change": 0.01}),
    ],
    "schedule": [
        *((kind, settings) for kind, settings, _ in test_schedule_table.FORMULAS),
        *((kind, settings) for kind, settings, _ in test_schedule_table.MOMENTA),
        *(("plateau", settings) for settings in test_schedule_table.PLATEAUS),
        ("plateau", {"monitor": "val_accuracy", "every": 4}),  # in test_schedule_training.py, with a figure that grows
    ],
    "initializer": [
        *((kind, settings) for kind, (settings, *_) in test_initializers.EXPECTED.items()),
        *((kind, settings) for kind, settings, _ in FILLED), ("orthogonal", {"gain": 1.5}),
        *(("variance_scaling", {"scale": 3.0, "mode": mode, "distribution": form})
          for mode in test_initializers.MODES for form in test_initializers.DISTRIBUTIONS),
    ],
    "activation": [
        *((kind, settings) for kind, settings, _ in test_activations.FORMULAS),
        ("softmax", {"axis": 0}), ("log_softmax", {"axis": 0}), ("none", {}),
        *(("glu", {"gate": gate, "axis": axis})
          for gate in test_activations.GATES for axis in ("features", "channels")),
        *(("maxout", {"pieces": 3, "axis": axis}) for axis in ("features", "channels")),
    ],
    "normalisation": [
        *((kind, settings) for kind, _, settings in test_normalisation.CASES),
        *((case[0], {"axis": case[2], "variance": "biased"}) for case in test_normalisation.AXES),
    ],
    "normalization": [*test_normalisation.INSIDE, ("none", {})],
    "regularisation": [
        *((kind, {"rate": 0.2, "units": 400, "bias": False}) for kind in test_noise_layers.NOISE),
        ("gaussian_noise", {"std": 0.3}), ("stochastic_depth", {"batch": True, "rate": 0.5}),
    ],
    "reparametrization": [
        ("none", {}), ("weight_norm", {}),
        *(("spectral_norm", {"power_iterations": count}) for count in test_reparametrized.ITERATIONS),
    ],
    "regularizer": [(kind, settings) for kind, settings, _ in PENALTIES],
    "clip": [*((item["type"], item) for item in test_clipping.WAYS), ("none", {})],
    "param_group": [("group", {"layers": "0", **group}) for _, group in test_param_groups.GROUP_CASES],
    "loss": [(item["type"], item) for item in test_catalog_losses.HELD],
}  # fmt: skip
"""Kinds, and families of layers, with the cases that hold each entry to its formula."""
NO_FORMULA = {"layer", "metric", "dataset", "augment", "callback", "phase", "record"}
"""Kinds that compute nothing of a training, or that other tests walk: of layers only families are held here."""
SHARED = {"initializer", "bias_initializer", "regularizer", "max_norm", "activation", "normalization", "norm_place"}
"""Settings of every layer with weights: they choose among other kinds of this table, or are tested here by name."""


def entries(kind: str) -> dict[str, Declaration]:
    """The declarations of a kind, or the layers of a family."""
    if kind in ("normalisation", "regularisation"):
        return {item.type: item for item in catalogue().all("layer").values() if item.family == kind}
    return catalogue().all(kind)


def not_held(declared: Mapping[str, Declaration], cases: Cases) -> list[str]:
    """Entries without a case, and settings that no case changes; for a choice, the words that no case takes."""
    found: list[str] = []
    held = [(kind, {key: value for key, value in settings.items() if key != "type"}) for kind, settings in cases]
    for type_name, declaration in declared.items():
        own = [settings for kind, settings in held if kind == type_name]
        found += [] if own else [type_name]
        for param in declaration.params if own else ():
            if param.name not in SHARED:
                found += [f"{type_name}.{words}" for words in _unchanged(param, own)]
    known = set(declared)
    return found + [f"{kind} is not declared" for kind, _ in held if kind not in known]


def _unchanged(param: Param, cases: list[dict[str, Any]]) -> list[str]:
    taken = [settings.get(param.name, param.default) for settings in cases]
    if param.kind == "choice":
        return [f"{param.name} {word}" for word in param.choices if word not in taken]
    return [] if any(value != param.default for value in taken) else [param.name]


def test_every_kind_is_held_or_named() -> None:
    assert set(KINDS) == (set(HELD) - {"normalisation", "regularisation"}) | NO_FORMULA


@pytest.mark.parametrize("kind", HELD)
def test_every_entry_and_every_setting_is_held_to_a_formula(kind: str) -> None:
    assert not_held(entries(kind), HELD[kind]) == []


def test_what_nobody_has_a_formula_for_is_noticed() -> None:
    """The walk itself: a new entry, a new setting and a new word each fail."""
    declared, cases = entries("schedule"), HELD["schedule"]
    fresh = replace(declared["power"], type="power_of_a_new_kind")
    assert not_held({**declared, fresh.type: fresh}, cases) == [fresh.type]
    more = replace(declared["step"], params=(*declared["step"].params, Param("shift", "int", 0)))
    assert not_held({**declared, "step": more}, cases) == ["step.shift"]
    wider = [replace(item, choices=(*item.choices, "spiral")) if item.name == "legs" else item
             for item in declared["one_cycle"].params]  # fmt: skip
    one_cycle = replace(declared["one_cycle"], params=tuple(wider))
    assert not_held({**declared, "one_cycle": one_cycle}, cases) == ["one_cycle.legs spiral"]
    assert not_held({}, [("gone", {})]) == ["gone is not declared"]


def test_every_activation_is_a_setting_inside_layers_too_with_the_same_class() -> None:
    """What `test_expand.py` then proves bit for bit: inside and behind give the same code."""
    layers = {item.type: item for item in catalogue().all("layer").values() if item.family == "activation"}
    inside = catalogue().all("activation")
    assert set(inside) == {*layers, "none"}
    assert all(inside[kind].cls is layers[kind].cls for kind in layers)


def model() -> nn.ModuleDict:
    torch.manual_seed(4)
    return nn.ModuleDict({
        "linear": nn.Linear(6, 4), "conv": nn.Conv2d(3, 5, 3), "up": nn.ConvTranspose2d(3, 5, 2),
        "volume": nn.Conv3d(2, 3, 2), "depthwise": nn.Conv2d(4, 8, 3, groups=4),
    }).double()  # fmt: skip


@pytest.mark.parametrize(("kind", "settings", "factors"), PENALTIES)
def test_what_weights_cost(kind: str, settings: dict[str, Any], factors: tuple[float, float]) -> None:
    """l1·Σ|w| + l2·Σw² of kernels alone, and its gradient l1·sign(w) + 2·l2·w, as Keras has it (no ½)."""
    made, layers = make("regularizer", {"type": kind, **settings}), model()
    rules = {path: WeightRules(("weight",), l1=made.l1, l2=made.l2) for path in layers}
    penalty = Penalty.of(layers, rules)
    l1, l2 = factors
    if penalty is None:
        assert (l1, l2) == (0.0, 0.0)
        return
    kernels = {path: part.weight.detach().numpy() for path, part in layers.items()}
    cost = sum(l1 * np.abs(item).sum() + l2 * (item**2).sum() for item in kernels.values())
    assert penalty.value() == pytest.approx(cost, rel=0, abs=1e-10)
    for item in layers.parameters():
        item.grad = torch.full_like(item, 0.25)
    penalty.add_gradients()
    for path, part in layers.items():
        expected = 0.25 + l1 * np.sign(kernels[path]) + 2 * l2 * kernels[path]
        np.testing.assert_allclose(part.weight.grad.numpy(), expected, **EXACT)
        np.testing.assert_array_equal(part.bias.grad.numpy(), 0.25)


@pytest.mark.parametrize("radius", [0.1, 0.35, 100.0])
def test_max_norm_scales_what_enters_each_unit(radius: float) -> None:
    """w·r/(‖w‖ + 1e-7) per unit where ‖w‖ > r, and nothing where it is not: torch's renorm, G-36."""
    layers = model()
    before = {path: part.weight.detach().numpy().copy() for path, part in layers.items()}
    bound = MaxNorm.of(layers, {path: WeightRules(("weight",), max_norm=radius) for path in layers})
    assert bound is not None
    bound.apply()
    for path, part in layers.items():
        unit = 1 if path == "up" else 0
        entering = np.moveaxis(before[path], unit, 0).reshape(before[path].shape[unit], -1)
        norms = np.sqrt((entering**2).sum(1, keepdims=True))
        expected = np.where(norms > radius, entering * radius / (norms + 1e-7), entering)
        after = np.moveaxis(part.weight.detach().numpy(), unit, 0).reshape(entering.shape)
        np.testing.assert_allclose(after, expected, **EXACT)
        assert (np.sqrt((after**2).sum(1)) <= radius).all() or radius == 100.0


def filled(tagged: dict[str, Any], shape: tuple[int, ...]) -> np.ndarray:
    """Weights in double precision, after the recorded statement was executed on them."""
    recorded = make("initializer", tagged).weight(name("w"))
    weight = torch.full(shape, torch.nan, dtype=torch.float64)
    eval(recorded.text, {**namespace(used_helpers(recorded)), "w": weight})
    return weight.numpy()


@pytest.mark.parametrize(("kind", "settings", "value"), FILLED)
def test_a_fixed_number_is_exact(kind: str, settings: dict[str, Any], value: float) -> None:
    assert (filled({"type": kind, **settings}, (7, 5, 3, 3)) == value).all()


@pytest.mark.parametrize("shape", [(24, 40), (40, 24), (8, 3, 3, 3)])
def test_orthogonal_weights_are_so_in_double_precision(shape: tuple[int, ...]) -> None:
    """Saxe et al. 2014: rows, or columns where there are more rows, are orthogonal and as long as the gain."""
    torch.manual_seed(2)
    rows = filled({"type": "orthogonal", "gain": 1.5}, shape).reshape(shape[0], -1)
    product = rows @ rows.T if rows.shape[0] <= rows.shape[1] else rows.T @ rows
    np.testing.assert_allclose(product, 1.5**2 * np.eye(min(rows.shape)), **EXACT)


def cumulated(kind: str, values: np.ndarray) -> np.ndarray:
    """Share of the distribution below each of the values, which have mean 0 and deviation 1."""
    from scipy.special import ndtr

    if kind == test_initializers.UNIFORM:
        return np.clip(values / np.sqrt(12) + 0.5, 0, 1)
    if kind == test_initializers.NORMAL:
        return ndtr(values)
    wide = values * 0.87962566103423978
    return np.clip((ndtr(wide) - ndtr(-2)) / (ndtr(2) - ndtr(-2)), 0, 1)


@pytest.mark.parametrize("kind", [kind for kind in test_initializers.EXPECTED if kind != "torch"])
@pytest.mark.parametrize("shape", [(200, 600), (64, 40, 5, 5)])
def test_what_is_drawn_has_the_whole_distribution_of_its_formula(kind: str, shape: tuple[int, ...]) -> None:
    """Largest distance of the shares below each value from the formula's, within √(ln(2/α)/2n).

    This bound of Dvoretzky, Kiefer & Wolfowitz (with Massart's constant) is broken by chance once in 1/α = 10⁹.
    """
    torch.manual_seed(6)
    settings, _, form = test_initializers.EXPECTED[kind]
    area = int(np.prod(shape[2:]))
    fans = shape[1] * area, shape[0] * area
    variance = {"he": 2 / fans[0], "glorot": 2 / sum(fans), "lecun": 1 / fans[0]}.get(kind.split("_", maxsplit=1)[0])
    if kind == "variance_scaling":
        variance = settings["scale"] * 2 / sum(fans)
    variance = test_initializers.EXPECTED[kind][1] if variance is None else variance
    drawn = np.sort(filled({"type": kind, **settings}, shape).ravel())
    share = cumulated(form, (drawn - test_initializers.MEAN.get(kind, 0.0)) / np.sqrt(variance))
    count = len(drawn)
    places = np.arange(count + 1) / count
    distance = max((places[1:] - share).max(), (share - places[:-1]).max())
    assert distance < np.sqrt(np.log(2 / 1e-9) / (2 * count))
