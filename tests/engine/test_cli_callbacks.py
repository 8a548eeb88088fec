"""`train`, `resume` and `evaluate` with checkpoints by name, alerts, devices and precision."""

from __future__ import annotations

import pytest

from engine.runs import list_runs, read_events, read_info
from tests.engine.cli_tools import command

QUICK = ("--threads", 1, "--device", "cpu")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWRIGHT_HOME", str(tmp_path / "home"))


def test_a_run_goes_on_from_a_checkpoint_by_name_and_gives_up_what_came_after(capsys, tmp_path):
    chosen = ("--set", 'recipe.callbacks=[{"type": "checkpoint", "keep": 0}, {"type": "csv_log"}]')
    said = command(capsys, "train", "digits-mlp", "--runs", tmp_path, "--epochs", 4, "--json", *chosen, *QUICK)
    assert said.code == 0
    run = list_runs(tmp_path)[0].path
    whole = [line["val_loss"] for line in said.lines if line["event"] == "epoch_ended"]
    saved = [line["kind"] for line in said.lines if line["event"] == "checkpoint_saved"]
    assert [kind for kind in saved if kind.startswith("epoch")] == [f"epoch-{n:04d}" for n in range(1, 5)]
    said = command(capsys, "evaluate", run, "--checkpoint", "epoch-0002", "--json")
    assert (said.code, said.lines[0]["loss"]) == (0, pytest.approx(whole[1], rel=1e-5))
    absent = command(capsys, "evaluate", run, "--checkpoint", "epoch-0009")
    assert absent.code == 2
    assert "One of last, best, epoch-0001" in absent.err
    assert command(capsys, "evaluate", run, "--checkpoint", "../../x").code == 2
    assert command(capsys, "resume", run, "--checkpoint", "best").code == 2
    assert "weights only" in command(capsys, "resume", run, "--checkpoint", "best").err
    said = command(capsys, "resume", run, "--checkpoint", "epoch-0002", "--json")
    assert said.code == 0
    assert [line["val_loss"] for line in said.lines if line["event"] == "epoch_ended"] == whole[2:]
    epochs = [event.epoch for event in read_events(run) if event.event == "epoch_ended"]
    assert epochs == [1, 2, 3, 4]
    table = (run / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in table] == ["epoch", "1", "2", "3", "4"]
    exported = tmp_path / "second.safetensors"
    said = command(capsys, "export", run, "--checkpoint", "epoch-0001", "--format", "safetensors", "-o", exported)
    assert said.code == 0, said.err


def test_checkpoints_from_beyond_the_one_that_is_gone_on_from_are_removed(capsys, tmp_path):
    chosen = ("--set", 'recipe.callbacks=[{"type": "checkpoint", "keep": 0}]')
    command(capsys, "train", "digits-mlp", "--runs", tmp_path, "--epochs", 3, *chosen, *QUICK)
    run = list_runs(tmp_path)[0].path
    said = command(capsys, "resume", run, "--checkpoint", "epoch-0001", "--epochs", 2)
    assert said.code == 0, said.err
    kept = {path.name for path in (run / "checkpoints").iterdir()}
    assert {"epoch-0001", "epoch-0002", "last"} <= kept
    assert "epoch-0003" not in kept
    assert read_info(run).epoch == 2


def test_what_is_best_counts_anew_when_its_weights_are_gone(capsys, tmp_path):
    chosen = ("--set", 'recipe.callbacks=[{"type": "checkpoint", "keep": 0}]')
    command(capsys, "train", "digits-mlp", "--runs", tmp_path, "--epochs", 3, *chosen, *QUICK)
    run = list_runs(tmp_path)[0].path
    assert read_info(run).best["epoch"] == 3
    said = command(capsys, "resume", run, "--checkpoint", "epoch-0001", "--json")
    assert any("no longer on disk" in line.get("words", "") for line in said.lines)
    assert (run / "checkpoints" / "best").is_dir()


def test_an_alert_is_said_and_stops(capsys, tmp_path):
    chosen = ("--set", 'recipe.callbacks=[{"type": "alert", "value": 100, "then": "stop"}]')
    said = command(capsys, "train", "digits-mlp", "--runs", tmp_path, "--epochs", 5, *chosen, *QUICK)
    assert said.code == 0
    assert "is below 100 in epoch 1; training stops" in said.out
    assert "Stopped after 1 epochs" in said.out
    assert read_info(list_runs(tmp_path)[0].path).status == "stopped"


def test_a_gpu_number_that_does_not_exist_names_those_that_do(capsys, tmp_path):
    said = command(capsys, "train", "digits-mlp", "--runs", tmp_path, "--device", "cuda:97")
    assert said.code == 2
    assert "cpu" in said.err
    assert command(capsys, "train", "digits-mlp", "--runs", tmp_path, "--device", "cuda:x").code == 2
    assert list_runs(tmp_path) == []


def test_fp16_that_no_gpu_is_there_for_is_told_before_a_folder_is_made(capsys, tmp_path):
    said = command(capsys, "train", "digits-mlp", "--runs", tmp_path, "--device", "cpu", "--set",
                   "recipe.precision=fp16")  # fmt: skip
    assert said.code == 1
    assert "bf16" in said.err
    assert list_runs(tmp_path) == []
