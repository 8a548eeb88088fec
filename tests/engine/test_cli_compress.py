"""`compress`: each way on a trained run, what is saved read back, and what the command line says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine import edits, wires
from engine.examples import load_example
from engine.places import Places
from engine.runtime.restore import load_run
from engine.runtime.session import run
from engine.settings import set_value
from tests.engine.cli_tools import command


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    project = load_example("digits-mlp")
    graph = project.graph
    edge = next(edge for edge in graph.edges if graph.nodes[edge.source].type == "linear")
    graph, norm = edits.add_node(graph, "", "batch_norm1d", name="norm_more")
    project = project.with_graph(wires.insert_on_edge(graph, "", edge, norm.id))
    *_, ended = run(set_value(project, "recipe.epochs", "3"), runs=folder, places=Places(folder=folder), threads=1,
                    device="cpu")  # fmt: skip
    assert ended.outcome == "completed", ended.problem
    return Path(ended.run)


def test_small_weights_become_zero_in_a_checkpoint_of_their_own(digits, capsys):
    before = {name: value.clone() for name, value in load_run(digits).model.state_dict().items()}
    said = command(capsys, "compress", digits, "--zero", "0.02", "--threads", "1", "--json")
    assert said.code == 0
    found = said.lines[0]
    small = load_run(digits, "zeroed").model.state_dict()
    for name, item in found["layers"].items():
        wanted = torch.where(before[f"{name}.weight"].abs() < 0.02, 0.0, before[f"{name}.weight"])
        assert torch.equal(small[f"{name}.weight"], wanted)
        assert item["zero"] == int((wanted == 0).sum()) > 0
    assert found["after"]["deflated"] < found["before"]["deflated"]
    assert found["after"]["bytes"] == found["before"]["bytes"]
    said = command(capsys, "evaluate", digits, "--checkpoint", "zeroed", "--json")
    assert said.lines[0]["accuracy"] == pytest.approx(found["after"]["accuracy"])
    assert all(torch.equal(value, before[name]) for name, value in load_run(digits).model.state_dict().items())


def test_retraining_wins_back_what_pruning_cost_while_the_zeros_stay(digits, capsys):
    plain = command(capsys, "compress", digits, "--prune", "0.9", "--threads", "1", "--json").lines[0]
    zeros = {
        name: module.weight == 0
        for name, module in load_run(digits, "pruned").model.named_modules()
        if name in plain["layers"]
    }
    again = command(capsys, "compress", digits, "--prune", "0.9", "--retrain", "3", "--threads", "1", "--json").lines[0]
    model = load_run(digits, "pruned").model
    assert all(torch.equal(model.get_submodule(name).weight == 0, zero) for name, zero in zeros.items())
    total = sum(item["weights"] for item in again["layers"].values())
    assert sum(item["zero"] for item in again["layers"].values()) == round(0.9 * total)
    assert again["after"]["loss"] < plain["after"]["loss"]
    assert again["after"]["accuracy"] > plain["after"]["accuracy"]


@pytest.mark.parametrize("way", ["--fold-bn", "--half", "--int8"])
def test_files_answer_as_the_network_does(digits, capsys, tmp_path, way):
    if way == "--int8":
        pytest.importorskip("onnx", reason="the extra onnx is not installed")
        pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    path = tmp_path / ("small.onnx" if way == "--int8" else "small.pt2")
    said = command(capsys, "compress", digits, way, "-o", path, "--threads", "1", "--json")
    assert said.code == 0, said.err
    found = said.lines[0]
    assert found["saved"] == str(path)
    assert found["after"]["bytes"] == path.stat().st_size
    assert [item.name for item in tmp_path.iterdir()] == [path.name]
    assert abs(found["after"]["accuracy"] - found["before"]["accuracy"]) <= (0.03 if way == "--int8" else 0.005)
    assert found["after"]["loss"] == pytest.approx(found["before"]["loss"], rel=0.1 if way == "--int8" else 0.01)
    assert found["latency_ratio"] > 0
    assert bool(found["folded"]) == (way == "--fold-bn")
    if way != "--int8":
        kept = torch.export.load(path).example_inputs
        assert not any(item.any() for item in torch.utils._pytree.tree_leaves(kept))  # nobody's samples travel along
        model = load_run(digits).model
        x = torch.rand(7, 1, 8, 8)
        with torch.no_grad():
            other = torch.export.load(path).module()(x)
            np.testing.assert_allclose(other, model(x), atol=2e-2 if way == "--half" else 1e-4)


def test_arguments_that_make_no_sense_end_with_two(digits, capsys, tmp_path):
    for words in (
        [], ["--zero", "-1"], ["--zero", "nan"], ["--prune", "1.5"], ["--prune", "x"], ["--half", "--int8"],
        ["--half", "--retrain", "2"], ["--zero", "0.1", "--each-layer"], ["--prune", "0.5", "-o", tmp_path / "x"],
        ["--half", "-o", tmp_path], ["--half", "-o", tmp_path / "none" / "x.pt2"], ["--zero", "1", "--checkpoint", "x"],
    ):  # fmt: skip
        said = command(capsys, "compress", digits, *words)
        assert said.code == 2, words
        assert said.err
    assert command(capsys, "compress", tmp_path / "no-run", "--half").code == 2


def test_a_network_without_norms_cannot_be_folded(tmp_path, capsys):
    project = set_value(load_example("digits-mlp"), "recipe.epochs", "1")
    *_, ended = run(project, runs=tmp_path, places=Places(folder=tmp_path), threads=1, device="cpu")
    said = command(capsys, "compress", ended.run, "--fold-bn", "-o", tmp_path / "x.pt2", "--json")
    assert said.code == 1
    assert said.lines[0]["problem"]["code"] == "fold-nothing"
    assert not (tmp_path / "x.pt2").exists()


def test_people_are_told_in_a_table(digits, capsys):
    said = command(capsys, "compress", digits, "--prune", "0.5", "--each-layer", "--threads", "1")
    assert said.code == 0
    assert "saved as pruned" in said.out
    assert "ms per batch" in said.out
    assert "weights are 0" in said.out
