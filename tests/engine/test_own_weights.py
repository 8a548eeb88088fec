"""A project's own weights: kept beside its file by hash, started from, refused when they are not the right ones."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from engine import weightfile
from engine.diff import diff
from engine.edits import rename, set_param
from engine.events import RunEnded
from engine.examples import load_example
from engine.history import History
from engine.places import Places
from engine.problem import ProblemError
from engine.project import Project
from engine.projectfile import from_json, read_project, to_json, write_project
from engine.runtime import checkpoint
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.own_weights import attach, fill_own
from engine.runtime.randomness import guarded
from engine.runtime.range_test import range_test
from engine.runtime.session import run
from tests.engine.drawn import box, deep, draw, facts
from tests.engine.drawn import project as drawn

MLP = load_example("digits-mlp")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(weightfile, "_expected", {})  # equal weights of an earlier test would be found in its folder


def small(units: int = 3) -> Project:
    graph = draw(
        box("x0", "input"), box("fc1", "linear", "x0", units=4), box("norm", "batch_norm1d", "fc1"),
        box("fc2", "linear", "norm", units=units), box("y", "output", "fc2"),
    )  # fmt: skip
    return drawn(graph, facts(x0=(5,)), name="small")


def model(project: Project, seed: int = 0) -> nn.Module:
    with guarded(seed):
        return build(replace(project, weights=None)).model


def filled(project: Project, seed: int = 1) -> dict[str, torch.Tensor]:
    made = model(project, seed)
    fill_own(made, project)
    return made.state_dict()


def with_weights(project: Project, seed: int = 0, **more: object) -> Project:
    made = model(project, seed)
    if more.pop("steps", True):
        for name, buffer in made.named_buffers():
            buffer.add_(7 if name.endswith("tracked") else 0.25)
    return attach(project, made.state_dict(), **more)


def codes(project: Project) -> list[str]:
    found = analyze(project)
    return [problem.code for problem in found.problems if problem.where.path == "weights"]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_a_project_with_weights_is_saved_as_two_files_and_opens_with_them_exactly(tmp_path: Path) -> None:
    project = with_weights(small(), source="a friend")
    write_project(project, tmp_path / "net.lwr")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["net.lwr", "net.weights.safetensors"]
    shutil.rmtree(weightfile.store())
    opened = read_project(tmp_path / "net.lwr").project
    assert (opened, opened.weights.source) == (project, "a friend")
    assert same(filled(opened), filled(project) | {})
    assert filled(opened)["norm.num_batches_tracked"] == 7
    assert codes(opened) == []


def test_the_file_says_nothing_about_weights_when_there_are_none() -> None:
    assert "weights" not in to_json(small())
    assert from_json(to_json(small())).project.weights is None


def test_weights_land_exactly_in_every_copy_of_a_block_and_in_buffers(tmp_path: Path) -> None:
    project = drawn(deep(3), facts(x0=(784,)))
    donor = model(project, 5)
    assert same(filled(attach(project, donor.state_dict())), donor.state_dict())


@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
def test_weights_land_exactly_in_reparametrised_layers(kind: str) -> None:
    graph = set_param(small().graph, "", "fc1", "reparametrize", {"type": kind})
    project = replace(small(), graph=graph)
    donor = model(project, 5)
    assert any("parametrizations" in key for key in donor.state_dict())
    assert same(filled(attach(project, donor.state_dict())), donor.state_dict())


def test_weights_land_exactly_in_a_layer_that_is_called_twice() -> None:
    graph = draw(
        box("x0", "input"), box("fc1", "linear", "x0", units=5), box("again", "linear", "fc1", units=5),
        box("y", "output", "again"),
    )  # fmt: skip
    nodes = {**graph.nodes, "again": replace(graph.nodes["again"], shares="fc1")}
    project = drawn(replace(graph, nodes=nodes), facts(x0=(5,)))
    donor = model(project, 5)
    assert list(donor.state_dict()) == ["fc1.weight", "fc1.bias"]
    assert same(filled(attach(project, donor.state_dict())), donor.state_dict())


def test_halves_become_floats_of_the_same_value() -> None:
    project = small()
    donor = model(project, 5).half().state_dict()
    found = filled(attach(project, donor))
    assert found["fc1.weight"].dtype == torch.float32
    assert torch.equal(found["fc1.weight"].half(), donor["fc1.weight"])


def test_a_missing_file_is_told_and_the_project_opens_without_harm(tmp_path: Path) -> None:
    file = tmp_path / "net.lwr"
    write_project(with_weights(small()), file)
    shutil.rmtree(weightfile.store())
    weightfile.beside(file).unlink()
    opened = read_project(file).project
    (found,) = [problem for problem in analyze(opened).problems if problem.code == "weights-missing"]
    assert "net.weights.safetensors" in found.happened
    assert analyze(opened).source
    write_project(opened, file)
    assert read_project(file).project == opened
    (fix,) = found.fixes
    assert codes(fix.apply(opened)) == []


def test_a_changed_file_is_told_and_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "net.lwr"
    write_project(with_weights(small()), file)
    shutil.rmtree(weightfile.store())
    beside = weightfile.beside(file)
    content = bytearray(beside.read_bytes())
    content[-1] ^= 1
    beside.write_bytes(content)
    opened = read_project(file).project
    assert codes(opened) == ["weights-changed"]
    with pytest.raises(ProblemError) as fault:
        list(run(opened, runs=tmp_path / "runs", places=Places(folder=tmp_path)))
    assert "weights-changed" in [problem.code for problem in fault.value.problems]
    assert not (tmp_path / "runs").exists()


def test_weights_of_another_network_are_told_with_the_first_tensor_that_does_not_fit() -> None:
    project = attach(small(7), model(small()).state_dict(), source="net.pth")
    (found,) = [problem for problem in analyze(project).problems if problem.code == "weights-unfit"]
    assert "from net.pth" in found.happened
    assert "fc2.weight is 3 × 4 in the file and 7 × 4 here, and 1 more" in found.happened
    with pytest.raises(ProblemError):
        filled(project)
    part = found.fixes[0].apply(project)
    assert found.fixes[0].title == "Load only what fits"
    assert codes(part) == []
    drawn_anew = model(small(7), 1).state_dict()
    result = filled(part, 1)
    assert torch.equal(result["fc1.weight"], model(small()).state_dict()["fc1.weight"])
    assert torch.equal(result["fc2.weight"], drawn_anew["fc2.weight"])


def test_nothing_that_fits_is_refused_even_when_a_part_would_do() -> None:
    project = attach(small(), {"other.weight": torch.zeros(2)}, partial=True)
    assert codes(project) == ["weights-unfit"]


def test_a_file_of_old_torch_lacks_the_counter_of_batch_norm_and_is_taken() -> None:
    state = {key: value for key, value in model(small()).state_dict().items() if not key.endswith("tracked")}
    assert codes(attach(small(), state)) == []


def test_a_project_that_was_renamed_together_with_its_weights_or_without_still_finds_them(tmp_path: Path) -> None:
    project = with_weights(small())
    write_project(project, tmp_path / "net.lwr")
    shutil.rmtree(weightfile.store())
    (tmp_path / "net.lwr").rename(tmp_path / "other.lwr")
    assert codes(read_project(tmp_path / "other.lwr").project) == []


def test_saving_elsewhere_brings_the_weights_along_and_undo_finds_the_older_ones(tmp_path: Path) -> None:
    first, second = with_weights(small(), 1), with_weights(small(), 2)
    history = History(first)
    write_project(first, tmp_path / "net.lwr")
    history.edit(second, "Open weights")
    assert diff(first, second).weights
    write_project(second, tmp_path / "net.lwr")
    shutil.rmtree(weightfile.store())
    (tmp_path / "copy").mkdir()
    write_project(second, tmp_path / "copy" / "net.lwr")
    assert weightfile.beside(tmp_path / "copy" / "net.lwr").stat().st_size == second.weights.bytes
    assert same(filled(read_project(tmp_path / "copy" / "net.lwr").project), filled(second))


def test_what_a_save_replaces_is_kept_for_undo(tmp_path: Path) -> None:
    first, second = with_weights(small(), 1), with_weights(small(), 2)
    write_project(first, tmp_path / "net.lwr")
    (weightfile.store() / f"{first.weights.sha256}.safetensors").unlink()
    write_project(second, tmp_path / "net.lwr")
    assert same(filled(first), filled(first, 3))
    assert codes(first) == []


def test_a_full_disk_leaves_the_old_project_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "net.lwr"
    write_project(small(), file)
    before = file.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.weightfile.shutil.copyfile", full)
    with pytest.raises(ProblemError) as fault:
        write_project(with_weights(small()), file)
    assert "No space left on device" in fault.value.problem.happened
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["net.lwr"]


@pytest.mark.parametrize(
    "value",
    [3, {}, {"sha256": "../../etc", "bytes": 1}, {"sha256": "a" * 64, "bytes": -1},
     {"sha256": "a" * 64, "bytes": True}, {"sha256": "a" * 64, "bytes": 1, "partial": "yes"}],
)  # fmt: skip
def test_an_entry_that_names_no_weights_is_refused(value: object) -> None:
    with pytest.raises(ProblemError) as fault:
        from_json(json.loads(json.dumps({**to_json(small()), "weights": value})))
    assert "weights" in fault.value.problem.where.path


def trained(project: Project, folder: Path, **more: object) -> RunEnded:
    ended = list(run(project, runs=folder / "runs", places=Places(folder=folder), threads=1, device="cpu", **more))[-1]
    assert isinstance(ended, RunEnded)
    return ended


def quick(project: Project, **recipe: object) -> Project:
    for name, value in {"epochs": 1, "gradient_flow": False, "activations": False, **recipe}.items():
        project = project.with_recipe(project.recipe.with_value(name, value))
    return project


def near(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.allclose(one[key], other[key], rtol=0, atol=1e-8) for key in other)


def start_of(ended: RunEnded) -> dict[str, torch.Tensor]:
    saved = checkpoint.load(Path(ended.run) / "checkpoints", "last")
    assert saved is not None
    return dict(saved.weights)


def test_training_starts_from_the_weights_and_resuming_needs_them_no_more(tmp_path: Path) -> None:
    still = quick(MLP, optimizer={"type": "sgd", "lr": 1e-12})
    donor = model(still, 9).state_dict()
    ended = trained(attach(still, donor), tmp_path)
    assert near(start_of(ended), donor)
    assert not near(start_of(trained(still, tmp_path)), donor)
    assert weightfile.beside(Path(ended.run) / "project.lwr").is_file()
    shutil.rmtree(weightfile.store())
    weightfile.beside(Path(ended.run) / "project.lwr").unlink()
    again = list(run(runs=tmp_path / "runs", places=Places(folder=tmp_path), resume=Path(ended.run), epochs=2))[-1]
    assert again.outcome == "completed"


def test_a_range_test_starts_from_the_weights(tmp_path: Path) -> None:
    first = _losses(quick(MLP), tmp_path)
    other = _losses(attach(quick(MLP), model(MLP, 9).state_dict()), tmp_path)
    same_as_drawn = _losses(attach(quick(MLP), model(MLP, MLP.recipe.seed).state_dict()), tmp_path)
    assert first[0] == same_as_drawn[0] != other[0]


def _losses(project: Project, folder: Path) -> list[float]:
    return list(range_test(project, Places(folder=folder), steps=20, threads=1, device="cpu").losses)


def test_a_renamed_layer_is_told_as_weights_that_do_not_fit() -> None:
    project = with_weights(small())
    renamed = project.with_graph(rename(project.graph, "", "fc1", "first"))
    assert codes(renamed) == ["weights-unfit"]
