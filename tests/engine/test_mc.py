"""MC dropout: against passes made by hand, only dropout on, everything put back, and what the command line says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.examples import load_example
from engine.places import Places
from engine.problem import ProblemError
from engine.runtime.evaluate import evaluate_mc, evaluate_run
from engine.runtime.mc import McModel, dropping, dropping_modules
from engine.runtime.metrics import metrics_of
from engine.runtime.modules.drop_connect import DropConnect
from engine.runtime.modules.gaussian_noise import GaussianNoise
from engine.runtime.modules.stochastic_depth import StochasticDepth
from engine.runtime.predict import predict
from engine.runtime.restore import load_run
from engine.runtime.session import run
from engine.runtime.setup import make_heads, open_for
from engine.settings import set_value
from tests.engine.cli_tools import command


def net(rate: float = 0.5) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(rate), nn.Linear(16, 3)
    )  # fmt: skip


def by_hand(model: nn.Sequential, x: torch.Tensor, passes: int) -> torch.Tensor:
    """(passes, N, 3) probabilities with dropout written out."""
    hidden = torch.relu(model[1](model[0](x)))
    found = []
    for _ in range(passes):
        dropped = nn.functional.dropout(hidden, model[3].p, training=True)
        found.append(torch.softmax(model[4](dropped), 1))
    return torch.stack(found)


def test_the_mean_of_probabilities_and_their_spread_are_those_of_passes_by_hand() -> None:
    model, x = net().eval(), torch.randn(5, 6)
    with torch.inference_mode():
        torch.manual_seed(7)
        passes = by_hand(model, x, 40).double()
        torch.manual_seed(7)
        many = McModel(model, ["softmax"], 40)
        raw = many(x)
    np.testing.assert_allclose(raw.softmax(1).numpy(), passes.mean(0).numpy(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(many.deviations[0].numpy(), passes.std(0, unbiased=False).numpy(), rtol=0, atol=1e-6)
    logits = torch.stack([one.log() for one in passes]).mean(0).softmax(1)
    assert (logits - passes.mean(0)).abs().max() > 1e-3  # the mean of raw outputs would be another answer


def test_only_dropout_is_on_and_batch_norm_learns_nothing() -> None:
    model = nn.Sequential(net(), GaussianNoise(1.0), DropConnect(3, 3, 0.3), StochasticDepth(0.2), nn.Dropout(0.0))
    model.train()
    model[0][1].eval()  # as one that is frozen
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    with dropping(model):
        on = [type(module).__name__ for module in model.modules() if module.training]
        assert on == ["Dropout", "DropConnect", "StochasticDepth"]
        model(torch.randn(4, 6))
    assert [module.training for module in model.modules()] == modes
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    with pytest.raises(ZeroDivisionError), dropping(model):
        raise ZeroDivisionError
    assert [module.training for module in model.modules()] == modes


def test_attention_and_recurrent_layers_drop_inside() -> None:
    layers = nn.ModuleList(
        [nn.MultiheadAttention(4, 2, dropout=0.1), nn.MultiheadAttention(4, 2), nn.LSTM(4, 4, 2, dropout=0.1),
         nn.GRU(4, 4), nn.TransformerEncoderLayer(4, 2, dropout=0.1)]
    )  # fmt: skip
    found = [type(module).__name__ for module in dropping_modules(layers)]
    assert found == ["MultiheadAttention", "LSTM", "MultiheadAttention", "Dropout", "Dropout", "Dropout"]


def test_without_dropout_there_is_nothing_to_average() -> None:
    for model in (nn.Linear(2, 2), net(0.0)):
        with pytest.raises(ProblemError, match="no dropout"):
            McModel(model, ["softmax"], 3)
    with pytest.raises(ValueError, match="at least one"):
        McModel(net(), ["softmax"], 0)


@pytest.mark.parametrize("kind", ["sigmoid", "none"])
def test_yes_or_no_and_values_are_averaged_as_such(kind: str) -> None:
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 1)).eval()
    x = torch.randn(6, 4)
    with torch.inference_mode():
        torch.manual_seed(3)
        passes = torch.stack([model[1](nn.functional.dropout(x, 0.5)) for _ in range(30)]).double()
        passes = passes.sigmoid() if kind == "sigmoid" else passes
        torch.manual_seed(3)
        many = McModel(model, [kind], 30)
        raw = many(x)
    found = raw.sigmoid() if kind == "sigmoid" else raw
    np.testing.assert_allclose(found.numpy(), passes.mean(0).numpy(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(many.deviations[0].numpy(), passes.std(0, unbiased=False).numpy(), rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on digits with dropout and batch norm."""
    folder = tmp_path_factory.mktemp("mc")
    project = load_example("digits-cnn")
    from engine import edits, wires

    graph = project.graph
    last = next(edge for edge in graph.edges if graph.nodes[edge.target].type == "output")
    graph, drop = edits.add_node(graph, "", "dropout", name="drop_more", params={"rate": 0.3})
    before = next(edge for edge in graph.edges if edge.target == last.source)
    graph = wires.insert_on_edge(graph, "", before, drop.id)
    project = project.with_graph(graph)
    for path, value in (("recipe.epochs", "3"), ("recipe.data.test", "0.1")):
        project = set_value(project, path, value)
    *_, ended = run(project, runs=folder, places=Places(folder=folder), threads=1, device="cpu")
    assert ended.outcome == "completed", ended.problem
    return Path(ended.run)


def test_an_evaluation_tells_both_and_repeats_itself(digits: Path) -> None:
    places = Places(folder=digits.parent)
    torch.manual_seed(11)
    expected = torch.rand(2)
    torch.manual_seed(11)
    found = evaluate_run(digits, places=places, split="test", mc=20, device="cpu", threads=1)
    assert torch.equal(torch.rand(2), expected)
    again = evaluate_run(digits, places=places, split="test", mc=20, device="cpu", threads=1)
    other = evaluate_run(digits, places=places, split="test", mc=20, seed=1, device="cpu", threads=1)
    plain = evaluate_run(digits, places=places, split="test", device="cpu", threads=1)
    assert "mc" not in plain
    assert {key: value for key, value in found.items() if key != "mc"} == plain
    assert found["mc"] == again["mc"]
    assert found["mc"]["deviation"] != other["mc"]["deviation"]
    assert found["mc"]["passes"] == 20
    assert abs(found["mc"]["accuracy"] - found["accuracy"]) < 0.1
    assert 0 < found["mc"]["deviation"] < 0.5
    assert found["mc"]["loss"] != found["loss"]


def test_figures_are_those_of_the_mean_probabilities(digits: Path) -> None:
    restored = load_run(digits)
    model = restored.model.eval()
    device = torch.device("cpu")
    with open_for(restored.project, Places(folder=digits.parent), device=device) as data:
        heads = make_heads(restored.project, data, device)
        found = evaluate_mc(
            model, data, "val", heads=heads, metrics=metrics_of(restored.project.recipe), passes=10, seed=4
        )
        many = McModel(model, ["softmax"], 10)
        from engine.runtime.randomness import guarded

        right, losses, spread = 0, 0.0, 0.0
        with guarded(4), torch.inference_mode():
            for batch in data.eval_batches("val"):
                shares = many(*batch.inputs).softmax(1)
                truth = batch.targets[0]
                right += int((shares.argmax(1) == truth).sum())
                losses += float(-shares.gather(1, truth[:, None]).log().sum())
                spread += float(many.deviations[0].gather(1, shares.argmax(1, keepdim=True)).sum())
        count = data.facts.counts["val"]
    assert found["accuracy"] == pytest.approx(right / count, abs=1e-9)
    assert found["loss"] == pytest.approx(losses / count, rel=1e-5)
    assert found["deviation"] == pytest.approx(spread / count, rel=1e-5)


def test_a_prediction_tells_how_far_its_passes_lie_apart(digits: Path, tmp_path: Path) -> None:
    images = np.random.default_rng(0).uniform(0, 16, (3, 1, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=images)
    restored = load_run(digits)
    plain = list(predict(restored, [tmp_path / "x.npz"]))
    found = list(predict(restored, [tmp_path / "x.npz"], mc=25))
    assert found == list(predict(restored, [tmp_path / "x.npz"], mc=25))
    for item, one in zip(plain, found, strict=True):
        answer = next(iter(one.answers.values()))
        assert set(answer.deviations) == {name for name, _ in answer.scores}
        assert sum(score for _, score in answer.scores) == pytest.approx(1.0, abs=1e-5)
        assert max(answer.deviations.values()) > 0.001
        assert not next(iter(item.answers.values())).deviations
        said: dict[str, Any] = one.to_json()
        assert said["deviation"] == answer.deviations[said["class"]]
        assert all("deviation" in row for row in said["top"])


def test_the_command_line_shows_both(digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = command(capsys, "evaluate", digits, "--mc", 5, "--json")
    assert said.code == 0
    (line,) = said.lines
    assert line["mc"]["passes"] == 5
    text = command(capsys, "evaluate", digits, "--mc", 5).out
    assert "mean of 5 passes" in text
    assert "deviation" in text
    np.savez(tmp_path / "x.npz", x=np.zeros((1, 1, 8, 8), np.float32))
    assert " ± " in command(capsys, "predict", digits, tmp_path / "x.npz", "--mc", 5).out
    assert json.loads(command(capsys, "predict", digits, tmp_path / "x.npz", "--mc", 5, "--json").out)["deviation"] >= 0
    assert command(capsys, "evaluate", digits, "--mc", 0).code == 2
    assert command(capsys, "evaluate", digits, "--mc", "many").code == 2


def test_a_run_without_dropout_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = set_value(load_example("spirals"), "recipe.epochs", "1")
    *_, ended = run(project, runs=tmp_path, places=Places(folder=tmp_path), threads=1, device="cpu")
    said = command(capsys, "evaluate", ended.run, "--mc", 3)
    assert said.code == 2
    assert "no dropout" in said.err
    assert "Traceback" not in said.err


def test_a_regression_tells_its_spread_in_real_units(tmp_path: Path) -> None:
    rows = [f"{place % 9},{place % 5},{1e5 + 3e4 * (place % 9)}" for place in range(120)]
    (tmp_path / "t.csv").write_text("a,b,y\n" + "\n".join(rows))
    project = set_value(
        load_example("housing"), "recipe.data",
        '{"type": "csv", "path": "t.csv", "target": "y", "task": "regression"}',
    )  # fmt: skip
    from engine import edits, wires

    graph = project.graph
    last = next(edge for edge in graph.edges if graph.nodes[edge.target].type == "linear")
    graph, drop = edits.add_node(graph, "", "dropout", name="drop", params={"rate": 0.5})
    project = set_value(project.with_graph(wires.insert_on_edge(graph, "", last, drop.id)), "recipe.epochs", "3")
    *_, ended = run(project, runs=tmp_path / "runs", places=Places(folder=tmp_path), threads=1, device="cpu")
    assert ended.outcome == "completed", ended.problem
    (tmp_path / "ask.csv").write_text("a,b\n3,2\n8,1\n")
    for one in predict(load_run(Path(ended.run)), [tmp_path / "ask.csv"], mc=30):
        answer = next(iter(one.answers.values()))
        assert list(answer.deviations) == list(answer.values)
        assert 10 < next(iter(answer.deviations.values())) < 1e6
    found = evaluate_run(Path(ended.run), places=Places(folder=tmp_path), mc=10, device="cpu", threads=1)
    assert found["mc"]["deviation"] > 10
