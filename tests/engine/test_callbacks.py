"""Callbacks: the order of hooks, what the built-in ones write, requests, faults, and going on after a kill."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.callback import EVENTS, Callback, TrainingView
from engine.events import Alerted, CheckpointSaved, EpochEnded, Event, RunEnded, Step
from engine.runtime import checkpoint
from engine.runtime.control import Control
from engine.runtime.fit import fit
from tests.engine.fakes import figures, recipe, resumed, same_bits, trained, training, weights


class Diary(Callback):
    """Notes every hook with where the training stood."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def on_train_begin(self, view: TrainingView) -> None:
        self.seen.append(("on_train_begin", view.step))

    def on_epoch_begin(self, view: TrainingView) -> None:
        self.seen.append(("on_epoch_begin", view.epoch))

    def on_batch_begin(self, view: TrainingView) -> None:
        self.seen.append(("on_batch_begin", view.step))

    def on_lr_change(self, view: TrainingView, old: float, new: float) -> None:
        self.seen.append(("on_lr_change", view.step, old, new))

    def on_batch_end(self, view: TrainingView) -> None:
        self.seen.append(("on_batch_end", view.step, view.loss))

    def on_epoch_end(self, view: TrainingView) -> None:
        self.seen.append(("on_epoch_end", view.epoch, view.figures["val_loss"]))

    def on_train_end(self, view: TrainingView) -> None:
        self.seen.append(("on_train_end", view.outcome))


def test_hooks_come_in_their_order() -> None:
    diary = Diary()
    halving = {"type": "step", "every": 1, "by": 0.5}
    events = trained(training(recipe(batch_size=80, schedule=halving), epochs=2, callbacks=[diary]))
    ended = [event for event in events if isinstance(event, EpochEnded)]
    shown = [item[:2] for item in diary.seen]
    assert shown == [
        ("on_train_begin", 0),
        ("on_epoch_begin", 1),
        ("on_batch_begin", 0), ("on_batch_end", 1), ("on_batch_begin", 1), ("on_batch_end", 2),
        ("on_epoch_end", 1),
        ("on_epoch_begin", 2),
        ("on_batch_begin", 2), ("on_lr_change", 3), ("on_batch_end", 3), ("on_batch_begin", 3), ("on_batch_end", 4),
        ("on_epoch_end", 2),
        ("on_train_end", "completed"),
    ]  # fmt: skip
    assert next(item for item in diary.seen if item[0] == "on_lr_change")[2:] == (0.01, 0.005)
    assert [item[2] for item in diary.seen if item[0] == "on_epoch_end"] == [event.val_loss for event in ended]
    assert {item[0] for item in diary.seen} == set(EVENTS)


def test_losses_of_batches_are_those_of_the_steps() -> None:
    diary, control = Diary(), Control()
    control.stepping = True
    events = trained(training(epochs=1, callbacks=[diary]), control)
    told = [event.loss for event in events if isinstance(event, Step)]
    assert [item[2] for item in diary.seen if item[0] == "on_batch_end"] == told


def test_no_step_asks_anybody_when_nobody_watches_batches() -> None:
    class Quiet(Callback):
        def on_epoch_end(self, view: TrainingView) -> None: ...

    assert not training(callbacks=[Quiet()]).hooks.watch_batches
    assert not training().hooks.watch_batches
    assert training(callbacks=[Diary()]).hooks.watch_batches


def test_a_callback_that_draws_random_numbers_leaves_the_training_alone() -> None:
    class Draws(Callback):
        def on_batch_begin(self, view: TrainingView) -> None:
            torch.rand(100)

    alone = training(epochs=2)
    plainly = figures(trained(alone))
    watched = training(epochs=2, callbacks=[Draws()])
    assert figures(trained(watched)) == plainly
    assert same_bits(weights(watched), weights(alone))


def test_the_view_can_be_read_but_not_written() -> None:
    class Writes(Callback):
        def on_epoch_end(self, view: TrainingView) -> None:
            with pytest.raises(AttributeError, match="watches"):
                view.lr = 3.0  # type: ignore[misc]
            with pytest.raises(TypeError):
                view.figures["val_loss"] = 0.0  # type: ignore[index]

    assert trained(training(epochs=1, callbacks=[Writes()]))[-1].outcome == "completed"


def test_requests_of_a_callback_are_fulfilled(tmp_path: Path) -> None:
    class Asks(Callback):
        def on_batch_end(self, view: TrainingView) -> None:
            if view.step == 7:
                view.notify("seven")
                view.save("seventh")
            if view.step == 13:
                view.request_stop("enough")

    made = training(folder=tmp_path / "checkpoints", callbacks=[Asks()])
    events = trained(made)
    assert [event.words for event in events if isinstance(event, Alerted)] == ["seven", "enough"]
    saved = [event for event in events if isinstance(event, CheckpointSaved) and event.kind == "seventh"]
    assert [event.step for event in saved] == [7]
    assert (events[-1].outcome, events[-1].step) == ("stopped", 13)
    assert checkpoint.load(tmp_path / "checkpoints", "seventh").step == 7


@pytest.mark.parametrize("name", ["../outside", "last", "Best", "a b", "x" * 65, "best.old"])
def test_a_checkpoint_cannot_take_a_name_that_leads_elsewhere(name: str, tmp_path: Path) -> None:
    class Asks(Callback):
        def on_epoch_end(self, view: TrainingView) -> None:
            with pytest.raises(ValueError, match="checkpoint's name"):
                view.save(name)

    assert trained(training(epochs=1, folder=tmp_path, callbacks=[Asks()]))[-1].outcome == "completed"


HOOKS = [hook for hook in EVENTS if hook != "on_lr_change"]


@pytest.mark.parametrize("hook", [*HOOKS, "state"])
def test_a_fault_in_a_hook_ends_the_training_with_everything_saved(hook: str, tmp_path: Path) -> None:
    class Breaks(Callback):
        pass

    def broken(*_: object) -> None:
        raise ZeroDivisionError("no")

    setattr(Breaks, hook, broken)
    diary = Diary()
    made = training(folder=tmp_path, epochs=2, callbacks=[Breaks(), diary])
    events = trained(made)
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert ended.outcome == "failed"
    assert "ZeroDivisionError" in ended.problem["happened"]
    assert checkpoint.load(tmp_path, "last").step == ended.step == made.step
    # The others still hear of the event and of the end.
    assert diary.seen[-1][0] == "on_train_end"
    if hook in EVENTS:
        assert any(item[0] == hook for item in diary.seen)


def test_a_training_that_is_let_go_tells_its_callbacks() -> None:
    diary = Diary()
    events = fit(training(callbacks=[diary]), Control())
    for event in events:
        if isinstance(event, Step) and event.step == 3:
            break
    events.close()  # type: ignore[attr-defined]
    assert diary.seen[-1] == ("on_train_end", "failed")


class Counts(Callback):
    """Remembers how many epochs it saw, through any stop."""

    def __init__(self) -> None:
        self.epochs = 0

    def on_epoch_end(self, view: TrainingView) -> None:
        self.epochs += 1

    def state(self) -> dict[str, Any]:
        return {"epochs": self.epochs, "nested": [1, "two", None, {"three": 3.0}]}

    def load(self, state: Mapping[str, Any]) -> None:
        self.epochs = state["epochs"]


def killed_after(made: Any, step: int) -> list[Event]:
    """Pulls a training to a step and lets it go without a word, as a kill does."""
    seen = []
    for event in fit(made, Control()):
        seen.append(event)
        if isinstance(event, Step) and event.step == step:
            break
    return seen


def test_what_a_callback_keeps_survives_a_stop(tmp_path: Path) -> None:
    control = Control()
    for event in fit(training(folder=tmp_path, callbacks=[Counts()]), control):
        if isinstance(event, Step) and event.step == 15:
            control.request_stop()
    again = Counts()
    trained(resumed(tmp_path, callbacks=[again]))
    assert again.epochs == 3


def test_state_that_is_not_plain_is_refused_before_it_reaches_a_checkpoint(tmp_path: Path) -> None:
    class Odd(Callback):
        def state(self) -> dict[str, Any]:
            return {"model": object()}

    ended = trained(training(folder=tmp_path, epochs=1, callbacks=[Odd()]))[-1]
    assert ended.outcome == "failed"
    assert "numbers, words" in ended.problem["happened"]
    assert checkpoint.load(tmp_path, "last") is not None


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "metrics.csv", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


CSV = recipe(callbacks=({"type": "csv_log"},))


def test_the_table_holds_the_figures_of_every_epoch(tmp_path: Path) -> None:
    events = trained(training(CSV, folder=tmp_path / "checkpoints"))
    ended = [event for event in events if isinstance(event, EpochEnded)]
    found = rows(tmp_path)
    assert [int(row["epoch"]) for row in found] == [1, 2, 3]
    assert [float(row["val_loss"]) for row in found] == [event.val_loss for event in ended]
    assert [float(row["val_accuracy"]) for row in found] == [event.metrics["val_accuracy"] for event in ended]


@pytest.mark.parametrize("torn", ["", "9,nonsense", "3,0.5"])
def test_a_table_goes_on_after_a_kill_without_gaps_or_doubles(tmp_path: Path, torn: str) -> None:
    folder = tmp_path / "checkpoints"
    alone = figures(trained(training(CSV, folder=tmp_path / "alone" / "checkpoints")))
    killed_after(training(CSV, folder=folder), 25)  # the last checkpoint is that of step 0: epochs are short
    assert [row["epoch"] for row in rows(tmp_path)] == ["1", "2"]
    with open(tmp_path / "metrics.csv", "a", encoding="utf-8") as stream:
        stream.write(torn)
    trained(resumed(folder, CSV))
    found = rows(tmp_path)
    assert [row["epoch"] for row in found] == ["1", "2", "3"]
    assert [float(row["val_loss"]) for row in found] == [item["val"] for item in alone]


def test_checkpoints_are_kept_by_number_and_by_figure(tmp_path: Path) -> None:
    settings = recipe(
        callbacks=({"type": "checkpoint", "every": 2, "keep": 2, "best": True, "monitor": "val_accuracy"},)
    )
    made = training(settings, folder=tmp_path, epochs=9)
    at_epoch, scores, saved = {}, {}, []
    for event in fit(made, Control()):
        if isinstance(event, EpochEnded):
            at_epoch[event.epoch], scores[event.epoch] = weights(made), event.metrics["val_accuracy"]
        if isinstance(event, CheckpointSaved):
            saved.append(event)
    assert set(checkpoint.names(tmp_path)) == {"last", "best", "epoch-0006", "epoch-0008", "best-val_accuracy"}
    for epoch in (6, 8):
        assert same_bits(dict(checkpoint.load(tmp_path, f"epoch-{epoch:04d}").weights), at_epoch[epoch])
    first_best = max(scores, key=lambda epoch: (scores[epoch], -epoch))
    best = checkpoint.load(tmp_path, "best-val_accuracy")
    assert best.epoch == first_best
    assert same_bits(dict(best.weights), at_epoch[first_best])
    assert [name for event in saved for name in event.dropped] == ["epoch-0002", "epoch-0004"]


def test_a_named_checkpoint_goes_on_to_the_same_end(tmp_path: Path) -> None:
    settings = recipe(callbacks=({"type": "checkpoint", "every": 1, "keep": 0},))
    whole = training(settings, folder=tmp_path, epochs=4)
    trained(whole)
    saved = checkpoint.load(tmp_path, "epoch-0002")
    rest = training(settings, folder=tmp_path / "elsewhere", epochs=4)
    checkpoint.fill(rest.model, saved.weights)
    rest.load(saved.training)
    trained(rest)
    assert same_bits(weights(rest), weights(whole))


def alert(**settings: Any) -> Any:
    return recipe(callbacks=({"type": "alert", **settings},))


@pytest.mark.parametrize("when", ["below", "above"])
def test_an_alert_comes_at_the_first_epoch_that_lies_beyond(when: str) -> None:
    plain = figures(trained(training(epochs=6)))
    losses = [item["val"] for item in plain]
    threshold = (losses[2] + losses[3]) / 2
    told = [event for event in trained(training(alert(when=when, value=threshold), epochs=6))
            if isinstance(event, Alerted)]  # fmt: skip
    beyond = [item["epoch"] for item in plain if (item["val"] < threshold) == (when == "below")]
    assert [event.epoch for event in told] == beyond[:1]
    assert (told[0].figure, told[0].action) == ("val_loss", "notify")
    assert told[0].value == losses[beyond[0] - 1]
    again = [event.epoch for event in trained(training(alert(when=when, value=threshold, repeat=True), epochs=6))
             if isinstance(event, Alerted)]  # fmt: skip
    assert again == beyond


def test_an_alert_can_stop_with_everything_saved_or_save(tmp_path: Path) -> None:
    losses = [item["val"] for item in figures(trained(training(epochs=6)))]
    threshold = (losses[1] + losses[2]) / 2
    first = next(epoch for epoch, loss in enumerate(losses, 1) if loss < threshold)
    events = trained(training(alert(value=threshold, then="stop"), folder=tmp_path / "stop", epochs=6))
    assert (events[-1].outcome, events[-1].epoch) == ("stopped", first)
    assert checkpoint.load(tmp_path / "stop", "last").epoch == first
    trained(training(alert(value=threshold, then="save"), folder=tmp_path / "save", epochs=6))
    assert checkpoint.load(tmp_path / "save", f"alert-{first:04d}").epoch == first


def test_an_alert_that_has_spoken_stays_silent_after_a_stop(tmp_path: Path) -> None:
    settings, control, told = alert(value=1e6), Control(), []
    for event in fit(training(settings, folder=tmp_path), control):
        told += [event] if isinstance(event, Alerted) else []
        if isinstance(event, Step) and event.step == 15:
            control.request_stop()
    told += [event for event in trained(resumed(tmp_path, settings)) if isinstance(event, Alerted)]
    assert [event.epoch for event in told] == [1]


def test_tensorboard_gets_every_figure(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the package tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    settings = recipe(callbacks=({"type": "tensorboard"},))
    ended = [event for event in trained(training(settings, folder=tmp_path / "checkpoints"))
             if isinstance(event, EpochEnded)]  # fmt: skip
    reader = EventAccumulator(str(tmp_path / "tensorboard"))
    reader.Reload()
    assert [item.step for item in reader.Scalars("loss/val")] == [event.step for event in ended]
    assert [item.value for item in reader.Scalars("loss/val")] == pytest.approx([event.val_loss for event in ended])
    assert reader.Scalars("step/loss")
