"""The project file: read back as written, kept whole, and never a traceback."""

from __future__ import annotations

import json
import os
import random
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine import projectfile
from engine.graph import Graph, Node
from engine.migrations import migrate
from engine.problem import ProblemError, Severity
from engine.project import Project
from engine.projectfile import from_json, read_project, to_json, to_text, write_project

GOLDEN = sorted((Path(__file__).parent.parent / "golden" / "v1").glob("*.lwr"))


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def fault_of(path: Path) -> str:
    with pytest.raises(ProblemError) as caught:
        read_project(path)
    assert path.name in str(caught.value)
    return str(caught.value)


def test_there_are_golden_files() -> None:
    assert len(GOLDEN) >= 4


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_file_is_saved_back_byte_for_byte(path: Path, tmp_path: Path) -> None:
    loaded = read_project(path)
    assert (loaded.problems, loaded.read_only) == ((), False)
    write_project(loaded.project, tmp_path / "copy.lwr")
    assert (tmp_path / "copy.lwr").read_bytes() == path.read_bytes()
    assert read_project(tmp_path / "copy.lwr").project == loaded.project


def test_what_this_version_does_not_know_is_kept() -> None:
    stranger = next(path for path in GOLDEN if path.stem == "stranger")
    project = read_project(stranger).project
    assert project.graph.nodes["k"].type == "kolmogorov"
    assert project.graph.nodes["k"].extra == {"colour": "red"}
    assert project.recipe.get("optimizer")["type"] == "lionfish"
    assert project.extra["plugins"] == {"b": 1, "a": [1e-05, None]}


def test_settings_by_a_former_name_and_lists_come_back_canonical() -> None:
    data = to_json(Project())
    data["graph"]["nodes"] = [{"id": "a", "name": "a", "type": "linear", "params": {"out_features": 5, "bias": True}}]
    data["recipe"] = {"preprocess": {"type": "preprocess", "resize": [32, 32], "scale": "unit"}}
    project = from_json(data).project
    assert project.graph.nodes["a"].params == {"units": 5}
    assert project.recipe.get("preprocess") == {"type": "preprocess", "resize": (32, 32)}


def test_a_wrong_setting_is_kept_for_the_checker_to_report() -> None:
    data = to_json(Project())
    data["graph"]["nodes"] = [{"id": "a", "name": "a", "type": "linear", "params": {"units": -5, "colour": "red"}}]
    assert from_json(data).project.graph.nodes["a"].params == {"units": -5, "colour": "red"}


def test_a_newer_format_opens_read_only_with_a_warning() -> None:
    loaded = from_json({**to_json(Project(name="later")), "format": 2, "invented": True})
    assert loaded.read_only
    assert loaded.project.name == "later"
    assert loaded.problems[0].severity is Severity.WARNING


def test_older_formats_are_brought_forward_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (8, 9):
        module = ModuleType(f"engine.migrations.to_{step}")
        module.migrate = lambda data, step=step: {**data, "steps": [*data.get("steps", []), step]}  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
    assert migrate({"format": 7}, 7, 9) == {"format": 9, "steps": [8, 9]}


BAD = {
    "empty": ("", "line 1"),
    "truncated": ('{"format": 1, "graph": {"nodes": [', "ends in the middle"),
    "cut in a text": ('{"format": 1, "name": "a netw', "ends in the middle"),
    "cut in a key": ('{"format": 1, "na', "ends in the middle"),
    "cut in a word": ('{"format": 1, "read_only": tru', "ends in the middle"),
    "cut after a colon": ('{"format": 1, "name":  \n', "ends in the middle"),
    "a word that is none": ('{"format": nothing, "name": 1}', "not JSON"),
    "wrong type": ("[1, 2]", "object"),
    "other json": ('{"name": "package", "version": "1"}', "no Layerwright project"),
    "format as text": ('{"format": "1", "graph": {}}', "no Layerwright project"),
    "comma too many": ('{\n "format": 1,\n "graph": {},\n}', "line 4"),
    "nodes as object": ('{"format": 1, "graph": {"nodes": {}}}', "graph.nodes"),
    "node without id": ('{"format": 1, "graph": {"nodes": [{"name": "a", "type": "linear"}]}}', "graph.nodes[0].id"),
    "bad wire": ('{"format": 1, "graph": {"edges": ["a to b"]}}', "graph.edges[0]"),
    "wire to nowhere": ('{"format": 1, "graph": {"edges": ["a.out -> b.x"]}}', "no node 'a'"),
    "not finite": ('{"format": 1, "graph": {}, "x": NaN}', "NaN"),
    "too large": ('{"format": 1, "graph": {}, "x": 1e999}', "too large"),
    "twice": ('{"format": 1, "graph": {}, "graph": {}}', "twice"),
    "deep": ("[" * 100_000, "nested too deeply"),
    "deep enough for us": ('{"format": 1, "graph": {}, "x": ' + "[" * 300 + "]" * 300 + "}", "nested more than"),
    "half a character": ('{"format": 1, "graph": {}, "name": "\\ud800"}', "surrogates"),
    "many digits": ('{"format": 1, "graph": {}, "x": ' + "9" * 5_000 + "}", "cannot be read"),
    "facts": ('{"format": 1, "graph": {}, "data": {"inputs": 3}}', "data"),
    "repeat": (
        '{"format": 1, "graph": {"nodes": [{"id": "a", "name": "a", "type": "group", "repeat": 1000000000}]}}',
        "graph.nodes[0].repeat",
    ),
    "place": ('{"format": 1, "graph": {"nodes": [{"id": "a", "name": "a", "type": "linear", "x": true}]}}', ".x"),
}


FACTS = {
    "a type that is none": '{"inputs": {"x": {"shape": [3], "dtype": "float99"}}, "targets": {}}',
    "no size": '{"inputs": {"x": {"shape": [0], "dtype": "float32"}}, "targets": {}}',
    "endless size": '{"inputs": {"x": {"shape": [1e308], "dtype": "float32"}}, "targets": {}}',
    "a kind that is none": '{"inputs": {}, "targets": {"y": {"kind": "colour", "classes": [], "size": 1}}}',
    "streams": '{"inputs": {}, "targets": {}, "extra": {"streams": {"x": {"kind": "image"}}}}',
    "a table": '{"inputs": {}, "targets": {}, "extra": {"table": {"columns": [{"fill": 3}]}}}',
    "counts": '{"inputs": {}, "targets": {}, "counts": {"train": -1}}',
}
BAD |= {f"facts of {name}": (f'{{"format": 1, "graph": {{}}, "data": {text}}}', "data") for name, text in FACTS.items()}


@pytest.mark.parametrize("case", BAD)
def test_an_unusable_file_says_what_is_wrong_and_where(case: str, tmp_path: Path) -> None:
    text, words = BAD[case]
    assert words in fault_of(written(tmp_path / "bad.lwr", text))


def test_ids_are_unique_and_blocks_do_not_contain_themselves(tmp_path: Path) -> None:
    node = {"id": "a", "name": "a", "type": "linear"}
    data: dict[str, Any] = {"format": 1, "graph": {"nodes": [node, node]}}
    assert "used twice" in fault_of(written(tmp_path / "a.lwr", json.dumps(data)))
    boxes = {
        key: {"nodes": [{"id": "g", "name": "g", "type": "group", "definition": other}]} for key, other in ("ab", "ba")
    }
    data = {"format": 1, "graph": {"definitions": boxes}}
    assert "contains itself" in fault_of(written(tmp_path / "b.lwr", json.dumps(data)))


def test_a_picture_a_folder_and_an_absent_file_are_refused_in_words(tmp_path: Path) -> None:
    picture = tmp_path / "picture.lwr"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    assert "not text" in fault_of(picture)
    assert "cannot be read" in fault_of(tmp_path / "absent.lwr")
    (tmp_path / "folder.lwr").mkdir()
    assert "cannot be read" in fault_of(tmp_path / "folder.lwr")


def test_a_file_that_is_too_large_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projectfile, "MAX_BYTES", 10)
    assert "larger than" in fault_of(written(tmp_path / "big.lwr", to_text(Project())))


def test_a_byte_order_mark_of_another_editor_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "marked.lwr"
    path.write_bytes(b"\xef\xbb\xbf" + to_text(Project(name="marked")).encode())
    assert read_project(path).project.name == "marked"


def test_a_full_disk_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.lwr"
    write_project(Project(name="old"), path)
    before = path.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, lambda *_: full(0))
            with pytest.raises(ProblemError, match="No space left"):
                write_project(Project(name="new"), path)
        assert path.read_bytes() == before
        assert [item.name for item in tmp_path.iterdir()] == ["mine.lwr"]


def test_saving_into_a_folder_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="could not be written"):
        write_project(Project(), tmp_path / "absent" / "p.lwr")


def test_saving_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.lwr", tmp_path / "link.lwr"
    write_project(Project(name="one"), real)
    link.symlink_to(real)
    write_project(Project(name="two"), link)
    assert link.is_symlink()
    assert read_project(real).project.name == "two"


def test_the_same_project_gives_the_same_text_whatever_the_order_of_its_settings() -> None:
    def made(params: dict[str, Any]) -> str:
        return to_text(Project(graph=Graph(nodes={"a": Node("a", "a", "linear", params)})))

    assert made({"units": 5, "bias": False}) == made({"bias": False, "units": 5})


def test_text_of_a_project_is_only_text() -> None:
    evil = "\"\"\"; __import__('os').system('true') #\n\x00</script>"
    project = Project(name=evil[:50], notes=evil, graph=Graph(title=evil))
    assert from_json(json.loads(to_text(project))).project == project


def _mutated(draw: random.Random, text: str) -> str:
    kind = draw.randrange(5)
    at = draw.randrange(len(text))
    if kind == 0:
        return text[:at]
    if kind == 1:
        return text[:at] + draw.choice('{}[]",:0-e\\tn \x00é') + text[at:]
    if kind == 2:
        return text[:at] + text[at + draw.randrange(1, 20) :]
    if kind == 3:
        other = draw.randrange(len(text))
        return text[:at] + text[other : other + 30] + text[at:]
    return _swapped(draw, json.loads(text))


def _swapped(draw: random.Random, data: Any) -> str:
    """One value anywhere replaced by something of another kind."""
    holders = [data]
    for holder in holders:
        values = holder.values() if isinstance(holder, dict) else holder
        holders += [value for value in values if isinstance(value, (dict, list)) and value]
    holder = draw.choice(holders)
    key = draw.choice(list(holder)) if isinstance(holder, dict) else draw.randrange(len(holder))
    wild = [
        None,
        True,
        -1,
        10**30,
        1e300,
        "",
        "x" * 300,
        [],
        {},
        [[]],
        {"type": []},
        {"type": "sgd", "lr": []},
        "é\u0000",
    ]
    holder[key] = draw.choice(wild)
    return json.dumps(data)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_damaged_file_opens_or_gives_a_problem_and_nothing_else(path: Path, tmp_path: Path) -> None:
    draw = random.Random(path.stem)
    text = path.read_text(encoding="utf-8")
    outcomes = {"opened": 0, "refused": 0}
    for _ in range(150):
        damaged = written(tmp_path / "damaged.lwr", _mutated(draw, text))
        try:
            project = read_project(damaged).project
        except ProblemError:
            outcomes["refused"] += 1
        else:
            outcomes["opened"] += 1
            saved = to_text(project)
            assert to_text(from_json(json.loads(saved)).project) == saved
    assert min(outcomes.values()) > 0, outcomes


def test_a_name_longer_than_the_limit_is_refused() -> None:
    with pytest.raises(ProblemError, match="name"):
        from_json(to_json(replace(Project(), name="n" * 201)))
