"""Activations and normalisations inside a layer are the same as layers of their own behind it, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from engine import edits, groups
from engine.datafacts import DataFacts
from engine.declare import catalogue
from engine.examples import load_example
from engine.expand import expand
from engine.graph import Edge, Graph, Node
from engine.project import Project
from engine.projectfile import write_project
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.shapes import infer
from engine.settings import set_value
from engine.tensor import TensorInfo
from tests.engine.cli_tools import command

ACTIVATIONS = [name for name in catalogue().all("activation") if name != "none"]
NORMS = [name for name in catalogue().all("normalization") if name != "none"]


def network(*, image: bool, params: dict[str, Any], behind: tuple[tuple[str, str], ...] = ()) -> Project:
    """An input, one layer called `first`, what stands `behind` it by (name, type), and a dense layer to 10 classes."""
    base = load_example("digits-mlp")
    kind = {"filters": 8, "padding": "same"} if image else {"units": 24}
    rows = [("images", "input", {})]
    rows += [] if image else [("flat", "flatten", {})]
    rows += [("first", "conv2d" if image else "linear", {**kind, **params})]
    rows += [(name, type_, {}) for name, type_ in behind]
    rows += [("flatten", "flatten", {}), ("digits", "linear", {"units": 10}), ("scores", "output", {})]
    nodes = {name: Node(name, name, type_, settings) for name, type_, settings in rows}
    wires = [Edge(one, "out", two, "x", 0) for (one, *_), (two, *_) in pairwise(rows)]
    return base.with_graph(Graph(nodes=nodes, edges=tuple(wires), title="net"))


def source(project: Project) -> str:
    found = analyze(project)
    assert not found.errors, [problem.happened for problem in found.errors]
    return found.source


@pytest.mark.parametrize("kind", ACTIVATIONS)
@pytest.mark.parametrize("image", [False, True], ids=["linear", "conv"])
def test_an_activation_inside_gives_the_code_of_one_behind(kind: str, image: bool) -> None:
    inside = network(image=image, params={"activation": {"type": kind}})
    assert source(inside) == source(network(image=image, params={}, behind=(("first_act", kind),)))


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("kind", [kind for kind in NORMS if kind not in ("layer_norm", "rms_norm")])
def test_a_normalisation_inside_gives_the_code_of_one_behind(kind: str, place: str) -> None:
    layer = {"batch_norm": "batch_norm2d", "instance_norm": "instance_norm2d"}.get(kind, kind)
    params = {"normalization": {"type": kind}, "activation": {"type": "relu"}, "norm_place": place}
    behind = (("first_norm", layer), ("first_act", "relu"))
    separate = network(image=True, params={}, behind=behind if place == "before" else behind[::-1])
    assert source(network(image=True, params=params)) == source(separate)


@pytest.mark.parametrize("kind", ["layer_norm", "rms_norm"])
@pytest.mark.parametrize(
    ("layer", "shape", "over"),
    [("linear", [5], "(7,"), ("linear", [9, 5], "(7,"), ("conv1d", [3, 9], "((7, 7),"),
     ("conv2d", [3, 8, 8], "((7, 6, 6),"), ("conv3d", [2, 7, 7, 7], "((7, 5, 5, 5),")],
)  # fmt: skip
def test_a_norm_over_features_takes_all_that_a_convolution_gives(
    kind: str, layer: str, shape: list[int], over: str
) -> None:
    for settings, expected in (({}, over), ({"axes": 1}, None)):
        made = first_norm(layer, shape, {"type": kind, "eps": 0.1, **settings})
        name = f"nn.{'LayerNorm' if kind == 'layer_norm' else 'RMSNorm'}"
        assert made.startswith(name + (expected or f"({shape[-1] - 2 if layer != 'linear' else 7},")), made


def first_norm(layer: str, shape: list[int], norm: dict[str, Any]) -> str:
    """The constructor of the norm that is set in a layer of seven units or channels."""
    size: dict[str, Any] = {"units": 7} if layer == "linear" else {} if layer.startswith("depth") else {"filters": 7}
    nodes = {
        "x0": Node("x0", "images", "input", {"kind": "vector" if layer == "linear" else "image"}),
        "a": Node("a", "first", layer, {"normalization": norm, **size}), "f": Node("f", "flat", "flatten"),
        "d": Node("d", "digits", "linear", {"units": 10}), "o": Node("o", "scores", "output"),
    }  # fmt: skip
    graph = Graph(nodes=nodes, edges=tuple(Edge(a, "out", b, "x") for a, b in pairwise(list(nodes))))
    facts = DataFacts({"images": TensorInfo(tuple(shape))}, {}, {})
    made = {call.node.name: call for call in infer(expand(graph).graph, facts).calls}["first_norm"].layer
    assert made is not None
    assert made.constructor is not None, made.fault
    return str(made.constructor.text)


@pytest.mark.parametrize(
    ("layer", "norm"),
    [("linear", "BatchNorm1d"), ("conv1d", "BatchNorm1d"), ("conv2d", "BatchNorm2d"), ("conv3d", "BatchNorm3d"),
     ("depthwise_conv2d", "BatchNorm2d"), ("conv_transpose2d", "BatchNorm2d")],
)  # fmt: skip
def test_batch_norm_has_the_axes_of_the_layer(layer: str, norm: str) -> None:
    shape = {"conv1d": [3, 9], "conv3d": [2, 7, 7, 7], "linear": [5]}.get(layer, [3, 8, 8])
    made = first_norm(layer, shape, {"type": "batch_norm", "momentum": 0.2})
    assert made.startswith(f"nn.{norm}(")
    assert "momentum=0.2" in made


def test_training_with_a_learned_activation_inside_is_the_same_bit_for_bit() -> None:
    params = {"normalization": {"type": "batch_norm"}, "activation": {"type": "prelu", "per_channel": True}}
    behind = (("first_norm", "batch_norm1d"), ("first_act", "prelu"))
    inside = network(image=False, params=params)
    separate = network(image=False, params={}, behind=behind)
    separate = set_value(separate, "nodes.first_act.per_channel", "true")
    states = []
    for project in (inside, separate):
        torch.manual_seed(5)
        model = build(project).model
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(5):
            batch, target = torch.randn(16, 1, 8, 8), torch.randint(0, 10, (16,))
            loss = torch.nn.functional.cross_entropy(model(batch), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        states.append(model.state_dict())
    one, two = states
    assert list(one) == list(two)
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert {"first.weight", "first.bias", "first_norm.weight", "first_act.weight"} <= one.keys()


def chosen(project: Project) -> dict[str, str]:
    """By name of layer: the types set inside, as they hold."""
    graph = expand(project.graph).graph
    return {node.name: node.type for _, level in graph.levels() for node in level.nodes.values() if "/" in node.id}


def test_the_project_says_it_for_all_but_the_last_layers() -> None:
    project = set_value(load_example("digits-mlp"), "defaults.activation", "gelu")
    assert chosen(project) == {"hidden1_act": "gelu", "hidden2_act": "gelu"}
    project = set_value(project, "nodes.hidden1.activation", "none")
    project = set_value(project, "nodes.digits.activation", "tanh")
    assert chosen(project) == {"hidden2_act": "gelu", "digits_act": "tanh"}
    project = set_value(project, "nodes.hidden1.activation", "null")
    assert "hidden1_act" in chosen(project)


def test_a_last_layer_inside_a_block_inherits_nothing_either() -> None:
    project = load_example("digits-mlp")
    graph, _ = groups.group(project.graph, "", ["relu2", "digits"])
    project = set_value(project.with_graph(graph), "defaults.activation", "gelu")
    assert chosen(project) == {"hidden1_act": "gelu", "hidden2_act": "gelu"}


def block_project(*, repeat: int = 3) -> tuple[Project, str]:
    """digits-mlp with `hidden2` alone in a block, and the block's name."""
    project = load_example("digits-mlp")
    graph = edits.set_param(project.graph, "", "hidden2", "units", 64)
    graph, made = groups.group(graph, "", ["hidden2"])
    graph = edits.set_repeat(graph, "", made, repeat)
    return project.with_graph(graph), graph.nodes[made].name


def test_a_repeated_block_takes_its_settings_from_one_place() -> None:
    project, name = block_project()
    project = set_value(project, f"nodes.{name}.activation", "silu")
    project = set_value(project, f"nodes.{name}.normalization", "batch_norm")
    found = analyze(project)
    assert not found.errors
    model = build(project).model
    silus = [module for module in model.modules() if isinstance(module, torch.nn.SiLU)]
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm1d)]
    assert (len(silus), len(norms)) == (3, 3)
    facts = next(facts for (level, node), facts in found.nodes.items() if level and node == "hidden2")
    assert facts.parameters == 64 * 64 + 64 + 2 * 64
    assert facts.buffers == 2 * 64
    assert facts.copies == 3
    inside = {part: layer for part, layer in found.parts.items() if part.endswith("_norm")}
    assert list(inside.values()) == list(facts.paths)


def test_one_block_in_two_places_may_inherit_differently() -> None:
    project, name = block_project(repeat=1)
    level = project.graph
    block = level.by_name(name)
    assert block is not None
    second = replace(block, id="again", name="again", params={"activation": {"type": "tanh"}})
    nodes = {}
    for key, node in level.nodes.items():
        nodes[key] = replace(node, params={"activation": {"type": "elu"}}) if key == block.id else node
        if key == block.id:
            nodes["again"] = second
    edges = []
    for edge in level.edges:
        if edge.source == block.id:
            edges += [replace(edge, target="again", input=edge_input(level, block)), replace(edge, source="again")]
        else:
            edges.append(edge)
    project = project.with_graph(replace(level, nodes=nodes, edges=tuple(edges)))
    text = source(project)
    assert text.count("nn.ELU(") == 1
    assert text.count("nn.Tanh(") == 1
    build(project).model(torch.zeros(2, 1, 8, 8))
    key = next(place for place in analyze(project).nodes if place[1] == "hidden2")
    assert analyze(project).nodes[key].copies == 2


def edge_input(level: Graph, block: Node) -> str:
    return next(edge.input for edge in level.edges if edge.target == block.id)


def test_a_name_that_is_taken_gives_way() -> None:
    project = network(image=False, params={"activation": {"type": "relu"}}, behind=(("first_act", "tanh"),))
    assert "self.first_act2 = nn.ReLU()" in source(project)


def test_layers_that_share_weights_share_what_is_inside() -> None:
    project = network(image=False, params={"units": 64, "activation": {"type": "prelu"}}, behind=(("twice", "linear"),))
    level = project.graph
    nodes = {**level.nodes, "twice": replace(level.nodes["twice"], shares="first", params={"units": 64})}
    project = project.with_graph(replace(level, nodes=nodes))
    text = source(project)
    assert text.count("nn.PReLU(") == 1
    assert text.count("self.first_act(") == 2


def test_what_does_not_fit_is_told_of_the_layer_once() -> None:
    project = network(image=False, params={"normalization": {"type": "instance_norm"}})
    problems = analyze(project).errors
    assert [problem.where.node for problem in problems] == ["first"]
    assert "24" in problems[0].happened
    assert not problems[0].fixes


def test_an_unknown_choice_is_kept_and_told() -> None:
    project = network(image=False, params={"activation": {"type": "wobble"}})
    problems = analyze(project).errors
    assert [problem.where.path for problem in problems] == ["nodes.first.activation.type"]
    assert project.graph.nodes["first"].params["activation"] == {"type": "wobble"}


def test_a_wire_behind_an_activation_is_mended_as_the_person_drew_it() -> None:
    project = network(image=True, params={"activation": {"type": "relu"}})
    level = project.graph
    wires = tuple(edge for edge in level.edges if "flatten" not in (edge.source, edge.target))
    direct = replace(level, nodes={k: v for k, v in level.nodes.items() if k != "flatten"},
                     edges=(*wires, Edge("first", "out", "digits", "x")))  # fmt: skip
    direct = edits.set_param(direct, "", "digits", "units", 7)
    found = [problem for problem in analyze(project.with_graph(direct)).errors if problem.fixes]
    assert found
    for fix in found[0].fixes:
        assert fix.apply is not None
        mended = fix.apply(project.with_graph(direct))
        assert mended != project.with_graph(direct)


def test_a_graph_without_such_settings_is_the_same_value() -> None:
    graph = load_example("cifar-resnet").graph
    assert expand(graph).graph is graph


def test_the_command_line_sets_and_counts_what_is_inside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = set_value(load_example("digits-mlp"), "nodes.hidden1.activation", "leaky_relu")
    project = set_value(project, "nodes.hidden1.activation.slope", "0.2")
    project = set_value(project, "defaults.normalization", "batch_norm")
    write_project(project, tmp_path / "inside.lwr")
    found = command(capsys, "check", tmp_path / "inside.lwr", "--json")
    assert found.code == 0
    rows = {row["id"]: row for row in found.lines[-1]["nodes"]}
    assert rows["hidden1"]["parameters"] == 64 * 64 + 64 + 128
    assert rows["digits"]["parameters"] == 32 * 10 + 10
    assert found.lines[-1]["totals"]["parameters"] == 64 * 64 + 64 + 128 + 64 * 32 + 32 + 64 + 330
