"""Going on with a run: bit-identical after a stop or a SIGKILL at any moment, longer, and what is said or refused."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from engine.events import Alerted, EpochEnded, Event, RunEnded, RunResumed, RunStarted, Step
from engine.examples import load_example
from engine.places import Places
from engine.problem import ProblemError
from engine.project import Project
from engine.projectfile import write_project
from engine.runs import own, read_events, read_info, update_info
from engine.runtime import checkpoint
from engine.runtime.control import Control
from engine.runtime.restore import load_preprocess
from engine.runtime.session import run
from engine.timeline import Timeline
from tests.engine.forked import run_forked

EPOCHS = 6


def project(**recipe: Any) -> Project:
    """Digits with momentum, a schedule and clipping: everything that has a state."""
    made = load_example("digits-mlp")
    values = {
        "epochs": EPOCHS, "batch_size": 32, "optimizer": {"type": "sgd", "lr": 0.05, "momentum": 0.9},
        "schedule": {"type": "cosine"}, "clip": {"type": "norm", "limit": 1.0}, **recipe,
    }  # fmt: skip
    for name, value in values.items():
        made = made.with_recipe(made.recipe.with_value(name, value))
    return made


def places(folder: Path) -> Places:
    return Places(folder=folder)


def train(folder: Path, made: Project | None = None, **more: Any) -> Iterator[Event]:
    return run(made or project(), runs=folder / "runs", places=places(folder), threads=1, device="cpu", **more)


def go_on(folder: Path, path: Path, **more: Any) -> list[Event]:
    return list(run(runs=folder, places=places(folder), resume=path, **more))


def stopped_at(folder: Path, step: int, made: Project | None = None) -> Path:
    control = Control()
    events = []
    for event in train(folder, made, control=control):
        events.append(event)
        if isinstance(event, Step) and event.step == step:
            control.request_stop()
    assert events[-1].outcome == "stopped"
    return Path(events[-1].run)


def weights(path: Path, kind: str = "last") -> dict[str, torch.Tensor]:
    saved = checkpoint.load(path / "checkpoints", kind)
    assert saved is not None
    return dict(saved.weights)


def assert_same_run(path: Path, whole: Path) -> None:
    """Weights bit for bit, last and best, and every figure of every epoch but the times."""
    for kind in ("last", "best"):
        found, wanted = weights(path, kind), weights(whole, kind)
        assert found.keys() == wanted.keys()
        assert all(torch.equal(item, found[key]) for key, item in wanted.items()), kind
    assert epochs_of(path) == epochs_of(whole)
    times = ("seconds", "samples_per_second")
    for name in ("final", "best"):
        found, wanted = (dict(getattr(read_info(place), name)) for place in (path, whole))
        assert {key: found[key] for key in found if key not in times} == {
            key: wanted[key] for key in wanted if key not in times
        }


def epochs_of(path: Path) -> list[tuple[Any, ...]]:
    return [
        (event.epoch, event.step, event.train_loss, event.val_loss, event.lr, dict(event.metrics), event.best)
        for event in read_events(path)
        if isinstance(event, EpochEnded)
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    return Path(list(train(folder))[-1].run)


@pytest.mark.parametrize("step", [1, 44, 45, 46, 130, 269, 270])
def test_a_stopped_run_goes_on_as_if_nothing_had_happened(tmp_path: Path, whole: Path, step: int) -> None:
    path = stopped_at(tmp_path, step)
    events = go_on(tmp_path, path)
    resumed = events[0]
    assert isinstance(resumed, RunResumed)
    assert resumed.step == step
    assert [event.step for event in events if isinstance(event, Step)] == list(range(step + 1, EPOCHS * 45 + 1))
    assert_same_run(path, whole)
    assert Timeline.from_events(read_events(path)).step == EPOCHS * 45


def test_a_run_stopped_many_times_still_ends_the_same(tmp_path: Path, whole: Path) -> None:
    path = stopped_at(tmp_path, 20)
    for step in (21, 89, 90, 200):
        control = Control()
        for event in run(runs=tmp_path, places=places(tmp_path), resume=path, control=control):
            if isinstance(event, Step) and event.step == step:
                control.request_stop()
    go_on(tmp_path, path)
    assert_same_run(path, whole)
    recorded = list(read_events(path))
    assert sum(isinstance(event, RunStarted) for event in recorded) == 1
    assert [type(event) for event in recorded].count(RunEnded) == 1


CHILD = """
import os, signal, sys
from pathlib import Path
from engine.places import Places
from engine.projectfile import read_project
from engine.runtime import keeper
from engine.runtime.restore import load_preprocess
from engine.runtime.session import run
keeper.AT_MOST_EVERY = float(sys.argv[3])
folder, moment = Path(sys.argv[1]), sys.argv[2]
if moment.startswith("write"):
    from engine.runtime import checkpoint
    real, left = checkpoint._write_file, [int(moment[5:])]
    def write(path, content):
        left[0] -= 1
        if left[0] == 0:
            path.write_bytes(content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        real(path, content)
    checkpoint._write_file = write
made = read_project(folder / "project.lwr").project
for event in run(made, runs=folder / "runs", places=Places(folder=folder), threads=1, device="cpu"):
    if moment == f"{event.event}{getattr(event, 'step', '')}":
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize(
    ("moment", "every"),
    [("step3", 0), ("step100", 0), ("epoch_ended90", 0), ("checkpoint_saved135", 0), ("write8", 0), ("write17", 0),
     ("write18", 0), ("step200", 2), ("checkpoint_saved270", 2)],
)  # fmt: skip
def test_a_killed_run_resumes_and_ends_bit_identical(tmp_path: Path, whole: Path, moment: str, every: float) -> None:
    write_project(project(), tmp_path / "project.lwr")
    assert run_forked(CHILD, tmp_path, moment, every) == -signal.SIGKILL
    (path,) = (tmp_path / "runs").iterdir()
    assert read_info(path).status == "interrupted"
    go_on(tmp_path, path)
    assert_same_run(path, whole)
    assert read_info(path).status == "completed"


def test_a_finished_run_goes_on_for_more_epochs_and_says_that_the_schedule_changes(tmp_path: Path, whole: Path) -> None:
    path = Path(list(train(tmp_path, project(epochs=2)))[-1].run)
    events = go_on(tmp_path, path, epochs=4)
    told = [event.words for event in events if isinstance(event, Alerted)]
    assert len(told) == 1
    assert "4 epochs instead of 2" in told[0]
    assert (events[-1].outcome, events[-1].epoch) == ("completed", 4)
    assert read_info(path).epochs == 4


def test_without_a_schedule_a_longer_run_equals_one_that_was_planned_so_long(tmp_path: Path) -> None:
    steady = {"schedule": {"type": "constant"}}
    path = Path(list(train(tmp_path, project(epochs=2, **steady)))[-1].run)
    events = go_on(tmp_path, path, epochs=4)
    assert not [event for event in events if isinstance(event, Alerted)]
    planned = Path(list(train(tmp_path, project(epochs=4, **steady)))[-1].run)
    assert_same_run(path, planned)


def test_a_finished_run_without_more_epochs_is_refused_with_the_way_out(whole: Path) -> None:
    before = read_info(whole)
    for epochs in (None, EPOCHS, 2):
        with pytest.raises(ProblemError, match=r"--epochs 12"):
            next(run(runs=whole.parent, places=places(whole.parent), resume=whole, epochs=epochs))
    assert read_info(whole) == before


def test_what_is_proposed_leaves_something_to_do(tmp_path: Path, whole: Path) -> None:
    path = stopped_at(tmp_path, 130)
    with pytest.raises(ProblemError, match=f"the {EPOCHS} that were planned"):
        next(run(runs=tmp_path, places=places(tmp_path), resume=path, epochs=1))
    for epochs in (100_001, 2_000_000):
        with pytest.raises(ProblemError, match="from 1 to 100,000"):
            next(run(runs=whole.parent, places=places(whole.parent), resume=whole, epochs=epochs))
    assert read_info(whole).epochs == EPOCHS


@pytest.mark.parametrize("name", ["preprocess.json", "preprocess.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b'{"images": 3}'])
def test_a_damaged_record_of_the_preprocessing_is_written_anew(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    path = stopped_at(tmp_path, 5)
    before = {file: (path / file).read_bytes() for file in ("preprocess.json", "preprocess.safetensors")}
    (path / name).unlink()
    if content is not None:
        (path / name).write_bytes(content)
    with pytest.raises(ProblemError, match="preprocessing cannot be read"):
        load_preprocess(path)
    events = go_on(tmp_path, path)
    assert any("preprocessing was damaged" in event.words for event in events if isinstance(event, Alerted))
    assert {file: (path / file).read_bytes() for file in before} == before
    assert not any(
        "damaged" in event.words for event in go_on(tmp_path, path, epochs=EPOCHS + 1) if isinstance(event, Alerted)
    )


def test_a_run_that_was_stopped_early_can_be_continued(tmp_path: Path) -> None:
    stop = {"type": "early_stopping", "enabled": True, "patience": 1}
    hot = {"optimizer": {"type": "sgd", "lr": 2.0, "momentum": 0.9}, "schedule": {"type": "constant"}}
    ended = list(train(tmp_path, project(early_stopping=stop, epochs=40, **hot)))[-1]
    assert ended.outcome == "early_stopped"
    again = go_on(tmp_path, Path(ended.run))[-1]
    assert again.epoch > ended.epoch


def test_a_running_run_is_not_resumed(tmp_path: Path) -> None:
    path = stopped_at(tmp_path, 5)
    lock = own(path)
    update_info(path, status="running")
    with pytest.raises(ProblemError, match="training right now"):
        go_on(tmp_path, path)
    lock.release()


def test_the_recorded_model_is_compared_but_never_executed(tmp_path: Path) -> None:
    path = stopped_at(tmp_path, 5)
    (path / "model.py").write_text(f"open({str(tmp_path / 'evil')!r}, 'w')\n")
    events = go_on(tmp_path, path)
    assert "differs from the recorded model.py" in next(event.words for event in events if isinstance(event, Alerted))
    assert not (tmp_path / "evil").exists()
    assert (path / "model.py").read_text().startswith("open(")


def test_weights_that_no_longer_fit_end_the_run_with_their_name(tmp_path: Path) -> None:
    path = stopped_at(tmp_path, 5)
    file = path / "project.lwr"
    text = json.loads(file.read_text())
    for node in text["graph"]["nodes"]:
        if node["name"] == "hidden1":
            node.setdefault("params", {})["units"] = 17
    file.write_text(json.dumps(text))
    ended = go_on(tmp_path, path)[-1]
    assert (ended.outcome, ended.problem["code"]) == ("failed", "weights_unfit")
    assert "hidden1.weight" in ended.problem["happened"]


def test_other_data_is_noticed(tmp_path: Path) -> None:
    path = stopped_at(tmp_path, 5)
    update_info(path, fingerprint="something else")
    events = go_on(tmp_path, path)
    assert "not the data" in next(event.words for event in events if isinstance(event, Alerted))


def test_a_resumed_run_uses_the_threads_it_began_with(tmp_path: Path) -> None:
    path = stopped_at(tmp_path, 5)
    torch.set_num_threads(2)
    go_on(tmp_path, path)
    assert torch.get_num_threads() == 1


def test_a_training_whose_loss_broke_goes_on_from_before_that(tmp_path: Path, whole: Path) -> None:
    real, calls = nn.Linear.forward, [0]

    def forward(self: nn.Linear, x: torch.Tensor) -> torch.Tensor:
        calls[0] += 1
        return real(self, x) * (float("inf") if 400 < calls[0] < 420 else 1.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Linear, "forward", forward)
        ended = list(train(tmp_path))[-1]
    assert (ended.outcome, ended.problem["code"]) == ("failed", "loss_not_finite")
    assert ended.problem["where"] == "hidden1"
    path = Path(ended.run)
    assert all(torch.isfinite(item).all() for item in weights(path).values())
    assert go_on(tmp_path, path)[-1].outcome == "completed"
    assert_same_run(path, whole)
