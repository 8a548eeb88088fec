"""Weight norm and spectral norm: their formulas, what initialisers and penalties mean there, and what leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.analysis import WeightRules
from engine.compression import Way
from engine.examples import load_example
from engine.formats import ExportOptions
from engine.graph import Graph
from engine.places import Places
from engine.problem import ProblemError, has_errors
from engine.project import Project
from engine.runtime import checkpoint as checkpoints
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.compress import fold_norms
from engine.runtime.compressing import compress_run
from engine.runtime.control import Control
from engine.runtime.export import export_project, export_run
from engine.runtime.groups import made_groups
from engine.runtime.penalty import Penalty
from engine.runtime.probe import GradientProbe, first_bad_layer, layers_of
from engine.runtime.reparametrized import baked, kernel, kernels_by_output, lengths_of, originals, reparametrized
from engine.runtime.restore import Restored, load_run
from engine.runtime.session import run
from engine.settings import set_value
from tests.engine.drawn import body_of, box, draw, facts, group, linear_block, project
from tests.engine.fakes import recipe

WAYS = ("weight_norm", "spectral_norm")
LAYERS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "linear": ((7,), {"units": 5}),
    "conv1d": ((3, 9), {"filters": 4}),
    "conv2d": ((3, 6, 6), {"filters": 4, "groups": 1}),
    "conv3d": ((2, 5, 5, 5), {"filters": 3}),
    "depthwise_conv2d": ((3, 6, 6), {"multiplier": 2}),
    "conv_transpose2d": ((3, 4, 4), {"filters": 5}),
}  # fmt: skip
Array = NDArray[np.float64]

ITERATIONS = [1, 4]


def one(kind: str, way: str, **more: Any) -> Graph:
    """One reparametrised layer between an input and an output."""
    _, settings = LAYERS[kind]
    return draw(
        box("data", "input"), box("layer", kind, "data", reparametrize={"type": way}, **{**settings, **more}),
        box("flat", "flatten", "layer"), box("out", "output", "flat"),
    )  # fmt: skip


def made(kind: str, way: str, *, seed: int = 3, **more: Any) -> nn.Module:
    torch.manual_seed(seed)
    return build(project(one(kind, way, **more), facts(data=LAYERS[kind][0]))).model


def by_unit(weight: Tensor, kind: str) -> Array:
    """A kernel as a matrix with one row per output, in float64."""
    axis = 1 if kind == "conv_transpose2d" else 0
    found: Array = weight.detach().double().movedim(axis, 0).flatten(1).numpy()
    return found


def input_of(kind: str) -> Tensor:
    return torch.randn(4, *LAYERS[kind][0], generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("kind", LAYERS)
def test_weight_norm_is_g_times_v_over_its_norm_for_each_output(kind: str) -> None:
    layer = made(kind, "weight_norm").double().layer
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter))
    g, v = (by_unit(item, kind) for item in originals(layer))
    expected = g * v / np.sqrt((v**2).sum(1, keepdims=True))
    np.testing.assert_allclose(by_unit(layer.weight, kind), expected, rtol=0, atol=1e-12)
    assert g.shape == (v.shape[0], 1)


@pytest.mark.parametrize("kind", LAYERS)
def test_spectral_norm_leads_the_largest_singular_value_to_one(kind: str) -> None:
    model = made(kind, "spectral_norm", initializer={"type": "normal", "std": 2.0}).double()
    model.train()
    raw = by_unit(originals(model.layer)[0], kind)
    for _ in range(300):
        model(input_of(kind).double())
    largest = np.linalg.svd(by_unit(model.eval().layer.weight, kind), compute_uv=False)[0]
    # 300 power iterations from float32 starting vectors: what is left shrinks as (σ₂/σ₁)^600.
    assert largest == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(
        by_unit(model.layer.weight, kind), raw / np.linalg.svd(raw, compute_uv=False)[0], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("iterations", ITERATIONS)
def test_each_forward_pass_of_training_takes_the_stated_steps_of_the_power_iteration(iterations: int) -> None:
    way = {"type": "spectral_norm", "power_iterations": iterations}
    graph = draw(
        box("data", "input"), box("layer", "linear", "data", units=5, reparametrize=way), box("out", "output", "layer")
    )
    torch.manual_seed(0)
    model = build(project(graph, facts(data=(7,)))).model.double().train()
    chain = model.layer.parametrizations["weight"]
    matrix = chain.original.detach().numpy()
    torch.manual_seed(4)
    chain[0]._v.copy_(nn.functional.normalize(torch.randn(7, dtype=torch.float64), dim=0))
    v = chain[0]._v.numpy().copy()
    x = torch.randn(3, 7, dtype=torch.float64)
    found = model(x)
    for _ in range(iterations):
        u = matrix @ v / np.linalg.norm(matrix @ v)
        v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
    expected = x.numpy() @ (matrix / (u @ matrix @ v)).T + model.layer.bias.detach().numpy()
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=0, atol=1e-12)
    model.eval()
    np.testing.assert_array_equal(model(x).detach(), model(x).detach())


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("initializer", [None, {"type": "he_normal"}, {"type": "orthogonal"}])
def test_under_weight_norm_the_layer_begins_as_a_plain_one_that_is_drawn_alike(
    kind: str, initializer: dict[str, Any] | None
) -> None:
    more = {"initializer": initializer} if initializer else {}
    plain, ours = made(kind, "none", **more).layer, made(kind, "weight_norm", **more).layer
    torch.testing.assert_close(ours.weight, plain.weight, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(ours.bias, plain.bias, rtol=0, atol=0)


@pytest.mark.parametrize("kind", LAYERS)
def test_under_spectral_norm_what_is_drawn_is_divided_by_its_largest_singular_value(kind: str) -> None:
    more = {"initializer": {"type": "he_normal"}, "bias_initializer": {"type": "constant", "value": 0.25}}
    plain, ours = made(kind, "none", **more).layer, made(kind, "spectral_norm", **more).eval().layer
    expected = by_unit(plain.weight, kind)
    # 16 power iterations of torch's own: close, not exact.
    ratio = by_unit(ours.weight, kind) / (expected / np.linalg.svd(expected, compute_uv=False)[0])
    np.testing.assert_allclose(ratio, np.full_like(ratio, ratio.flat[0]), rtol=1e-4)
    assert ratio.flat[0] == pytest.approx(1.0, abs=0.05)
    assert torch.equal(ours.bias, torch.full_like(ours.bias, 0.25))


@pytest.mark.parametrize("kind", LAYERS)
def test_parameters_and_running_values_are_counted_as_torch_makes_them(kind: str) -> None:
    shape = LAYERS[kind][0]
    for way in WAYS:
        found = analyze(project(one(kind, way), facts(data=shape)))
        assert not found.errors
        model = made(kind, way)
        assert found.parameters == found.trainable == sum(item.numel() for item in model.parameters())
        assert found.buffers == sum(item.numel() for item in model.buffers())
        node = found.nodes[("", "layer")]
        plain = analyze(project(one(kind, "none"), facts(data=shape))).nodes[("", "layer")]
        units = by_unit(model.layer.weight, kind).shape[0]
        assert node.parameters - plain.parameters == (units if way == "weight_norm" else 0)
        assert (node.fans, node.multiply_adds, node.outputs) == (plain.fans, plain.multiply_adds, plain.outputs)
        assert (node.initial_deviation is None) == (way == "spectral_norm")


def test_the_code_reads_as_people_write_it() -> None:
    block = linear_block(20, reparametrize={"type": "weight_norm"})
    graph = draw(
        box("data", "input"), group("blocks", "d", "data", repeat=2),
        box("up", "conv_transpose2d", "image", filters=3, reparametrize={"type": "weight_norm"},
            initializer={"type": "he_normal"}),
        box("image", "reshape", "blocks", target=(5, 2, 2)),
        box("flat", "flatten", "up"),
        box("head", "linear", "flat", units=2, reparametrize={"type": "spectral_norm", "power_iterations": 3}),
        box("out", "output", "head"), inside={"d": block},
    )  # fmt: skip
    text = body_of(graph, facts(data=(8,)))
    assert "self.linear = nn.utils.parametrizations.weight_norm(nn.Linear(in_features, 20))" in text
    lines = [line.strip() for line in text.splitlines()]
    at = lines.index("self.up = nn.ConvTranspose2d(5, 3, 3)")
    assert lines[at + 1 : at + 4] == [
        'nn.init.kaiming_normal_(self.up.weight, nonlinearity="relu")', "nn.init.zeros_(self.up.bias)",
        "nn.utils.parametrizations.weight_norm(self.up, dim=1)",
    ]  # fmt: skip
    assert "self.head = nn.utils.parametrizations.spectral_norm(nn.Linear(48, 2), n_power_iterations=3)" in lines


@pytest.mark.parametrize("way", WAYS)
def test_a_numbered_chain_holds_reparametrised_layers_too(way: str) -> None:
    graph = draw(
        box("data", "input"), box("0", "linear", "data", units=6, reparametrize={"type": way}), box("1", "relu", "0"),
        box("2", "linear", "1", units=3, reparametrize={"type": way}), box("out", "output", "2"),
        initializer={"type": "he_normal"},
    )  # fmt: skip
    model = build(project(graph, facts(data=(4,)))).model
    assert isinstance(model, nn.Sequential)
    assert list(reparametrized(model)) == ["0", "2"]


# ------------------------------------------------------------------ penalties, groups, probes


def stated(model: nn.Module, l1: float, l2: float) -> Tensor:
    """The penalty of the computed kernels, to be differentiated; evaluation mode so that nothing moves."""
    total = torch.zeros((), dtype=torch.float64)
    for layer in reparametrized(model).values():
        chain = layer.parametrizations["weight"]
        chain.eval()
        weight = chain()
        chain.train()
        total = total + l1 * weight.abs().sum() + l2 * (weight**2).sum()
    return total


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["linear", "conv_transpose2d"])
def test_penalties_act_on_the_weights_that_are_computed(kind: str, way: str) -> None:
    x = input_of(kind).double()
    model = made(kind, way).double().train()
    penalty = Penalty.of(model, {"layer": WeightRules(("weight",), l1=0.02, l2=0.3)})
    assert penalty is not None
    loss = model(x).square().mean()
    before = {name: item.clone() for name, item in model.named_buffers()}
    assert penalty.value() == pytest.approx(float(stated(model, 0.02, 0.3).detach()), abs=1e-12)
    loss.backward(retain_graph=True)
    penalty.add_gradients()
    found = [item.grad.clone() for item in model.parameters()]
    assert all(torch.equal(item, before[name]) for name, item in model.named_buffers()), "a look moved the iteration"
    model.zero_grad()
    (loss + stated(model, 0.02, 0.3)).backward()
    for gradient, item in zip(found, model.parameters(), strict=True):
        torch.testing.assert_close(gradient, item.grad, rtol=0, atol=1e-12)


def test_the_regulariser_of_a_project_reaches_the_computed_kernel_and_its_value_is_told() -> None:
    graph = one("linear", "weight_norm", regularizer={"type": "l2", "l2": 0.5})
    found = analyze(project(graph, facts(data=(7,))))
    assert found.rules["layer"].tensors == ("weight",)
    model = made("linear", "weight_norm")
    penalty = Penalty.of(model, found.rules)
    assert penalty is not None
    assert penalty.value() == pytest.approx(0.5 * float((model.layer.weight.detach() ** 2).sum()), rel=1e-6)


def test_a_frozen_kernel_costs_nothing() -> None:
    model = made("linear", "weight_norm")
    model.requires_grad_(False)
    assert Penalty.of(model, {"layer": WeightRules(("weight",), l2=0.3)}) is None


def test_lengths_are_spared_by_weight_decay_as_norms_are() -> None:
    model = made("linear", "weight_norm")
    chosen = recipe(optimizer={"type": "adamw", "weight_decay": 0.1}, decay_exempt="biases_and_norms")
    groups = made_groups(chosen, model)
    decays = {
        id(item): group["weight_decay"] for group in groups for item in group["params"] if "weight_decay" in group
    }
    length, direction = originals(model.layer)
    assert decays[id(length)] == decays[id(model.layer.bias)] == 0.0
    assert id(direction) not in decays
    assert lengths_of(model) == {id(length)}


def test_a_reparametrised_layer_belongs_to_the_group_that_names_it() -> None:
    model = made("linear", "spectral_norm")
    chosen = recipe(groups=[{"type": "group", "layers": "layer", "lr_factor": 0.1}])
    (only,) = made_groups(chosen, model)
    assert len(only["params"]) == 2


def test_looking_at_transposed_kernels_does_not_move_the_power_iteration() -> None:
    model = made("conv_transpose2d", "spectral_norm").train()
    before = [item.clone() for item in model.buffers()]
    assert kernels_by_output(model) == {id(originals(model.layer)[0])}
    kernel(model.layer)
    assert all(torch.equal(one, two) for one, two in zip(before, model.buffers(), strict=True))


def test_a_bad_number_is_told_of_the_layer_not_of_its_inside() -> None:
    model = made("linear", "weight_norm")
    assert layers_of(model) == ["layer"]
    with torch.no_grad():
        originals(model.layer)[0][0] = float("nan")
    assert first_bad_layer(model, [input_of("linear")]) == "layer"


def test_the_weight_norm_that_is_shown_is_that_of_the_kernel_that_acts() -> None:
    model = made("conv_transpose2d", "weight_norm")
    with torch.no_grad():
        originals(model.layer)[1].mul_(7.0)
    _, weight = GradientProbe(model, ("layer",)).read()
    acting = torch.cat([item.detach().flatten() for item in (model.layer.weight, model.layer.bias)])
    assert weight["layer"] == pytest.approx(float(acting.norm()), rel=1e-5)


# ------------------------------------------------------------------ contradictions


@pytest.mark.parametrize("way", WAYS)
def test_a_bound_on_computed_weights_is_refused_and_mended(way: str) -> None:
    for graph in (one("linear", way, max_norm=1.0), with_default(one("linear", way), "max_norm", 1.0)):
        stated_in = project(graph, facts(data=(7,)))
        (problem,) = analyze(stated_in).errors
        assert "computed" in problem.happened
        assert problem.where.node == "layer"
        assert not has_errors(analyze(problem.fixes[0].apply(stated_in)).problems)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("initializer", [{"type": "zeros"}, {"type": "constant", "value": 0.0}])
def test_weights_that_begin_at_zero_have_no_direction(way: str, initializer: dict[str, Any]) -> None:
    stated_in = project(one("linear", way, initializer=initializer), facts(data=(7,)))
    (problem,) = analyze(stated_in).errors
    assert "begin at 0" in problem.happened
    assert not analyze(problem.fixes[0].apply(stated_in)).errors
    assert not analyze(project(one("linear", way, initializer={"type": "ones"}), facts(data=(7,)))).errors


def test_an_unknown_reparametrisation_says_what_there_is() -> None:
    (problem,) = analyze(project(one("linear", "weight_nrom"), facts(data=(7,)))).errors
    assert "weight_norm" in str(problem)


def with_default(graph: Graph, name: str, value: Any) -> Graph:
    from dataclasses import replace

    return replace(graph, defaults={**graph.defaults, name: value})


# ------------------------------------------------------------------ training, checkpoints, exports


def digits(way: str, *settings: str) -> Project:
    made_of = load_example("digits-mlp")
    for node in made_of.graph.nodes.values():
        if node.type == "linear":
            made_of = set_value(made_of, f"nodes.{node.name}.reparametrize", way)
    for setting in ("recipe.batch_size=64", "recipe.epochs=2", *settings):
        path, _, value = setting.partition("=")
        made_of = set_value(made_of, path, value)
    return made_of


def trained(folder: Path, way: str, *settings: str, **options: Any) -> Path:
    *_, ended = run(
        digits(way, *settings), runs=folder, places=Places(folder=folder), threads=1, device="cpu", **options
    )
    assert ended.outcome in ("completed", "stopped"), ended.problem
    return Path(ended.run)


@pytest.fixture(scope="module", params=WAYS)
def restored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Restored:
    return load_run(trained(tmp_path_factory.mktemp("runs"), request.param))


@pytest.mark.parametrize("way", WAYS)
def test_a_stopped_training_goes_on_to_the_same_bits(way: str, tmp_path: Path) -> None:
    whole = load_run(trained(tmp_path / "a", way))
    control = Control()
    events = run(
        digits(way), runs=tmp_path / "b", places=Places(folder=tmp_path), threads=1, device="cpu", control=control
    )
    for event in events:
        if getattr(event, "step", 0) == 9:
            control.request_stop()
    (half,) = (tmp_path / "b").iterdir()
    list(run(runs=half.parent, resume=half, places=Places(folder=tmp_path), threads=1, device="cpu"))
    one, two = checkpoints.weights_of(whole.model), checkpoints.weights_of(load_run(half).model)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    ("format", "bake"), [("python", True), ("state_dict", True), ("safetensors", True), ("safetensors", False)]
)
def test_exports_give_what_was_trained_baked_or_not(
    restored: Restored, format: str, bake: bool, tmp_path: Path
) -> None:
    file = tmp_path / "model.out"
    report = export_run(restored, file, format=format, places=Places(folder=tmp_path), options=ExportOptions(bake=bake))
    assert report.largest_relative_difference <= 1e-6
    assert report.classes_agree is True
    assert set(report.baked) == (set(reparametrized(restored.model)) if bake else set())
    if format == "python":
        assert ("parametrizations" in file.read_text()) is not bake
        return
    found = torch.load(file, weights_only=True) if format == "state_dict" else safetensors.torch.load_file(file)
    assert any("parametrizations" in name for name in found) is not bake
    if bake:
        for path, layer in reparametrized(restored.model).items():
            assert torch.equal(found[f"{path}.weight"], layer.weight)


def test_code_without_weights_can_be_baked_too(tmp_path: Path) -> None:
    report = export_project(
        project(one("conv2d", "spectral_norm"), facts(data=(3, 6, 6))),
        tmp_path / "m.py",
        options=ExportOptions(bake=True),
    )
    assert report.baked == ("layer",)
    assert "parametrizations" not in (tmp_path / "m.py").read_text()


def test_baking_leaves_the_model_alone_and_a_plain_one_is_given_back() -> None:
    model = made("linear", "spectral_norm").train()
    x = input_of("linear")
    before = {name: item.clone() for name, item in model.state_dict().items()}
    plain, paths = baked(model)
    assert paths == ("layer",)
    assert type(plain.layer) is nn.Linear
    assert all(torch.equal(item, before[name]) for name, item in model.state_dict().items())
    assert torch.equal(plain(x), model.eval()(x))
    assert baked(plain) == (plain, ())


def test_a_reparametrised_run_is_not_thinned_but_halved_and_quantised(restored: Restored, tmp_path: Path) -> None:
    path = Path(restored.info.path)
    for kind in ("prune", "zero"):
        with pytest.raises(ProblemError) as refused:
            compress_run(path, Way(kind, 0.5), places=Places(folder=tmp_path))
        assert refused.value.problems[0].code == "compress-reparametrized"
    found = compress_run(path, Way("half"), places=Places(folder=tmp_path), path=tmp_path / "half.pt2")
    assert found["after"]["accuracy"] == pytest.approx(found["before"]["accuracy"], abs=0.02)


@pytest.mark.parametrize("way", WAYS)
def test_a_norm_behind_a_reparametrised_layer_is_folded_once_it_is_baked(way: str) -> None:
    model = nn.Sequential(made("linear", way).layer, nn.BatchNorm1d(5), nn.ReLU()).double()
    x = input_of("linear").double()
    for _ in range(3):
        model(x)
    expected = model.eval()(x)
    folded, names = fold_norms(baked(model)[0], (x,))
    assert names == ["1"]
    torch.testing.assert_close(folded(x), expected, rtol=1e-10, atol=1e-10)
