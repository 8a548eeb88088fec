"""The benchmarks compare like with like: what is timed side by side trains the same, and what a table lists is all."""

from __future__ import annotations

from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import chapter, chapter_chains, functions, optimizers, regularisation
from benchmarks.timing import beside, extra, in_turns, middle_of, ratio
from benchmarks.training import Images
from engine.declare import catalogue
from engine.examples import load_example
from engine.places import Places
from engine.runtime.build import build
from engine.runtime.device import set_threads
from engine.runtime.randomness import seed_all
from engine.runtime.restore import load_run
from tests.engine.data_tools import shared


def test_turns_are_taken_round_by_round_and_the_warm_up_is_not_kept() -> None:
    asked: list[str] = []

    def contestant(name: str, seconds: list[float]) -> float:
        asked.append(name)
        return seconds.pop(0)

    slow, quick = [9.0, 4.0, 6.0, 8.0], [1.0, 2.0, 2.0, 2.0]
    times = in_turns({"slow": lambda: contestant("slow", slow), "quick": lambda: contestant("quick", quick)}, 3)
    assert times == {"slow": [4.0, 6.0, 8.0], "quick": [2.0, 2.0, 2.0]}
    assert asked == ["slow", "quick", "quick", "slow"] * 2
    assert ratio(times, "slow", "quick").middle == 3.0
    assert extra(times, "slow", "quick") == 4.0


def test_a_yardstick_comes_right_before_each_of_its_kind() -> None:
    found = beside(dict.fromkeys(["fast a", "slow a", "fast b"], lambda: 1.0), {"fast": lambda: 2.0})
    assert [(name, one()) for name, one in found.items()] == [
        ("beside fast a", 2.0), ("fast a", 1.0), ("slow a", 1.0), ("beside fast b", 2.0), ("fast b", 1.0),
    ]  # fmt: skip


def test_a_call_that_was_held_up_does_not_count() -> None:
    waits = iter([0.0, 0.2, 0.0])
    assert middle_of(lambda: sleep(next(waits)), 3) < 0.1


@pytest.mark.parametrize("case", regularisation.CASES)
def test_ours_the_loop_by_hand_and_the_tuned_one_train_the_same(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One batch is an epoch, so that all see the same batches; rate and clipping are such that they show.
    monkeypatch.setattr(regularisation, "TENTH", 4.0)
    monkeypatch.setattr(regularisation, "LIMIT", 0.02)
    epochs, samples = 5, regularisation.BATCH
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (samples + 4, 1, 28, 28), dtype=np.uint8)
    images = Images(pixels, np.arange(samples + 4) % 10, "")
    options = regularisation.CASES[case]
    project = regularisation.base(tmp_path, images, samples, epochs)
    chosen = regularisation.chosen(project, options)
    session = regularisation.Session(chosen, tmp_path, 1)
    for _ in range(epochs):
        session.epoch()
    list(session.events)
    assert session.folder is not None
    ours = load_run(session.folder, "last").model.state_dict()

    x, y = torch.from_numpy(images.x[:samples]).float() / 255, torch.from_numpy(images.y[:samples]).long()
    for loop in (regularisation.ByHand, regularisation.Tuned):
        seed_all(project.recipe.seed)
        model = build(project).model
        before = {name: value.clone() for name, value in model.state_dict().items()}
        trained = loop(model, options)
        for _ in range(epochs):
            trained.train((x,), (y,))
        for name, value in model.state_dict().items():
            torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=2e-6)
            assert not torch.allclose(value, before[name], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "make"),
    [*((name, optimizers.plain) for name in catalogue().all("optimizer")), *optimizers.REFERENCES.items()],
)
def test_an_optimizer_takes_the_steps_of_what_it_is_timed_beside(name: str, make: Any) -> None:
    project = load_example("chapter/E15")
    recipe = project.recipe.with_value("optimizer", {"type": name})
    ours, theirs = (optimizers.trained(project, recipe, one) for one in (optimizers.as_trained, make))
    before = [item.detach().clone() for item in ours.model.parameters()]
    ours.steps()
    theirs.steps()
    pairs = zip(ours.model.parameters(), theirs.model.parameters(), before, strict=True)
    for mine, yours, first in pairs:
        # A sign may turn where a gradient is as good as zero: nearly all numbers must agree, and all must be near.
        assert torch.isclose(mine, yours, rtol=1e-3, atol=1e-5).float().mean() > 0.99
        assert not torch.equal(mine, first)


def test_experiments_that_are_trained_together_are_trained_once() -> None:
    assert chapter.together(["E12", "E15", "E13", "E36"]) == [("E11", "E12", "E13"), ("E15",), ("E35", "E36")]


def test_model_b_learns_from_the_images_of_the_chapter_on_layers_that_are_held_still(tmp_path: Path) -> None:
    places = Places(folder=shared("fashion-mnist"))
    chapter_chains.save_pair(places, tmp_path / "pair.npz")
    with np.load(tmp_path / "pair.npz") as found:
        assert {split: len(found[f"x_{split}"]) for split in ("train", "val", "test")} == {
            "train": 200, "val": 1_011, "test": 2_000,
        }  # fmt: skip
        assert np.bincount(found["y_train"]).tolist() == [111, 89]
    seed_all(7)
    first = build(load_example("chapter/E11")).model.state_dict()
    project = chapter_chains.on_pair("E13", tmp_path / "pair.npz", 1)
    epochs, figures, model = chapter_chains._trained(project, places, first, epochs=2)
    assert len(epochs) == 2
    assert 0.2 < figures["test_accuracy"] < 1.0
    after = model.state_dict()
    assert {name for name in after if torch.equal(after[name], first[name])} == {
        name for name in first if name.startswith("hidden")
    }
    free = project.with_recipe(project.recipe.with_value("groups", []))
    _, _, model = chapter_chains._trained(free, places, after, epochs=1)
    moved = {name: not torch.equal(value, after[name]) for name, value in model.state_dict().items()}
    assert all(moved.values()), moved


def test_the_table_of_the_transfer_fails_when_reusing_layers_does_not_help() -> None:
    def row(alone: float, on_a: float) -> dict[str, dict[str, float]]:
        return {
            "E11": {"accuracy": 0.9}, "E12": {"test_loss": alone, "test_accuracy": 0.9},
            "E13": {"test_loss": on_a, "test_accuracy": 0.91, "still_accuracy": 0.5},
        }  # fmt: skip

    assert not chapter_chains.print_transfer([row(0.4, 0.3), row(0.4, 0.41)])
    assert chapter_chains.print_transfer([row(0.4, 0.45)])


@pytest.mark.parametrize("norms", [False, True])
def test_every_activation_and_norm_of_the_catalogue_has_a_line(
    norms: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(functions, "LEAST", 0.0)
    set_threads(1)
    chosen = functions.normalisations() if norms else functions.activations()
    family = "normalisation" if norms else "activation"
    wanted = {item.type for item in catalogue().all("layer").values() if item.family == family}
    if norms:
        wanted |= set(catalogue().all("reparametrization")) - {"none"}
    assert len(wanted) > 5
    places = [functions.Place("", 4, shape) for shape in ((8,), (8, 4, 4), (8, 4, 4, 4))]
    for place in places if norms else places[:1]:
        times = functions.measured(place, chosen, 1, norms=norms)
        assert all(seconds > 0 for column in times.values() for seconds in column)
        functions.report(place, times, chosen, norms=norms)
    lines = {line.split(",")[0].split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert wanted <= lines


def test_one_norm_alone_may_be_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(functions, "LEAST", 0.0)
    monkeypatch.setattr(functions, "PLACES", (functions.Place("a few", 4, (8,)),))
    monkeypatch.setattr("sys.argv", ["functions", "--rounds", "1", "--only", "batch_norm1d"])
    functions.main()
    lines = [line.split(",")[0].split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[:4] == ["torch", "forward:", "normalisations", "forward"]
    assert set(lines[4:]) == {"batch_norm1d"}, "it alone, plain and with each of its choices"
    assert len(lines) > 5


def test_what_is_timed_is_the_function_itself() -> None:
    x = torch.randn(4, 8)
    found = {choice.words: choice.live(functions.TensorInfo((8,)))(x) for choice in functions.activations()}
    torch.testing.assert_close(found["gelu"], torch.nn.functional.gelu(x))
    torch.testing.assert_close(found["gelu, approximate tanh"], torch.nn.functional.gelu(x, approximate="tanh"))
    torch.testing.assert_close(found["swish_beta"], x * torch.sigmoid(x))


def test_an_experiment_that_stops_early_is_told_with_its_best_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = {"type": "early_stopping", "enabled": True, "patience": 2, "min_delta": 1000.0}
    example = load_example("chapter/E34")
    project = example.with_recipe(
        example.recipe.with_value("data", {"type": "digits"})
        .with_value("early_stopping", stopping)
        .with_value("epochs", 9)
    )
    monkeypatch.setattr("engine.examples.load_example", lambda name: project)
    monkeypatch.setattr(chapter, "MC", {"E34": (3, 0.0, 0.0)})
    found = chapter._trained(("E34", 1, str(tmp_path)))
    assert found["epochs"] == 3
    assert found["best_loss"] < 2.3
    assert 0.2 < found["mc_accuracy"] <= 1.0
    (told,) = chapter._orders([{"name": "E34", **found}])
    assert f"{found['mc_accuracy']:.4f} by the mean of 3 passes" in told


@pytest.mark.parametrize(("loss", "rate", "missed"), [(1.80, 0.12, False), (1.95, 0.12, True), (1.80, 0.3, True)])
def test_the_table_of_the_range_test_fails_where_the_chapter_s_curve_is_another(
    loss: float, rate: float, missed: bool
) -> None:
    row = {"train_loss": loss, "steps": 430.0, "lowest_loss": 0.6, "lowest_rate": rate, "proposal": 0.02, "risen": 0.3}
    assert chapter_chains.print_range([{"E31": row}]) == missed


@pytest.mark.parametrize(
    ("module", "arguments", "words"),
    [
        (chapter, ["--data", ".", "X8b"], "--cifar"),
        (functions, ["--only", "relux"], "invalid choice: 'relux'"),
        (optimizers, ["--only", "sgdd"], "invalid choice: 'sgdd'"),
        (regularisation, ["--rounds", "many"], "invalid int value: 'many'"),
    ],
)
def test_wrong_arguments_are_refused_in_words(
    module: Any, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmark", *arguments])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
