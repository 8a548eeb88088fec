"""What layers give: figures against numpy, dead and saturated layers, the history, and trainings that do not notice."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from engine import edits
from engine.activity import MOST, ActivityLog
from engine.activity_verdict import activity_verdict
from engine.declare import Declaration
from engine.events import BINS, Activated, RunEnded, from_json, to_json
from engine.examples import load_example
from engine.known import with_facts
from engine.places import Places
from engine.project import Project
from engine.runs import read_events
from engine.runtime import checkpoint
from engine.runtime.activity import FIRST_GAP, SHARE, ActivationProbe, Watched, figures, flat_share, saturates, watched
from engine.runtime.analyze import analyze
from engine.runtime.session import run
from engine.tensor import TensorInfo
from engine.timeline import Timeline
from tests.engine.catalogue import layers, module_of


def measured(model: nn.Module, inputs: torch.Tensor, activations: set[str], layers: set[str] = frozenset()):
    what = Watched(frozenset(layers), frozenset(activations), frozenset(activations))
    samples, found = ActivationProbe(model, what, lambda: (inputs,)).read()
    return Activated(1, 1, samples, found)


def log_of(*events: Activated) -> ActivityLog:
    log = ActivityLog()
    for event in events:
        log.add(from_json(to_json(event)))  # type: ignore[arg-type]
    return log


def deep(activation: type[nn.Module], deviation: float | None, depth: int = 20, width: int = 100) -> nn.Sequential:
    """A stack of dense layers, weights normal with this deviation, or LeCun's."""
    torch.manual_seed(1)
    layers: list[nn.Module] = []
    for _ in range(depth):
        dense = nn.Linear(width, width)
        nn.init.normal_(dense.weight, std=deviation or width**-0.5)
        nn.init.zeros_(dense.bias)
        layers += [dense, activation()]
    return nn.Sequential(*layers)


def test_mean_spread_and_histogram_are_those_of_numpy() -> None:
    values = torch.tensor(np.random.default_rng(0).normal(3.0, 2.0, (64, 50)), dtype=torch.float32)
    found = figures(values)
    plain = values.numpy().astype(np.float64)
    assert found["mean"] == pytest.approx(plain.mean(), rel=1e-5)
    assert found["std"] == pytest.approx(plain.std(), rel=1e-5)
    assert found["units"] == 50
    inside = np.clip(plain, found["low"], found["high"])
    counts, _ = np.histogram(inside, BINS, (found["low"], found["high"]))
    assert np.abs(counts - np.array(found["counts"])).sum() <= 4, (
        "numbers at the border of two bars may fall either way"
    )
    assert np.mean((plain >= found["low"]) & (plain <= found["high"])) == pytest.approx(0.99, abs=2e-3)


@pytest.mark.parametrize(
    ("shape", "channels_first", "unit"),
    [((32, 6), False, (slice(None), 2)), ((32, 6, 5, 4), False, (slice(None), 2)),
     ((32, 7, 6), False, (slice(None), slice(None), 2)), ((32, 6, 7), True, (slice(None), 2))],
)  # fmt: skip
def test_a_unit_is_dead_when_no_sample_moves_it(shape: tuple[int, ...], channels_first: bool, unit: object) -> None:
    values = torch.randn(shape)
    assert figures(values, channels_first=channels_first)["dead"] == 0
    values[unit] = 0.0
    found = figures(values, channels_first=channels_first)
    assert (found["units"], found["dead"]) == (6, pytest.approx(1 / 6, rel=1e-5))


def test_flat_slopes_are_counted_as_the_formula_says() -> None:
    entered = torch.linspace(-12, 12, 4801).reshape(1, -1).repeat(3, 1)
    plain = entered[0].numpy().astype(np.float64)
    sigmoid = 1 / (1 + np.exp(-plain))
    for module, slope in (
        (nn.Sigmoid(), sigmoid * (1 - sigmoid)), (nn.Tanh(), 1 - np.tanh(plain) ** 2), (nn.ReLU(), (plain > 0) * 1.0),
        (nn.ELU(), np.where(plain > 0, 1.0, np.exp(plain))),
    ):  # fmt: skip
        assert flat_share(module, entered) == pytest.approx(np.mean(np.abs(slope) < 0.01), abs=3e-4), module
    both = [item for item in (nn.Sigmoid(), nn.Tanh(), nn.Hardsigmoid(), nn.Hardtanh()) if saturates(item, entered)]
    assert len(both) == 4
    assert not any(saturates(item, entered) for item in (nn.ReLU(), nn.ReLU6(), nn.SELU(), nn.GELU(), nn.LeakyReLU()))


FUNCTIONS = [item for item in layers() if item.family == "activation" and getattr(item.cls, "elementwise", True)]


@pytest.mark.parametrize("declared", FUNCTIONS, ids=[item.type for item in FUNCTIONS])
def test_every_activation_of_the_catalogue_is_measured(declared: Declaration) -> None:
    module = module_of(declared.make({}), [TensorInfo((6, 5, 4))])
    assert module is not None, "an activation is a module of its own"
    model = nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 6, 1), act=module))
    found = measured(model, torch.randn(32, 3, 5, 4), {"act"}, {"conv"}).layers["act"]
    assert found["units"] == 6
    assert 0 <= found["flat"] <= 1
    assert found["saturates"] == (declared.type in ("sigmoid", "tanh", "hard_sigmoid", "hard_tanh", "softsign"))


def test_sigmoid_with_unit_normal_weights_saturates_and_selu_keeps_mean_and_spread() -> None:
    inputs = torch.randn(256, 100)
    names = {str(index) for index in range(1, 40, 2)}
    bad = log_of(measured(deep(nn.Sigmoid, 1.0), inputs, names)).at()
    assert activity_verdict(bad).level == "warning"
    assert "saturated" in activity_verdict(bad).title
    good = log_of(measured(deep(nn.SELU, None), inputs, names)).at()
    assert good is not None
    assert np.abs(good.mean).max() < 0.3
    assert 0.7 < good.std.min() < good.std.max() < 1.3
    assert activity_verdict(good).level == "good"


@pytest.mark.parametrize(("deviation", "word"), [(0.05, "shrinks"), (0.3, "grows")])
def test_a_signal_that_changes_its_size_with_depth_is_told(deviation: float, word: str) -> None:
    names = {str(index) for index in range(1, 40, 2)}
    found = log_of(measured(deep(nn.LeakyReLU, deviation), torch.randn(256, 100), names)).at()
    said = activity_verdict(found)
    assert (said.level, said.title) == ("warning", f"The signal {word} with depth")


def test_dead_relus_are_named_with_their_share() -> None:
    model = nn.Sequential(OrderedDict(fc=nn.Linear(10, 20), act=nn.ReLU(), out=nn.Linear(20, 3)))
    with torch.no_grad():
        model.fc.bias[:5] = -1e3
    said = activity_verdict(log_of(measured(model, torch.randn(64, 10), {"act"})).at())
    assert (said.level, said.title) == ("warning", "25% of act is dead")
    with torch.no_grad():
        model.fc.bias[:] = -1e3
    said = activity_verdict(log_of(measured(model, torch.randn(64, 10), {"act"})).at())
    assert (said.level, said.title) == ("error", "act is dead")
    with torch.no_grad():
        model.fc.bias[:] = float("nan")
    assert "not finite" in activity_verdict(log_of(measured(model, torch.randn(64, 10), {"act"})).at()).title


def test_measuring_changes_nothing_and_leaves_no_hook() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.RReLU(), nn.Dropout(0.5), nn.Linear(6, 2))
    model.train()
    model[1].eval()  # a frozen one must stay frozen
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = torch.get_rng_state()
    found = measured(model, torch.randn(40, 4, generator=torch.Generator().manual_seed(3)), {"2"}, {"0", "1", "4"})
    assert list(found.layers) == ["0", "1", "2", "4"]
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert [module.training for module in model] == [True, False, True, True, True]
    assert not any(module._forward_hooks for module in model.modules())
    assert all(item.grad is None for item in model.parameters())


def test_measuring_takes_its_share_of_the_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = ActivationProbe(nn.Linear(2, 2), Watched(frozenset({""}), frozenset(), frozenset()), lambda: None)
    now = [100.0]
    monkeypatch.setattr("engine.runtime.activity.time.perf_counter", lambda: now[0])
    monkeypatch.setattr(probe, "_batch", lambda: now.__setitem__(0, now[0] + 0.3) or ())
    assert probe.due(now[0])
    probe.read()
    assert probe.due(now[0] + 1.1 * FIRST_GAP), "the first time is slow for other reasons"
    probe.read()
    assert not probe.due(now[0] + 0.9 * 0.3 / SHARE)
    assert probe.due(now[0] + 1.1 * 0.3 / SHARE)


def test_what_is_watched_are_weights_and_activations_also_those_inside_layers() -> None:
    project = with_inside(load_example("digits-mlp"))
    what = watched(analyze(project), project.graph)
    assert {"hidden1", "hidden2", "digits"} <= what.layers
    assert what.activations == {"relu1", "relu2", "hidden1_act"}
    assert what.functions == what.activations


def with_inside(project: Project) -> Project:
    graph = edits.set_param(project.graph, "", "hidden1", "activation", {"type": "tanh"})
    graph = edits.set_param(graph, "", "hidden1", "normalization", {"type": "batch_norm"})
    return with_facts(Project(name="held", graph=graph, recipe=project.recipe), load_facts(project))


def load_facts(project: Project):
    assert project.data is not None
    return project.data


def trained(folder: Path, *, activations: bool) -> RunEnded:
    project = load_example("digits-mlp")
    for name, value in (("epochs", 2), ("activations", activations)):
        project = project.with_recipe(project.recipe.with_value(name, value))
    made = run(project, runs=folder / "runs", places=Places(folder=folder), threads=1, device="cpu")
    return list(made)[-1]  # type: ignore[return-value]


def test_a_training_tells_what_its_layers_give_and_is_the_same_without(tmp_path: Path) -> None:
    told, silent = trained(tmp_path, activations=True), trained(tmp_path, activations=False)
    weights = [checkpoint.load(Path(ended.run) / "checkpoints", "last").weights for ended in (told, silent)]
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())
    found = [event for event in read_events(Path(told.run)) if isinstance(event, Activated)]
    assert found[0].step == 0, "before the first step, where initial weights are judged"
    assert found[-1].step == told.step, "and at the end"
    assert list(found[0].layers) == ["hidden1", "relu1", "hidden2", "relu2", "digits"]
    assert found[0].samples == 256
    assert not any(isinstance(event, Activated) for event in read_events(Path(silent.run)))
    timeline = Timeline.from_events(read_events(Path(told.run)))
    shown = timeline.activity.at()
    assert shown is not None
    assert shown.activations.layers == ("relu1", "relu2")
    assert timeline.activity.at(0.0).step == 0  # type: ignore[union-attr]


def test_a_long_history_is_thinned_and_forgets_what_is_trained_again() -> None:
    log = ActivityLog()
    for step in range(3 * MOST):
        log.add(Activated(step, 1, 4, {"a": figures(torch.full((4, 2), float(step)))}))
    assert MOST // 2 < len(log) <= MOST
    steps, means = log.series("a", "mean")
    assert (steps[0], steps[-1]) == (0, 3 * MOST - 1)
    assert np.array_equal(steps, means)
    log.drop_after(100)
    assert log.at().step <= 100  # type: ignore[union-attr]
    log.drop_after(-1)
    assert log.at() is None
    assert activity_verdict(None).level == "unknown"
