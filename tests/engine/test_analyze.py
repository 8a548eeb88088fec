"""One check of a project: facts per node, totals, problems, source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.check import check_project
from engine.datafacts import DataFacts, Target
from engine.declare import catalogue, find
from engine.graph import GROUP, Graph
from engine.problem import Severity
from engine.project import Project
from engine.recipe import SETTINGS, Recipe
from engine.runtime.analyze import analyze
from engine.tensor import TensorInfo
from engine.values import examine_all
from tests.engine.drawn import box, deep, draw, facts, group, project


def test_a_node_in_a_repeated_block_knows_its_copies_and_paths() -> None:
    analysis = analyze(project(deep(20), facts(x=(784,))))
    linear = analysis.nodes["d", "linear"]
    assert linear.copies == 20
    assert linear.paths[7] == "blocks.7.linear"
    assert linear.inputs == {"x": (TensorInfo((784,)),)}
    assert linear.parameters == 78_500
    assert analysis.nodes["", "blocks"].parameters == 78_500 + 19 * 10_100
    assert analysis.layers == (*(f"blocks.{place}.linear" for place in range(20)), "head")
    assert analysis.parameters == analysis.trainable == 78_500 + 19 * 10_100 + 1_010


def test_every_line_of_the_source_that_names_a_node_leads_to_it() -> None:
    analysis = analyze(project(deep(20), facts(x=(784,))))
    lines = analysis.source.splitlines()
    for number, (definition, node) in analysis.lines.items():
        text = lines[number - 1]
        assert node in text or text.strip().startswith("return"), (definition, text)
    found = {place for place in analysis.lines.values() if place[1] not in ("y",)}
    assert found == {("d", "linear"), ("d", "relu"), ("", "blocks"), ("", "head"), ("", "out")}


def test_an_empty_project_has_problems_and_no_source() -> None:
    analysis = analyze(Project())
    assert analysis.errors
    assert analysis.source == ""


def test_a_wrong_shape_in_a_block_is_told_once_with_its_path_and_what_arrived() -> None:
    inner = draw(box("x", "group_input"), box("conv", "conv2d", "x"), box("y", "group_output", "conv"))
    graph = draw(
        box("v", "input"), group("g", "d", "v", repeat=3), box("out", "output", "g"), inside={"d": inner}
    )  # fmt: skip
    problems = [item for item in analyze(project(graph, facts(x=(784,)))).problems if item.code == "shape"]
    assert [item.where.label for item in problems] == ["g.0.conv"]
    assert problems[0].arrived == (("x", "784", "from x"),)
    assert (problems[0].where.definition, problems[0].where.node) == ("d", "conv")


def test_a_fault_that_no_output_needs_is_a_warning() -> None:
    graph = draw(
        box("v", "input"), box("fc", "linear", "v", units=3), box("conv", "conv2d", "v"), box("out", "output", "fc")
    )
    problems = [item for item in analyze(project(graph, facts(x=(784,)))).problems if item.code == "shape"]
    assert [item.severity for item in problems] == [Severity.WARNING]
    assert analyze(project(graph, facts(x=(784,)))).source


def test_an_output_that_does_not_fit_its_target_is_an_error() -> None:
    data = DataFacts({"x": TensorInfo((8,))}, {"y": Target("value", size=2)})
    graph = draw(box("v", "input"), box("fc", "linear", "v", units=3), box("out", "output", "fc"))
    analysis = analyze(project(graph, data, loss={"type": "mse"}, metrics=({"type": "mae"},)))
    assert [item.where.node for item in analysis.errors] == ["out"]
    assert analysis.source == ""
    graph = draw(box("v", "input"), box("fc", "linear", "v", units=2), box("out", "output", "fc"))
    assert analyze(project(graph, data, loss={"type": "mse"}, metrics=({"type": "mae"},))).source


def test_the_fix_of_a_wrong_shape_leads_to_a_network_that_runs() -> None:
    graph = draw(box("image", "input"), box("rows", "conv1d", "image"), box("out", "output", "rows"))
    drawn = project(graph, facts(x=(1, 8, 8)))
    problem = next(item for item in analyze(drawn).problems if item.code == "shape")
    fix = problem.fixes[0]
    assert fix.apply is not None
    mended = analyze(fix.apply(drawn))
    assert not [item for item in mended.problems if item.code == "shape" and item.where.node == "rows"]


def test_nonsense_in_a_file_never_raises() -> None:
    graph = draw(box("v", "input"), box("fc", "linear", "v", units=-3), box("out", "output", "fc"))
    assert analyze(project(graph, facts(x=(4,)))).errors
    graph = draw(box("v", "input", shape=(0, -1)), box("odd", "no such layer", more={"shares": "v"}))
    assert analyze(project(graph, facts(x=(4,)))).errors
    lost = Graph({"g": graph.nodes["v"].__class__("g", "g", GROUP, definition="gone")})
    assert analyze(project(lost, facts(x=(4,)))).errors


STRANGE = ({}, [], [1], {"type": "x"}, {"type": {}}, 1e308, True, "é", None, [[1]], {"type": ["he_normal"]})


@pytest.mark.parametrize("node", ["v", "fc", "out"])
def test_any_value_of_any_setting_is_understood_or_refused(node: str) -> None:
    graph = draw(box("v", "input"), box("fc", "linear", "v", units=3), box("out", "output", "fc"))
    kind = find("layer", graph.nodes[node].type)
    assert kind is not None
    for param in kind.params:
        for value in STRANGE:
            changed = replace(graph.nodes[node], params={**graph.nodes[node].params, param.name: value})
            analyze(project(replace(graph, nodes={**graph.nodes, node: changed}), facts(x=(4,))))
        for value in STRANGE:
            defaults = replace(graph, defaults={param.name: value})
            analyze(project(defaults, facts(x=(4,))))


def test_any_value_of_any_setting_of_the_training_is_understood_or_refused() -> None:
    graph = draw(box("v", "input"), box("fc", "linear", "v", units=3), box("out", "output", "fc"))
    start = project(graph, facts(x=(4,)))

    def stating(name: str, value: Any) -> Project:
        """As a file is read: what is wrong stays, for the checks to tell."""
        return replace(start, recipe=Recipe(examine_all(SETTINGS, {**start.recipe.values, name: value})[0]))

    for setting in SETTINGS.params:
        for value in STRANGE:
            check_project(stating(setting.name, value))
        for kind in catalogue().all(setting.of).values() if setting.of else ():
            for param in kind.params:
                for value in STRANGE:
                    tagged = {"type": kind.type, param.name: value}
                    stated = (tagged,) if setting.kind == "list" else tagged
                    check_project(stating(setting.name, stated))


def test_a_network_with_more_inputs_than_the_data_needs_only_those_it_uses() -> None:
    graph = draw(
        box("used", "input"),
        box("unused", "input", stream="b"),
        box("fc", "linear", "used"),
        box("out", "output", "fc"),
    )
    analysis = analyze(project(graph, facts(a=(4,), b=(5,))))
    assert "def forward(self, used: Tensor) -> Tensor:" in analysis.source
