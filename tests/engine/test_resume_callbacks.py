"""A SIGKILL at any moment of a training with every extra and callback on: the rest ends as if nothing had happened."""

from __future__ import annotations

import csv
import signal
from pathlib import Path
from typing import Any

import pytest

from engine.events import Alerted
from engine.project import Project
from engine.projectfile import write_project
from engine.runs import read_events
from engine.runtime import checkpoint
from tests.engine.forked import run_forked
from tests.engine.test_resume import CHILD, assert_same_run, go_on, project, train

EXTRAS: dict[str, Any] = {
    "accumulate": 2, "sampler": "balanced", "train_figures": "evaluated", "precision": "bf16", "epochs": 4,
    "ema": {"type": "ema", "enabled": True, "decay": 0.95}, "clip": {"type": "norm_each", "limit": 0.5},
    "callbacks": (
        {"type": "checkpoint", "every": 1, "keep": 2, "best": True, "monitor": "val_accuracy"}, {"type": "csv_log"},
        {"type": "alert", "figure": "val_loss", "value": 1e6}, {"type": "alert", "value": 1e6, "repeat": True},
    ),
}  # fmt: skip


def everything() -> Project:
    return project(**EXTRAS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The uninterrupted run."""
    return Path(list(train(tmp_path_factory.mktemp("whole"), everything()))[-1].run)


def table(path: Path) -> list[dict[str, str]]:
    with open(path / "metrics.csv", encoding="utf-8", newline="") as stream:
        return [
            {key: value for key, value in row.items() if key not in ("seconds", "samples_per_second")}
            for row in csv.DictReader(stream)
        ]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize(
    ("moment", "every"),
    [("step30", 0), ("epoch_ended46", 0), ("checkpoint_saved46", 0), ("write14", 0), ("write16", 0), ("step80", 100),
     ("alerted69", 0)],
)  # fmt: skip
def test_a_kill_leaves_nothing_double_and_nothing_out(tmp_path: Path, whole: Path, moment: str, every: float) -> None:
    write_project(everything(), tmp_path / "project.lwr")
    assert run_forked(CHILD, tmp_path, moment, every) == -signal.SIGKILL
    (path,) = (tmp_path / "runs").iterdir()
    go_on(tmp_path, path)
    assert_same_run(path, whole)
    assert table(path) == table(whole)
    assert [row["epoch"] for row in table(path)] == ["1", "2", "3", "4"]
    folders = path / "checkpoints", whole / "checkpoints"
    assert checkpoint.names(folders[0]) == checkpoint.names(folders[1])
    assert {"epoch-0003", "epoch-0004", "best-val_accuracy"} <= set(checkpoint.names(folders[0]))
    for name in checkpoint.names(folders[0]):
        one, two = (checkpoint.load(folder, name) for folder in folders)
        assert one is not None
        assert two is not None
        assert all(bool((item == two.weights[key]).all()) for key, item in one.weights.items()), name
    # The first alert spoke in epoch 1 alone, the other in every epoch; the record shows each once.
    told = [event.epoch for event in read_events(path) if isinstance(event, Alerted)]
    assert told == [event.epoch for event in read_events(whole) if isinstance(event, Alerted)] == [1, 1, 2, 3, 4]
