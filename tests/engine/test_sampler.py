"""Balanced draws: each class equally likely within stated bounds, the same for the same seed, epoch and start."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.recipe import Recipe
from engine.runtime.data import Batch, open_data, prepare
from engine.runtime.data.order import Balanced
from tests.engine.data_tools import places, recipe, refusal

SIZES = (900, 90, 9, 1)
CLASSES = torch.repeat_interleave(torch.arange(4) * 2, torch.tensor(SIZES))[torch.randperm(1000)]
"""Of the numbers 0 to 6 only the even ones occur."""


def test_every_class_and_every_sample_of_it_is_equally_likely() -> None:
    total = 200_000
    order = Balanced(CLASSES).order(total, seed=1, epoch=1)
    counts = torch.bincount(CLASSES[order], minlength=7)
    assert counts[1::2].sum() == 0
    # A share p of n draws lies within 5 standard deviations of sqrt(n p (1 - p)): one failure in two million seeds.
    bound = 5 * (total * 0.25 * 0.75) ** 0.5
    assert (counts[::2] - total / 4).abs().max() < bound
    within = torch.bincount(order[CLASSES[order] == 2])
    within = within[within > 0].double()
    assert len(within) == 90
    share = 0.25 / 90
    # Ninety samples, so the largest of ninety deviations: 6 standard deviations.
    assert (within - total * share).abs().max() < 6 * (total * share * (1 - share)) ** 0.5


def test_draws_are_those_of_torchs_weighted_sampler_in_distribution() -> None:
    total = 100_000
    weights = 1.0 / torch.bincount(CLASSES).double()[CLASSES]
    theirs = torch.multinomial(weights, total, replacement=True, generator=torch.Generator().manual_seed(3))
    ours = Balanced(CLASSES).order(total, seed=2, epoch=1)
    one, two = (torch.bincount(order, minlength=1000).double() for order in (ours, theirs))
    # Chi squared of two histograms with equal totals has 999 degrees of freedom: mean 999, deviation sqrt(2 * 999).
    chi = ((one - two) ** 2 / (one + two).clamp(min=1)).sum().item()
    assert abs(chi - 999) < 5 * (2 * 999) ** 0.5


def test_draws_depend_on_seed_and_epoch_alone() -> None:
    def drawn(seed: int, epoch: int) -> list[int]:
        return Balanced(CLASSES).order(50, seed=seed, epoch=epoch).tolist()

    before = torch.get_rng_state()
    assert drawn(1, 2) == drawn(1, 2)
    assert len({tuple(drawn(seed, epoch)) for seed, epoch in ((1, 1), (1, 2), (2, 1), (2, 2))}) == 4
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture
def uneven(tmp_path: Path) -> Path:
    """Images of two classes, one of them rare; each pixel tells which sample it is."""
    numbers = np.arange(100, dtype=np.uint8)
    x = np.broadcast_to(numbers[:, None, None], (100, 8, 8)).copy()
    np.savez(tmp_path / "uneven.npz", x_train=x, y_train=(numbers >= 90).astype(int), x_val=x[80:],
             y_val=(numbers[80:] >= 90).astype(int))  # fmt: skip
    return tmp_path


def batches(root: Path, *, sampler: str = "balanced", skip: int = 0, epoch: int = 1, **more: object) -> list[Batch]:
    chosen = recipe({"type": "npz", "path": "uneven.npz"}, **more).with_value("sampler", sampler)
    with open_data(chosen, places(root)) as data:
        return list(data.train_batches(epoch, 8, 5, skip=skip))


def test_a_rare_class_comes_as_often_as_the_other(uneven: Path) -> None:
    rare = torch.cat([batch.targets[0] for epoch in range(1, 21) for batch in batches(uneven, epoch=epoch)])
    assert len(rare) == 2000
    # 2,000 fair draws: 5 standard deviations are 112.
    assert abs(int(rare.sum()) - 1000) < 112
    usual = torch.cat([batch.targets[0] for batch in batches(uneven, sampler="shuffle")])
    assert int(usual.sum()) == 10


def test_inputs_and_answers_stay_together_and_any_start_gives_the_rest(uneven: Path) -> None:
    whole = batches(uneven)
    for batch in whole:
        numbers = (batch.inputs[0].flatten(1)[:, 0] * 255).round()
        assert torch.equal((numbers >= 90).long(), batch.targets[0])
    rest = batches(uneven, skip=5)
    assert all(torch.equal(a.inputs[0], b.inputs[0]) for a, b in zip(rest, whole[5:], strict=True))


def test_a_sample_that_comes_twice_is_changed_twice(uneven: Path) -> None:
    found = batches(uneven, augment=({"type": "shift", "amount": 0.4},))
    images = torch.cat([batch.inputs[0] for batch in found])
    rare = images[torch.cat([batch.targets[0] for batch in found]) == 1]
    number = rare.flatten(1).max(1).values
    doubles = rare[number == number.mode().values].flatten(1)
    assert len(doubles) > 2
    assert len(torch.unique(doubles, dim=0)) > 1


def test_validation_keeps_its_own_order(uneven: Path) -> None:
    chosen = recipe({"type": "npz", "path": "uneven.npz"}).with_value("sampler", "balanced")
    with open_data(chosen, places(uneven)) as data:
        found = torch.cat([batch.inputs[0] for batch in data.eval_batches("val")])
    assert torch.equal((found.flatten(1)[:, 0] * 255).round(), torch.arange(80, 100).float())


def test_streamed_files_are_balanced_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    for label, count in (("many", 30), ("few", 3)):
        folder = tmp_path / "pictures" / label
        folder.mkdir(parents=True)
        for number in range(count):
            Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(folder / f"{number}.png")
    chosen: Recipe = recipe({"type": "image_folder", "path": "pictures"}).with_value("sampler", "balanced")

    def drawn(skip: int = 0) -> list[Batch]:
        with open_data(chosen, places(tmp_path), workers=0) as data:
            return [batch for epoch in range(1, 9) for batch in data.train_batches(epoch, 4, 1, skip=skip)]

    resident = drawn()
    monkeypatch.setattr(prepare, "MAX_RESIDENT_BYTES", 100)
    streamed = drawn()
    assert all(torch.equal(a.targets[0], b.targets[0]) for a, b in zip(resident, streamed, strict=True))
    assert all(torch.allclose(a.inputs[0], b.inputs[0]) for a, b in zip(resident, streamed, strict=True))
    answers = torch.cat([batch.targets[0] for batch in streamed])
    assert abs(answers.double().mean().item() - 0.5) < 5 * 0.5 / len(answers) ** 0.5


def test_real_values_cannot_be_balanced(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    np.savez(tmp_path / "values.npz", x_train=draw.normal(size=(40, 3)), y_train=draw.normal(size=40),
             x_val=draw.normal(size=(10, 3)), y_val=draw.normal(size=10))  # fmt: skip
    chosen = recipe({"type": "npz", "path": "values.npz"}).with_value("sampler", "balanced")
    assert refusal(lambda: open_data(chosen, places(tmp_path))).code == "recipe.sampler"
