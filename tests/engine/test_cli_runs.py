"""`runs`, `evaluate`, `predict` and `export` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.examples import load_example
from engine.projectfile import write_project
from engine.runs import list_runs
from engine.settings import set_value
from tests.engine.cli_tools import command, train


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWRIGHT_HOME", str(tmp_path / "home"))


@pytest.fixture
def digits(capsys, tmp_path):
    return train(capsys, tmp_path / "runs", "digits-mlp", "recipe.data.test=0.1", epochs=3)


def test_runs_are_listed_shown_and_compared(digits, capsys, tmp_path):
    runs = tmp_path / "runs"
    other = train(capsys, runs, "digits-mlp", "recipe.optimizer.lr=0.01")
    said = command(capsys, "runs", "--runs", runs, "--json")
    assert said.code == 0
    assert [line["path"] for line in said.lines] == [str(other), str(digits)]
    shown = command(capsys, "runs", "show", digits.name, "--runs", runs, "--json")
    assert shown.lines[0]["status"] == "completed"
    assert shown.lines[0]["gradients"]["level"] == "good"
    assert shown.lines[0]["activations"]["title"]
    told = command(capsys, "runs", "show", digits.name, "--runs", runs).out
    assert "Gradients reach every layer" in told
    assert shown.lines[0]["activations"]["title"] in told
    compared = command(capsys, "runs", "compare", digits.name, other.name, "--runs", runs, "--json").lines[0]
    assert compared["settings"]["recipe.optimizer.lr"] == [0.05, 0.01]
    text = command(capsys, "runs", "compare", digits.name, other.name, "--runs", runs).out
    assert "recipe.optimizer.lr" in text
    assert "val_accuracy" in text
    assert command(capsys, "runs", "--runs", runs).out.count("completed") == 2


def test_a_run_is_known_by_folder_name_id_and_unique_beginning(digits, capsys, tmp_path):
    info = list_runs(tmp_path / "runs")[0]
    for text in (str(digits), digits.name, info.name, info.id, info.id[:3], "digits"):
        assert command(capsys, "runs", "show", text, "--runs", tmp_path / "runs", "--json").lines[0]["id"] == info.id


def test_a_run_that_is_none_is_unusable(capsys, tmp_path):
    for name, more in (("resume", ()), ("evaluate", ()), ("predict", ("x.png",)), ("runs", ())):
        text = ("show", "nothing") if name == "runs" else ("nothing",)
        said = command(capsys, name, *text, *more, "--runs", tmp_path)
        assert said.code == 2, name
        assert "nothing" in said.err
    assert command(capsys, "export", "nothing", "--format", "python", "--runs", tmp_path).code == 2


def test_a_name_that_fits_several_runs_is_refused(digits, capsys, tmp_path):
    train(capsys, tmp_path / "runs", "digits-mlp")
    said = command(capsys, "evaluate", "digits-mlp", "--runs", tmp_path / "runs")
    assert said.code == 2
    assert "fits 2 runs" in said.err


def test_without_runs_nothing_is_listed(capsys, tmp_path):
    said = command(capsys, "runs", "--runs", tmp_path, "--json")
    assert (said.code, said.lines) == (0, [])
    assert "No runs" in command(capsys, "runs", "--runs", tmp_path).out


def test_evaluate_finds_the_figures_of_the_last_epoch_again(digits, capsys):
    final = list_runs(digits.parent)[0].final
    (found,) = command(capsys, "evaluate", digits, "--json", "--threads", 1, "--device", "cpu").lines
    assert found["accuracy"] == final["val_accuracy"]
    assert found["loss"] == pytest.approx(final["val_loss"], rel=1e-6)
    table = next(iter(found["tables"].values()))
    assert sum(map(sum, table["confusion"])) == found["samples"]
    assert "precision" in command(capsys, "evaluate", digits).out


def test_evaluate_takes_other_splits_and_checkpoints(digits, capsys):
    (found,) = command(capsys, "evaluate", digits, "--split", "test", "--checkpoint", "best", "--json").lines
    assert (found["split"], found["checkpoint"], found["samples"]) == ("test", "best", 180)


def test_evaluate_of_a_split_that_is_not_there_says_which_are(capsys, tmp_path):
    run = train(capsys, tmp_path / "runs", "digits-mlp")
    said = command(capsys, "evaluate", run, "--split", "test")
    assert said.code == 1
    assert "train, val" in said.err


def test_predict_goes_on_after_a_file_that_is_unusable(digits, capsys, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    np.savez(tmp_path / "good.npz", x=np.zeros((2, 1, 8, 8), np.float32))
    files = [tmp_path / name for name in ("broken.png", "good.npz", "none.csv")]
    said = command(capsys, "predict", digits, *files, "--json", "--top", 2)
    assert said.code == 1
    assert ["problem" in line for line in said.lines] == [True, False, False, True]
    good = said.lines[1]
    assert good["row"] == 0
    assert len(good["top"]) == 2
    assert good["class"] == good["top"][0]["class"]
    assert said.err.count("error:") == 2
    assert command(capsys, "predict", digits, tmp_path / "good.npz").code == 0


@pytest.mark.parametrize("format", ["python", "state_dict", "safetensors"])
def test_export_of_a_run_reports_its_comparison(format, digits, capsys, tmp_path):
    path = tmp_path / f"out.{format}"
    said = command(capsys, "export", digits, "--format", format, "-o", path, "--json")
    assert said.code == 0, said.err
    (report,) = said.lines
    assert report["largest_difference"] == 0.0
    assert report["classes_agree"] is True
    assert report["samples"] == 16
    assert report["real_samples"] is True
    assert report["bytes"] == path.stat().st_size


def test_export_of_a_project_gives_code_and_nothing_else(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = command(capsys, "export", "spirals", "--format", "python", "--runs", tmp_path)
    assert said.code == 0
    assert (tmp_path / "spirals.py").read_text().startswith("# spirals")
    again = command(capsys, "export", "spirals", "--format", "python", "--runs", tmp_path)
    assert again.code == 2
    assert "-o" in again.err
    refused = command(capsys, "export", "spirals", "--format", "safetensors", "--runs", tmp_path, "-o", tmp_path / "w")
    assert refused.code == 2
    assert not (tmp_path / "w").exists()


def test_export_bakes_computed_kernels_into_plain_layers(capsys, tmp_path):
    path = tmp_path / "spectral.lwr"
    project = set_value(load_example("digits-mlp"), "nodes.hidden1.reparametrize", "spectral_norm")
    write_project(project, path)
    wanted = ("export", path, "--format", "python", "--runs", tmp_path, "--bake", "-o", tmp_path / "m.py")
    said = command(capsys, *wanted)
    assert said.code == 0, said.err
    assert "Baked in: hidden1" in said.out
    assert "parametrizations" not in (tmp_path / "m.py").read_text()
    plain = command(capsys, "export", "spirals", *wanted[2:])
    assert "nothing to bake in" in plain.out


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="only here is there a folder that nobody can write to")
def test_a_file_that_cannot_be_written_is_unusable_whatever_writes_it(digits, capsys, tmp_path):
    """/proc is a folder where no file can be made, for root either."""
    for place in (Path("/proc/model.py"), tmp_path / "none" / "model.py"):
        for arguments in (
            ["code", "digits-mlp"], ["export", "digits-mlp", "--format", "python"],
            ["export", digits, "--format", "safetensors"], ["examples", "digits-mlp"],
            ["compress", digits, "--half"],
        ):  # fmt: skip
            said = command(capsys, *arguments, "-o", place)
            assert said.code == 2, (arguments, said.err)
            assert said.err


def test_a_run_wins_over_a_built_in_project_of_its_name(digits, capsys, tmp_path):
    said = command(
        capsys, "export", "digits-mlp", "--format", "state_dict", "--runs", tmp_path / "runs", "-o", tmp_path / "w.pt"
    )
    assert said.code == 0
    assert (tmp_path / "w.pt").exists()


def test_of_several_runs_with_a_projects_name_the_code_is_the_projects(digits, capsys, tmp_path):
    runs = tmp_path / "runs"
    train(capsys, runs, "digits-mlp")
    said = command(capsys, "export", "digits-mlp", "--format", "python", "--runs", runs, "-o", tmp_path / "m.py")
    assert said.code == 0, said.err
    assert "class DigitsMlp" in (tmp_path / "m.py").read_text()
    refused = command(capsys, "export", "digits-mlp", "--format", "safetensors", "--runs", runs, "-o", tmp_path / "w")
    assert refused.code == 2
    assert "fits 2 runs" in refused.err
    assert not (tmp_path / "w").exists()
    chosen = command(capsys, "export", digits, "--format", "safetensors", "--runs", runs, "-o", tmp_path / "w")
    assert chosen.code == 0


def test_names_and_notes_of_strangers_never_steer_the_terminal(digits, capsys, tmp_path):
    file = digits / "run.json"
    data = {**json.loads(file.read_text()), "name": "a\x1b]0;owned\x07\nb", "note": "up\x1b[1A\x9bdown"}
    file.write_text(json.dumps(data))
    for words in (("list",), ("show", digits), ("compare", digits, digits)):
        said = command(capsys, "runs", *words, "--runs", digits.parent)
        assert said.code == 0, said.err
        text = said.out + said.err
        assert not [sign for sign in text if not sign.isprintable() and sign != "\n"], words
        assert "\\x1b]0;owned" in text
    listed = command(capsys, "runs", "--runs", digits.parent).out.splitlines()
    assert len(listed) == 2, "a name with a line break stays one row"
    (found,) = command(capsys, "runs", "--runs", digits.parent, "--json").lines
    assert found["name"] == data["name"]
