"""Frozen layers: which they are, that they and their statistics stay bit for bit, and that the rest trains as usual."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from engine.check import check_project
from engine.edits import set_param
from engine.freezing import below, frozen_of, with_frozen, written
from engine.problem import Severity
from engine.project import Project
from engine.recipe import Recipe
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.freezing import freeze_layers
from tests.engine.drawn import box, draw, facts, group
from tests.engine.drawn import project as drawn_project
from tests.engine.fakes import network, recipe, same_bits, trained, training
from tests.engine.test_resume import assert_same_run, go_on, project, stopped_at, train, weights

LAYERS = ("stem", "blocks.0.conv", "blocks.0.norm", "blocks.1.conv", "blocks.1.norm", "head.0", "head.1")
NORMED = {"type": "batch_norm"}


@pytest.mark.parametrize(("frozen", "text"), [
    ((), ""), (("stem",), "stem"), (LAYERS[1:5], "blocks"), (LAYERS[1:3], "blocks.0"),
    (("blocks.1.norm", "blocks.0.norm"), "blocks.0.norm, blocks.1.norm"), (("stem", *LAYERS[1:3], "head.1"),
                                                                          "stem, blocks.0, head.1"),
    (LAYERS, "stem, blocks, head"),
])  # fmt: skip
def test_a_choice_is_written_short_and_read_back_the_same(frozen: tuple[str, ...], text: str) -> None:
    assert written(frozen, LAYERS) == text
    assert frozen_of(Recipe().with_value("frozen", text), LAYERS) == set(frozen)


def test_every_choice_of_layers_can_be_written() -> None:
    for bits in range(2 ** len(LAYERS)):
        chosen = {path for place, path in enumerate(LAYERS) if bits >> place & 1}
        assert frozen_of(Recipe().with_value("frozen", written(chosen, LAYERS)), LAYERS) == chosen


def test_the_check_counts_what_trains_of_layers_blocks_and_what_is_set_inside() -> None:
    body = draw(box("x", "group_input"), box("fc", "linear", "x", units=4, normalization=NORMED),
                box("y", "group_output", "fc"))  # fmt: skip
    graph = draw(box("x0", "input"), group("hidden", "d", "x0", repeat=3), box("last", "linear", "hidden", units=2),
                 box("out", "output", "last"), inside={"d": body})  # fmt: skip
    made = drawn_project(graph, facts(x0=(4,)), frozen="hidden.0, hidden.2.fc")
    found = analyze(made)
    assert [str(item) for item in found.errors] == []
    # Each copy: 4 x 4 + 4 of the dense layer, 4 + 4 of its batch norm; the last layer 4 x 2 + 2.
    assert (found.parameters, found.trainable) == (3 * 28 + 10, 28 + 10)
    assert found.nodes["", "hidden"].frozen == (4, 6)
    assert found.nodes["d", "fc"].frozen == (4, 6)
    assert found.nodes["", "last"].frozen == (0, 0)
    assert found.frozen == {"hidden.0.fc", "hidden.0.fc_norm", "hidden.2.fc", "hidden.2.fc_norm"}


def test_everything_below_is_what_leads_there_through_blocks_and_copies() -> None:
    inner = draw(box("x", "group_input"), box("a", "linear", "x", units=4), box("b", "linear", "a", units=4),
                 box("y", "group_output", "b"))  # fmt: skip
    graph = draw(
        box("x0", "input"), box("stem", "linear", "x0", units=4), box("aside", "linear", "stem", units=4),
        group("blocks", "d", "stem", repeat=3), box("sum", "add", "blocks", "aside"),
        box("head", "linear", "sum", units=2), box("out", "output", "head"), inside={"d": inner},
    )  # fmt: skip
    project = drawn_project(graph, facts(x0=(4,)))
    found = analyze(project)
    for place, text in (
        ("stem", "stem"), ("aside", "stem, aside"), ("blocks.0.a", "stem, blocks.0.a"),
        ("blocks.1.b", "stem, blocks.0, blocks.1"), ("blocks.2.b", "stem, blocks"), ("blocks", "stem, blocks"),
        ("head", "stem, aside, blocks, head"), ("nowhere", ""),
    ):  # fmt: skip
        made = with_frozen(project, found, below(graph, place), True)
        assert sorted(str(made.recipe.get("frozen")).split(", ")) == sorted(text.split(", ")), place
    phases = ({"type": "phase", "frozen": "stem"}, {"type": "phase", "frozen": ""})
    phased = project.with_recipe(project.recipe.with_value("phases", phases))
    made = with_frozen(phased, analyze(phased), ["aside"], True).recipe.get("phases")
    assert [item["frozen"] for item in made] == ["stem, aside", ""], "the canvas shows the first phase"
    all_but_one = with_frozen(with_frozen(project, found, ["stem", "blocks"], True), found, ["blocks.1.a"], False)
    assert all_but_one.recipe.get("frozen") == "stem, blocks.0, blocks.1.b, blocks.2"


@pytest.mark.parametrize(("text", "words"), [
    ("hiden1", "No layer with weights fits 'hiden1'"), ("hidden1, relu1", "No layer with weights fits 'relu1'"),
    ("*", "nothing to train"), ("hidden1,hidden2,,digits", "nothing to train"),
])  # fmt: skip
def test_what_cannot_be_frozen_is_told_and_mended(text: str, words: str) -> None:
    made = project(frozen=text)
    (problem,) = analyze(made).errors
    assert words in problem.happened
    for fix in problem.fixes:
        assert analyze(fix.apply(made)).errors == ()  # type: ignore[misc]


def test_averages_that_go_on_in_frozen_layers_are_warned_of() -> None:
    problems = [item for item in analyze(project(frozen="hidden1", frozen_norms="updating")).problems
                if item.code == "recipe.frozen_norms"]  # fmt: skip
    assert [item.severity for item in problems] == [Severity.WARNING]
    assert check_project(problems[0].fixes[0].apply(project(frozen="hidden1", frozen_norms="updating"))) == []  # type: ignore[misc]


def started() -> nn.Sequential:
    torch.manual_seed(3)
    return network()


@pytest.mark.parametrize("norms", ["held", "updating"])
@pytest.mark.parametrize("optimizer", [
    {"type": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}, {"type": "adamw", "lr": 0.01}, {"type": "muon"},
], ids=lambda item: item["type"])  # fmt: skip
def test_a_frozen_layer_stays_bit_for_bit(norms: str, optimizer: dict[str, Any]) -> None:
    settings = recipe(optimizer=optimizer, frozen="0, 1", frozen_norms=norms, clip={"type": "norm", "limit": 1.0},
                      ema={"type": "ema", "enabled": True})  # fmt: skip
    model = started()
    before = {name: item.clone() for name, item in model.state_dict().items()}
    freeze_layers(model, settings)
    trained(training(settings, model=model))
    moved = {name for name, item in model.state_dict().items() if not torch.equal(item, before[name])}
    statistics = {"1.running_mean", "1.running_var", "1.num_batches_tracked"} if norms == "updating" else set()
    assert moved == {"4.weight", "4.bias"} | statistics


def test_a_training_with_frozen_layers_is_torch_s_own() -> None:
    """requires_grad off and batch norm in eval mode at every step, by hand: the same weights bit for bit."""
    settings = recipe(optimizer={"type": "sgd", "lr": 0.1, "momentum": 0.9}, frozen="0, 1")
    ours = started()
    freeze_layers(ours, settings)
    made = training(settings, model=ours, epochs=2)
    torch.manual_seed(5)
    trained(made)

    theirs = started()
    for item in (*theirs[0].parameters(), *theirs[1].parameters()):
        item.requires_grad_(False)
    optimizer = torch.optim.SGD([item for item in theirs.parameters() if item.requires_grad], lr=0.1, momentum=0.9,
                                fused=True)  # fmt: skip
    torch.manual_seed(5)
    for epoch in (1, 2):
        theirs.train()
        theirs[1].eval()
        for batch in made._data.train_batches(epoch, settings.batch_size, settings.seed):
            optimizer.zero_grad()
            nn.functional.cross_entropy(theirs(batch.inputs[0]), batch.targets[0]).backward()
            optimizer.step()
    assert same_bits(dict(ours.state_dict()), dict(theirs.state_dict()))


@pytest.mark.parametrize("kind", ["spectral_norm", "weight_norm"])
def test_a_frozen_reparametrised_layer_gives_the_same_after_training(kind: str) -> None:
    graph = draw(box("row", "input"), box("a", "linear", "row", units=8, reparametrize={"type": kind}),
                 box("r", "relu", "a"), box("b", "linear", "r", units=3), box("out", "output", "b"))  # fmt: skip
    made = drawn_project(graph, facts(row=(6,)), frozen="a")
    model = build(made).model
    freeze_layers(model, made.recipe)
    assert [name for name, item in model.named_parameters() if item.requires_grad] == ["b.weight", "b.bias"]
    before = {name: item.clone() for name, item in model.state_dict().items()}
    optimizer = torch.optim.SGD([item for item in model.parameters() if item.requires_grad], lr=0.1)
    for _ in range(3):
        model.train()
        model(torch.randn(5, 6)).square().sum().backward()
        optimizer.step()
    assert {name for name, item in model.state_dict().items() if not torch.equal(item, before[name])} == {
        "b.weight", "b.bias"
    }  # fmt: skip


def normed(**values: Any) -> Project:
    """The digits with a batch norm set inside each hidden layer, the first hidden layer frozen."""
    made = project(frozen="hidden1", epochs=3, **values)
    for node in made.graph.nodes.values():
        if node.type == "linear":
            made = made.with_graph(set_param(made.graph, "", node.id, "normalization", NORMED))
    return made


def test_a_run_that_is_stopped_goes_on_with_the_same_layers_frozen(tmp_path: Path) -> None:
    whole = Path(list(train(tmp_path / "whole", normed()))[-1].run)
    path = stopped_at(tmp_path / "part", 60, normed())
    go_on(tmp_path / "part", path)
    assert_same_run(path, whole)
    torch.manual_seed(normed().recipe.seed)
    before = build(normed()).model.state_dict()
    moved = {name.rpartition(".")[0] for name, item in weights(path).items() if not torch.equal(item, before[name])}
    assert not {name for name in moved if name.startswith("hidden1")}
    assert {"hidden2", "hidden2_norm", "digits"} <= moved
