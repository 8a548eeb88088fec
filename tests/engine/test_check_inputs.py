from __future__ import annotations

from engine import edits
from engine.check import check_project
from engine.graph import Graph
from engine.problem import Severity
from engine.project import Project
from engine.recipe import Recipe


def _project(data: dict[str, object], **params: object) -> Project:
    graph, _ = edits.add_node(Graph(), "", "input", params=params)
    return Project(graph=graph, recipe=Recipe().with_value("data", data))


def _found(project: Project) -> list:
    return [problem for problem in check_project(project) if problem.code == "input.data"]


def test_a_stated_shape_that_is_not_the_datas_is_an_error_with_a_fix_that_works() -> None:
    project = _project({"type": "digits"}, shape=(3, 32, 32))
    (problem,) = _found(project)
    assert problem.severity is Severity.ERROR
    assert "1×8×8" in problem.happened
    assert "3×32×32" in problem.happened
    mended = problem.fixes[0].apply(project)
    assert _found(mended) == []


def test_a_kind_that_is_not_the_datas_is_a_warning_because_no_number_changes() -> None:
    project = _project({"type": "moons"}, kind="image")
    (problem,) = _found(project)
    assert problem.severity is Severity.WARNING
    assert _found(problem.fixes[0].apply(project)) == []


def test_an_input_that_follows_its_data_has_no_problem() -> None:
    assert _found(_project({"type": "digits"})) == []
    assert _found(_project({"type": "digits"}, shape=(1, 8, 8))) == []
