"""Whole trainings of built-in projects: what is recorded, what happens when something breaks, and jobs beside them."""

from __future__ import annotations

import errno
import json
import threading
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.edits import set_param
from engine.events import EpochEnded, RunEnded, RunStarted, Step, from_json
from engine.examples import load_example
from engine.places import Places
from engine.problem import ProblemError
from engine.project import Project
from engine.projectfile import read_project
from engine.runs import is_alive, list_runs, read_events, read_info
from engine.runtime import checkpoint
from engine.runtime.control import Control
from engine.runtime.randomness import guarded
from engine.runtime.recorder import Recorder
from engine.runtime.restore import load_run
from engine.runtime.session import run


def digits(**recipe: object) -> Project:
    project = load_example("digits-mlp")
    for name, value in {"epochs": 2, "batch_size": 32, **recipe}.items():
        project = project.with_recipe(project.recipe.with_value(name, value))
    return project


def session(project: Project, folder: Path, **more: object):
    return run(project, runs=folder / "runs", places=Places(folder=folder), threads=1, device="cpu", **more)


def weights(ended: RunEnded) -> dict[str, torch.Tensor]:
    saved = checkpoint.load(Path(ended.run) / "checkpoints", "last")
    assert saved is not None
    return dict(saved.weights)


def test_a_training_leaves_a_folder_that_tells_everything(tmp_path: Path) -> None:
    events = list(session(digits(), tmp_path, name="first try"))
    started, ended = events[0], events[-1]
    assert isinstance(started, RunStarted)
    assert (ended.outcome, started.train_samples, started.val_samples) == ("completed", 1438, 359)
    folder = Path(ended.run)
    info = read_info(folder)
    assert (info.status, info.name, info.epoch, info.threads, info.result) == ("completed", "first try", 2, 1, "last")
    assert info.best["metric"] == "val_loss"
    assert info.final["val_accuracy"] == events[-1].final["val_accuracy"]
    assert info.versions["torch"] == str(torch.__version__)
    assert read_project(folder / "project.lwr").project.recipe == digits().recipe
    kept = [event for event in events if not (isinstance(event, Step) and event.loss is None)]
    assert list(read_events(folder)) == [from_json(json.loads(json.dumps(event_json(event)))) for event in kept]
    assert not is_alive(folder)


def event_json(event: object) -> dict[str, object]:
    from engine.events import to_json

    return to_json(event)  # type: ignore[arg-type]


def test_the_run_is_free_before_its_last_event_and_owned_before(tmp_path: Path) -> None:
    alive = [(event.event, is_alive(list_runs(tmp_path / "runs")[0].path)) for event in session(digits(), tmp_path)]
    assert alive[-1] == ("run_ended", False)
    assert all(state for _, state in alive[:-1])


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path: Path) -> None:
    one, two, other = (list(session(digits(seed=seed), tmp_path))[-1] for seed in (0, 0, 1))
    assert all(torch.equal(item, weights(two)[key]) for key, item in weights(one).items())
    assert not all(torch.equal(item, weights(other)[key]) for key, item in weights(one).items())


def test_a_finished_run_comes_back_as_a_model_with_its_preprocessing(tmp_path: Path) -> None:
    ended = list(session(digits(), tmp_path))[-1]
    restored = load_run(Path(ended.run))
    assert not restored.model.training
    assert not restored.differs
    raw = torch.randint(0, 17, (3, 1, 8, 8)).float()
    assert restored.model(restored.preprocess["x"](raw)).shape == (3, 10)


def test_a_preprocessing_that_is_damaged_or_gone_is_told_in_plain_words(tmp_path: Path) -> None:
    folder = Path(list(session(digits(), tmp_path))[-1].run)
    file = folder / "preprocess.json"
    whole = json.loads(file.read_text())
    cut = {stream: {key: item for key, item in config.items() if key != "divide"} for stream, config in whole.items()}
    file.write_text(json.dumps(cut))
    with pytest.raises(ProblemError, match="'divide' is missing"):
        load_run(folder)
    file.unlink()
    with pytest.raises(ProblemError, match="cannot be read: No such file or directory"):
        load_run(folder)


def test_a_project_with_errors_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    project = digits()
    broken = project.with_graph(type(project.graph)(nodes=project.graph.nodes, edges=project.graph.edges[1:]))
    with pytest.raises(ProblemError):
        next(session(broken, tmp_path))
    assert not (tmp_path / "runs").exists()


def test_a_network_too_large_for_memory_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    project = digits()
    layer = next(node for node in project.graph.nodes.values() if node.type == "linear")
    huge = set_param(project.graph, "", layer.id, "units", 2**24)
    huge = set_param(huge, "", next(n.id for n in huge.nodes.values() if n.name == "hidden2"), "units", 2**24)
    with pytest.raises(ProblemError, match="parameters"):
        next(session(project.with_graph(huge), tmp_path))
    assert not (tmp_path / "runs").exists()


def test_a_device_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ProblemError, match="NVIDIA"):
        next(run(digits(), runs=tmp_path, places=Places(folder=tmp_path), device="cuda"))


def failing(monkeypatch: pytest.MonkeyPatch, fault: Exception, at: int = 90) -> None:
    """Makes the 90th call of a dense layer raise."""
    calls, real = [0], nn.Linear.forward

    def forward(self: nn.Linear, x: torch.Tensor) -> torch.Tensor:
        calls[0] += 1
        if calls[0] == at:
            raise fault
        return real(self, x)

    monkeypatch.setattr(nn.Linear, "forward", forward)


def test_a_layer_that_fails_ends_the_run_with_a_problem_at_its_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, RuntimeError("index out of range"), at=91)
    ended = list(session(digits(), tmp_path))[-1]
    assert ended.outcome == "failed"
    assert ended.problem["where"] == "hidden1"
    assert ended.problem["node"]
    assert "index out of range" in ended.problem["happened"]
    assert read_info(Path(ended.run)).status == "failed"
    assert "index out of range" in (Path(ended.run) / "crash.txt").read_text()


def test_out_of_memory_says_what_to_make_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, torch.OutOfMemoryError("CUDA out of memory"))
    ended = list(session(digits(), tmp_path))[-1]
    assert (ended.outcome, ended.problem["code"]) == ("failed", "memory")
    assert "batch_size" in ended.problem["fix"]


def test_a_disk_that_fills_up_ends_the_run_and_what_was_saved_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Recorder._write

    def write(self: Recorder, event: object) -> None:
        if isinstance(event, EpochEnded):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, event)  # type: ignore[arg-type]

    monkeypatch.setattr(Recorder, "_write", write)
    ended = list(session(digits(), tmp_path))[-1]
    assert (ended.outcome, ended.problem["code"]) == ("failed", "disk_full")
    assert weights(ended)
    assert not is_alive(Path(ended.run))


def test_a_stop_asked_for_before_the_first_step_trains_nothing(tmp_path: Path) -> None:
    control = Control()
    control.request_stop()
    ended = list(session(digits(), tmp_path, control=control))[-1]
    assert (ended.outcome, ended.step) == ("stopped", 0)


def test_a_training_that_nobody_pulls_any_more_is_interrupted_and_can_go_on(tmp_path: Path) -> None:
    events = session(digits(), tmp_path)
    while not isinstance(next(events), EpochEnded):
        pass
    events.close()
    info = list_runs(tmp_path / "runs")[0]
    assert info.status == "interrupted"
    assert not is_alive(info.path)
    ended = list(run(runs=tmp_path, places=Places(folder=tmp_path), resume=info.path))[-1]
    assert ended.outcome == "completed"


def test_early_stopping_points_the_run_at_its_best_weights(tmp_path: Path) -> None:
    stop = {"type": "early_stopping", "enabled": True, "patience": 1}
    project = digits(early_stopping=stop, epochs=40, optimizer={"type": "sgd", "lr": 2.0, "momentum": 0.9})
    ended = list(session(project, tmp_path))[-1]
    assert ended.outcome == "early_stopped"
    assert read_info(Path(ended.run)).result == "best"
    assert load_run(Path(ended.run)).epoch == ended.best["epoch"] == ended.epoch - 1


def test_training_beside_jobs_that_draw_is_bit_identical_to_training_alone(tmp_path: Path) -> None:
    project = digits(epochs=3)
    alone = list(session(with_dropout(project), tmp_path))[-1]
    done = threading.Event()
    jobs = [0]

    def draw() -> None:
        while not done.is_set():
            with guarded():
                nn.functional.dropout(torch.ones(1000), 0.5)
                torch.manual_seed(jobs[0])
            jobs[0] += 1

    worker = threading.Thread(target=draw)
    worker.start()
    try:
        beside = list(session(with_dropout(project), tmp_path))[-1]
    finally:
        done.set()
        worker.join()
    assert jobs[0] > 20
    assert all(torch.equal(item, weights(beside)[key]) for key, item in weights(alone).items())


def with_dropout(project: Project) -> Project:
    """The network with a dropout layer in the middle, so that training draws at every step."""
    from engine.edits import add_node, insert_on_edge

    edge = next(
        edge for edge in project.graph.edges
        if project.graph.nodes[edge.source].type == "linear" and project.graph.nodes[edge.target].type != "output"
    )  # fmt: skip
    graph, node = add_node(project.graph, "", "dropout")
    return project.with_graph(insert_on_edge(graph, "", edge, node.id))
