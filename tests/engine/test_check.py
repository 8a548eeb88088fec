"""Every rule that needs no torch: it speaks when it must, is silent otherwise, and its fixes mend."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from engine import edits
from engine.check import check_outputs, check_project
from engine.datafacts import DataFacts, Target
from engine.examples import example_names, load_example
from engine.graph import Edge, Graph, Node
from engine.groups import group
from engine.known import with_facts
from engine.problem import Problem, ProblemError, Severity
from engine.project import Project
from engine.tensor import TensorInfo
from tests.engine.drawn import box, draw
from tests.work import steps


def chain(*types: str) -> Project:
    """A project with these layers in a row, each named by its type."""
    graph, last = Graph(), ""
    for number, type_name in enumerate(types):
        graph, node = edits.add_node(graph, "", type_name, x=200.0 * number)
        if last:
            graph = edits.connect(graph, "", last, "out", node.id, "x")
        last = node.id
    return Project(graph=graph)


def good() -> Project:
    return chain("input", "flatten", "linear", "output")


def changed(project: Project, called: str, **fields: Any) -> Project:
    """The project with fields of a node replaced as no edit would."""
    node = project.graph.by_name(called)
    assert node is not None
    nodes = {**project.graph.nodes, node.id: replace(node, **fields)}
    return project.with_graph(replace(project.graph, nodes=nodes))


def only(project: Project, code: str) -> Problem:
    """The one problem with that code; whatever it offers is tried, and the first must mend it."""
    found = [problem for problem in check_project(project) if problem.code == code]
    assert len(found) == 1, [str(problem) for problem in check_project(project)]
    for fix in found[0].fixes:
        assert fix.apply is not None
        fix.apply(project)
    if found[0].fixes:
        mended = check_project(found[0].fixes[0].apply(project))  # type: ignore[misc]
        assert not [problem for problem in mended if problem.code == code and problem.where == found[0].where]
    return found[0]


def test_a_good_network_has_no_problems() -> None:
    assert check_project(good()) == []


@pytest.mark.parametrize("name", example_names())
def test_the_built_in_projects_have_no_errors(name: str) -> None:
    assert [problem for problem in check_project(load_example(name)) if problem.severity is Severity.ERROR] == []


def test_an_empty_network_misses_both_ends() -> None:
    assert {problem.code for problem in check_project(Project())} == {"graph.input", "graph.output"}


def test_a_missing_input_or_output_is_added_and_wired_by_its_fix() -> None:
    for types, code, title in (
        (("flatten", "linear", "output"), "graph.input", "Add an Input before flatten"),
        (("input", "flatten", "linear"), "graph.output", "Add an Output after linear"),
    ):
        project = chain(*types)
        fix = only(project, code).fixes[0]
        assert fix.title == title
        assert fix.apply is not None
        assert check_project(fix.apply(project)) == []


@pytest.mark.parametrize("types", [("flatten", "linear", "output"), ("output",), ("linear",)])
def test_a_network_without_an_input_is_told_once(types: tuple[str, ...]) -> None:
    codes = [item.code for item in check_project(chain(*types)) if item.severity is Severity.ERROR]
    assert codes == ["graph.input"] + ["graph.output"] * ("output" not in types)


def test_a_second_layer_without_a_wire_is_still_told_where_no_input_is() -> None:
    graph = draw(box("a", "linear"), box("b", "linear"), box("both", "add", "a", "b"), box("y", "output", "both"))
    found = [item for item in check_project(Project(graph=graph)) if item.severity is Severity.ERROR]
    assert [item.code for item in found] == ["graph.input", "wire.missing"]
    assert found[0].fixes[0].title == "Add an Input before a"
    assert found[1].where.label == "b"


def test_a_circle_names_its_nodes() -> None:
    project = chain("input", "linear", "linear", "output")
    first, second = (project.graph.by_name(name) for name in ("linear", "linear2"))
    assert first is not None
    assert second is not None
    edges = (*project.graph.edges[1:], Edge(second.id, "out", first.id, "x"))
    problem = only(project.with_graph(replace(project.graph, edges=edges)), "graph.cycle")
    assert "linear2" in problem.happened
    assert "→" in problem.happened


def test_a_missing_wire_says_where_and_offers_the_loose_end() -> None:
    project = good()
    project = project.with_graph(edits.disconnect(project.graph, "", project.graph.edges[1]))
    problem = only(project, "wire.missing")
    assert (str(problem.where), problem.where.port) == ("linear", "x")
    assert "the layer after it" in problem.happened
    assert problem.fixes[0].title == "Wire it to flatten"


def test_too_many_and_misplaced_wires_are_errors() -> None:
    project = good()
    graph = project.graph
    first, last = graph.edges[0], graph.edges[-1]
    many = replace(graph, edges=(*graph.edges, replace(first, target=last.target)))
    assert "2 wires" in only(project.with_graph(many), "wire.many").happened
    wrong = replace(graph, edges=(*graph.edges, replace(last, input="y")))
    assert "'y'" in only(project.with_graph(wrong), "wire.port").happened
    wrong = replace(graph, edges=(*graph.edges[:-1], replace(last, output="state")))
    assert "'state'" in only(project.with_graph(wrong), "wire.port").happened


def test_a_branch_that_leads_nowhere_is_one_warning() -> None:
    project = good()
    graph = project.graph
    previous = graph.edges[0].target
    for _ in range(3):
        graph, node = edits.add_node(graph, "", "relu")
        graph = edits.connect(graph, "", previous, "out", node.id, "x")
        previous = node.id
    problem = only(project.with_graph(graph), "graph.dead")
    assert problem.severity is Severity.WARNING
    assert "3 layers" in problem.happened
    assert problem.fixes[0].apply(project.with_graph(graph)) == project  # type: ignore[misc]


def test_an_unknown_layer_can_be_taken_out() -> None:
    assert "kolmogorov" in only(changed(good(), "linear", type="kolmogorov"), "layer.unknown").happened


@pytest.mark.parametrize(
    ("params", "title"),
    [({"units": 0}, "Use 1"), ({"units": 2**30}, "Use 16,777,216"), ({"units": "many"}, "Use the default, 100"),
     ({"colour": "red"}, "Remove the setting"), ({"initializer": {"type": "magic"}}, "Use the default, None"),
     ({"initializer": {"type": "torch", "a": 1}}, "Use the default, None")],
)  # fmt: skip
def test_a_bad_setting_offers_the_nearest_good_one(params: dict[str, Any], title: str) -> None:
    problem = only(changed(good(), "linear", params=params), "param")
    assert problem.fixes[0].title == title
    assert problem.where.path.startswith("nodes.linear.")


def test_bad_and_doubled_names_are_renamed_by_their_fix() -> None:
    assert only(changed(good(), "linear", name="train"), "name").fixes[0].title == "Call it train2"
    assert "already called" in only(changed(good(), "linear", name="flatten"), "name").happened
    evil = only(changed(good(), "linear", name="a = 1; import os"), "name")
    assert evil.severity is Severity.ERROR


def test_ends_and_ports_stand_only_where_they_belong() -> None:
    project = good()
    linear = project.graph.by_name("linear")
    assert linear is not None
    graph, box = group(project.graph, "", [linear.id])
    definition = graph.nodes[box].definition
    level = graph.definitions[definition]
    nodes = {**level.nodes, "o": Node("o", "stray", "input"), linear.id: level.nodes[linear.id]}
    inside = graph.with_level(definition, replace(level, nodes=nodes))
    assert "inside a block" in only(project.with_graph(inside), "node.place").happened
    outside = replace(graph, nodes={**graph.nodes, "p": Node("p", "port", "group_input")})
    assert "outside" in only(project.with_graph(outside), "node.place").happened


def test_shared_weights_need_an_owner_of_the_same_kind() -> None:
    assert "does not exist" in only(changed(good(), "linear", shares="nobody"), "node.shares").happened
    project = good()
    flatten = project.graph.by_name("flatten")
    assert flatten is not None
    assert "another kind" in only(changed(project, "linear", shares=flatten.id), "node.shares").happened


def blocks(repeat: int = 1, **fields: Any) -> Project:
    project = good()
    linear = project.graph.by_name("linear")
    assert linear is not None
    graph, box = group(project.graph, "", [linear.id])
    node = replace(graph.nodes[box], repeat=repeat, **fields)
    return project.with_graph(replace(graph, nodes={**graph.nodes, box: node}))


def test_a_repeated_block_is_good_and_a_broken_one_is_named() -> None:
    assert check_project(blocks(20)) == []
    assert only(blocks(definition="gone"), "group.missing")
    assert only(blocks(5_000), "group.repeat").fixes[0].title == "Do not repeat it"


def test_each_copy_must_give_as_much_as_it_takes() -> None:
    project = blocks(3)
    graph = project.graph
    definition = graph.of_type("group")[0].definition
    graph, _ = edits.add_node(graph, definition, "group_output")
    linear = graph.definitions[definition].by_name("linear")
    port = graph.definitions[definition].by_name("out2")
    assert linear is not None
    assert port is not None
    graph = edits.connect(graph, definition, linear.id, "out", port.id, "x")
    assert "takes 1 and gives 2" in only(project.with_graph(graph), "group.ports").happened


@pytest.mark.parametrize(
    ("vary", "words"),
    [({"linear.units": (1,)}, "1 values for 2"), ({"linear.units": (1, 0)}, "0 is not"),
     ({"linear.colour": (1, 2)}, "no such"), ({"units": (1, 2)}, "no such"), ({"a.b.c": (1, 2)}, "no such")],
)  # fmt: skip
def test_what_varies_must_exist_and_be_allowed(vary: dict[str, Any], words: str) -> None:
    assert check_project(blocks(2, vary={"linear.units": (5, 6)})) == []
    assert words in only(blocks(2, vary=vary), "group.vary").happened


def test_a_hostile_number_of_layers_is_refused_quickly() -> None:
    definitions = {
        f"d{level}": Graph(nodes={"g": Node("g", "g", "group", definition=f"d{level + 1}", repeat=1_000)})
        for level in range(40)
    }
    definitions["d40"] = Graph(nodes={"l": Node("l", "l", "linear")})
    graph = Graph(nodes={"g": Node("g", "g", "group", definition="d0", repeat=1_000)}, definitions=definitions)
    codes = {problem.code for problem in check_project(Project(graph=graph))}
    assert "group.depth" in codes
    definitions = {key: level for key, level in definitions.items() if int(key[1:]) > 20}
    graph = Graph(nodes={"g": Node("g", "g", "group", definition="d21", repeat=1_000)}, definitions=definitions)
    found = [problem for problem in check_project(Project(graph=graph)) if problem.code == "graph.size"]
    assert "about 10^" in found[0].happened


def test_a_block_that_contains_itself_is_one_problem() -> None:
    level = Graph(nodes={"g": Node("g", "g", "group", definition="d")})
    graph = Graph(nodes={"g": Node("g", "g", "group", definition="d")}, definitions={"d": level})
    assert "group.recursion" in {problem.code for problem in check_project(Project(graph=graph))}


@pytest.mark.parametrize(
    ("values", "path", "title"),
    [
        ({"epochs": 0}, "recipe.epochs", "Use 1"),
        ({"epochs": "many"}, "recipe.epochs", "Use 10"),
        ({"optimizer": {"type": "lionfish"}}, "recipe.optimizer.type", "Use sgd"),
        ({"optimizer": {"type": "sgd", "lr": -1.0}}, "recipe.optimizer.lr", "Use "),
        ({"optimizer": {"type": "sgd", "speed": 1}}, "recipe.optimizer.speed", "Remove the setting"),
        ({"loss": {"type": "anger"}}, "recipe.loss.type", "Use cross_entropy"),
        ({"schedule": {"type": "never"}}, "recipe.schedule.type", "Use constant"),
        ({"metrics": ({"type": "accuracy"}, {"type": "elegance"})}, "recipe.metrics.1.type", "Remove it"),
        ({"device": "toaster"}, "recipe.device", "Use auto"),
        ({"preprocess": {"type": "early_stopping"}}, "recipe.preprocess.type", "Use preprocess"),
    ],
)
def test_a_bad_recipe_says_where_and_offers_what_is_allowed(values: dict[str, Any], path: str, title: str) -> None:
    project = good()
    problem = only(project.with_recipe(replace(project.recipe, values=values)), "param")
    assert problem.where.path == path
    assert problem.fixes[0].title.startswith(title)


def test_the_watched_figure_must_exist() -> None:
    project = good()
    for monitor, fits in (("val_loss", True), ("train_accuracy", True), ("val_acc", False), ("val_f1", False)):
        recipe = project.recipe.with_value("early_stopping", {"type": "early_stopping", "monitor": monitor})
        found = check_project(project.with_recipe(recipe))
        assert (found == []) == fits
    assert "val_accuracy" in only(project.with_recipe(recipe), "recipe.monitor").expected


def test_data_without_a_path_and_a_figure_for_other_targets_are_errors() -> None:
    project = good()
    only(project.with_recipe(project.recipe.with_value("data", {"type": "csv"})), "data.path")
    recipe = project.recipe.with_value("metrics", ({"type": "r2"},))
    assert "real values" not in only(project.with_recipe(recipe), "recipe.metric").expected


def test_a_setting_of_a_newer_version_is_a_warning() -> None:
    project = replace(good(), extra={"recipe": {"phases": []}})
    assert only(project, "recipe.unknown").severity is Severity.WARNING


def test_an_activation_that_the_loss_contains_moves_into_the_output() -> None:
    project = chain("input", "flatten", "linear", "softmax", "output")
    problem = only(project, "output.activation")
    mended = problem.fixes[0].apply(project)  # type: ignore[misc]
    assert problem.fixes[0].title == "Move it into the Output"
    assert [node.type for node in mended.graph.nodes.values()] == ["input", "flatten", "linear", "output"]
    assert check_project(mended) == []
    other = chain("input", "flatten", "linear", "sigmoid", "output")
    mended = only(other, "output.activation").fixes[0].apply(other)  # type: ignore[misc]
    assert mended.graph.of_type("output")[0].params == {"activation": "sigmoid"}
    squared = project.with_recipe(project.recipe.with_value("loss", "mse"))
    assert "output.activation" not in {problem.code for problem in check_project(squared)}


def with_target(project: Project, target: Target, loss: str = "cross_entropy") -> Project:
    recipe = project.recipe.with_value("loss", loss).with_value("metrics", ())
    facts = DataFacts(inputs={"x": TensorInfo((1, 2, 2))}, targets={"y": target})
    return with_facts(project.with_recipe(recipe), facts)


@pytest.mark.parametrize(
    ("target", "loss", "usual"),
    [(Target("value"), "cross_entropy", "mse"), (Target("class", ("a", "b", "c")), "mse", "cross_entropy"),
     (Target("binary", ("no", "yes")), "mse", "binary_cross_entropy")],
)  # fmt: skip
def test_a_loss_for_another_kind_of_target_is_exchanged(target: Target, loss: str, usual: str) -> None:
    project = with_target(good(), target, loss)
    mended = only(project, "output.loss").fixes[0].apply(project)  # type: ignore[misc]
    assert mended.recipe.get("loss")["type"] == usual


def arrived_problem(project: Project, shape: tuple[int, ...]) -> Problem | None:
    output = project.graph.of_type("output")[0]
    found = list(check_outputs(project, {output.id: TensorInfo(shape)}))
    return found[0] if found else None


def test_too_few_numbers_for_the_classes_are_an_error_with_the_layer_to_change() -> None:
    project = with_target(good(), Target("class", tuple("abcdefghij")))
    assert arrived_problem(project, (10,)) is None
    problem = arrived_problem(project, (8,))
    assert problem is not None
    assert problem.severity is Severity.ERROR
    assert problem.fixes[0].title == "Set linear to 10 outputs"
    mended = problem.fixes[0].apply(project)  # type: ignore[misc]
    linear = mended.graph.by_name("linear")
    assert linear is not None
    assert linear.params == {"units": 10}
    surplus = arrived_problem(project, (12,))
    assert surplus is not None
    assert surplus.severity is Severity.WARNING


def test_a_sequence_at_a_class_output_is_flattened_by_its_fix() -> None:
    project = with_target(good(), Target("class", tuple("abcdefghij")))
    problem = arrived_problem(project, (28, 10))
    assert problem is not None
    assert problem.arrived[0][1] == "28×10"
    mended = problem.fixes[0].apply(project)  # type: ignore[misc]
    assert [node.type for node in mended.graph.nodes.values()][-2:] == ["flatten", "linear"]
    assert check_project(mended) == []
    exact = arrived_problem(project, (10, 1))
    assert exact is not None
    assert exact.fixes[0].title == "Insert Flatten"


def test_yes_or_no_needs_one_number_and_values_their_own_count() -> None:
    binary = with_target(good(), Target("class", ("no", "yes")), "binary_cross_entropy")
    assert arrived_problem(binary, (1,)) is None
    assert arrived_problem(binary, (2,)) is not None
    values = with_target(good(), Target("value", size=3), "mse")
    assert arrived_problem(values, (3,)) is None
    assert arrived_problem(values, (1,)) is not None


def test_a_stream_that_the_data_lacks_is_named() -> None:
    project = with_target(good(), Target("class", ("a", "b")))
    assert "'sums'" in only(changed(project, "input", params={"stream": "sums"}), "node.stream").happened
    assert "'z'" in only(changed(project, "output", params={"target": "z"}), "node.stream").happened


def test_problems_come_most_serious_first_and_fit_json() -> None:
    project = changed(good(), "linear", params={"units": 0})
    graph, node = edits.add_node(project.graph, "", "relu")
    graph = edits.connect(graph, "", project.graph.edges[0].source, "out", node.id, "x")
    found = check_project(project.with_graph(graph))
    assert [problem.severity.value for problem in found] == ["error", "warning"]
    assert found[0].to_json()["code"] == "param"


def test_a_fix_whose_project_has_changed_since_is_refused_and_does_not_crash() -> None:
    project = changed(good(), "linear", params={"units": 0})
    problem = only(project, "param")
    linear = project.graph.by_name("linear")
    assert linear is not None
    gone = project.with_graph(edits.remove_nodes(project.graph, "", [linear.id]))
    with pytest.raises(ProblemError):
        problem.fixes[0].apply(gone)  # type: ignore[misc]


@pytest.mark.parametrize("wired", [True, False])
def test_the_time_of_a_check_grows_with_the_layers_and_not_with_their_square(wired: bool) -> None:
    def work(count: int) -> int:
        middle = {f"n{number}": Node(f"n{number}", f"n{number}", "linear") for number in range(count - 2)}
        nodes = {"i": Node("i", "i", "input"), **middle, "o": Node("o", "o", "output")}
        edges = tuple(Edge(first, "out", second, "x") for first, second in pairwise(nodes)) if wired else ()
        project = Project(graph=Graph(nodes=nodes, edges=edges))
        return steps(lambda: check_project(project))

    few, many = work(100), work(400)
    assert few > 1_000
    assert many < 5 * few
