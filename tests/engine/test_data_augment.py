"""Augmentation: batched forms equal torchvision's per sample, every choice repeats, validation is never touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from engine.declare import catalogue, make
from engine.problem import ProblemError
from engine.runtime.data import open_data, preview
from engine.runtime.data.batched import BATCHED
from engine.runtime.data.batches import Batch
from engine.runtime.data.mixing import as_probabilities, mix
from engine.tensor import TensorInfo
from tests.engine.data_tools import places, recipe, refusal

BYTES = torch.randint(0, 256, (64, 3, 12, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
FLOATS = BYTES.to(torch.float32) / 255


def changed(name: str, images: Tensor, draws: Tensor, **settings: Any) -> Tensor:
    made = make("augment", {"type": name, **settings})
    top = 255.0 if images.dtype == torch.uint8 else 1.0
    return BATCHED[made.batched].change(images, made, draws, top)


def uniform(name: str, count: int, seed: int = 1) -> Tensor:
    made = make("augment", {"type": name})
    return torch.rand(count, BATCHED[made.batched].num_draws, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("images", [BYTES, FLOATS], ids=["bytes", "floats"])
def test_a_batched_flip_is_torchvisions_flip_of_the_drawn_samples(images: Tensor) -> None:
    draws = uniform("horizontal_flip", 64)
    found = changed("horizontal_flip", images, draws, p=0.3)
    for image, result, draw in zip(images, found, draws[:, 0], strict=True):
        assert torch.equal(result, v2.RandomHorizontalFlip(1.0 if draw < 0.3 else 0.0)(image))
    assert 5 < int((draws < 0.3).sum()) < 35


@pytest.mark.parametrize("images", [BYTES, FLOATS], ids=["bytes", "floats"])
def test_a_batched_crop_is_torchvisions_crop_at_the_drawn_corner(images: Tensor) -> None:
    draws = uniform("random_crop", 64)
    found = changed("random_crop", images, draws, padding=3)
    for image, result, draw in zip(images, found, draws, strict=True):
        top, left = (int(value) for value in (draw * 7).floor())
        assert torch.equal(result, functional.crop(functional.pad(image, [3]), top, left, 12, 16))


def test_a_batched_crop_reaches_every_corner_as_often_as_torchvision() -> None:
    marks = torch.arange(1, 26, dtype=torch.float32).view(1, 1, 5, 5).expand(5000, 1, 5, 5)
    found = changed("random_crop", marks, uniform("random_crop", 5000), padding=2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        known = torch.stack([v2.RandomCrop(5, padding=2)(image) for image in marks])
    counts = [torch.bincount(images[:, 0, 2, 2].long(), minlength=26)[1:] for images in (found, known)]
    for count in counts:
        assert int(count.min()) > 130  # 200 expected, deviation 14
        assert int(count.max()) < 270


@pytest.mark.parametrize("images", [BYTES, FLOATS], ids=["bytes", "floats"])
def test_a_batched_shift_is_torchvisions_translation(images: Tensor) -> None:
    draws = uniform("shift", 64)
    found = changed("shift", images, draws, amount=0.25)
    moved = 0
    for image, result, draw in zip(images, found, draws, strict=True):
        down, right = round(float((2 * draw[0] - 1) * 3)), round(float((2 * draw[1] - 1) * 4))
        known = functional.affine(image, angle=0.0, translate=[right, down], scale=1.0, shear=[0.0, 0.0])
        assert torch.equal(result, known)
        moved += (down, right) != (0, 0)
    assert moved > 50


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("images", [BYTES, FLOATS], ids=["bytes", "floats"])
def test_batched_brightness_and_contrast_are_torchvisions(images: Tensor, channels: int) -> None:
    images = images[:, :channels]
    draws = uniform("brightness_contrast", 64)
    found = changed("brightness_contrast", images, draws, brightness=0.5, contrast=0.4)
    for image, result, draw in zip(images, found, draws, strict=True):
        light, hard = 0.5 + float(draw[0]), 0.6 + float(draw[1]) * 0.8
        if draw[2] < 0.5:
            known = functional.adjust_contrast(functional.adjust_brightness(image, light), hard)
        else:
            known = functional.adjust_brightness(functional.adjust_contrast(image, hard), light)
        # A whole-number pixel may fall to either side of a rounding border.
        tolerance = 1.0 if images.dtype == torch.uint8 else 1e-5
        assert float((result.float() - known.float()).abs().max()) <= tolerance


@pytest.mark.parametrize("name", sorted(catalogue().all("augment")))
def test_every_declared_augmentation_is_a_transform_of_torchvision(name: str) -> None:
    made = make("augment", {"type": name})
    transform = eval(made.build(TensorInfo((3, 12, 16))).text, {"v2": v2})
    assert isinstance(transform, v2.Transform)
    assert made.batched == "" or made.batched in BATCHED
    if not made.mixing:
        assert transform(BYTES[0]).shape == BYTES[0].shape


CHANGES = [{"type": name} for name in ("flip", "crop", "brightness_contrast", "rotation", "rand_augment", "mixup")]


def test_augmented_batches_repeat_and_resume(tmp_path: Path) -> None:
    data = open_data(recipe({"type": "digits", "limit": 200}, augment=CHANGES), places(tmp_path))
    first = list(data.train_batches(3, 16, 5))
    again = list(data.train_batches(3, 16, 5, skip=4))
    other = list(data.train_batches(4, 16, 5))
    assert all(torch.equal(a.inputs[0], b.inputs[0]) for a, b in zip(first[4:], again, strict=True))
    assert all(torch.equal(a.targets[0], b.targets[0]) for a, b in zip(first[4:], again, strict=True))
    assert not torch.equal(first[0].inputs[0], other[0].inputs[0])


def test_a_samples_change_does_not_depend_on_the_batch_size(tmp_path: Path) -> None:
    data = open_data(recipe({"type": "digits", "limit": 100}, augment=CHANGES[:-1]), places(tmp_path))
    small, large = (torch.cat([b.inputs[0] for b in data.train_batches(1, size, 0)]) for size in (7, 80))
    assert torch.equal(small, large)


def test_validation_samples_are_never_augmented(tmp_path: Path) -> None:
    plain = open_data(recipe("digits"), places(tmp_path))
    augmented = open_data(recipe("digits", augment=CHANGES), places(tmp_path))
    for split in ("train", "val"):
        pairs = zip(plain.eval_batches(split), augmented.eval_batches(split), strict=True)
        assert all(torch.equal(a.inputs[0], b.inputs[0]) for a, b in pairs)


def test_augmentation_comes_before_standardising(tmp_path: Path) -> None:
    flip = ({"type": "flip", "p": 1.0},)
    chosen = {"standardize": "feature"}
    data = open_data(recipe("digits", augment=flip, **chosen), places(tmp_path))
    batch = next(data.train_batches(1, 32, 0))
    process = data.preprocess["x"]
    raw = (batch.inputs[0] * process.deviation + process.mean) * 16
    plain = next(open_data(recipe("digits", scale="none"), places(tmp_path)).train_batches(1, 32, 0))
    torch.testing.assert_close(raw.flip(-1), plain.inputs[0], atol=1e-4, rtol=0)


class FixedShare:
    """A generator whose blends and corners are known."""

    def beta(self, *_: float) -> float:
        return 0.75

    def integers(self, high: int) -> int:
        return high // 2


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_blends_are_torchvisions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = torch.arange(64) % 5
    made = make("augment", {"type": name})
    batch = Batch((FLOATS,), as_probabilities((labels,), (5,)), 64)
    found = mix(batch, made, FixedShare(), images=(True,))  # type: ignore[arg-type]
    transform = v2.MixUp(num_classes=5) if name == "mixup" else v2.CutMix(num_classes=5)
    monkeypatch.setattr(transform._dist, "sample", lambda *_: torch.tensor(0.75))
    monkeypatch.setattr(torch, "randint", lambda high, size: torch.tensor([high // 2]))
    images, targets = transform(FLOATS, labels)
    torch.testing.assert_close(found.inputs[0], images)
    torch.testing.assert_close(found.targets[0], targets)


def test_mixed_answers_are_probabilities(tmp_path: Path) -> None:
    data = open_data(recipe("digits", augment=({"type": "mixup"}, {"type": "cutmix"})), places(tmp_path))
    assert data.mixes
    for batch in data.train_batches(1, 32, 0):
        assert batch.targets[0].shape == (batch.size, 10)
        torch.testing.assert_close(batch.targets[0].sum(1), torch.ones(batch.size))
    assert next(data.eval_batches("val")).targets[0].dtype == torch.int64


def test_mixup_blends_points_too(tmp_path: Path) -> None:
    data = open_data(recipe("moons", augment=({"type": "mixup", "alpha": 1.0},)), places(tmp_path))
    assert next(data.train_batches(1, 32, 0)).targets[0].shape == (32, 2)


def test_flipping_points_is_refused(tmp_path: Path) -> None:
    problem = refusal(lambda: open_data(recipe("moons", augment=({"type": "flip"},)), places(tmp_path)))
    assert problem.code == "data-augment"
    assert "vector" in problem.happened


def test_an_unknown_augmentation_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="there is no augment 'fold'"):
        open_data(recipe("digits", augment=({"type": "fold"},)), places(tmp_path))


def test_a_preview_shows_originals_and_variants_without_a_trace(tmp_path: Path) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    shown = preview(recipe("digits", augment=CHANGES), places(tmp_path), 5, variants=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert len(shown) == 5
    assert shown[0].original.shape == (8, 8, 1)
    assert max(int(item.original.max()) for item in shown) == 255
    assert [item.dtype.name for item in shown[0].augmented] == ["uint8"] * 3
    assert (shown[0].augmented[0] != shown[0].augmented[1]).any()
    assert shown[0].label in "0123456789"


def test_a_preview_of_points_is_empty(tmp_path: Path) -> None:
    assert preview(recipe("moons"), places(tmp_path)) == []
