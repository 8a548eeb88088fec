"""Streamed image files: the same batches with any number of workers, from any start, and no silent loss of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.recipe import Recipe
from engine.runtime.data import Batch, open_data, prepare, streaming
from tests.engine.data_tools import places, recipe, refusal

CHANGES = ({"type": "flip"}, {"type": "rotation"}, {"type": "rand_augment"}, {"type": "mixup"})
CHOSEN: Recipe = recipe({"type": "image_folder", "path": "pictures"}, augment=CHANGES, resize=12, standardize="channel")


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of 40 small pictures, which count as too many to keep."""
    random = np.random.default_rng(0)
    for label in ("cats", "dogs"):
        folder = tmp_path / "pictures" / label
        folder.mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(0, 256, (10 + number % 3, 14, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    monkeypatch.setattr(prepare, "MAX_RESIDENT_BYTES", 1000)
    return tmp_path


def epoch(root: Path, *, workers: int, skip: int = 0, chosen: Recipe = CHOSEN) -> list[Batch]:
    with open_data(chosen, places(root), workers=workers) as data:
        return list(data.train_batches(2, 8, 1, skip=skip))


def test_batches_are_the_same_with_and_without_workers(pictures: Path) -> None:
    before = torch.get_rng_state()
    alone, helped = epoch(pictures, workers=0), epoch(pictures, workers=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert [batch.size for batch in alone] == [8, 8, 8, 8]
    for a, b in zip(alone, helped, strict=True):
        assert torch.equal(a.inputs[0], b.inputs[0])
        assert torch.equal(a.targets[0], b.targets[0])


def test_workers_stay_between_epochs_and_survive_a_sweep_that_was_left(pictures: Path) -> None:
    with open_data(CHOSEN, places(pictures), workers=1) as data:
        known = list(data.train_batches(2, 8, 1))
        next(data.train_batches(1, 8, 1))
        again = list(data.train_batches(2, 8, 1, skip=1))
        assert sum(batch.size for batch in data.eval_batches("val")) == 8
    assert all(torch.equal(a.inputs[0], b.inputs[0]) for a, b in zip(known[1:], again, strict=True))


def test_streamed_samples_equal_resident_ones(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = recipe({"type": "image_folder", "path": "pictures"}, resize=12, standardize="feature")
    streamed = epoch(pictures, workers=0, chosen=chosen)
    monkeypatch.setattr(prepare, "MAX_RESIDENT_BYTES", 2**30)
    resident = epoch(pictures, workers=0, chosen=chosen)
    for a, b in zip(streamed, resident, strict=True):
        torch.testing.assert_close(a.inputs[0], b.inputs[0])
        assert torch.equal(a.targets[0], b.targets[0])


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_cut_off_is_named_when_its_turn_comes(pictures: Path, workers: int) -> None:
    broken = pictures / "pictures" / "dogs" / "7.png"
    broken.write_bytes(broken.read_bytes()[:100])
    plain = recipe({"type": "image_folder", "path": "pictures", "validation": 0.0}, resize=12)
    problem = refusal(lambda: epoch(pictures, workers=workers, chosen=plain))
    assert problem.code == "data-unreadable-image"
    assert problem.happened.count(str(broken)) == 1
    assert problem.happened.count("cannot be read") == 1


def test_unreadable_pictures_can_be_skipped_before_training(pictures: Path) -> None:
    broken = pictures / "pictures" / "dogs" / "7.png"
    broken.write_bytes(broken.read_bytes()[:100])
    tolerant = {"type": "image_folder", "path": "pictures", "validation": 0.0, "skip_unreadable": True}
    found = epoch(pictures, workers=0, chosen=recipe(tolerant, resize=12))
    assert sum(batch.size for batch in found) == 39


def test_workers_are_never_forked_from_this_process() -> None:
    assert streaming._context().get_start_method() in ("forkserver", "spawn")


@pytest.mark.parametrize("workers", [0, 1])
def test_some_samples_come_evenly_from_the_whole_split(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    with open_data(CHOSEN, places(pictures), workers=workers) as data:
        every = torch.cat([batch.inputs[0] for batch in data.eval_batches("train", 5)])
        some = data.spread("train", 4)
        assert some is not None
        assert torch.equal(some.inputs[0], every[[0, 8, 16, 24]])
        assert len(list(data.train_batches(1, 8, 1))) == 4, "training goes on as before"
        assert data.spread("train", 100).size == 32  # type: ignore[union-attr]
        assert data.spread("test", 4) is None
    monkeypatch.setattr(prepare, "MAX_RESIDENT_BYTES", 2**30)
    with open_data(CHOSEN, places(pictures), workers=workers) as data:
        resident = data.spread("train", 4)
        assert resident is not None
        torch.testing.assert_close(resident.inputs[0], some.inputs[0])
        assert torch.equal(resident.targets[0], some.targets[0])
