"""Weights from a file into a project: nothing changes before it is asked for, and values land exactly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.examples import load_example
from engine.problem import ProblemError
from engine.project import Project
from engine.projectfile import read_project
from engine.runtime.build import build
from engine.runtime.load_weights import examine
from engine.runtime.own_weights import fill_own
from engine.runtime.randomness import guarded
from engine.weightfile import beside
from tests.engine.cli_tools import command
from tests.engine.drawn import box, deep, draw, facts
from tests.engine.drawn import project as drawn


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERWRIGHT_HOME", str(tmp_path / "home"))


def model(project: Project, seed: int) -> nn.Module:
    with guarded(seed):
        return build(replace(project, weights=None)).model


def state(project: Project, seed: int = 5) -> dict[str, torch.Tensor]:
    return dict(model(project, seed).state_dict())


def filled(project: Project, seed: int = 1) -> dict[str, torch.Tensor]:
    made = model(project, seed)
    fill_own(made, project)
    return dict(made.state_dict())


def saved(path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    torch.save(tensors, path)
    return path


def test_every_copy_of_a_block_gets_its_own_values_under_other_names_too(tmp_path: Path) -> None:
    project = drawn(deep(4), facts(x0=(784,)))
    donor = state(project)
    other = {key.replace("blocks", "stack").replace("linear", "dense"): value for key, value in donor.items()}
    for tensors in (donor, {f"module.{key}": value for key, value in donor.items()}, other):
        taken = examine(project, saved(tmp_path / "net.pth", tensors)).taken(project)
        found = filled(taken)
        assert all(torch.equal(found[key], donor[key]) for key in donor)
        assert taken.weights is not None
        assert (taken.weights.source, taken.weights.partial) == ("net.pth", False)


def test_a_new_head_keeps_what_the_seed_draws_and_the_rest_lands(tmp_path: Path) -> None:
    old, new = (
        drawn(draw(box("x0", "input"), box("fc", "linear", "x0", units=8), box("norm", "batch_norm1d", "fc"),
                   box("head", "linear", "norm", units=units), box("out", "output", "head")), facts(x0=(6,)))
        for units in (1000, 10)
    )  # fmt: skip
    donor = state(old)
    donor["norm.running_mean"] += 3
    examined = examine(new, saved(tmp_path / "old.pt", donor))
    with pytest.raises(ProblemError) as fault:
        examined.taken(new)
    assert "7 tensors fit, and not all do: 2 of other shape" in fault.value.problem.happened
    taken = examined.taken(new, partial=True)
    assert taken.weights is not None
    assert taken.weights.partial
    found, fresh = filled(taken, 7), state(new, 7)
    assert torch.equal(found["norm.running_mean"], donor["norm.running_mean"])
    assert torch.equal(found["fc.weight"], donor["fc.weight"])
    assert torch.equal(found["head.weight"], fresh["head.weight"])


def test_examining_changes_nothing_and_a_network_with_errors_is_told(tmp_path: Path) -> None:
    project = drawn(deep(2), facts(x0=(784,)))
    file = saved(tmp_path / "net.pth", state(project))
    examine(project, file)
    assert project.weights is None
    assert not (tmp_path / "home").exists()
    with pytest.raises(ProblemError):
        examine(drawn(draw(box("x0", "input")), facts(x0=(784,))), file)


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    project = drawn(deep(2), facts(x0=(784,)))
    examined = examine(project, saved(tmp_path / "net.pth", {"a": torch.zeros(3), "b": torch.zeros(2, 2)}))
    with pytest.raises(ProblemError) as fault:
        examined.taken(project, partial=True)
    assert "None of the 2 tensors fits" in fault.value.problem.happened


def test_the_command_line_writes_project_and_weights_and_shows_a_table(tmp_path: Path, capsys) -> None:
    mlp = load_example("digits-mlp")
    donor = state(mlp)
    file = saved(tmp_path / "half.pt", {f"module.{key}": value.half() for key, value in donor.items()})
    out = tmp_path / "out.lwr"
    said = command(capsys, "load-weights", "digits-mlp", file, "-o", out)
    assert said.code == 0
    assert "module.hidden1.weight" in said.out
    assert "6 matched" in said.out
    assert "every value stays as it is" in said.out
    assert beside(out).is_file()
    found = filled(read_project(out).project)
    assert all(torch.equal(found[key], donor[key].half().float()) for key in donor)
    said = command(capsys, "load-weights", out, file, "--json")
    assert said.code == 0
    assert (said.lines[-1]["complete"], said.lines[-1]["matched"]) == (True, 6)


def test_the_command_line_refuses_what_does_not_fit_and_takes_a_part_when_told(tmp_path: Path, capsys) -> None:
    donor = state(load_example("digits-mlp"))
    donor["digits.weight"] = torch.zeros(7, 32)
    file, out = saved(tmp_path / "x.pt", donor), tmp_path / "out.lwr"
    said = command(capsys, "load-weights", "digits-mlp", file, "-o", out, "--json")
    assert said.code == 1
    assert said.lines[0]["differs"] == 1
    assert said.lines[-1]["problem"]["code"] == "weights-unfit"
    assert not out.exists()
    said = command(capsys, "load-weights", "digits-mlp", file, "-o", out, "--partial")
    assert said.code == 0
    assert "shape differs  digits.weight" in said.out
    assert read_project(out).project.weights.partial


@pytest.mark.parametrize(
    "arguments",
    [["digits-mlp", "absent.pt", "-o", "x.lwr"], ["digits-mlp", "absent.pt"], ["absent.lwr", "absent.pt"],
     ["digits-mlp", "absent.pt", "-o", "no/such/x.lwr"]],
)  # fmt: skip
def test_input_that_cannot_be_used_is_one_message(arguments: list[str], tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    said = command(capsys, "load-weights", *arguments)
    assert said.code == 2
    assert said.err.startswith("error:")
    assert not (tmp_path / "x.lwr").exists()
