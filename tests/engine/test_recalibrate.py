"""Batch norm measured anew: exact over the whole set, nothing else touched, saved beside the other checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine import edits, wires
from engine.examples import load_example
from engine.places import Places
from engine.problem import ProblemError
from engine.runtime.data.batches import Batch
from engine.runtime.modules.axis_batch_norm import AxisBatchNorm
from engine.runtime.recalibrate import NAME, norms_of, recalibrate, recalibrate_run
from engine.runtime.restore import load_run
from engine.runtime.scoring import Cancelled
from engine.runtime.session import run
from engine.settings import set_value
from tests.engine.cli_tools import command


class Rows:
    """A training set in batches, the last one smaller."""

    def __init__(self, x: torch.Tensor) -> None:
        self.x = x

    def eval_batches(self, split: str, batch_size: int = 512) -> Iterator[Batch]:
        assert split == "train"
        for part in self.x.split(100):
            yield Batch((part,), (torch.zeros(len(part)),), len(part))


def test_a_norm_at_the_input_gets_mean_and_unbiased_variance_of_the_whole_set() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(3.0, 2.0, size=(1_003, 5)) * np.array([1.0, 10.0, 0.1, 1.0, 1.0])
    model = nn.Sequential(nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, 2)).double().train()
    model(torch.tensor(x[:50]))
    weights = {name: value.clone() for name, value in model.state_dict().items() if "running" not in name}
    assert recalibrate(model, Rows(torch.tensor(x))) == 1
    np.testing.assert_allclose(model[0].running_mean.numpy(), x.mean(0), rtol=0, atol=1e-10)
    np.testing.assert_allclose(model[0].running_var.numpy(), x.var(0, ddof=1), rtol=1e-10)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in weights.items())
    assert all(module.training for module in model.modules())
    assert not model[0]._forward_pre_hooks


def test_images_count_every_pixel_of_a_channel() -> None:
    x = torch.randn(250, 3, 4, 4, dtype=torch.float64) * 3 + 1
    model = nn.Sequential(nn.BatchNorm2d(3, momentum=0.01)).double().eval()
    recalibrate(model, Rows(x))
    rows = x.movedim(1, -1).reshape(-1, 3)
    np.testing.assert_allclose(model[0].running_mean, rows.mean(0), rtol=0, atol=1e-10)
    np.testing.assert_allclose(model[0].running_var, rows.var(0), rtol=1e-10)
    assert not model[0].training
    assert model[0].momentum == 0.01


def test_a_norm_over_another_axis_that_keeps_the_biased_variance_gets_those() -> None:
    x = torch.from_numpy(np.random.default_rng(3).normal(5.0, 2.0, (30, 4, 6)))
    model = nn.Sequential(AxisBatchNorm(6, axis="last", biased=True)).double()
    assert recalibrate(model, Rows(x)) == 1
    np.testing.assert_allclose(model[0].running_mean, x.numpy().mean((0, 1)), rtol=0, atol=1e-10)
    np.testing.assert_allclose(model[0].running_var, x.numpy().var((0, 1)), rtol=1e-10)


def test_a_deeper_norm_sees_what_training_would_show_it() -> None:
    torch.manual_seed(1)
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 6), nn.BatchNorm1d(6)).double()
    x = torch.randn(300, 4, dtype=torch.float64) * 5
    recalibrate(model, Rows(x))
    parts = [nn.functional.batch_norm(part, None, None, training=True) for part in x.split(100)]
    inner = torch.cat([model[1](part) for part in parts]).detach()
    np.testing.assert_allclose(model[2].running_mean, inner.mean(0), rtol=0, atol=1e-10)
    np.testing.assert_allclose(model[2].running_var, inner.var(0), rtol=1e-9)


def test_cancelling_leaves_everything_as_it_was() -> None:
    model = nn.Sequential(nn.BatchNorm1d(3)).double()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        recalibrate(model, Rows(torch.randn(300, 3, dtype=torch.float64)), cancelled=lambda: next(asked))
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())
    assert norms_of(nn.Sequential(nn.BatchNorm1d(3, track_running_stats=False))) == {}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("norm")
    project = load_example("digits-mlp")
    graph = project.graph
    edge = next(edge for edge in graph.edges if graph.nodes[edge.source].type == "linear")
    graph, norm = edits.add_node(graph, "", "batch_norm1d", name="norm_more")
    project = project.with_graph(wires.insert_on_edge(graph, "", edge, norm.id))
    *_, ended = run(set_value(project, "recipe.epochs", "2"), runs=folder, places=Places(folder=folder), threads=1,
                    device="cpu")  # fmt: skip
    assert ended.outcome == "completed", ended.problem
    return Path(ended.run)


def test_a_run_gets_a_checkpoint_of_its_own(digits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = load_run(digits)
    before = {name: value.clone() for name, value in first.model.state_dict().items()}
    found: dict[str, Any] = recalibrate_run(digits, places=Places(folder=digits.parent), device="cpu", threads=1)
    assert found["norms"] == len(norms_of(first.model)) > 0
    assert found["saved"] == NAME
    again = load_run(digits, NAME)
    for name, value in again.model.state_dict().items():
        same = torch.equal(value, before[name])
        assert same != ("running" in name), name
    assert all(torch.equal(value, before[name]) for name, value in load_run(digits).model.state_dict().items())
    said = command(capsys, "evaluate", digits, "--checkpoint", NAME, "--json")
    assert said.code == 0
    assert said.lines[0]["accuracy"] == pytest.approx(found["after"]["accuracy"])
    assert found["before"]["accuracy"] == pytest.approx(
        command(capsys, "evaluate", digits, "--json").lines[0]["accuracy"]
    )
    assert abs(found["after"]["accuracy"] - found["before"]["accuracy"]) < 0.2


def test_the_command_line_says_before_and_after(digits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = command(capsys, "recalibrate", digits)
    assert said.code == 0
    assert "saved as recalibrated" in said.out
    assert "accuracy" in said.out
    assert command(capsys, "recalibrate", digits, "--json").lines[0]["saved"] == NAME
    assert command(capsys, "recalibrate", digits, "--checkpoint", "none").code == 2


def test_a_network_without_batch_norm_says_so(tmp_path: Path) -> None:
    project = set_value(load_example("spirals"), "recipe.epochs", "1")
    *_, ended = run(project, runs=tmp_path, places=Places(folder=tmp_path), threads=1, device="cpu")
    with pytest.raises(ProblemError, match="no batch norm"):
        recalibrate_run(Path(ended.run), places=Places(folder=tmp_path), device="cpu", threads=1)
