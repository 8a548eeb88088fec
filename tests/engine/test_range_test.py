"""The learning-rate range test: its rates and losses, what it proposes and why, and that nothing else notices it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.declare import catalogue
from engine.edits import add_node, insert_on_edge
from engine.events import RunEnded, Step
from engine.examples import load_example
from engine.places import Places
from engine.plan import known_steps_per_epoch
from engine.problem import ProblemError
from engine.project import Project
from engine.projectfile import read_project, to_text, write_project
from engine.range_test import CANCELLED, END, NOT_FINITE, ROSE, RangeTest, judged, rate_at
from engine.runtime import checkpoint
from engine.runtime.control import Control
from engine.runtime.randomness import GENERATORS, Apart
from engine.runtime.range_test import RATELESS, range_test
from engine.runtime.session import run
from tests.engine.cli_tools import command

SGD = {"type": "sgd", "lr": 0.05, "momentum": 0.9}


def project(**recipe: Any) -> Project:
    """Digits with dropout and batch normalisation: random numbers in every step, and statistics beside the weights."""
    made = load_example("digits-mlp")
    graph = made.graph
    for name in ("batch_norm1d", "dropout"):
        wire = next(edge for edge in graph.edges if edge.target == "relu1")
        graph, node = add_node(graph, "", name, x=0, y=0)
        graph = insert_on_edge(graph, "", wire, node.id)
    made = made.with_graph(graph)
    for name, value in {"epochs": 2, "batch_size": 64, "optimizer": SGD, **recipe}.items():
        made = made.with_recipe(made.recipe.with_value(name, value))
    return made


def swept(folder: Path, made: Project | None = None, **more: Any) -> RangeTest:
    settings = {"low": 1e-4, "high": 1.0, "steps": 30, "threads": 1, "device": "cpu", **more}
    return range_test(made or project(), Places(folder=folder), **settings)


def trained(folder: Path, made: Project, *, between: Callable[[], object] = lambda: None) -> dict[str, torch.Tensor]:
    """The weights at the end of a training that something happens in the middle of."""
    events = run(made, runs=folder / "runs", places=Places(folder=folder), threads=1, device="cpu")
    ended = None
    for event in events:
        if isinstance(event, Step) and event.step == 7:
            between()
        ended = event
    assert isinstance(ended, RunEnded)
    assert ended.outcome == "completed"
    saved = checkpoint.load(Path(ended.run) / "checkpoints", "last")
    assert saved is not None
    return dict(saved.weights)


def test_rates_grow_by_the_same_factor_from_the_first_on(tmp_path: Path) -> None:
    """Each rate is the one before times (high / low)^(1 / steps), as the chapter's callback has it."""
    found = swept(tmp_path, steps=40)
    factor = (1.0 / 1e-4) ** (1 / 40)
    np.testing.assert_allclose(found.rates, 1e-4 * factor ** np.arange(40), rtol=1e-10)
    assert rate_at(40, low=1e-4, high=1.0, steps=40) == pytest.approx(1.0, rel=1e-12)
    assert found.ended == END


@pytest.mark.parametrize("recipe", [{}, {"accumulate": 2}, {"momentum_rescale": True}, {"sampler": "balanced"},
                                    {"augment": ({"type": "mixup"},)}, {"augment": ({"type": "rotation"},)},
                                    {"optimizer": {"type": "adam"}, "clip": {"type": "norm", "limit": 1}}])  # fmt: skip
def test_the_losses_are_those_of_a_training_with_these_rates(tmp_path: Path, recipe: dict[str, Any]) -> None:
    made = project(**recipe)
    found = swept(tmp_path, made, steps=30)
    base = float(made.recipe.made("optimizer").lr)
    growing = {"type": "exponential", "by": 10.0, "every": 30 / 4, "unit": "steps"}
    optimizer = {**made.recipe.get("optimizer"), "lr": 1e-4}
    same = made.with_recipe(made.recipe.with_value("schedule", growing).with_value("optimizer", optimizer))
    same = same.with_recipe(same.recipe.with_value("epochs", 4))
    control = Control()
    control.stepping = True  # every loss is told
    losses = []
    for event in run(same, runs=tmp_path / "runs", places=Places(folder=tmp_path), threads=1, device="cpu",
                     control=control):  # fmt: skip
        if isinstance(event, Step) and event.step <= 30:
            losses.append(event.loss)
            if event.step == 30:
                control.request_stop()
    assert base != 1e-4
    assert len(found.losses) >= 20  # Adam's loss explodes before the end
    np.testing.assert_allclose(found.losses, losses[: len(found.losses)], rtol=1e-5)


def test_its_length_may_be_given_in_epochs(tmp_path: Path) -> None:
    found = swept(tmp_path, epochs=2, high=1e-2)
    assert len(found.rates) == 2 * known_steps_per_epoch(project()) > 30
    np.testing.assert_allclose(found.rates[-1], 1e-4 * 100 ** (1 - 1 / len(found.rates)), rtol=1e-10)


def test_the_smoothed_loss_is_a_weighted_mean_corrected_for_its_start() -> None:
    draw = np.random.default_rng(2)
    losses = 2.0 + draw.standard_normal(60)
    keep = (60 / 30) / (1 + 60 / 30)
    expected = []
    for last in range(60):
        weights = keep ** np.arange(last, -1, -1)
        expected.append((weights * losses[: last + 1]).sum() / weights.sum())
    rates = [rate_at(step, low=1e-5, high=1.0, steps=60) for step in range(60)]
    found = judged(rates, losses.tolist(), steps=60, ended=END)
    np.testing.assert_allclose(found.smoothed, expected, rtol=0, atol=1e-10)


def curve(loss: Callable[[np.ndarray], np.ndarray], *, high: float = 10.0, steps: int = 600, ended: str = END,
          ) -> RangeTest:  # fmt: skip
    rates = np.array([rate_at(step, low=1e-6, high=high, steps=steps) for step in range(steps)])
    return judged(rates.tolist(), loss(rates).tolist(), steps=steps, ended=ended)


def valley(rates: np.ndarray) -> np.ndarray:
    """Flat at 2.3, falling from 1e-3 to 0.1, flat at 0.5, and shooting up from 1 on."""
    place = np.log10(rates)
    return 2.3 - 1.8 * np.clip((place + 3) / 2, 0, 1) + 30 * np.clip(place, 0, None) ** 2


def test_the_proposal_is_a_tenth_of_where_the_loss_shoots_up() -> None:
    found = curve(valley)
    # The smoothed curve lags by a thirtieth of the range, 0.23 of a decade.
    assert found.risen is not None
    assert 1.0 < found.risen < 3.0
    assert found.proposal == pytest.approx(found.risen / 10, rel=0.05)
    assert found.lowest is not None
    assert 0.1 < found.lowest <= 1.2
    assert found.steepest is not None
    assert 1e-3 < found.steepest < 0.1
    assert f"{found.proposal:g}" in found.why
    assert "shoots up" in found.why
    assert "tenth" in found.why


def test_a_loss_that_breaks_gives_the_rate_it_broke_at() -> None:
    def broken(rates: np.ndarray) -> np.ndarray:
        return np.where(rates < 1.0, valley(np.minimum(rates, 1.0)), nan)

    found = curve(broken, ended=NOT_FINITE)
    assert found.risen == pytest.approx(1.0, rel=0.05)
    assert found.proposal == pytest.approx(0.1, rel=0.1)
    assert "no number" in found.why
    assert np.isfinite(found.smoothed).all()


def test_a_range_that_ends_before_the_rise_says_so() -> None:
    found = curve(valley, high=0.5)
    assert found.risen is None
    assert found.proposal == pytest.approx(0.05, rel=0.1)
    assert "larger range" in found.why


@pytest.mark.parametrize("loss", [lambda r: np.full_like(r, 2.3), lambda r: 2.3 + r, lambda r: np.full_like(r, inf)])
def test_without_a_fall_there_is_no_proposal_and_a_reason(loss: Callable[[np.ndarray], np.ndarray]) -> None:
    found = curve(loss)
    assert found.proposal is None
    assert found.why.startswith("There is no proposal")


def test_it_ends_when_the_loss_explodes(tmp_path: Path) -> None:
    heads = {"optimizer": {"type": "sgd"}}
    found = swept(tmp_path, load_with(heads), low=1e-4, high=100.0, steps=300)
    assert found.ended in (ROSE, NOT_FINITE)
    assert len(found.rates) < 300
    assert found.proposal is not None
    if found.ended == ROSE:
        assert found.smoothed[-1] > 4 * min(found.smoothed)
        assert all(one <= 4 * min(found.smoothed[: place + 1]) for place, one in enumerate(found.smoothed[:-1]))


def load_with(recipe: dict[str, Any]) -> Project:
    made = load_example("digits-mlp")
    for name, value in {"batch_size": 64, **recipe}.items():
        made = made.with_recipe(made.recipe.with_value(name, value))
    return made


def states() -> list[Any]:
    legacy: Any = np.random.get_state(legacy=False)
    return [
        torch.get_rng_state().tolist(), random.getstate(), legacy["state"]["key"].tolist(), legacy["state"]["pos"],
        legacy["has_gauss"], legacy["gauss"], torch.get_num_threads(), torch.is_grad_enabled(), torch.initial_seed(),
    ]  # fmt: skip


def test_it_leaves_every_random_number_the_project_and_the_disk_as_they_were(tmp_path: Path) -> None:
    made = project()
    torch.manual_seed(123)
    random.seed(5)
    np.random.seed(6)
    random.gauss(0, 1)
    np.random.standard_normal(3)
    text, before = to_text(made), states()
    first = swept(tmp_path, made)
    assert states() == before
    assert to_text(made) == text
    assert list(tmp_path.iterdir()) == []
    assert swept(tmp_path, made) == first  # and it is repeatable


def test_it_leaves_everything_as_it_was_when_it_fails(tmp_path: Path) -> None:
    before = states()

    def fail(rate: float, loss: float) -> None:
        raise RuntimeError("somebody who watches breaks")

    with pytest.raises(RuntimeError, match="watches"):
        swept(tmp_path, watch=fail)
    assert states() == before
    with GENERATORS:  # free again
        pass


def test_a_training_goes_on_bit_for_bit_as_if_there_had_been_no_test(tmp_path: Path) -> None:
    made = project()
    alone = trained(tmp_path / "alone", made)
    found: list[RangeTest] = []
    beside = trained(tmp_path / "beside", made, between=lambda: found.append(swept(tmp_path, made)))
    assert len(found[0].losses) == 30
    assert alone.keys() == beside.keys()
    assert any("running_mean" in name for name in alone)
    assert all(torch.equal(alone[name], beside[name]) for name in alone)


def test_a_training_beside_it_in_another_thread_is_the_same_bit_for_bit(tmp_path: Path) -> None:
    made = project()
    alone = trained(tmp_path / "alone", made)
    calm = swept(tmp_path, made, steps=60)
    found: list[RangeTest] = []
    thread = threading.Thread(target=lambda: found.append(swept(tmp_path, made, steps=60)))
    beside = trained(tmp_path / "beside", made, between=thread.start)
    thread.join(60)
    assert all(torch.equal(alone[name], beside[name]) for name in alone)
    assert found == [calm]


def test_it_is_stopped_between_two_steps_and_keeps_what_it_has(tmp_path: Path) -> None:
    cancel = threading.Event()
    seen: list[float] = []

    def watch(rate: float, loss: float) -> None:
        seen.append(loss)
        if len(seen) == 12:
            cancel.set()

    found = swept(tmp_path, cancel=cancel, watch=watch)
    assert found.ended == CANCELLED
    assert found.losses == tuple(seen)
    assert len(seen) == 12
    assert found.proposal is None


@pytest.mark.parametrize("name", [name for name in catalogue().all("optimizer") if name not in RATELESS])
def test_every_optimizer_takes_the_rates_of_the_test(tmp_path: Path, name: str) -> None:
    found = swept(tmp_path, load_with({"optimizer": {"type": name}}), steps=20, high=1e-2)
    np.testing.assert_allclose(found.rates, 1e-4 * 100 ** (np.arange(20) / 20), rtol=1e-10)


@pytest.mark.parametrize("name", RATELESS)
def test_optimizers_without_use_for_a_rate_are_refused(tmp_path: Path, name: str) -> None:
    made = load_with({})
    odd = made.with_recipe(made.recipe.with_value("optimizer", {"type": name}))
    with pytest.raises(ProblemError, match="own step sizes"):
        swept(tmp_path, odd)


@pytest.mark.parametrize("more", [{"low": 1.0, "high": 0.1}, {"low": 0.0}, {"high": 1e6}, {"steps": 3}])
def test_a_range_that_is_none_is_refused_with_what_is_allowed(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(ProblemError, match="1e-12 to 100"):
        swept(tmp_path, **more)


def test_what_only_watches_takes_no_part(tmp_path: Path) -> None:
    loud = project(callbacks=({"type": "csv_log"},), ema={"type": "ema", "enabled": True}, schedule={"type": "cosine"},
                   early_stopping={"type": "early_stopping", "enabled": True}, epochs=1)  # fmt: skip
    assert swept(tmp_path, loud) == swept(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_generators_of_ones_own_go_on_where_they_stood() -> None:
    torch.manual_seed(1)
    whole = [torch.rand(3).tolist() for _ in range(4)]
    own = Apart(1)
    torch.manual_seed(9)
    found, others = [], []
    for _ in range(4):
        with own:
            found.append(torch.rand(3).tolist())
        others.append(torch.rand(3).tolist())
    torch.manual_seed(9)
    assert found == whole
    assert others == [torch.rand(3).tolist() for _ in range(4)]


ARGUMENTS = ("--min", "1e-4", "--max", "1", "--steps", "25", "--threads", "1")


def test_the_command_prints_every_step_and_then_what_follows(capsys) -> None:
    said = command(capsys, "range-test", "digits-mlp", *ARGUMENTS, "--json")
    assert said.code == 0
    *steps, found = said.lines
    assert [line["step"] for line in steps] == list(range(1, 26))
    assert {"lr", "loss", "smoothed"} <= steps[0].keys()
    assert found["steps"] == 25
    assert found["why"]
    words = command(capsys, "range-test", "digits-mlp", *ARGUMENTS)
    assert found["why"] in words.out


def test_the_proposal_is_written_only_where_it_is_asked_for(capsys, tmp_path: Path) -> None:
    file, other = tmp_path / "mine.lwr", tmp_path / "other.lwr"
    write_project(load_with({"optimizer": SGD}), file)
    before = file.read_bytes()
    wide = ("--min", "1e-4", "--max", "10", "--steps", "100", "--threads", "1")
    found = command(capsys, "range-test", file, *wide, "--json").lines[-1]
    assert found["proposal"]
    assert file.read_bytes() == before
    assert command(capsys, "range-test", file, *wide, "-o", other).code == 0
    assert file.read_bytes() == before
    assert read_project(other).project.recipe.get("optimizer") == {**SGD, "lr": found["proposal"]}
    assert command(capsys, "range-test", file, *wide, "--apply").code == 0
    assert read_project(file).project.recipe.get("optimizer") == {**SGD, "lr": found["proposal"]}


def test_a_built_in_project_has_no_file_to_apply_to(capsys) -> None:
    said = command(capsys, "range-test", "digits-mlp", *ARGUMENTS, "--apply")
    assert said.code == 2
    assert "-o" in said.err


@pytest.mark.parametrize("wrong", [("--min", "0"), ("--max", "much"), ("--steps", "3"), ("--min", "1", "--max", "0.1")])
def test_a_wrong_range_is_unusable(capsys, wrong: tuple[str, ...]) -> None:
    said = command(capsys, "range-test", "digits-mlp", *wrong)
    assert said.code == 2
    assert said.out == ""
