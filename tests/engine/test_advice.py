"""Advice: each rule speaks when it should, is silent otherwise, its fix mends in one step, and it can be muted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from engine import edits
from engine.check import check_project
from engine.check_advice import BY_ID, PREFIX, RULES, check_advice, muted, rate_advice, rule_of, unmuted
from engine.datafacts import DataFacts, Target
from engine.examples import chapter_names, example_names, load_example
from engine.graph import Graph, input_ports
from engine.groups import group
from engine.known import with_facts
from engine.problem import Problem, ProblemError, Severity
from engine.project import Project
from engine.projectfile import from_json, to_json
from engine.proposal import with_proposal
from engine.removal import remove_and_bridge
from engine.tensor import TensorInfo
from tests.work import steps

Layer = tuple[str, dict[str, Any]]
PLAIN: dict[str, Any] = {}


def row(*layers: str | Layer, **recipe: Any) -> Project:
    """A stack of layers between an Input, a Flatten and an Output."""
    graph, last = Graph(), ""
    every: list[str | Layer] = ["input", "flatten", *layers, ("linear", {"units": 10}), "output"]
    for number, item in enumerate(every):
        kind, params = (item, PLAIN) if isinstance(item, str) else item
        graph, node = edits.add_node(graph, "", kind, x=200.0 * number, params=params)
        if last:
            graph = edits.connect(graph, "", last, "out", node.id, "x")
        last = node.id
    project = Project(graph=graph)
    for name, value in recipe.items():
        project = project.with_recipe(project.recipe.with_value(name, value))
    return project


def advised(project: Project) -> list[str]:
    return [item.code.removeprefix(PREFIX) for item in check_project(project) if item.severity is Severity.ADVICE]


def only(project: Project, rule: str) -> Problem:
    """The one piece of advice of a rule; its fix silences it, and adds no error and no other advice."""
    found = [item for item in check_project(project) if item.code == PREFIX + rule]
    assert len(found) == 1, [str(item) for item in check_project(project)]
    problem = found[0]
    assert problem.severity is Severity.ADVICE
    assert problem.expected == BY_ID[rule].reason
    assert problem.source == BY_ID[rule].source
    apply = problem.fixes[0].apply
    assert apply is not None
    mended = apply(project)
    assert rule not in advised(mended)
    assert set(advised(mended)) <= set(advised(project))
    before = [item.code for item in check_project(project) if item.severity is Severity.ERROR]
    assert [item.code for item in check_project(mended) if item.severity is Severity.ERROR] == before
    return problem


LECUN = {"initializer": {"type": "lecun_normal"}}
STANDARD = {"type": "preprocess", "standardize": "feature"}
SELU: tuple[str | Layer, ...] = (("linear", LECUN), "selu", ("linear", LECUN), "selu")


def test_the_list_of_rules_is_complete_and_unique() -> None:
    assert len(BY_ID) == len(RULES)
    for rule in RULES:
        assert rule.title
        assert len(rule.reason) > 30, rule.id
        assert any(character.isdigit() for character in rule.source), "a source names its year or chapter"


@pytest.mark.parametrize("name", [*example_names(), *chapter_names()])
def test_built_in_projects_get_no_advice(name: str) -> None:
    assert advised(load_example(name)) == []


def test_an_ordinary_network_gets_no_advice() -> None:
    he = {"initializer": {"type": "he_normal"}}
    assert advised(row(("linear", he), "relu", "linear", "tanh", ("dropout", {"rate": 0.5}))) == []
    assert advised(Project()) == []


def test_selu_as_it_should_be_gets_no_advice() -> None:
    assert advised(row(*SELU, ("alpha_dropout", {"rate": 0.1}), preprocess=STANDARD)) == []


def test_selu_wants_standardised_inputs() -> None:
    only(row(*SELU), "selu-inputs")
    # A batch normalisation at the input does the same.
    assert "selu-inputs" not in advised(row("batch_norm1d", *SELU))
    assert advised(row(*SELU, data={"type": "moons"})) == []


def test_selu_wants_lecun_weights_in_every_layer_and_one_fix_gives_them() -> None:
    problem = only(row("linear", "selu", ("linear", LECUN), "selu", "linear", "selu", preprocess=STANDARD), "selu-init")
    assert problem.fixes[0].detail == "in 2 layers"
    scaled = {"initializer": {"type": "variance_scaling", "scale": 1.0, "mode": "fan_in"}}
    assert advised(row(("linear", scaled), "selu", preprocess=STANDARD)) == []
    made = row("linear", "selu", preprocess=STANDARD)
    inherited = made.with_graph(edits.set_default(made.graph, "initializer", {"type": "lecun_uniform"}))
    assert advised(inherited) == []


def test_selu_wants_a_plain_stack() -> None:
    project = row(*SELU, preprocess=STANDARD)
    graph, add = edits.add_node(project.graph, "", "add", x=900.0)
    names = {node.name: node.id for node in graph.nodes.values()}
    for wire in graph.outgoing(names["selu2"]):
        graph = edits.disconnect(graph, "", wire)
        graph = edits.connect(graph, "", add.id, "out", wire.target, wire.input)
    port = input_ports(graph, add)[0].name
    for source in ("selu", "selu2"):
        graph = edits.connect(graph, "", names[source], "out", add.id, port)
    only(project.with_graph(graph), "selu-topology")


@pytest.mark.parametrize(
    "disturbing",
    [
        (*SELU, ("dropout", {"rate": 0.2})),
        (*SELU[:2], "batch_norm1d", *SELU[2:]),
        (("linear", LECUN | {"regularizer": {"type": "l2"}}), "selu"),
        (("linear", LECUN | {"max_norm": 1.0}), "selu"),
    ],
)
def test_selu_excludes_other_regularisation(disturbing: tuple[str | Layer, ...]) -> None:
    only(row(*disturbing, "linear", preprocess=STANDARD), "selu-rules")


def test_plain_dropout_becomes_alpha_dropout_of_the_same_rate() -> None:
    project = row(*SELU, ("dropout", {"rate": 0.2}), "linear", preprocess=STANDARD)
    apply = only(project, "selu-rules").fixes[0].apply
    assert apply is not None
    (node,) = apply(project).graph.of_type("alpha_dropout")
    assert dict(node.params) == {"rate": 0.2}


@pytest.mark.parametrize(("chosen", "activation"), [("glorot_uniform", "relu"), ("lecun_normal", "gelu"),
                                                    ("he_normal", "tanh"), ("he_uniform", "sigmoid")])  # fmt: skip
def test_initial_weights_must_suit_the_activation(chosen: str, activation: str) -> None:
    only(row(("linear", {"initializer": {"type": chosen}}), activation, "linear"), "init-fits")


@pytest.mark.parametrize(("chosen", "activation"), [("he_normal", "relu"), ("glorot_normal", "tanh"),
                                                    ("orthogonal", "relu"), ("torch", "silu")])  # fmt: skip
def test_initial_weights_that_suit_or_make_no_claim_pass(chosen: str, activation: str) -> None:
    assert advised(row(("linear", {"initializer": {"type": chosen}}), activation, "linear")) == []


def test_the_activation_is_found_behind_normalisation_and_dropout() -> None:
    glorot = {"initializer": {"type": "glorot_normal"}, "bias": False}
    assert advised(row(("linear", glorot), "batch_norm1d", ("dropout", {"rate": 0.1}), "relu", "linear")) == [
        "init-fits"
    ]


def test_many_sigmoids_vanish_and_a_few_do_not() -> None:
    only(row(*("linear", "sigmoid") * 5), "saturating")
    assert advised(row(*("linear", "tanh") * 3)) == []
    normed = (("linear", {"bias": False}), "batch_norm1d", "sigmoid") * 5
    assert advised(row(*normed)) == []


@pytest.mark.parametrize(
    ("before", "told"),
    [(("embedding",), False), (("embedding", ("lstm", {"returns": "sequence"})), False), (("embedding", "lstm"), True),
     (("embedding", "flatten"), True), (("embedding", ("mean", {"axes": 1})), True)],
)  # fmt: skip
def test_the_bias_of_a_layer_on_sequences_is_not_taken_away(before: tuple[str | Layer, ...], told: bool) -> None:
    project = row(*before, "linear", "batch_norm1d", "relu")
    flatten = next(node.id for node in project.graph.nodes.values() if node.type == "flatten")
    bare = project.with_graph(remove_and_bridge(project.graph, "", [flatten])) if before[-1] != "flatten" else project
    assert ("bias-before-norm" in advised(bare)) == told


def test_a_repeated_block_counts_as_often_as_it_runs() -> None:
    project = row("linear", "sigmoid", "linear")
    inside = [node.id for node in project.graph.nodes.values() if node.name in ("linear", "sigmoid")]
    graph, block = group(project.graph, "", inside)
    assert "saturating" not in advised(project.with_graph(graph))
    only(project.with_graph(edits.set_repeat(graph, "", block, 8)), "saturating")


def test_a_bias_before_batch_normalisation_does_nothing() -> None:
    only(row("linear", "batch_norm1d", "relu"), "bias-before-norm")
    assert advised(row(("linear", {"bias": False}), "batch_norm1d", "relu")) == []
    # After the activation the bias does its work; layer normalisation takes only the mean over features away.
    assert advised(row("linear", "relu", "batch_norm1d")) == []
    assert advised(row("linear", "layer_norm", "relu")) == []


def test_dropout_by_rate_and_place() -> None:
    only(row("linear", "relu", ("dropout", {"rate": 0.8}), "linear"), "dropout-rate")
    assert advised(row("linear", "relu", ("dropout", {"rate": 0.5}))) == []
    once = ("linear", "relu", ("dropout", {"rate": 0.2}))
    assert advised(row(*once * 3)) == []
    only(row(*once * 4), "dropout-place")


def test_dropout_and_relu_at_the_output() -> None:
    project = row("linear", "relu")
    last = project.graph.incoming(project.graph.of_type("output")[0].id)[0]
    for kind, rule in (("dropout", "dropout-output"), ("relu", "output-relu")):
        graph, node = edits.add_node(project.graph, "", kind, x=900.0)
        only(project.with_graph(edits.insert_on_edge(graph, "", last, node.id)), rule)


def test_l2_belongs_to_sgd_and_adamw() -> None:
    project = row("linear", "relu", optimizer={"type": "adam", "lr": 0.002, "weight_decay": 0.05})
    apply = only(project, "l2-adam").fixes[0].apply
    assert apply is not None
    assert apply(project).recipe.get("optimizer") == {"type": "adamw", "lr": 0.002, "weight_decay": 0.05}
    penalised = ("linear", {"regularizer": {"type": "l2", "l2": 0.001}})
    only(row(penalised, "relu", penalised, "relu", optimizer={"type": "nadam"}), "l2-adam")
    assert advised(row(penalised, "relu", optimizer={"type": "sgd", "momentum": 0.9})) == []
    assert advised(row("linear", optimizer={"type": "nadam", "weight_decay": 0.1, "decoupled": True})) == []
    assert advised(row("linear", optimizer={"type": "adamw", "weight_decay": 0.1})) == []


def test_tables_are_standardised_and_pixels_scaled() -> None:
    raw = {"type": "preprocess", "scale": "none"}
    only(row("linear", data={"type": "fashion_mnist"}, preprocess=raw), "inputs-scaled")
    assert advised(row("linear", data={"type": "fashion_mnist"})) == []
    facts = DataFacts({"x": TensorInfo((4,))}, {"y": Target()}, {"train": 100})
    table = with_facts(row("linear", data={"type": "csv", "path": "a.csv"}), facts)
    found = [item for item in check_project(table) if item.code == "advice.inputs-scaled"]
    assert [item.where.path for item in found] == ["recipe.preprocess.standardize"]
    assert "inputs-scaled" not in advised(with_facts(row("linear", data={"type": "csv"}, preprocess=STANDARD), facts))


def test_a_missing_flatten_is_offered() -> None:
    graph, last = Graph(), ""
    for kind in ("input", "linear", "relu", "linear", "output"):
        graph, node = edits.add_node(graph, "", kind)
        if last:
            graph = edits.connect(graph, "", last, "out", node.id, "x")
        last = node.id
    project = Project(graph=graph)
    project = project.with_recipe(project.recipe.with_value("data", {"type": "fashion_mnist"}))
    apply = only(project, "flatten").fixes[0].apply
    assert apply is not None
    assert advised(apply(project)) == []


def test_a_rate_far_from_the_proposed_one() -> None:
    project = row("linear", optimizer={"type": "sgd", "lr": 0.5})
    problem = rate_advice(project, 0.05)
    assert problem is not None
    assert problem.fixes[0].apply is not None
    assert problem.fixes[0].apply(project).recipe.get("optimizer")["lr"] == 0.05
    assert rate_advice(project, 0.2) is None
    assert rate_advice(muted(project, "lr-range"), 0.05) is None


def test_the_proposal_of_a_range_test_is_kept_while_it_is_about_this_training() -> None:
    project = with_proposal(row("linear", "relu", optimizer={"type": "sgd", "lr": 0.05}), 0.05)
    assert advised(project) == []
    fast = project.with_recipe(project.recipe.with_value("optimizer", {"type": "sgd", "lr": 0.5}))
    assert advised(fast) == ["lr-range"]
    again = from_json(json.loads(json.dumps(to_json(fast)))).project
    assert again.proposed == project.proposed
    assert advised(again) == ["lr-range"]
    moved = edits.move(fast.graph, "", {fast.graph.of_type("relu")[0].id: (1.0, 2.0)})
    assert advised(fast.with_graph(moved)) == ["lr-range"]
    # Another network, another batch or another optimizer has another rate.
    wider = edits.set_param(fast.graph, "", fast.graph.of_type("linear")[0].id, "units", 300)
    assert advised(fast.with_graph(wider)) == []
    assert advised(fast.with_recipe(fast.recipe.with_value("batch_size", 256))) == []
    assert advised(fast.with_recipe(fast.recipe.with_value("optimizer", {"type": "adam", "lr": 0.5}))) == []
    for wrong in ({"lr": -1}, {"lr": "0.1"}, 5, {"for": "x"}):
        with pytest.raises(ProblemError, match="range_test"):
            from_json({**to_json(project), "range_test": wrong})


def test_muting_is_saved_with_the_project_and_can_be_taken_back() -> None:
    project = row("linear", "batch_norm1d", "relu")
    quiet = muted(project, "bias-before-norm")
    assert advised(quiet) == []
    again = from_json(json.loads(json.dumps(to_json(quiet)))).project
    assert again.muted == ("bias-before-norm",)
    assert "muted" not in to_json(project)
    assert advised(unmuted(again, "bias-before-norm")) == ["bias-before-norm"]
    assert unmuted(muted(quiet, "flatten")).muted == ()
    with pytest.raises(ProblemError, match="muted"):
        from_json({**to_json(project), "muted": "all"})


def test_a_problem_knows_its_rule_and_tells_its_source() -> None:
    problem = only(row("linear", "batch_norm1d", "relu"), "bias-before-norm")
    assert rule_of(problem) == "bias-before-norm"
    assert "Ioffe" in str(problem)
    assert problem.to_json()["code"] == "advice.bias-before-norm"
    assert "Ioffe" in problem.to_json()["source"]
    assert rule_of(replace(problem, code="shape")) == ""


def test_the_time_of_advice_grows_with_the_layers_and_not_with_their_square() -> None:
    def work(count: int) -> int:
        project = row(*("linear", "batch_norm1d", "relu") * count, preprocess=STANDARD)
        return steps(lambda: list(check_advice(project)))

    few, many = work(25), work(100)
    assert few > 1_000
    assert many < 5 * few


def inside(units: int, activation: str, **params: Any) -> Layer:
    return "linear", {"units": units, "activation": {"type": activation}, **params}


def separate(units: int, activation: str, **params: Any) -> list[Layer]:
    return [("linear", {"units": units, **params}), (activation, PLAIN)]


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("selu", {}),
        ("relu", {"initializer": {"type": "glorot_normal"}}),
        ("tanh", {"initializer": {"type": "he_normal"}}),
        ("sigmoid", {}),
        ("selu", {"regularizer": {"type": "l2", "l2": 0.1}, "initializer": {"type": "lecun_normal"}}),
    ],
)
def test_an_activation_inside_is_advised_like_one_behind(kind: str, params: dict[str, Any]) -> None:
    one = row(*(inside(30, kind, **params) for _ in range(6)))
    two = row(*(layer for _ in range(6) for layer in separate(30, kind, **params)))
    assert advised(one) == advised(two)
    assert advised(one), "the case is about advice"


def test_a_bias_before_batch_norm_inside_is_told_where_the_norm_comes_first() -> None:
    norm = {"normalization": {"type": "batch_norm"}}
    only(row(inside(30, "relu", **norm)), "bias-before-norm")
    assert "bias-before-norm" not in advised(row(inside(30, "relu", norm_place="after", **norm)))
    only(row(("linear", {"units": 30, "norm_place": "after", **norm})), "bias-before-norm")


def test_two_activations_in_a_row_are_told() -> None:
    only(row(inside(30, "gelu"), "relu"), "activated-twice")
    assert "activated-twice" not in advised(row(("linear", {"units": 30}), "relu"))


def test_an_activation_for_all_layers_is_not_advised_at_the_last_one() -> None:
    project = row(("linear", {"units": 30}))
    relu = project.with_graph(edits.set_default(project.graph, "activation", {"type": "relu"}))
    assert "output-relu" not in advised(relu)
    last = next(node.id for node in relu.graph.nodes.values() if node.params.get("units") == 10)
    own = relu.with_graph(edits.set_param(relu.graph, "", last, "activation", {"type": "relu"}))
    assert "output-relu" in advised(own)
