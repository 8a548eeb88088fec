"""The loop: order of events, stop, stepping, edits, clipping, early stopping, and training that stops by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from engine.events import Alerted, CheckpointSaved, Clipped, Edited, EpochEnded, Probed, RunEnded, Step
from engine.runtime import checkpoint
from engine.runtime.control import Control
from engine.runtime.fit import fit
from tests.engine.fakes import Drawn, figures, network, recipe, same_bits, trained, training, weights


def test_every_optimizer_step_is_one_event_and_the_end_comes_last() -> None:
    events = trained(training(epochs=3))
    steps = [event.step for event in events if isinstance(event, Step)]
    assert steps == list(range(1, 31))
    assert [event.epoch for event in events if isinstance(event, EpochEnded)] == [1, 2, 3]
    assert isinstance(events[-1], RunEnded)
    assert events[-1].outcome == "completed"
    assert events[-1].final["epoch"] == 3


def test_the_loop_trains_exactly_as_a_plain_loop_does() -> None:
    made = training(epochs=2, settings=recipe(optimizer={"type": "sgd", "lr": 0.1, "momentum": 0.9}))
    trained(made)
    torch.manual_seed(0)
    data, plain = Drawn(), network()
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.1, momentum=0.9, fused=True)
    for epoch in (1, 2):
        for batch in data.train_batches(epoch, 16, 0):
            optimizer.zero_grad()
            functional.cross_entropy(plain(batch.inputs[0]), batch.targets[0]).backward()
            optimizer.step()
    assert same_bits(weights(made), checkpoint.weights_of(plain))


def test_epoch_figures_weigh_every_sample_alike() -> None:
    made = training(epochs=1, settings=recipe(batch_size=96, optimizer={"type": "sgd", "lr": 1e-12}), data=Drawn(160))
    made.model.eval()
    for module in made.model.modules():
        module.train = lambda mode=True, module=module: module  # type: ignore[method-assign, misc]
    ended = next(event for event in fit(made, Control()) if isinstance(event, EpochEnded))
    data = Drawn(160)
    outputs = made.model(data.x[:160])
    assert ended.train_loss == pytest.approx(functional.cross_entropy(outputs, data.y[:160]).item(), rel=1e-5)
    assert ended.metrics["train_accuracy"] == int((outputs.argmax(1) == data.y[:160]).sum()) / 160
    validation = functional.cross_entropy(made.model(data.x[160:]), data.y[160:]).item()
    assert ended.val_loss == pytest.approx(validation, rel=1e-5)


def _told(monkeypatch: pytest.MonkeyPatch, **limits: float) -> int:
    for name, value in limits.items():
        monkeypatch.setattr(f"engine.runtime.training.{name}", value)
    return sum(isinstance(event, Step) and event.loss is not None for event in trained(training(epochs=2)))


def test_a_long_run_samples_its_losses_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= _told(monkeypatch, LEAST_SAMPLES=1, SAMPLE=60.0) < 6


def test_a_short_run_tells_more_losses_but_none_closer_than_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _told(monkeypatch, LEAST_SAMPLES=400, SAMPLE=60.0, CLOSEST=0.0) == 20
    assert _told(monkeypatch, LEAST_SAMPLES=400, SAMPLE=60.0, CLOSEST=60.0) < 6


def test_every_loss_is_told_while_stepping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.runtime.training.LEAST_SAMPLES", 4)
    control = Control()
    control.stepping = True
    every = [event for event in trained(training(epochs=2), control) if isinstance(event, Step)]
    assert len(every) == 20
    assert all(event.loss is not None for event in every)


def test_looking_does_not_change_the_training() -> None:
    control = Control()
    control.stepping = True
    watched = training()
    seen = trained(watched, control)
    alone = training(flow=False)
    assert figures(seen) == figures(trained(alone))
    assert same_bits(weights(watched), weights(alone))
    assert sum(isinstance(event, Probed) for event in seen) == 30


def test_a_stop_request_ends_after_the_step_under_way_with_the_state_saved(tmp_path: Path) -> None:
    control = Control()
    seen = []
    for event in fit(training(folder=tmp_path), control):
        seen.append(event)
        if isinstance(event, Step) and event.step == 13:
            control.request_stop()
    assert [event.step for event in seen if isinstance(event, Step)][-1] == 13
    assert isinstance(seen[-2], CheckpointSaved)
    assert isinstance(seen[-1], RunEnded)
    assert (seen[-1].outcome, seen[-1].step) == ("stopped", 13)
    saved = checkpoint.load(tmp_path, "last")
    assert saved is not None
    assert saved.step == 13


def test_a_signal_ends_as_interrupted() -> None:
    control = Control()
    control.request_stop(interrupted=True)
    events = trained(training(), control)
    assert [type(event) for event in events] == [RunEnded]
    assert events[-1].outcome == "interrupted"


def test_an_edited_rate_holds_from_the_next_step_and_is_told() -> None:
    control = Control()
    seen = []
    for event in fit(training(), control):
        seen.append(event)
        if isinstance(event, Step) and event.step == 5:
            control.edit("recipe.optimizer.lr", 0.5)
            control.scale("recipe.optimizer.lr", 0.1)
            control.edit("recipe.optimizer.lr", -3)
            control.edit("recipe.batch_size", 4)
    rates = {event.step: event.lr for event in seen if isinstance(event, Step)}
    edits = [event for event in seen if isinstance(event, Edited)]
    refused = [event for event in seen if isinstance(event, Alerted)]
    assert (rates[5], rates[6]) == (0.01, 0.05)
    assert [(event.step, event.old, event.new) for event in edits] == [(6, 0.01, 0.5), (6, 0.5, 0.05)]
    assert len(refused) == 2
    assert "a number" in refused[0].words


def test_an_edited_rate_keeps_the_schedule_that_multiplies_it() -> None:
    control = Control()
    rates = {}
    made = training(recipe(schedule={"type": "cosine"}))
    for event in fit(made, control):
        if isinstance(event, Step):
            rates[event.step] = event.lr
            if event.step == 15:
                control.scale("recipe.optimizer.lr", 0.5)
    plain = {
        event.step: event.lr
        for event in trained(training(recipe(schedule={"type": "cosine"})))
        if isinstance(event, Step)
    }
    assert rates[15] == plain[15]
    assert rates[16] == pytest.approx(plain[16] / 2)
    assert rates[30] == pytest.approx(plain[30] / 2)


@pytest.mark.parametrize("mode", ["norm", "value"])
def test_clipping_is_torchs_own_and_is_counted(mode: str) -> None:
    settings = recipe(optimizer={"type": "sgd", "lr": 0.1}, clip={"type": mode, "limit": 0.05})
    made = training(settings, epochs=1)
    events = trained(made)
    told = [event for event in events if isinstance(event, Clipped)]
    torch.manual_seed(0)
    data, plain = Drawn(), network()
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.1, fused=True)
    count, largest = 0, 0.0
    for batch in data.train_batches(1, 16, 0):
        optimizer.zero_grad()
        functional.cross_entropy(plain(batch.inputs[0]), batch.targets[0]).backward()
        if mode == "norm":
            size = nn.utils.clip_grad_norm_(plain.parameters(), 0.05).item()
        else:
            size = max(item.grad.abs().max().item() for item in plain.parameters())
            nn.utils.clip_grad_value_(plain.parameters(), 0.05)
        count, largest = count + (size > 0.05), max(largest, size)
        optimizer.step()
    assert same_bits(weights(made), checkpoint.weights_of(plain))
    assert sum(event.count for event in told) == count > 0
    assert max(event.norm for event in told) == pytest.approx(largest)


def test_early_stopping_ends_patience_epochs_after_the_best_and_keeps_the_best_weights(tmp_path: Path) -> None:
    stop = {"type": "early_stopping", "enabled": True, "patience": 3}
    made = training(recipe(early_stopping=stop, optimizer={"type": "sgd", "lr": 30.0}), epochs=60, folder=tmp_path)
    at_epoch = {}
    seen = []
    for event in fit(made, Control()):
        seen.append(event)
        if isinstance(event, EpochEnded):
            at_epoch[event.epoch] = weights(made)
    ended = seen[-1]
    epochs = [event for event in seen if isinstance(event, EpochEnded)]
    best = min(epochs, key=lambda event: event.val_loss)
    assert ended.outcome == "early_stopped"
    assert ended.best["epoch"] == best.epoch
    assert epochs[-1].epoch == best.epoch + 3
    saved = {kind: checkpoint.load(tmp_path, kind) for kind in ("best", "last")}
    assert same_bits(dict(saved["best"].weights), at_epoch[best.epoch])
    assert same_bits(dict(saved["last"].weights), at_epoch[epochs[-1].epoch])


def test_training_stops_by_itself_when_the_loss_is_not_finite_and_names_the_layer(tmp_path: Path) -> None:
    made = training(folder=tmp_path)
    seen = []
    for event in fit(made, Control()):
        seen.append(event)
        if isinstance(event, Step) and event.step == 7:
            with torch.no_grad():
                made.model[4].weight[0, 0] = float("inf")
    ended = seen[-1]
    assert (ended.outcome, ended.step) == ("failed", 8)
    assert ended.problem["where"] == "4"
    assert ended.problem["code"] == "loss_not_finite"
    assert str(seen[-2].loss) in ("nan", "inf")
    assert checkpoint.load(tmp_path, "last").step == 0


def test_a_device_that_is_not_waited_for_still_stops_the_training() -> None:
    made = training(epochs=1)
    made._tally._at_once = False
    with torch.no_grad():
        made.model[0].weight[0, 0] = float("nan")
    events = trained(made)
    assert events[-1].outcome == "failed"
    assert events[-1].problem["where"] == "0"


def test_mixed_targets_give_no_training_accuracy() -> None:
    class Mixed(Drawn):
        def train_batches(self, *args: object, **more: object):
            for batch in super().train_batches(*args, **more):
                yield batch._replace(targets=(functional.one_hot(batch.targets[0], 3).float(),))

    ended = next(event for event in trained(training(data=Mixed(), epochs=1)) if isinstance(event, EpochEnded))
    assert "train_accuracy" not in ended.metrics
    assert "val_accuracy" in ended.metrics


def test_pauses_count_for_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    made = training(epochs=1)
    monkeypatch.setattr("engine.runtime.fit.PAUSE", 0.2)
    for event in fit(made, Control()):
        if isinstance(event, Step) and event.step == 4:
            time.sleep(1.0)
        if isinstance(event, EpochEnded):
            assert event.seconds < 0.9
    assert made.clock.seconds < 0.9
