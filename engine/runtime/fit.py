"""THE training loop: a generator of events, one `Step` per optimizer step.

Owns the order of things: border (stop? edits?), batch, turns, figures, epoch end, checkpoint. What each of them does
stands in the parts of `Training`. Pause means that nobody pulls; stop is a request read at each border. Observers
cannot change a training. Never touches a file by itself and never draws a random number.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from time import perf_counter

from engine.events import Event, Step
from engine.runtime.control import Control
from engine.runtime.scoring import Cancelled
from engine.runtime.training import NonFinite, Training

PAUSE = 0.5
"""Seconds between two pulls that count as a pause instead of training time."""


def fit(training: Training, control: Control) -> Iterator[Event]:
    """Trains until the planned epochs are over, early stopping ends it, or `control` asks for a stop.

    The last event is `RunEnded`: completed, early_stopped, stopped, interrupted, or failed when the loss is not finite
    (then the checkpoint before stays, from which a gentler training can go on). Other failures are raised.
    """
    outcome = "completed"
    try:
        if training.step == 0:
            yield from training.save()
        while training.epoch <= training.epochs and not training.is_over:
            stopped = yield from _epoch(training, control)
            if stopped:
                outcome = control.stop_outcome
                break
            yield from training.save_if_due()
        if outcome == "completed" and training.is_over:
            outcome = "early_stopped"
        yield from training.save()
    except NonFinite as fault:
        yield Step(training.step, training.epoch, training.steering.lr, fault.loss, seconds=training.clock.seconds)
        yield training.ended("failed", fault.problem)
        return
    yield training.ended(outcome)


def _epoch(training: Training, control: Control) -> Generator[Event, None, bool]:
    """The steps that are left of an epoch, then its figures. Returns True when a stop was asked for."""
    batches = None
    training.clock.go_on()
    while training.position < training.steps_per_epoch:
        if control.stop_requested:
            return True
        if control.has_edits:
            yield from training.edit(control.take_edits())
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
        if event.loss is not None:
            yield from training.save_if_long_ago()
    try:
        ended = training.end_epoch(lambda: control.stop_requested)
    except Cancelled:  # validation begins anew when the run is continued
        return True
    if training.waiting:
        yield from training.told()
    yield ended
    return False
