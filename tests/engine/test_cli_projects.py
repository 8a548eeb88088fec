"""`check`, `code`, `params` and `examples`, and project files that cannot be used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.edits import disconnect, set_param
from engine.examples import chapter_names, example_names, load_example
from engine.projectfile import read_project, to_text, write_project
from engine.settings import list_paths, set_value
from tests.engine.cli_tools import ROOT, command, environment


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWRIGHT_HOME", str(tmp_path / "home"))


def wrong_project(folder):
    """A file whose second layer cannot take what arrives."""
    project = load_example("digits-cnn")
    graph = set_param(project.graph, "features", "features-conv2", "kernel", 31)
    graph = set_param(graph, "features", "features-conv2", "padding", 0)
    path = folder / "wrong.lwr"
    write_project(project.with_graph(graph), path)
    return path


def test_check_tells_shapes_parameters_and_totals(capsys):
    said = command(capsys, "check", "digits-mlp", "--json")
    assert said.code == 0
    (found,) = said.lines
    assert found["problems"] == []
    nodes = {node["name"]: node for node in found["nodes"]}
    hidden = nodes["hidden1"]
    assert (hidden["type"], hidden["input_shapes"], hidden["output_shape"]) == ("linear", [[64]], [64])
    assert (hidden["parameters"], hidden["trainable"], hidden["multiply_adds"]) == (4160, 4160, 4096)
    assert hidden["id"]
    assert found["totals"]["parameters"] == sum(node["parameters"] for node in found["nodes"]) == 6570


def test_check_gives_an_output_the_shape_that_arrives(capsys):
    (found,) = command(capsys, "check", "fashion-mlp", "--json").lines
    ends = {node["label"]: node for node in found["nodes"] if node["type"] in ("output", "group_output")}
    assert ends["scores"]["input_shapes"] == [[10]]
    assert ends["scores"]["output_shape"] == [10]
    assert ends["hidden/out"]["output_shape"] == [100]
    assert all(node["output_shape"] for node in found["nodes"])


def test_check_counts_every_copy_of_a_repeated_block(capsys):
    (found,) = command(capsys, "check", "fashion-mlp", "--json").lines
    hidden = next(node for node in found["nodes"] if node["name"] == "hidden")
    assert hidden["parameters"] == 784 * 100 + 100 + 2 * (100 * 100 + 100)
    linear = next(node for node in found["nodes"] if node["name"] == "linear")
    assert linear["paths"] == ["hidden.0.linear", "hidden.1.linear", "hidden.2.linear"]


def test_check_of_a_wrong_project_returns_one_and_names_the_layer(capsys, tmp_path):
    said = command(capsys, "check", wrong_project(tmp_path), "--json")
    assert said.code == 1
    problems = said.lines[0]["problems"]
    assert any(item["severity"] == "error" and item["node"] == "features-conv2" for item in problems)
    assert command(capsys, "check", wrong_project(tmp_path)).code == 1


def test_advice_and_warnings_do_not_fail_a_check(capsys):
    said = command(capsys, "check", "housing", "--json")
    assert said.code == 0
    (problem,) = said.lines[0]["problems"]
    assert problem["severity"] == "warning"
    assert "california_housing.csv" in problem["happened"]


@pytest.mark.parametrize(
    ("table", "data", "words"),
    [
        ("a,b,y\n1,2,3\n4,5\n", {"type": "csv", "path": "t.csv", "target": "y"}, "Line 3 has 2 cells"),
        ("a,b,y\n1,2,3\n4,5,6\n", {"type": "csv", "path": "t.csv"}, "No column to predict"),
        ("a,b,y\n1,2,3\n4,5,6\n", {"type": "csv", "path": "u.csv", "target": "y"}, "no file u.csv"),
        ("", {"type": "nothing"}, "no dataset 'nothing'"),
    ],
)
def test_data_that_cannot_be_read_is_one_error_of_check_and_training(table, data, words, capsys, tmp_path):
    (tmp_path / "t.csv").write_text(table)
    given = ("--data", tmp_path, "--set", f"recipe.data={json.dumps(data)}", "--json")
    if data["type"] == "nothing":  # --set refuses it; a file may say it
        path = tmp_path / "p.lwr"
        project = json.loads(to_text(load_example("digits-mlp")))
        path.write_text(json.dumps({**project, "recipe": {**project["recipe"], "data": data}}))
        given = ("--json",)
    else:
        path = "housing"
    said = command(capsys, "check", path, *given)
    assert said.code == 1
    (problem,) = said.lines[0]["problems"]
    assert problem["severity"] == "error"
    assert words in problem["happened"]
    trained = command(capsys, "train", path, *given, "--runs", tmp_path / "runs")
    assert trained.code == 1
    (line,) = trained.lines
    assert line["problem"]["happened"] == problem["happened"]
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"format": 1, "graph": 3}', '{"format": "x", "graph": {}}', "[" * 100_000, '{"nodes": 1}', "\x00\x01"],
)
@pytest.mark.parametrize("name", ["check", "train", "code", "params"])
def test_a_file_that_is_no_project_gives_one_message_and_exit_code_two(name, text, capsys, tmp_path):
    path = tmp_path / "bad.lwr"
    path.write_text(text)
    said = command(capsys, name, path)
    assert said.code == 2
    assert said.err.count("error:") == 1
    assert "bad.lwr" in said.err


def test_a_name_that_is_nothing_gets_the_names_there_are(capsys):
    said = command(capsys, "check", "digits-mpl")
    assert said.code == 2
    assert "did you mean 'digits-mlp'" in said.err


def test_a_problem_is_json_where_json_was_asked_for(capsys):
    said = command(capsys, "check", "nothing", "--json")
    assert said.code == 2
    assert said.lines[0]["problem"]["severity"] == "error"


def test_settings_change_what_is_checked(capsys):
    (found,) = command(capsys, "check", "digits-mlp", "--json", "--set", "nodes.hidden1.units=10").lines
    assert next(node for node in found["nodes"] if node["name"] == "hidden1")["output_shape"] == [10]


def test_settings_apply_left_to_right(capsys):
    said = command(
        capsys, "params", "digits-mlp", "--json", "--set", "recipe.optimizer=sgd",
        "--set", "recipe.optimizer.momentum=0.5", "--set", "recipe.optimizer.momentum=0.8",
    )  # fmt: skip
    values = {line["path"]: line["value"] for line in said.lines}
    assert values["recipe.optimizer"] == "sgd"
    assert values["recipe.optimizer.momentum"] == 0.8


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("recipe.epoch=3", "did you mean 'epochs'"),
        ("recipe.optimizer.lrr=3", "lr"),
        ("nodes.hiden1.units=3", "did you mean 'hidden1'"),
        ("nodes.hidden1.unit=3", "did you mean 'units'"),
        ("nodes.hidden1.units=0", "1"),
        ("recipe.epochs=many", "whole number"),
        ("epochs=3", "recipe."),
    ],
)
def test_settings_that_do_not_exist_are_refused_with_what_does(setting, words, capsys):
    said = command(capsys, "train", "digits-mlp", "--set", setting)
    assert said.code == 2
    assert words in said.err


@pytest.mark.parametrize("name", example_names())
def test_every_path_that_params_lists_can_be_set_to_its_value(name, capsys):
    project = load_example(name)
    said = command(capsys, "params", name, "--json")
    assert said.code == 0
    assert len(said.lines) == len(list_paths(project))
    for line in said.lines:
        value = line["value"]
        # A tagged value is listed by its type, with its settings below; setting it alone resets those.
        text = json.dumps(value) if not isinstance(value, str) else value
        set_value(project, line["path"], text)


def test_code_runs_with_torch_alone(capsys, tmp_path):
    path = tmp_path / "model.py"
    assert command(capsys, "code", "cifar-resnet", "-o", path).code == 0
    program = (
        "import runpy, torch\n"
        f"names = runpy.run_path({str(path)!r})\n"
        "model = names['CifarResnet']().eval()\n"
        "print(tuple(model(torch.zeros(2, 3, 32, 32)).shape), sum(p.numel() for p in model.parameters()))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stdout.strip() == "(2, 10) 272474", done.stderr


def test_code_of_a_wrong_project_is_refused(capsys, tmp_path):
    said = command(capsys, "code", wrong_project(tmp_path), "-o", tmp_path / "model.py")
    assert said.code == 1
    assert not (tmp_path / "model.py").exists()


def test_a_project_without_an_output_is_refused_before_training(capsys, tmp_path):
    project = load_example("digits-mlp")
    edge = next(edge for edge in project.graph.edges if edge.target == "scores")
    path = tmp_path / "open.lwr"
    write_project(project.with_graph(disconnect(project.graph, "", edge)), path)
    said = command(capsys, "train", path, "--runs", tmp_path / "runs")
    assert said.code == 1
    assert not (tmp_path / "runs").exists()


def test_examples_are_listed_and_written(capsys, tmp_path):
    said = command(capsys, "examples", "--json")
    assert [line["name"] for line in said.lines] == [*example_names(), *chapter_names()]
    fetched = {line["name"] for line in said.lines if line["fetches"]}
    assert {"housing", "cifar-resnet", "fashion-mlp"} <= fetched
    assert not fetched & {"digits-mlp", "spirals", "two-inputs"}
    path = tmp_path / "mine.lwr"
    assert command(capsys, "examples", "spirals", "-o", path).code == 0
    assert read_project(path).project == load_example("spirals")
    assert json.loads(command(capsys, "examples", "spirals").out)["name"] == "spirals"
    assert command(capsys, "examples", "sprials").code == 2


def test_what_is_printed_is_utf8_even_where_the_terminal_is_not(tmp_path):
    line = [sys.executable, str(ROOT / "main.py"), "code", "digits-mlp"]
    variables = {**environment(tmp_path), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(line, capture_output=True, cwd=ROOT, env=variables, check=False)
    assert "1×8×8 → 10" in done.stdout.decode("utf-8")
    line[2:] = ["check", "digits-mlp"]
    done = subprocess.run(line, capture_output=True, cwd=ROOT, env=variables, check=False)
    assert done.returncode == 0
    assert b"1?8?8" in done.stdout


@pytest.mark.parametrize("name", ["train", "runs"])
def test_a_file_is_no_folder_for_runs(name, capsys, tmp_path):
    (tmp_path / "file").touch()
    said = command(capsys, name, *(["digits-mlp"] if name == "train" else []), "--runs", tmp_path / "file")
    assert said.code == 2
    assert "no folder" in said.err


def test_check_tells_what_was_noticed_while_reading_a_newer_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "newer.lwr"
    text = to_text(load_example("digits-mlp"))
    file.write_text(text.replace('"format": 1', '"format": 99', 1), encoding="utf-8")
    assert main(["check", str(file)]) == 0
    told = capsys.readouterr()
    assert "No problems" not in told.out
    assert "newer" in told.out
    assert main(["check", str(file), "--json"]) == 0
    assert [problem["severity"] for problem in json.loads(capsys.readouterr().out)["problems"]] == ["warning"]
