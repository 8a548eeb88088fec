"""Every setting of everything in the catalogue, given values outside its domain: a Problem that names the domain.

Once as a file brings them and once as `--set` does. What is unknown by name is kept, byte for byte, and said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.check import check_project
from engine.declare import KINDS, Declaration, catalogue, find
from engine.defaults import DEFAULTS
from engine.examples import load_example
from engine.param import Param
from engine.problem import Problem, ProblemError, Severity
from engine.project import Project
from engine.projectfile import from_json, read_project, to_json, to_text, write_project
from engine.recipe import SETTINGS
from engine.settings import set_value
from tests.engine.catalogue import named
from tests.engine.cli_tools import command
from tests.engine.drawn import box, draw, group

NAN, INF = float("nan"), float("inf")
WRONG: dict[str, list[Any]] = {
    "int": [True, 1.5, "many", "", "12 ", NAN, INF, -INF, 10**400, [], [3, 4], {}, {"type": "relu"}],
    "float": [True, "many", "", "0,5", NAN, INF, -INF, 10**400, [], [0.1], {}],
    "bool": [0, 1, 2.0, "yes", "", [], [True], {}],
    "choice": ["no such word", "", " ", 0, 1.5, True, [], {}, NAN, 10**400],
    "text": [0, 1.5, True, [], {}, NAN, "x" * 10_001],
    "size": [True, 1.5, "3x3", "", NAN, INF, 10**400, [], [3], [3, 3, 3], [3, "3"], [3, None], [2.5, 3], {}],
    "padding": [True, "valid?", "", NAN, -INF, 10**400, [1], [1, 2, 3], [1, "same"], {}],
    "ints": ["many", 1.5, NAN, [1.5], [NAN], ["1"], [None], [[1]], [10**400], [1] * 65, {}],
    "floats": ["many", NAN, [NAN], [INF], ["1"], [None], [[1.0]], [10**400], [1.0] * 65, {}],
    "tagged": [0, True, 1.5, NAN, [], ["relu"], {}, {"type": 3}, {"type": None}, {"kind": "relu"}],
    "list": [0, True, 1.5, NAN, [3], [None], [[]], {"kind": "x"}, [{}], [{"type": 1}], [{"type": "x"}] * 65],
}  # fmt: skip
WRONG["path"] = WRONG["text"]
STRANGE = "quantum_annealing"
PLACES = {item.of: item.name for item in SETTINGS.params if item.of not in ("", "record")}
"""Settings of the recipe in which a declaration of a kind is chosen."""
INSIDE = {item.of: item.name for item in reversed(catalogue().all("layer")["linear"].params) if item.of}
"""Settings of a layer in which one is."""


def everything() -> list[Declaration]:
    """All declarations, the sets of settings that are not chosen included."""
    found = [item for kind in KINDS for item in catalogue().all(kind).values()]
    return [item for item in found if item.params]


def wrong(param: Param) -> Iterator[Any]:
    """Values that the setting must refuse."""
    yield from WRONG[param.kind]
    if not param.optional:
        yield None
    if param.kind in ("int", "float"):
        yield from (limit + step for limit, step in ((param.max, 1), (param.min, -1)) if limit is not None)
    if param.kind in ("size", "padding") and param.min is not None and param.max is not None:
        yield from (int(param.max) + 1, int(param.min) - 1, [int(param.min), int(param.min) - 1])
    if param.kind in ("ints", "floats") and param.min is not None and param.max is not None:
        yield from ([param.max * 2 + 1], [param.min - 1])


@cache
def base() -> str:
    """A small project as text."""
    return to_text(load_example("digits-mlp"))


def holding(kind: str, tagged: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A project's plain data in which a declaration is chosen with these settings, and the path of it for `--set`."""
    data = json.loads(base())
    dense = next(node for node in data["graph"]["nodes"] if node["type"] == "linear")
    if kind == "layer":
        dense |= {"type": tagged["type"], "params": {key: value for key, value in tagged.items() if key != "type"}}
        return data, f"nodes.{dense['name']}"
    if kind in INSIDE:
        dense["params"] = {**dense.get("params", {}), INSIDE[kind]: tagged}
        return data, f"nodes.{dense['name']}.{INSIDE[kind]}"
    if kind in PLACES:
        name = PLACES[kind]
        listed = SETTINGS.by_name[name].kind == "list"
        data["recipe"][name] = [tagged] if listed else tagged
        return data, f"recipe.{name}.0" if listed else f"recipe.{name}"
    values = {key: value for key, value in tagged.items() if key != "type"}
    if tagged["type"] == "recipe":
        data["recipe"] |= values
        return data, "recipe"
    if tagged["type"] == "defaults":
        data["graph"]["defaults"] = {**data["graph"].get("defaults", {}), **values}
        return data, "defaults"
    data["recipe"][tagged["type"]] = tagged
    return data, f"recipe.{tagged['type']}"


def said(problem: Problem) -> str:
    return f"{problem.happened} {problem.expected}"


def names_what_is_allowed(problem: Problem, param: Param) -> bool:
    """Whether the words hold the domain; of a choice among declarations or words, at least one that there is."""
    words = said(problem)
    if param.domain in words:
        return True
    known = catalogue().all(param.of) if param.of and param.of != "record" else ()
    return any(word in words for word in (*param.choices, *known)) and param.kind in ("tagged", "list", "choice")


def test_every_kind_has_a_place_in_a_project() -> None:
    assert {*PLACES, *INSIDE, "layer", "record"} == set(KINDS)


@pytest.mark.parametrize("declaration", **named(everything()))
def test_a_file_with_a_value_out_of_its_domain_opens_and_the_check_names_the_domain(declaration: Declaration) -> None:
    for param in declaration.params:
        for value in wrong(param):
            tagged = {"type": declaration.type, param.name: value}
            data, path = holding(declaration.kind, tagged)
            loaded = from_json(data)
            found = [item for item in check_project(loaded.project) if f"{path}.{param.name}" in item.where.path]
            errors = [item for item in found if item.severity is Severity.ERROR]
            assert errors, (param.name, value)
            assert any(names_what_is_allowed(item, param) for item in errors), (param.name, value, errors)


@pytest.mark.parametrize("declaration", **named(everything()))
def test_a_value_out_of_its_domain_is_refused_by_set_with_the_domain(declaration: Declaration) -> None:
    data, path = holding(declaration.kind, {"type": declaration.type})
    project = from_json(data).project
    for param in declaration.params:
        for value in wrong(param):
            text = value if isinstance(value, str) else json.dumps(value)
            if _means_something_else(param, text):
                continue
            with pytest.raises(ProblemError) as caught:
                set_value(project, f"{path}.{param.name}", text)
            assert names_what_is_allowed(caught.value.problem, param), (param.name, text, caught.value.problem)


def _means_something_else(param: Param, text: str) -> bool:
    """What is typed is text first: a number may become a word, `12 ` a number, nothing an empty list."""
    if param.kind in ("text", "path"):
        return len(text) <= 10_000
    try:
        return json.loads(text) is not None and param.clean(json.loads(text)) is not None
    except ValueError:
        return param.kind in ("list",) and not text.strip()


@pytest.mark.parametrize("kind", [*PLACES, *INSIDE, "layer"])
def test_what_is_unknown_by_name_is_kept_byte_for_byte_and_said(kind: str, tmp_path: Path) -> None:
    tagged = {"type": STRANGE, "depth": [1, {"a": None}], "power": 3.5, "words": "as they are"}
    data, path = holding(kind, tagged)
    first, second = tmp_path / "first.lwr", tmp_path / "second.lwr"
    # As the program itself writes it, so that every byte can be compared.
    first.write_text(json.dumps(data))
    write_project(read_project(first).project, first)
    text = first.read_bytes()
    assert text.count(STRANGE.encode()) == 1
    assert b'"as they are"' in text
    assert b'"power": 3.5' in text
    write_project(read_project(first).project, second)
    assert second.read_bytes() == text
    problems = [item for item in check_project(read_project(first).project) if STRANGE in item.happened]
    assert problems
    for problem in problems:
        assert problem.expected
        assert problem.fix
        assert problem.where.path.startswith(path) or kind == "layer"
    if kind != "layer":
        known = find(kind, next(iter(catalogue().all(kind))))
        assert known is not None
        assert any(known.type in said(problem) for problem in problems), problems


@pytest.mark.parametrize("kind", [*PLACES, *INSIDE, "layer"])
def test_the_command_line_says_what_is_unknown_and_shows_no_traceback(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, _ = holding(kind, {"type": STRANGE})
    path = tmp_path / "strange.lwr"
    path.write_text(json.dumps(data))
    told = command(capsys, "check", path, "--json")
    assert told.code == 1
    assert STRANGE in json.dumps(told.lines)


def project(**recipe: Any) -> Project:
    data = json.loads(base())
    data["recipe"] |= recipe
    return from_json(data).project


CYCLE = {"type": "one_cycle", "cycle_momentum": True}
CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"clip": [{"type": "value"}, {"type": "norm"}]}, "a clip by name"),
    ({"clip": {"type": "value", "norm": 1.0}}, "no setting 'norm'"),
    ({"optimizer": {"type": "sgd", "nesterov": True}}, "momentum is 0"),
    ({"optimizer": {"type": "lbfgs"}, "clip": {"type": "norm"}}, "mislead"),
    ({"schedule": CYCLE, "optimizer": {"type": "adagrad"}}, "momentum"),
    ({"schedule": {"type": "one_cycle"}, "epochs": 1, "batch_size": 1_000_000}, "steps"),
    ({"schedule": {"type": "piecewise", "boundaries": [5], "values": [1]}}, "1 boundaries and 1 factors"),
    ({"schedule": {"type": "chain", "parts": [{"type": "warmup"}], "lengths": [1, 2]}}, "length"),
    ({"schedule": {"type": "plateau", "monitor": "val_beauty"}}, "val_beauty"),
    ({"early_stopping": {"type": "early_stopping", "enabled": True, "monitor": "luck"}}, "luck"),
    ({"groups": [{"type": "group", "layers": "nothing*"}]}, "nothing"),
    ({"callbacks": [{"type": "csv_log"}, {"type": "csv_log"}]}, "metrics.csv"),
    ({"callbacks": [{"type": "checkpoint", "every": 0}]}, "never saved"),
    ({"precision": "fp16", "device": "cpu"}, "fp16"),
    ({"momentum_rescale": True, "optimizer": {"type": "adam"}}, "momentum"),
]  # fmt: skip


@pytest.mark.parametrize(("recipe", "words"), CONTRADICTIONS)
def test_settings_that_contradict_each_other_are_told_before_training(recipe: dict[str, Any], words: str) -> None:
    from engine.runtime.analyze import analyze

    made = project(**recipe)
    plain = {said(item) for item in analyze(project()).problems}
    fresh = [item for item in analyze(made).problems if said(item) not in plain]
    assert any(words in said(item) for item in fresh), fresh
    assert all(item.fix or item.fixes for item in fresh)


@pytest.mark.parametrize("setting", ["max_norm", "regularizer", "initializer", "activation"])
def test_what_needs_weights_is_refused_on_a_layer_without(setting: str) -> None:
    value: Any = 1.0 if setting == "max_norm" else {"type": next(iter(catalogue().all(setting)))}
    data, path = holding("layer", {"type": "dropout", setting: value})
    (problem,) = [item for item in check_project(from_json(data).project) if item.where.path == f"{path}.{setting}"]
    assert problem.severity is Severity.ERROR
    assert problem.fixes
    mended = problem.fixes[0].apply(from_json(data).project)
    assert not [item for item in check_project(mended) if item.where.path == f"{path}.{setting}"]
    with pytest.raises(ProblemError, match="has no setting"):
        set_value(from_json(holding("layer", {"type": "dropout"})[0]).project, f"{path}.{setting}", "1")


@pytest.mark.parametrize("setting", ["max_norm", "regularizer", "activation"])
def test_what_a_block_says_of_layers_that_it_does_not_hold_is_told_and_mended(setting: str) -> None:
    value: Any = 1.0 if setting == "max_norm" else {"type": list(catalogue().all(setting))[1]}

    def blocks(kind: str) -> Project:
        inside = draw(box("x", "group_input"), box("only", kind, "x"), box("y", "group_output", "only"))
        outer = draw(box("x", "group_input"), group("inner", "d", "x"), box("y", "group_output", "inner"),
                     inside={"d": inside})  # fmt: skip
        outer = replace(outer, definitions={})
        graph = draw(box("row", "input"), group("whole", "e", "row"), box("out", "output", "whole"),
                     inside={"d": inside, "e": outer})  # fmt: skip
        nodes = {**graph.nodes, "whole": replace(graph.nodes["whole"], params={setting: value})}
        return Project(graph=replace(graph, nodes=nodes))

    def told(made: Project) -> list[Problem]:
        return [item for item in check_project(made) if item.code == "param.idle"]

    (problem,) = told(blocks("dropout"))
    assert problem.severity is Severity.WARNING
    assert problem.where.path == f"nodes.whole.{setting}"
    assert told(problem.fixes[0].apply(blocks("dropout"))) == []
    assert told(blocks("linear")) == []


def test_the_defaults_of_a_project_are_held_to_their_domains() -> None:
    for param in DEFAULTS.params:
        for value in wrong(param):
            data, path = holding("record", {"type": "defaults", param.name: value})
            found = check_project(from_json(data).project)
            assert any(f"{path}.{param.name}" in item.where.path for item in found), (param.name, value)


def test_a_project_that_is_saved_again_has_lost_nothing_of_what_is_wrong() -> None:
    for declaration in everything():
        for param in declaration.params[:3]:
            data, _ = holding(declaration.kind, {"type": declaration.type, param.name: "no such word"})
            first = from_json(data).project
            assert from_json(json.loads(json.dumps(to_json(first)))).project == first
