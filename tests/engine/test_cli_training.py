"""`train` and `resume`: events as JSON, exit codes, signals, data that must be fetched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.cli.output import Output
from engine.cli.signals import FETCHING, TRAINING, stopping
from engine.runs import list_runs, read_info
from engine.runtime.control import Control
from tests.engine.cli_tools import ROOT, command, environment, strict, train

QUICK = ("--threads", 1, "--device", "cpu")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWRIGHT_HOME", str(tmp_path / "home"))


def test_a_training_is_told_event_by_event(capsys, tmp_path):
    said = command(
        capsys, "train", "digits-mlp", "--runs", tmp_path, "--epochs", 2, "--seed", 3, "--name", "first", "--json",
        "--set", "recipe.batch_size=2", *QUICK,
    )  # fmt: skip
    assert said.code == 0
    names = [line["event"] for line in said.lines]
    assert names[0] == "run_started"
    assert names[-1] == "run_ended"
    assert names.count("epoch_ended") == 2
    assert "checkpoint_saved" in names
    started, ended = said.lines[0], said.lines[-1]
    assert (started["name"], started["seed"], started["epochs"]) == ("first", 3, 2)
    steps = [line for line in said.lines if line["event"] == "step"]
    assert all(isinstance(step["loss"], float) for step in steps)
    assert 2 <= len(steps) < 1438 / 2  # thinned by time; the last of each epoch is always told
    epoch = next(line for line in said.lines if line["event"] == "epoch_ended")
    assert {
        "epoch",
        "train_loss",
        "val_loss",
        "val_accuracy",
        "train_accuracy",
        "lr",
        "seconds",
        "samples_per_second",
    } <= set(epoch)
    assert ended["outcome"] == "completed"
    assert {"epoch", "val_accuracy"} <= set(ended["final"])
    assert {"epoch", "metric"} <= set(ended["best"])
    assert read_info(Path(ended["run"])).status == "completed"


def test_a_training_is_told_in_plain_lines_to_people(capsys, tmp_path):
    said = command(capsys, "train", "digits-mlp", "--runs", tmp_path, "--epochs", 2, *QUICK)
    assert said.code == 0
    assert "epoch 2/2" in said.out
    assert "val accuracy" in said.out
    assert "\r" not in said.out + said.err


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no pseudo-terminal")
def test_a_bar_moves_on_a_terminal_and_nowhere_else(tmp_path):
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    line = [sys.executable, str(ROOT / "main.py"), "train", "spirals", "--epochs", "2", "--runs", str(tmp_path)]
    more = {"env": environment(tmp_path), "stdin": subprocess.DEVNULL, "timeout": 100}
    plain = subprocess.run(line, check=True, capture_output=True, text=True, **more)
    assert "step/s" not in plain.stdout + plain.stderr
    assert "\r" not in plain.stdout + plain.stderr
    subprocess.run(line, check=True, stdout=subprocess.PIPE, stderr=theirs, **more)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says so that nobody is left at the other end
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert b"/38 [" in shown, "steps done of all, at every redraw"
    assert b"step/s" in shown
    assert shown.rstrip(b" ").endswith(b"\r"), "the bar is gone at the end"


def test_settings_reach_the_training(capsys, tmp_path):
    run = train(capsys, tmp_path, "digits-mlp", "recipe.batch_size=512", "nodes.hidden1.units=7", epochs=1)
    info = read_info(run)
    assert info.step == 3
    assert info.parameters == 64 * 7 + 7 + 7 * 32 + 32 + 330


def test_runs_of_a_saved_project_lie_beside_it(capsys, tmp_path):
    path = tmp_path / "mine.lwr"
    command(capsys, "examples", "digits-mlp", "-o", path)
    assert command(capsys, "train", path, "--epochs", 1, *QUICK).code == 0
    assert len(list_runs(tmp_path / "runs")) == 1


def test_a_loss_that_is_no_number_fails_the_training(capsys, tmp_path):
    said = command(capsys, "train", "digits-mlp", "--runs", tmp_path, "--json", "--set", "recipe.optimizer.lr=100",
                   "--set", "recipe.optimizer.weight_decay=10", *QUICK)  # fmt: skip
    assert said.code == 1
    assert said.lines[-1]["outcome"] == "failed"
    assert said.lines[-1]["problem"]["code"] == "loss_not_finite"
    assert "smaller learning rate" in said.err


def test_a_missing_gpu_is_an_unusable_argument(capsys, tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this computer has a GPU")
    said = command(capsys, "train", "digits-mlp", "--runs", tmp_path, "--device", "cuda")
    assert said.code == 2
    assert "auto or cpu" in said.err
    assert list_runs(tmp_path) == []


def test_a_folder_for_runs_that_cannot_be_made_is_an_unusable_argument(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    said = command(capsys, "train", "spirals", "--runs", tmp_path / "file" / "runs", "--epochs", 1, *QUICK)
    assert said.code == 2
    assert "could not be made: Not a directory" in said.err
    assert "Errno" not in said.err
    assert said.err.count("error:") == 1

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.projectfile.os.fsync", full)
    said = command(capsys, "train", "spirals", "--runs", tmp_path / "runs", "--epochs", 1, *QUICK)
    assert said.code == 2
    assert "No space left on device" in said.err
    assert "another folder for runs" in said.err
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_data_folder_that_is_not_there_is_refused(capsys, tmp_path):
    assert command(capsys, "train", "digits-mlp", "--data", tmp_path / "none").code == 2


def test_a_finished_run_goes_on_to_more_epochs_only(capsys, tmp_path):
    run = train(capsys, tmp_path, "digits-mlp", epochs=1)
    refused = command(capsys, "resume", run.name, "--runs", tmp_path)
    assert refused.code == 2
    assert "--epochs" in refused.err
    said = command(capsys, "resume", "digits-mlp", "--runs", tmp_path, "--epochs", 3, "--json")
    assert said.code == 0
    assert said.lines[0]["event"] == "run_resumed"
    assert [line["epoch"] for line in said.lines if line["event"] == "epoch_ended"] == [2, 3]
    assert read_info(run).epoch == 3


def begun(folder: Path) -> subprocess.Popen[str]:
    """A long training in another process, after its first epoch."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "train", "digits-mlp", "--runs", str(folder / "runs"), "--json",
         "--epochs", "100000", "--threads", "1", "--device", "cpu"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment(folder),
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "epoch_ended":
            return process
    raise AssertionError(process.communicate()[1])


@pytest.mark.skipif(os.name == "nt", reason="signals to other processes are another matter on Windows")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_saves_its_state_and_goes_on(number, capsys, tmp_path):
    process = begun(tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    ended = [strict(line) for line in out.splitlines()][-1]
    assert ended["event"] == "run_ended"
    assert ended["outcome"] == "interrupted"
    run = Path(ended["run"])
    assert read_info(run).status == "interrupted"
    wanted = ended["epoch"] + 2
    said = command(capsys, "resume", run, "--epochs", wanted, "--json")
    assert said.code == 0
    assert said.lines[0]["step"] == ended["step"]
    assert said.lines[-1]["epoch"] == wanted


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no broken pipe")
def test_a_training_nobody_listens_to_ends_and_saves(tmp_path):
    process = begun(tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.wait(60)
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    (info,) = list_runs(tmp_path / "runs")
    assert info.status == "interrupted"
    assert info.step > 0


def test_the_second_signal_leaves_at_once():
    control = Control()
    before = signal.getsignal(signal.SIGINT)
    with stopping(control, Output()):
        signal.raise_signal(signal.SIGINT)
        assert control.stop_requested
        assert control.stop_outcome == "interrupted"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(("words", "said"), [(FETCHING, "nothing was trained"), (TRAINING, "the state is saved")])
def test_a_signal_is_answered_with_what_it_means_now(words, said, capsys):
    control = Control()
    with stopping(control, Output(), words):
        signal.raise_signal(signal.SIGINT)
    assert said in capsys.readouterr().err
    assert control.stop.is_set()


def test_signals_are_left_alone_in_other_threads():
    faults = []

    def work():
        try:
            with stopping(Control(), Output()):
                pass
        except ValueError as fault:
            faults.append(fault)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert faults == []
