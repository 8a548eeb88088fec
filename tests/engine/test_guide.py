"""The guide's tables and presets: every row applies or shows, numbers are those of the catalogue or say why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.check import check_project
from engine.cli.dispatch import main
from engine.declare import find
from engine.examples import chapter_names, example_names, load_example
from engine.guide import TABLES, Row, Table, target_of
from engine.known import known_data
from engine.presets import PRESETS, apply_changes
from engine.problem import ProblemError, Severity
from engine.project import Project
from engine.projectfile import read_project
from engine.recipe import SETTINGS
from engine.runtime.analyze import analyze
from tests.engine.test_advice import row

ROWS = [(table, item) for table in TABLES.values() for item in table.rows]


def kinds(project: Project) -> list[str]:
    return [node.type for node in project.graph.nodes.values()]


def applied(preset: str, project: Project) -> Project:
    return apply_changes(project, PRESETS[preset].plan(project))


def test_there_are_eight_tables() -> None:
    assert list(TABLES) == [f"T{number}" for number in range(1, 9)]
    assert {table.preset for table in TABLES.values()} == {"", *PRESETS}


@pytest.mark.parametrize(("table", "item"), ROWS)
def test_every_row_applies_something_or_shows_something_that_exists(table: Table, item: Row) -> None:
    assert len(item.cells) == len(table.head)
    assert (item.apply is None) != (not item.show)
    if item.show:
        kind, name = target_of(item.show)
        assert name in SETTINGS.by_name if kind == "recipe" else find(kind, name) is not None
        return
    assert item.apply is not None
    project = row("linear", "selu", "linear", "tanh", ("linear", {"units": 20}), "gelu")
    changed = item.apply(project)
    errors = [found for found in check_project(changed) if found.severity is Severity.ERROR]
    assert errors == []
    assert item.apply(changed) == changed, "twice is as once"
    if item.cells[0] != "SGD":  # which a recipe begins with
        assert changed != project


@pytest.mark.parametrize("item", [item for item in TABLES["T8"].rows if item.default])
def test_new_layers_and_recipes_start_from_the_numbers_of_the_guide(item: Row) -> None:
    assert item.default is not None
    kind, path, number = item.default
    type_name, name = path.split(".")
    declaration = find(kind, type_name)
    assert declaration is not None
    ours = declaration.by_name[name].default
    # A row that differs has to say why; one that says why has to differ.
    assert (ours == number) == (not item.differs), (path, ours, number)


def test_t1_changes_only_layers_with_its_activations() -> None:
    project = row("linear", "relu", "linear", "tanh", "linear")
    apply = TABLES["T1"].rows[1].apply
    assert apply is not None
    chosen = [node.params.get("initializer") for node in apply(project).graph.of_type("linear")]
    assert chosen == [{"type": "he_normal"}, None, None, None]


def test_a_deep_network_gets_swish_and_batch_normalisation() -> None:
    project = row(*("linear", "relu") * 6)
    made = applied("default", project)
    assert kinds(made).count("batch_norm1d") == 6
    assert kinds(made).count("silu") == 6
    assert "relu" not in kinds(made)
    hidden = [node for node in made.graph.of_type("linear") if node.params.get("units") != 10]
    assert [dict(node.params) for node in hidden] == [{"initializer": {"type": "he_normal"}, "bias": False}] * 6
    assert made.recipe.get("optimizer") == {"type": "sgd", "momentum": 0.9, "nesterov": True}
    assert made.recipe.get("schedule") == {"type": "plateau"}
    assert made.recipe.get("early_stopping")["enabled"] is True
    (last,) = [node for node in made.graph.of_type("linear") if node.params.get("units") == 10]
    assert dict(last.params) == {"units": 10}
    wires = {(made.graph.nodes[edge.source].type, made.graph.nodes[edge.target].type) for edge in made.graph.edges}
    assert wires == {("input", "flatten"), ("flatten", "linear"), ("linear", "batch_norm1d"), ("batch_norm1d", "silu"),
                     ("silu", "linear"), ("linear", "output")}  # fmt: skip


def test_a_shallow_network_gets_relu_and_no_normalisation() -> None:
    made = applied("default", row("linear", "tanh", "linear", "gelu"))
    assert kinds(made).count("relu") == 2
    assert not [kind for kind in kinds(made) if "norm" in kind]


def test_what_is_chosen_well_already_stays() -> None:
    project = row("linear", "relu", optimizer={"type": "adamw", "lr": 0.003}, schedule={"type": "one_cycle"})
    made = applied("default", project)
    assert made.recipe.get("optimizer") == {"type": "adamw", "lr": 0.003}
    assert made.recipe.get("schedule") == {"type": "one_cycle"}
    rated = applied("default", row("linear", "relu", optimizer={"type": "sgd", "lr": 0.2, "momentum": 0.8}))
    assert rated.recipe.get("optimizer") == {"type": "sgd", "lr": 0.2, "momentum": 0.8, "nesterov": True}


def test_a_self_normalising_network_has_all_its_conditions() -> None:
    costly: dict[str, Any] = {"regularizer": {"type": "l2"}, "max_norm": 1.0, "bias": False}
    project = row(("linear", costly), "batch_norm1d", "relu", ("dropout", {"rate": 0.2}), ("linear", costly), "tanh")
    made = applied("self-normalising", project)
    assert "batch_norm1d" not in kinds(made)
    (drop,) = made.graph.of_type("alpha_dropout")
    assert drop.params == {"rate": 0.2}
    assert kinds(made).count("selu") == 2
    first = made.graph.of_type("linear")[0]
    assert "bias" not in first.params
    assert not [item.code for item in check_project(made) if item.code.startswith("advice.")]


def test_a_branching_network_cannot_normalise_itself() -> None:
    with pytest.raises(ProblemError, match="plain stack"):
        PRESETS["self-normalising"].plan(load_example("cifar-resnet"))
    with pytest.raises(ProblemError, match="no hidden"):
        PRESETS["default"].plan(row())


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("name", [*example_names(), *chapter_names()])
def test_a_preset_leaves_a_network_without_errors_or_advice_and_twice_is_as_once(preset: str, name: str) -> None:
    project = load_example(name)
    before = {item.code for item in check_project(project)}
    try:
        changes = PRESETS[preset].plan(project)
    except ProblemError:
        assert name not in ("digits-mlp", "fashion-mlp", "housing", "chapter/E05", "chapter/X8a")
        return
    made = apply_changes(project, changes)
    assert {item.code for item in check_project(made)} <= before
    if known_data(made) is not None:  # other preprocessing may mean that the data has to be read anew
        analysis = analyze(made)
        assert list(analysis.errors) == []
        assert analysis.source
    assert PRESETS[preset].plan(made) == []


def test_every_change_says_what_and_why() -> None:
    for change in PRESETS["default"].plan(row(*("linear", "relu") * 6)):
        assert change.what
        assert change.before != change.after
        assert len(change.why) > 20


def test_the_command_prints_tables_and_applies_presets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guide", "t4", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(found) == len(TABLES["T4"].rows)
    assert found[3]["Optimizer"] == "Adagrad"
    assert main(["guide"]) == 0
    printed = capsys.readouterr().out
    assert all(table.title in printed for table in TABLES.values())
    target = tmp_path / "made.lwr"
    assert main(["guide", "apply", "self-normalising", "digits-mlp", "-o", str(target)]) == 0
    assert "LeCun" in capsys.readouterr().out
    assert "selu" in kinds(read_project(target).project)
    assert main(["guide", "apply", "self-normalising", str(target)]) == 0
    assert "already" in capsys.readouterr().out
    assert main(["guide", "apply", "self-normalising", "cifar-resnet"]) == 1
    for wrong in (["T9"], ["T1", "T2"], ["apply"], ["apply", "deep", "digits-mlp"], ["T1", "-o", str(target)]):
        assert main(["guide", *wrong]) == 2


def test_presets_change_what_is_set_inside_layers_and_double_nothing() -> None:
    hidden = [("linear", {"units": 30, "activation": {"type": "relu"}}) for _ in range(7)]
    made = applied("default", row(*hidden))
    layers = [node for node in made.graph.nodes.values() if node.params.get("units") == 30]
    assert {node.params["activation"]["type"] for node in layers} == {"silu"}
    assert {node.params["normalization"]["type"] for node in layers} == {"batch_norm"}
    assert not {"silu", "batch_norm1d"} & set(kinds(made))
    plain = applied("self-normalising", made)
    layers = [node for node in plain.graph.nodes.values() if node.params.get("units") == 30]
    assert {node.params["activation"]["type"] for node in layers} == {"selu"}
    assert {node.params["normalization"]["type"] for node in layers} == {"none"}
    assert not [item for item in analyze(plain).problems if item.severity is Severity.ERROR]
