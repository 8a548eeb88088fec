"""A run's events folded into bounded series: nothing that matters is lost, and memory does not grow."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest

from engine import events
from engine.probe_window import WINDOW
from engine.series import Series
from engine.timeline import MAX_MARKS, Timeline
from engine.verdict import spoken, verdict


def started(layers: tuple[str, ...] = ("first", "second"), epochs: int = 4, steps: int = 10) -> events.RunStarted:
    return events.RunStarted(
        run="r", name="r", device="cpu", threads=1, seed=0, epochs=epochs, steps_per_epoch=steps,
        train_samples=320, val_samples=32, parameters=10, trainable=10, layers=layers,
    )  # fmt: skip


def step(number: int, loss: float | None = 1.0, lr: float = 0.1) -> events.Step:
    return events.Step(number, (number - 1) // 10 + 1, lr, loss, samples_per_second=100.0, seconds=number / 10)


def probe(number: int, **norms: float) -> events.Probed:
    return events.Probed(number, 1, gradient=norms, weight=dict.fromkeys(norms, 2.0))


def epoch(number: int, val_loss: float = 0.5, best: bool = False) -> events.EpochEnded:
    figures = {"val_accuracy": 0.9, "train_accuracy": 0.95}
    return events.EpochEnded(number, number * 10, 0.6, val_loss, 0.1, 1.0, 320.0, metrics=figures, best=best)


def test_a_short_series_is_kept_exactly() -> None:
    series = Series(64)
    for number in range(50):
        series.append(number, number * 2.0)
    steps, values = series.points()
    assert steps.tolist() == list(range(50))
    assert values.tolist() == [number * 2.0 for number in range(50)]
    assert series.last == (49, 98.0)


@pytest.mark.parametrize("num_samples", [63, 64, 65, 1000, 4097, 50_000])
def test_a_single_spike_survives_at_its_own_step(num_samples: int) -> None:
    spike = num_samples // 3
    series = Series(64)
    for number in range(num_samples):
        series.append(number, 100.0 if number == spike else -100.0 if number == spike + 1 else np.sin(number))
    steps, values = series.points()
    assert len(steps) <= 66
    assert np.all(np.diff(steps) > 0)
    assert steps[values.argmax()] == spike
    assert values.max() == 100.0
    assert steps[values.argmin()] == spike + 1
    assert values.min() == -100.0
    assert len(series) == num_samples


def test_resolution_is_the_same_from_beginning_to_end() -> None:
    series = Series(256)
    generator = np.random.default_rng(0)
    for number, value in enumerate(generator.normal(size=100_000)):
        series.append(number, value)
    gaps = np.diff(series.points()[0])
    # 2 points per bucket of 782 samples or its double: no part is kept finer or coarser than that.
    assert len(series.points()[0]) >= 128
    assert gaps.max() <= 4 * 100_000 / 128


def test_bucket_means_are_not_pulled_towards_spikes() -> None:
    series = Series(64)
    for number in range(20_000):
        series.append(number, 1000.0 if number % 100 == 0 else 1.0)
    means = series.means()[1]
    assert np.median(means) == pytest.approx(10.99, rel=0.1)
    assert series.points()[1].max() == 1000.0


def test_dropping_beyond_a_step_and_going_on_leaves_a_rising_series() -> None:
    series = Series(64)
    for number in range(1000):
        series.append(number, number)
    series.drop_after(500)
    assert series.points()[0].max() <= 500
    for number in range(501, 3000):
        series.append(number, number)
    steps, values = series.points()
    assert np.all(np.diff(steps) > 0)
    assert np.array_equal(steps, values)
    assert steps[-1] == 2999
    assert len(steps) <= 66


def test_non_finite_samples_leave_a_gap_not_a_nan() -> None:
    series = Series()
    for value in (1.0, nan, inf, 2.0):
        series.append(1, value)
    assert series.points()[1].tolist() == [1.0, 2.0]


def test_a_capacity_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        Series(10)


def test_a_million_steps_stay_bounded() -> None:
    timeline = Timeline()
    timeline.add(started(epochs=100_000))
    numbers = [step(number, loss=9.0 if number == 777_777 else 1.0) for number in range(1, 50_001)]
    for lap in range(20):
        for event in numbers:
            # The same records with a moved step: building a million records would measure the records.
            timeline.loss.append(event.step + lap * 50_000, event.loss or 0.0)
    timeline.extend(numbers)
    assert len(timeline.loss.points()[0]) <= 4098
    assert len(timeline.lr.points()[0]) <= 4098


def test_marks_are_bounded_and_keep_the_first_and_the_newest() -> None:
    timeline = Timeline()
    for number in range(3 * MAX_MARKS):
        timeline.add(events.Edited(number, 1, "lr", 1, 2, f"edit {number}"))
    words = [mark.words for mark in timeline.marks]
    assert len(words) == MAX_MARKS
    assert words[0] == "edit 0"
    assert words[-1] == f"edit {3 * MAX_MARKS - 1}"


def test_resuming_drops_everything_beyond_the_checkpoint() -> None:
    timeline = Timeline.from_events(
        [
            started(),
            *[step(number) for number in range(1, 21)],
            epoch(1), epoch(2, best=True),
            probe(10, first=1.0, second=2.0), probe(20, first=nan, second=2.0),
            events.Edited(15, 2, "recipe.lr", 0.1, 0.05, "rate ×0.5 by hand"),
            events.CheckpointSaved("last", 10, 1), events.CheckpointSaved("best", 20, 2),
            events.RunEnded("failed", "r", 20, 2),
            events.RunResumed(10, 1, epochs=6, steps_per_epoch=10),
        ]
    )  # fmt: skip
    assert timeline.loss.points()[0].tolist() == list(range(1, 11))
    assert [row.epoch for row in timeline.epochs] == [1]
    assert list(timeline.checkpoints) == ["last"]
    assert [mark.kind for mark in timeline.marks] == ["resumed"]
    assert timeline.first_non_finite is None
    assert timeline.outcome is None
    assert timeline.planned_steps == 60
    assert timeline.step == 10
    assert timeline.seconds == 1.0
    assert len(timeline.probes) == 1


def test_the_first_layer_that_is_not_finite_is_named() -> None:
    timeline = Timeline.from_events([started(), step(1), step(2, loss=nan), probe(2, first=inf, second=nan)])
    assert timeline.first_non_finite is not None
    assert (timeline.first_non_finite.step, timeline.first_non_finite.layer) == (2, "first")
    found = verdict(timeline)
    assert found.level == "error"
    assert str(found) == "Not finite first in first; at step 2"
    assert timeline.depth().non_finite == ("first", "second")


def test_a_failed_run_names_the_layer_its_problem_names() -> None:
    problem = {"where": "second", "happened": "loss is nan"}
    timeline = Timeline.from_events(
        [started(), step(1, loss=nan), events.RunEnded("failed", "r", 1, 1, problem=problem)]
    )
    assert timeline.first_non_finite is not None
    assert timeline.first_non_finite.layer == "second"


def test_depth_covers_only_the_newest_probes() -> None:
    timeline = Timeline()
    timeline.add(started())
    timeline.add(probe(1, first=1e9, second=1e9))
    for number in range(WINDOW):
        timeline.add(probe(2 + number, first=0.01 if number % 2 else 0.04, second=1.0))
    depth = timeline.depth()
    assert depth.layers == ("first", "second")
    assert depth.mean == pytest.approx([0.02, 1.0])
    assert depth.least == pytest.approx([0.01, 1.0])
    assert depth.greatest == pytest.approx([0.04, 1.0])
    assert timeline.depth_at(1).mean == pytest.approx([1e9, 1e9])
    assert np.isnan(timeline.depth_at(0).mean).all()


def test_epochs_and_seconds_follow_the_steps() -> None:
    timeline = Timeline.from_events([started(), *[step(number) for number in range(1, 16)], epoch(1)])
    assert timeline.epoch_of(np.array([0.0, 5.0, 10.0, 15.0, 40.0])) == pytest.approx([0, 0.5, 1, 1.5, 4])
    assert timeline.seconds_of(np.array([0.0, 5.0, 15.0, 30.0])) == pytest.approx([0, 0.5, 1.5, 3.0])
    assert timeline.metric_names() == ["accuracy"]
    assert timeline.epoch_series("val_accuracy")[1].tolist() == [0.9]
    assert timeline.epoch_series("val_nothing")[1].tolist() == []


def test_healthy_gradients_are_said_to_reach_every_layer() -> None:
    timeline = Timeline.from_events([started(("norm1", "linear")), probe(1, norm1=0.002, linear=0.148)])
    found = verdict(timeline)
    assert str(found) == "Gradients reach every layer; weakest norm1, 74 times below linear"
    assert (found.level, found.weakest, found.strongest) == ("good", "norm1", "linear")


def test_vanishing_gradients_say_below_which_layer() -> None:
    timeline = Timeline.from_events([started(("a", "b", "c")), probe(1, a=1e-9, b=1e-6, c=0.5)])
    found = verdict(timeline)
    assert found.level == "warning"
    assert found.title == "Gradients vanish below c"
    assert found.detail == "2 of 3 layers; weakest a, 5.0e8 times below c"


def test_a_starved_layer_in_the_middle_is_named() -> None:
    timeline = Timeline.from_events([started(("a", "b", "c")), probe(1, a=0.1, b=0.0, c=0.5)])
    assert verdict(timeline).title == "Gradients do not reach b"
    assert "exactly zero" in verdict(timeline).detail


def test_exploding_gradients_say_where() -> None:
    timeline = Timeline.from_events([started(("a", "b")), probe(1, a=2e4, b=5.0)])
    assert str(verdict(timeline)) == "Gradients explode in a; norm 20,000, 4,000 times above b"


def test_nothing_is_said_before_the_first_probe() -> None:
    assert verdict(Timeline.from_events([started()])).level == "unknown"


def test_copies_and_blocks_are_spoken_as_words() -> None:
    paths = ["blocks.0.norm1", "blocks.1.norm1", "head.linear"]
    assert spoken("blocks.1.norm1", paths) == "norm1 in copy 2"
    assert spoken("head.linear", paths) == "linear"
    assert spoken("head.linear", [*paths, "tail.linear"]) == "linear in head"
    assert spoken("blocks.0.norm1", [*paths, "other.0.norm1"]) == "norm1 in blocks, copy 1"
