"""Batches of resident data: the same for the same seed and epoch, complete, prepared by the training part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.runtime.data import Batch, Cancelled, Data, Preprocess, open_data, prepare, read_facts, resident
from engine.runtime.data.order import batch_sizes, epoch_order
from tests.engine.data_tools import Flag, places, recipe, refusal


@pytest.fixture
def digits(tmp_path: Path) -> Data:
    return open_data(recipe("digits"), places(tmp_path))


def same(left: list[Batch], right: list[Batch]) -> bool:
    return len(left) == len(right) and all(
        torch.equal(a, b)
        for first, second in zip(left, right, strict=True)
        for a, b in zip((*first.inputs, *first.targets), (*second.inputs, *second.targets), strict=True)
    )


def test_an_epoch_holds_every_training_sample_once(digits: Data) -> None:
    batches = list(digits.train_batches(1, 32, 0))
    found = torch.cat([batch.inputs[0].flatten(1) for batch in batches])
    known = torch.cat([batch.inputs[0].flatten(1) for batch in digits.eval_batches("train")])
    assert sum(batch.size for batch in batches) == 1438
    assert len(batches) == digits.steps_per_epoch(32) == 45
    assert torch.equal(torch.sort(found.sum(1)).values, torch.sort(known.sum(1)).values)


def test_inputs_and_answers_stay_together(digits: Data) -> None:
    pairs = {
        image.numpy().tobytes(): int(label)
        for batch in digits.eval_batches("train")
        for image, label in zip(batch.inputs[0], batch.targets[0], strict=True)
    }
    for batch in digits.train_batches(2, 100, 7):
        for image, label in zip(batch.inputs[0], batch.targets[0], strict=True):
            assert pairs[image.numpy().tobytes()] == int(label)


def test_the_order_is_the_permutation_of_seed_and_epoch(digits: Data) -> None:
    order = epoch_order(1438, seed=3, epoch=5)
    everything = torch.cat([batch.inputs[0] for batch in digits.eval_batches("train")])
    found = torch.cat([batch.inputs[0] for batch in digits.train_batches(5, 32, 3)])
    assert torch.equal(found, everything[order])
    assert sorted(order.tolist()) == list(range(1438))


def test_other_epochs_and_seeds_have_other_orders() -> None:
    orders = [epoch_order(1000, seed=seed, epoch=epoch) for seed, epoch in ((0, 1), (0, 2), (1, 1), (1, 0))]
    assert len({tuple(order.tolist()) for order in orders}) == 4


@pytest.mark.parametrize("skip", [1, 44, 45])
def test_starting_in_the_middle_of_an_epoch_gives_the_rest_of_it(digits: Data, skip: int) -> None:
    assert same(list(digits.train_batches(1, 32, 0, skip=skip)), list(digits.train_batches(1, 32, 0))[skip:])


def test_batches_do_not_depend_on_how_many_are_gathered_at_once(digits: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    many = list(digits.train_batches(1, 32, 0))
    monkeypatch.setattr(resident, "MAX_BATCHES", 1)
    assert same(many, list(digits.train_batches(1, 32, 0)))


def test_a_last_batch_of_one_joins_the_one_before_only_when_asked(tmp_path: Path) -> None:
    data = open_data(recipe({"type": "moons", "samples": 97, "validation": 0.0}), places(tmp_path))
    assert [batch.size for batch in data.train_batches(1, 32, 0)] == [32, 32, 32, 1]
    assert [batch.size for batch in data.train_batches(1, 32, 0, merge_single=True)] == [32, 32, 33]
    assert data.steps_per_epoch(32, merge_single=True) == 3
    assert batch_sizes(1, 32, merge_single=True) == [1]
    assert batch_sizes(64, 32, merge_single=True) == [32, 32]
    assert batch_sizes(5, 1, merge_single=True) == [1] * 5


def test_data_never_draws_from_the_default_generators(tmp_path: Path) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    changes = [{"type": name} for name in ("flip", "crop", "shift", "rotation", "rand_augment", "mixup", "cutmix")]
    data = open_data(recipe({"type": "digits", "limit": 50}, augment=changes), places(tmp_path))
    assert len(list(data.train_batches(1, 16, 0))) == 3
    assert torch.equal(torch.get_rng_state(), before)


def test_pixels_are_scaled_to_one_unless_told_otherwise(tmp_path: Path) -> None:
    scaled = next(open_data(recipe("digits"), places(tmp_path)).eval_batches("train")).inputs[0]
    raw = next(open_data(recipe("digits", scale="none"), places(tmp_path)).eval_batches("train")).inputs[0]
    assert float(scaled.max()) == 1.0
    assert float(raw.max()) == 16.0
    assert scaled.dtype == raw.dtype == torch.float32


@pytest.mark.parametrize(("standardize", "axes"), [("feature", (0,)), ("channel", (0, 2, 3))])
def test_standardising_uses_the_training_samples_and_population_deviation(
    tmp_path: Path, standardize: str, axes: tuple[int, ...]
) -> None:
    data = open_data(recipe("digits", standardize=standardize), places(tmp_path))
    raw = np.stack(data.samples("train", range(1438)).inputs["x"]).astype(np.float64) / 16
    val = np.stack(data.samples("val", range(20)).inputs["x"]).astype(np.float64) / 16
    mean, deviation = raw.mean(axes, keepdims=True), raw.std(axes, keepdims=True)
    expected = (val - mean) / np.where(deviation == 0, 1, deviation)
    found = next(data.eval_batches("val")).inputs[0][:20].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_pixel_that_never_changes_is_divided_by_one(tmp_path: Path) -> None:
    data = open_data(recipe("digits", standardize="feature"), places(tmp_path))
    raw = np.stack(data.samples("train", range(1438)).inputs["x"])
    constant = raw.std(0) == 0
    assert constant.sum() >= 3
    assert (data.preprocess["x"].deviation.numpy()[constant] == 1).all()
    assert all(torch.isfinite(batch.inputs[0]).all() for batch in data.eval_batches("val"))


def test_samples_finished_per_batch_equal_samples_finished_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = recipe("digits", standardize="feature", resize=12, color="rgb")
    once = list(open_data(chosen, places(tmp_path)).train_batches(1, 32, 0))
    monkeypatch.setattr(prepare, "MAX_FINISHED_BYTES", 0)
    assert same(once, list(open_data(chosen, places(tmp_path)).train_batches(1, 32, 0)))
    assert once[0].inputs[0].shape == (32, 3, 12, 12)


def test_a_preprocessing_comes_back_from_plain_data(tmp_path: Path) -> None:
    process = open_data(recipe("digits", standardize="feature", resize=10), places(tmp_path)).preprocess["x"]
    again = Preprocess.from_config(process.config(), process.state_dict())
    images = torch.randint(0, 17, (4, 1, 8, 8), dtype=torch.uint8)
    assert torch.equal(process(images), again(images))
    assert process.describe().divide == 16


def test_statistics_per_channel_are_literal_numbers(tmp_path: Path) -> None:
    told = open_data(recipe("digits", standardize="channel"), places(tmp_path)).preprocess["x"].describe()
    assert len(told.mean) == len(told.deviation) == 1
    assert 0.2 < told.mean[0] < 0.4


def test_grey_and_colour_weigh_channels_as_torchvision_does() -> None:
    from torchvision.transforms.v2 import functional

    images = torch.rand(3, 3, 5, 5)
    grey = Preprocess("image", color="grey")(images)
    torch.testing.assert_close(grey, functional.rgb_to_grayscale(images))
    assert torch.equal(Preprocess("image", color="rgb")(images[:, :1]), images[:, :1].expand(3, 3, 5, 5))


def test_two_streams_arrive_in_the_order_that_was_asked_for(tmp_path: Path) -> None:
    chosen = recipe({"type": "digits", "sums": True}, scale="none")
    sums, x = next(open_data(chosen, places(tmp_path), inputs=("sums", "")).eval_batches("train")).inputs
    assert torch.equal(sums[:, :8], x[:, 0].sum(2))
    assert torch.equal(sums[:, 8:], x[:, 0].sum(1))


def test_an_unknown_stream_is_a_problem(tmp_path: Path) -> None:
    problem = refusal(lambda: open_data(recipe("digits"), places(tmp_path), inputs=("sums",)))
    assert problem.code == "data-no-stream"
    assert "'sums'" in problem.happened


def test_a_loss_for_yes_or_no_gets_one_float_per_sample(tmp_path: Path) -> None:
    data = open_data(recipe("moons"), places(tmp_path), targets={"": "binary"})
    target = next(data.train_batches(1, 32, 0)).targets[0]
    assert target.shape == (32, 1)
    assert target.dtype == torch.float32
    assert set(target.flatten().tolist()) == {0.0, 1.0}
    assert data.targets["y"].kind == "binary"
    assert data.facts.targets["y"].kind == "class"


def test_a_loss_for_values_refuses_classes(tmp_path: Path) -> None:
    problem = refusal(lambda: open_data(recipe("moons"), places(tmp_path), targets={"y": "value"}))
    assert problem.code == "data-target-form"


def test_a_missing_split_says_which_there_are(digits: Data) -> None:
    assert "train, val" in refusal(lambda: digits.eval_batches("test")).happened


def test_reading_can_be_cancelled(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        open_data(recipe("digits"), places(tmp_path), cancel=Flag())
    with pytest.raises(Cancelled):
        open_data(recipe("digits", standardize="feature"), places(tmp_path), cancel=Flag(after=2))


def test_progress_is_told_in_words(tmp_path: Path) -> None:
    told: list[str] = []
    open_data(recipe("digits"), places(tmp_path), progress=lambda done, total, words: told.append(words))
    assert "Reading digits" in told
    assert "Preparing train samples" in told


def test_the_fingerprint_follows_samples_and_division_only(tmp_path: Path) -> None:
    def of(**settings: object) -> str:
        return read_facts(recipe({"type": "digits", **settings}), places(tmp_path)).fingerprint

    assert of() == of(split_seed=0)
    assert len({of(), of(split_seed=1), of(limit=100), of(form="vector"), of(validation=0.3)}) == 5
    whole = read_facts(recipe("digits", standardize="feature"), places(tmp_path)).fingerprint
    assert whole == of()
