"""Phases: what each is made of, that they train as torch does by hand, end early, are resumed anywhere, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.check import check_project
from engine.events import EpochEnded, PhaseStarted, Step
from engine.phases import stages_of
from engine.plan import planned_rates
from engine.problem import ProblemError
from engine.project import Project
from engine.projectfile import read_project, write_project
from engine.recipe import Recipe
from engine.runs import read_events
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.setup import open_for
from engine.timeline import Timeline
from tests.engine.test_resume import assert_same_run, go_on, places, project, stopped_at, train, weights

SGD = {"type": "sgd", "lr": 0.05, "momentum": 0.9}


def phase(**settings: Any) -> dict[str, Any]:
    return {"type": "phase", **settings}


FREEZE_THEN_ALL = (
    phase(name="head", epochs=2, frozen="hidden1, hidden2"),
    phase(name="all", epochs=3, frozen="", lr_factor=0.1, schedule={"type": "constant"}),
)


def phased(*phases: dict[str, Any], **recipe: Any) -> Project:
    return project(phases=phases or FREEZE_THEN_ALL, **{"optimizer": SGD, **recipe})


def test_a_phase_holds_what_the_recipe_and_the_phases_before_say() -> None:
    recipe = Recipe().with_value("frozen", "a").with_value("optimizer", SGD).with_value("schedule", {"type": "cosine"})
    assert [stage.recipe for stage in stages_of(recipe)] == [recipe]
    made = recipe.with_value("phases", (
        phase(epochs=2), phase(epochs=3, frozen="", lr_factor=0.1),
        phase(optimizer={"type": "adam", "lr": 0.01}, lr_factor=0.5, schedule={"type": "constant"}, name="end"),
        phase(epochs=1, lr_factor=0.5),
    ))  # fmt: skip
    stages = stages_of(made)
    assert made.epochs == 2 + 3 + 5 + 1
    assert [(stage.first, stage.epochs, stage.name) for stage in stages] == [
        (1, 2, "phase 1"), (3, 3, "phase 2"), (6, 5, "end"), (11, 1, "phase 4"),
    ]  # fmt: skip
    assert [stage.recipe.get("frozen") for stage in stages] == ["a", "", "", ""]
    assert [stage.recipe.get("optimizer")["lr"] for stage in stages] == pytest.approx([0.05, 0.005, 0.005, 0.0025])
    assert [stage.recipe.get("schedule")["type"] for stage in stages] == ["cosine", "cosine", "constant", "cosine"]


def test_the_plan_draws_the_rates_of_all_phases() -> None:
    made = phased(phase(epochs=2, schedule={"type": "polynomial"}), phase(epochs=1, lr_factor=0.1), schedule={
        "type": "constant"})  # fmt: skip
    rates = [point.rate for point in planned_rates(made, steps_per_epoch=5)]
    np.testing.assert_allclose(rates, [*(0.05 * (1 - np.arange(10) / 10)), *[0.005] * 5])


def test_phases_train_as_torch_does_by_hand(tmp_path: Path) -> None:
    """A new optimizer over what trains in each, no gradient left, rates from the first step of the phase."""
    made = phased(clip={"type": "none"}, schedule={"type": "constant"})
    *_, ended = train(tmp_path, made)
    assert ended.outcome == "completed"
    torch.manual_seed(made.recipe.seed)
    model = build(made).model
    data = open_for(made, places(tmp_path), device=torch.device("cpu"))
    epoch = 0
    for frozen, count, rate in (("hidden", 2, 0.05), ("-", 3, 0.005)):
        for name, item in model.named_parameters():
            item.requires_grad_(not name.startswith(frozen))
            item.grad = None
        optimizer = torch.optim.SGD([item for item in model.parameters() if item.requires_grad], lr=rate,
                                    momentum=0.9, fused=True)  # fmt: skip
        for _ in range(count):
            epoch += 1
            for batch in data.train_batches(epoch, 32, made.recipe.seed):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(*batch.inputs), batch.targets[0]).backward()
                optimizer.step()
    data.close()
    found = weights(Path(ended.run))
    assert all(torch.equal(item, found[name]) for name, item in model.state_dict().items())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(list(train(tmp_path_factory.mktemp("whole"), phased(ema={"type": "ema", "enabled": True})))[-1].run)


@pytest.mark.parametrize("step", [1, 89, 90, 91, 135, 200])
def test_a_run_stopped_in_any_phase_goes_on_with_its_frozen_layers_rates_and_optimizer(
    tmp_path: Path, whole: Path, step: int
) -> None:
    path = stopped_at(tmp_path, step, phased(ema={"type": "ema", "enabled": True}))
    go_on(tmp_path, path)
    assert_same_run(path, whole)
    told = [(event.phase, event.name, event.step) for event in read_events(path) if isinstance(event, PhaseStarted)]
    assert told == [(0, "head", 0), (1, "all", 90)]
    marks = [(mark.kind, mark.step) for mark in Timeline.from_events(read_events(path)).marks]
    assert ("phase", 90) in marks


def test_a_phase_without_progress_ends_early_and_the_next_begins(tmp_path: Path) -> None:
    made = phased(phase(epochs=50, patience=2), phase(epochs=2, lr_factor=0.1), phase(epochs=9, patience=1),
                  early_stopping={"type": "early_stopping", "min_delta": 100.0})  # fmt: skip
    events = list(train(tmp_path, made))
    begun = [(event.phase, event.epoch) for event in events if isinstance(event, PhaseStarted)]
    # Nothing improves by 100: the first epoch is a phase's best, so it ends after 1 + patience epochs.
    assert begun == [(0, 1), (1, 4), (2, 6)]
    assert [event.epoch for event in events if isinstance(event, EpochEnded)][-1] == 7
    assert events[-1].outcome == "early_stopped"
    rates = {event.epoch: event.lr for event in events if isinstance(event, Step) if event.loss is not None}
    assert rates[4] < 0.2 * rates[1]


@pytest.mark.parametrize(("phases", "path", "words"), [
    ((phase(frozen="nothing"),), "recipe.phases.0.frozen", "No layer with weights fits"),
    ((phase(), phase(frozen="*")), "recipe.phases.1.frozen", "nothing to train"),
    ((phase(), phase(schedule={"type": "warmup", "length": 99.0})), "recipe.phases.1.schedule", "more than there is"),
    ((phase(epochs=60_000), phase(epochs=60_000)), "recipe.phases", "too many epochs"),
])  # fmt: skip
def test_what_a_phase_cannot_do_is_told_at_the_phase_and_mended(
    phases: tuple[dict[str, Any], ...], path: str, words: str
) -> None:
    made = phased(*phases)
    found = [problem for problem in analyze(made).problems if problem.where.path.startswith("recipe.phases")]
    assert found, [str(item) for item in analyze(made).problems]
    assert found[0].where.path.startswith(path)
    assert words in found[0].happened
    for fix in found[0].fixes:
        assert fix.apply is not None
        assert words not in " ".join(item.happened for item in analyze(fix.apply(made)).problems)


@pytest.mark.parametrize(("item", "words"), [
    (phase(epochs=0), "epochs"), (phase(optimizer={"type": "nothing"}), "nothing"), ({"type": "stage"}, "stage"),
])  # fmt: skip
def test_a_phase_that_is_not_valid_is_told_with_its_path(item: dict[str, Any], words: str, tmp_path: Path) -> None:
    """From a file nothing is refused: it opens, keeps what it says, and the check tells."""
    file = tmp_path / "a.lwr"
    write_project(project(), file)
    text = json.loads(file.read_text())
    text["recipe"]["phases"] = [item]
    file.write_text(json.dumps(text))
    made = read_project(file).project
    found = [problem for problem in analyze(made).errors if problem.where.path.startswith("recipe.phases")]
    assert found
    assert words in str(found[0])


def test_the_number_of_epochs_belongs_to_the_phases(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="phases of this project say how long"):
        next(train(tmp_path, phased(), epochs=3))
    assert not (tmp_path / "runs").exists()
    assert check_project(phased()) == []
