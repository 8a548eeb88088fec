"""Checkpoints: what they hold, what survives a kill at every single file operation, and what is refused."""

from __future__ import annotations

import builtins
import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.problem import ProblemError
from engine.runtime import checkpoint, keeper, randomness
from engine.runtime.checkpoint import BEST, LAST, Checkpoint
from tests.engine.fakes import figures, network, recipe, resumed, same_bits, trained, training, weights


class Killed(BaseException):
    """The process died here."""


OPERATIONS = [
    (os, "replace"), (os, "fsync"), (os, "rmdir"), (os, "unlink"), (os, "mkdir"), (os, "open"), (shutil, "rmtree"),
    (builtins, "open"),
]  # fmt: skip


@contextmanager
def killed_at(number: int, folder: Path) -> Iterator[list[int]]:
    """Dies before the file operation of that number that touches the checkpoints; counts all when number is 0."""
    count = [0]

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*args: Any, **more: Any) -> Any:
            named = isinstance(args[0], int) or str(args[0]).startswith(str(folder))
            writes = real is not builtins_open or "w" in str(args[1:2])
            if named and writes:
                count[0] += 1
                if count[0] == number:
                    raise Killed
            return real(*args, **more)

        return operation

    builtins_open = builtins.open
    with pytest.MonkeyPatch.context() as patch:
        for module, name in OPERATIONS:
            patch.setattr(module, name, dying(getattr(module, name)))
        yield count


def saved_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "AT_MOST_EVERY", 0.0)


@pytest.mark.timeout(600)  # hundreds of short runs, each with real syncs to the disk
def test_a_run_killed_at_any_file_operation_resumes_bit_identical(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved_every_epoch(monkeypatch)
    settings = recipe(schedule={"type": "cosine"}, clip={"type": "norm", "limit": 0.5})
    whole = training(settings, folder=tmp_path / "whole", epochs=3)
    expected = figures(trained(whole))
    with killed_at(0, tmp_path / "count") as count:
        trained(training(settings, folder=tmp_path / "count", epochs=3))
    assert count[0] > 40
    for number in range(1, count[0] + 1):
        folder = tmp_path / str(number)
        with pytest.raises(Killed), killed_at(number, folder):
            trained(training(settings, folder=folder, epochs=3))
        if not checkpoint.exists(folder, LAST):  # before the very first was whole: nothing to go on from
            assert number <= 9
            continue
        again = resumed(folder, settings, epochs=3)
        start = again.epoch
        assert figures(trained(again)) == expected[start - 1 :], f"killed at operation {number}"
        assert same_bits(weights(again), weights(whole)), f"killed at operation {number}"
        assert again.stopping.best["epoch"] == whole.stopping.best["epoch"]
        best = [checkpoint.load(place, BEST) for place in (folder, tmp_path / "whole")]
        assert same_bits(dict(best[0].weights), dict(best[1].weights)), f"killed at operation {number}"
        assert {item.name for item in folder.iterdir()} == {"best", "last"}, f"killed at operation {number}"
        shutil.rmtree(folder)


def test_a_run_killed_again_while_it_resumes_still_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved_every_epoch(monkeypatch)
    whole = training(folder=tmp_path / "whole", epochs=3)
    trained(whole)
    for first in (14, 20, 26, 32):
        folder = tmp_path / str(first)
        with pytest.raises(Killed), killed_at(first, folder):
            trained(training(folder=folder, epochs=3))
        for second in range(1, 14):
            with suppress(Killed), killed_at(second, folder):
                trained(resumed(folder, epochs=3))
            assert checkpoint.exists(folder, LAST), f"killed at {first}, then at {second}"
        again = resumed(folder, epochs=3)
        trained(again)
        assert same_bits(weights(again), weights(whole))


def test_a_run_stopped_in_the_middle_of_an_epoch_reports_the_same_figures(tmp_path: Path) -> None:
    from engine.events import Step
    from engine.runtime.control import Control
    from engine.runtime.fit import fit

    whole = training(folder=tmp_path / "whole", epochs=3)
    expected = figures(trained(whole))
    for stop_at in (1, 9, 10, 11, 17, 29, 30):
        folder = tmp_path / str(stop_at)
        control = Control()
        for event in fit(training(folder=folder, epochs=3), control):
            if isinstance(event, Step) and event.step == stop_at:
                control.request_stop()
        again = resumed(folder, epochs=3)
        assert again.step == stop_at
        assert figures(trained(again)) == expected[(stop_at - 1) // 10 + (stop_at % 10 == 0) :] or stop_at % 10 == 0
        assert same_bits(weights(again), weights(whole))
        assert again.final["train_loss"] == whole.final["train_loss"]
        assert again.final["train_accuracy"] == whole.final["train_accuracy"]


def test_an_edit_made_while_training_holds_after_resuming(tmp_path: Path) -> None:
    from engine.events import Step
    from engine.runtime.control import Control
    from engine.runtime.fit import fit

    def edited(folder: Path, stop_at: int) -> Any:
        control = Control()
        made = training(recipe(schedule={"type": "cosine"}), folder=folder)
        for event in fit(made, control):
            if isinstance(event, Step) and event.step == 8:
                control.edit("recipe.optimizer.lr", 0.1)
                control.edit("recipe.clip", {"type": "norm", "limit": 0.3})
            if isinstance(event, Step) and event.step == stop_at:
                control.request_stop()
        return made

    whole = edited(tmp_path / "whole", 0)
    edited(tmp_path / "part", 14)
    again = resumed(tmp_path / "part", recipe(schedule={"type": "cosine"}))
    trained(again)
    assert same_bits(weights(again), weights(whole))
    assert again.steering.edits["recipe.optimizer.lr"] == 0.1


def test_a_full_disk_is_told_and_the_checkpoint_before_still_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = training(folder=tmp_path)
    list(made.save())
    made.step = 5

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProblemError, match="No space left"):
        list(made.save())
    monkeypatch.undo()
    assert checkpoint.load(tmp_path, LAST).step == 0
    assert [item.name for item in tmp_path.iterdir()] == ["last"]


@pytest.mark.skipif(sys.platform != "linux", reason="only here can the memory of a process be limited")
def test_memory_that_is_refused_while_saving_is_an_error_and_no_crash(tmp_path: Path) -> None:
    """safetensors aborts the process where it gets no memory; here it is asked for before."""
    code = (
        "import resource, sys, torch\n"
        "from pathlib import Path\n"
        "from engine.runtime import checkpoint\n"
        "weights = {'w': torch.zeros(80_000_000)}\n"
        "checkpoint.save(Path(sys.argv[1]), checkpoint.Checkpoint('last', 1, 1, {'w': torch.ones(3)}))\n"
        "used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 400_000_000,) * 2)\n"
        "try:\n"
        "    checkpoint.save(Path(sys.argv[1]), checkpoint.Checkpoint('last', 2, 1, weights))\n"
        "except MemoryError:\n"
        "    print('told')\n"
    )
    line = [sys.executable, "-c", code, str(tmp_path)]
    said = subprocess.run(line, capture_output=True, text=True, check=False, timeout=100)
    assert (said.returncode, said.stdout) == (0, "told\n"), said.stderr[-600:]
    assert checkpoint.load(tmp_path, LAST).step == 1
    assert [item.name for item in tmp_path.iterdir()] == ["last"]


@pytest.mark.parametrize("name", [checkpoint.WEIGHTS, checkpoint.TRAINING, checkpoint.MANIFEST])
@pytest.mark.parametrize("damage", ["flipped", "short", "gone"])
def test_a_damaged_checkpoint_is_never_read(tmp_path: Path, name: str, damage: str) -> None:
    saved = Checkpoint(LAST, 3, 1, checkpoint.weights_of(network()), {"a": 1})
    checkpoint.save(tmp_path, saved)
    file = tmp_path / LAST / name
    content = bytearray(file.read_bytes())
    if damage == "gone":
        file.unlink()
    elif damage == "short":
        file.write_bytes(content[: len(content) // 2])
    elif name == checkpoint.MANIFEST:
        manifest = json.loads(content)
        manifest["files"][checkpoint.WEIGHTS]["sha256"] = "0" * 64
        file.write_text(json.dumps(manifest))
    else:
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    assert checkpoint.load(tmp_path, LAST) is None


def test_a_foreign_pickle_in_a_checkpoint_does_not_run(tmp_path: Path) -> None:
    import hashlib

    class Evil:
        def __reduce__(self) -> Any:
            return (os.mkdir, (str(tmp_path / "evil"),))

    checkpoint.save(tmp_path, Checkpoint(LAST, 3, 1, checkpoint.weights_of(network()), {"a": 1}))
    file = tmp_path / LAST / checkpoint.TRAINING
    torch.save({"a": Evil()}, file)
    manifest = json.loads((tmp_path / LAST / checkpoint.MANIFEST).read_text())
    content = file.read_bytes()
    manifest["files"][checkpoint.TRAINING] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (tmp_path / LAST / checkpoint.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ProblemError, match=r"training\.pt"):
        checkpoint.load(tmp_path, LAST)
    assert not (tmp_path / "evil").exists()


def test_tied_weights_are_saved_once_and_come_back_tied(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    saved = checkpoint.weights_of(model)
    assert "1.weight" not in saved
    checkpoint.save(tmp_path, Checkpoint(LAST, 1, 1, saved, {}))
    other = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    other[1].weight = other[0].weight
    checkpoint.fill(other, checkpoint.load(tmp_path, LAST).weights)
    assert torch.equal(other[1].weight, model[0].weight)
    assert other[1].weight is other[0].weight


def test_weights_that_do_not_fit_are_refused_by_name() -> None:
    saved = checkpoint.weights_of(nn.Linear(3, 2))
    with pytest.raises(ProblemError, match="weight differs in shape"):
        checkpoint.fill(nn.Linear(4, 2), saved)
    with pytest.raises(ProblemError, match="no weights for"):
        checkpoint.fill(nn.Linear(3, 2), {"weight": saved["weight"]})
    with pytest.raises(ProblemError, match="does not have"):
        checkpoint.fill(nn.Linear(3, 2, bias=False), saved)


def test_every_generator_is_put_back() -> None:
    import random

    def draw() -> tuple[float, float, float]:
        return torch.rand(1).item(), random.random(), float(np.random.normal())

    draw()
    state = randomness.capture()
    first = draw()
    randomness.restore(state)
    assert draw() == first


def test_the_state_of_a_checkpoint_loads_without_unpickling(tmp_path: Path) -> None:
    made = training(folder=tmp_path, epochs=1)
    trained(made)
    state = torch.load(tmp_path / LAST / checkpoint.TRAINING, weights_only=True)
    assert state["step"] == 10
    assert state["generators"]["numpy"]["pos"] >= 0
