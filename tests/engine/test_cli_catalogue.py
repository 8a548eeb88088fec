"""The command line's front door, and what it says about everything that is declared."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.__main__ import is_command
from engine.cli.names import COMMANDS
from engine.declare import KINDS, catalogue
from tests.engine.cli_tools import ROOT, command, elsewhere, environment


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, capsys):
    said = command(capsys, name, "--help")
    assert said.code == 0
    assert "--json" in said.out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], False),
        (["--help"], True),
        (["--version"], True),
        (["train", "digits-mlp"], True),
        (["trian", "digits-mlp"], True),
        (["chek"], True),
        (["digits-cnn"], False),
        (["my.lwr"], False),
        (["/some/where/else/my.lwr"], False),
        (["-platform", "offscreen"], False),
    ],
)
def test_the_window_opens_unless_a_command_is_meant(arguments, expected):
    assert is_command(arguments) is expected


def test_an_existing_file_of_a_commands_sound_opens_in_the_window(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trains").write_text("{}")
    assert not is_command(["trains"])


def test_a_misspelt_command_is_refused_with_the_list(capsys):
    said = command(capsys, "trian", "digits-mlp")
    assert said.code == 2
    assert "'train'" in said.err


def test_wrong_arguments_are_refused_without_a_traceback(capsys):
    for arguments in (
        ["train"], ["train", "digits-mlp", "--set", "nonsense"], ["runs", "show"], ["runs", "compare", "a"],
        ["export", "digits-mlp", "--format", "pickle"], ["check", "digits-mlp", "--threads", "0"],
    ):  # fmt: skip
        said = command(capsys, *arguments)
        assert said.code == 2, arguments
        assert said.out == ""
        assert said.err


@pytest.mark.parametrize("arguments", [
    ["train"], ["train", "digits-mlp", "--set", "nonsense"], ["runs", "show"], ["trian", "digits-mlp"],
    ["export", "digits-mlp", "--format", "pickle"], ["check", "digits-mlp", "--threads", "0"], ["check", "a", "b"],
])  # fmt: skip
def test_wrong_arguments_are_json_where_json_was_asked_for(arguments, capsys):
    said = command(capsys, *arguments, "--json")
    assert said.code == 2
    (line,) = said.lines
    assert line["problem"]["code"] == "arguments"
    assert line["problem"]["expected"].startswith("main.py")
    assert line["problem"]["happened"] in said.err
    assert "--help" in line["problem"]["fix"]


def test_layers_lists_every_layer_with_ports_and_parameters(capsys):
    said = command(capsys, "layers", "--json")
    assert said.code == 0
    found = {line["type"]: line for line in said.lines}
    assert set(found) == set(catalogue().all("layer"))
    conv = found["conv2d"]
    assert [port["name"] for port in conv["inputs"]] == ["x"]
    assert {"filters", "kernel", "stride"} <= {param["name"] for param in conv["params"]}
    assert found["add"]["inputs"][0]["variadic"] is True
    assert all(param["help"] and param["allowed"] for line in said.lines for param in line["params"])


def test_layers_can_be_read_by_people_too(capsys):
    said = command(capsys, "layers")
    assert said.code == 0
    for declaration in catalogue().all("layer").values():
        assert declaration.title in said.out


def test_catalog_lists_every_kind_and_refuses_others(capsys):
    said = command(capsys, "catalog", "--json")
    for kind in set(KINDS) - {"record"}:
        assert {line["type"] for line in said.lines if line["kind"] == kind} == set(catalogue().all(kind))
    only = command(capsys, "catalog", "losses", "--json")
    assert {line["kind"] for line in only.lines} == {"loss"}
    wrong = command(capsys, "catalog", "tables")
    assert wrong.code == 2
    assert "optimizers" in wrong.err


def test_listing_needs_neither_qt_nor_torch(tmp_path):
    code = (
        "import sys; from engine.__main__ import main\n"
        "main(['layers']); main(['examples']); main(['params', 'digits-mlp'])\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "sys.exit(' '.join(loaded & {'PySide6', 'pyqtgraph', 'torch', 'torchvision', 'gui'}) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment(tmp_path), check=False
    )
    assert done.returncode == 0, done.stderr


def test_training_loads_no_qt(tmp_path):
    code = (
        "import sys; from engine.__main__ import main\n"
        f"assert main(['train', 'digits-mlp', '--epochs', '1', '--runs', {str(tmp_path / 'runs')!r}]) == 0\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "sys.exit(' '.join(loaded & {'PySide6', 'pyqtgraph', 'gui'}) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment(tmp_path), check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_reader_that_has_enough_ends_the_command_quietly(tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "catalog", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=environment(tmp_path), cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def test_main_py_runs_commands_without_a_display(tmp_path, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    done = elsewhere(tmp_path, "examples")
    assert done.returncode == 0
    assert "digits-mlp" in done.stdout
