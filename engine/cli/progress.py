"""How far it is: a bar on a terminal, plain lines elsewhere. Events of a training, and data that is fetched or read.

Everything here goes to stderr except the lines of a training's epochs, which are its result.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from engine.cli.output import Output
from engine.events import Alerted, Edited, EpochEnded, Event, RunEnded, RunResumed, RunStarted, Step

EVERY = 5.0
"""Seconds between two plain lines about one piece of work."""


class TrainingReport:
    """Tells a training in words; every event goes through `tell`."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bar: Any = None
        self._epochs = 0
        self._steps = 0

    def tell(self, event: Event) -> None:
        """Says what matters about an event."""
        if isinstance(event, Step):
            self._move(event)
        elif isinstance(event, RunStarted):
            self._start(event.epochs, event.steps_per_epoch, 0)
            self._line(
                f"{event.name}: {event.train_samples:,} training and {event.val_samples:,} validation samples, "
                f"{event.parameters:,} parameters, {event.device}"
            )
            self._line(f"run folder: {event.run}")
        elif isinstance(event, RunResumed):
            self._start(event.epochs, event.steps_per_epoch, event.step)
            self._line(f"going on after step {event.step:,}, epoch {event.epoch} of {event.epochs}")
        elif isinstance(event, EpochEnded):
            self._line(epoch_line(event, self._epochs))
        elif isinstance(event, (Alerted, Edited)):
            self._line(event.words)
        elif isinstance(event, RunEnded):
            self.close()

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _start(self, epochs: int, steps_per_epoch: int, done: int) -> None:
        self._epochs, self._steps = epochs, steps_per_epoch
        if self._output.is_terminal:
            from tqdm import tqdm

            self._bar = tqdm(total=epochs * steps_per_epoch, initial=done, unit="step", leave=False, dynamic_ncols=True)

    def _move(self, step: Step) -> None:
        if self._bar is None or step.loss is None:
            return
        self._bar.set_description(f"epoch {step.epoch}/{self._epochs}", refresh=False)
        self._bar.set_postfix_str(f"loss {step.loss:.4g}", refresh=False)
        self._bar.update(step.step - self._bar.n)

    def _line(self, words: str) -> None:
        if self._bar is None or self._output.json:
            self._output.text(words)
        else:
            self._bar.clear()
            self._output.text(words)


def epoch_line(event: EpochEnded, epochs: int) -> str:
    """`epoch 3/30  loss 0.212  val loss 0.198  val accuracy 0.953  52,000 samples/s`."""
    parts = [f"epoch {event.epoch:>{len(str(epochs))}}/{epochs}", f"loss {event.train_loss:.4g}"]
    if event.val_loss is not None:
        parts.append(f"val loss {event.val_loss:.4g}")
    parts += [f"{name.replace('_', ' ')} {value:.4g}" for name, value in event.metrics.items()]
    parts.append(f"{event.samples_per_second:,.0f} samples/s")
    return "  ".join(parts)


def data_progress(output: Output) -> Callable[[int, int | None, str], None]:
    """A callback for reading and fetching: quiet where it is quick, otherwise a bar or a line now and then."""
    wait = 0.2 if output.is_terminal else EVERY
    due = time.monotonic() + max(wait, 1.0)

    def tell(done: int, total: int | None, words: str) -> None:
        nonlocal due
        if time.monotonic() < due:
            return
        due = time.monotonic() + wait
        share = f" {100 * done // total} %" if total else f" {done:,}"
        if output.is_terminal:
            output.pass_by(f"{words}{share}")
        else:
            output.say(f"{words}{share}")

    return tell
