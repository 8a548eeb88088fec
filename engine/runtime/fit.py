"""THE training loop: a generator of events, one `Step` per optimizer step.

Owns the order of things: border (stop? edits?), batch, turns, figures, epoch end, callbacks, checkpoint. What each of
them does stands in the parts of `Training`. Pause means that nobody pulls; stop is a request read at each border.
Observers cannot change a training. Never touches a file by itself and never draws a random number.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from time import perf_counter

from engine.events import Event, Step
from engine.runtime.broken import NonFinite
from engine.runtime.callbacks.hooks import HookFailed
from engine.runtime.control import Control
from engine.runtime.scoring import Cancelled
from engine.runtime.training import Training

PAUSE = 0.5
"""Seconds between two pulls that count as a pause instead of training time."""


def fit(training: Training, control: Control) -> Iterator[Event]:
    """Trains until the planned epochs are over, early stopping ends it, or `control` asks for a stop.

    The last event is `RunEnded`: completed, early_stopped, stopped, interrupted, or failed when the loss is not finite
    (then the checkpoint before stays, from which a gentler training can go on) or a callback broke (then everything
    is saved). Other failures are raised.
    """
    hooks = training.hooks
    try:
        if training.step == 0:
            yield from training.save()
        yield from hooks.begin(training, control)
        if training.step == 0 and training.phasing is not None and training.phasing.several:
            yield training.phasing.started(training.step, training.epoch)
        if training.step == 0 and not control.stop_requested:
            training.look()
            yield from training.told()
        outcome = yield from _epochs(training, control)
        yield from training.save()
        yield from hooks.end(outcome)
    except NonFinite as fault:
        yield Step(training.step, training.epoch, training.steering.lr, fault.loss, seconds=training.clock.seconds)
        hooks.close("failed")
        yield training.ended("failed", fault.problem)
        return
    except HookFailed as fault:
        hooks.close("failed")
        yield from training.save()
        yield training.ended("failed", fault.problem)
        return
    finally:  # whatever else ended it: files of callbacks are closed
        hooks.close("failed")
    yield training.ended(outcome)


def _epochs(training: Training, control: Control) -> Generator[Event, None, str]:
    """The epochs that are left. Returns the outcome."""
    while True:
        yield from training.next_phase()
        if training.epoch > training.epochs or training.is_over:
            break
        stopped = yield from _epoch(training, control)
        if stopped:
            return control.stop_outcome
        yield from training.save_if_due()
    return "early_stopped" if training.is_over else "completed"


def _epoch(training: Training, control: Control) -> Generator[Event, None, bool]:
    """The steps that are left of an epoch, then its figures. Returns True when a stop was asked for."""
    batches = None
    hooks = training.hooks
    training.clock.go_on()
    if training.position == 0 and not control.stop_requested:
        yield from hooks.begin_epoch()
    while training.position < training.steps_per_epoch:
        if control.stop_requested or (training.wants_look and not _looked(training, control)):
            return True
        if control.has_edits:
            yield from training.edit(control.take_edits())
        if hooks.watch_batches:
            yield from hooks.begin_batch()
        # Pulled after the border, because pulling may draw (MixUp): a checkpoint lies before the draw.
        if batches is None:
            batches = training.batches()
        event = training.train_on(next(batches), watched=control.stepping)
        if training.waiting:
            yield from training.told()
        before = perf_counter()
        yield event
        if (gap := perf_counter() - before) > PAUSE:
            training.clock.skip(gap)
        if hooks.watch_batches:
            yield from hooks.end_batch()
        if event.loss is not None:
            yield from training.save_if_long_ago()
    try:
        ended = training.end_epoch(lambda: control.stop_requested)
    except Cancelled:  # validation begins anew when the run is continued
        return True
    if training.waiting:
        yield from training.told()
    yield ended
    yield from hooks.end_epoch(ended)
    return False


def _looked(training: Training, control: Control) -> bool:
    """Looks at the validation set for the schedule; False when a stop came first: then it does when continued."""
    try:
        training.validate(lambda: control.stop_requested)
    except Cancelled:
        return False
    return True
