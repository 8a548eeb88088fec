"""How long training took, pauses left out: seconds of the run and of the epoch, and the pace.

Owns the stop watch only. On resume it goes on from the seconds of the checkpoint. Never decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any


class Clock:
    """A stop watch with an epoch inside a run. `samples` counts those trained on since the pace was last asked for."""

    def __init__(self) -> None:
        self.samples = 0
        self._before = 0.0
        self._epoch_before = 0.0
        self._epoch_samples = 0
        self._since = perf_counter()
        self._lap = self._since
        self._epoch_start = self._since

    @property
    def seconds(self) -> float:
        """Seconds of the run so far."""
        return self._before + perf_counter() - self._since

    @property
    def epoch_samples(self) -> int:
        """Samples trained on in this epoch so far."""
        return self._epoch_samples + self.samples

    def go_on(self) -> None:
        """An epoch, or the rest of one, begins now: saving in between was not training."""
        now = perf_counter()
        self._lap = now
        self._epoch_start = now

    def skip(self, seconds: float) -> None:
        """Leaves a pause out."""
        self._since += seconds
        self._lap += seconds
        self._epoch_start += seconds

    def speed(self) -> float:
        """Samples per second since the last call."""
        now = perf_counter()
        pace = self.samples / max(now - self._lap, 1e-9)
        self._epoch_samples += self.samples
        self._lap, self.samples = now, 0
        return pace

    def epoch_seconds(self) -> float:
        """Seconds of this epoch so far, validation included."""
        return self._epoch_before + perf_counter() - self._epoch_start

    def begin_epoch(self) -> None:
        """The next epoch begins at nothing."""
        self.samples = self._epoch_samples = 0
        self._epoch_before = 0.0
        self.go_on()

    def state(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {"seconds": self.seconds, "epoch_seconds": self.epoch_seconds(), "epoch_samples": self.epoch_samples}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state`."""
        self._before, self._since = float(state["seconds"]), perf_counter()
        self._epoch_before, self._epoch_samples = float(state["epoch_seconds"]), int(state["epoch_samples"])
        self.samples = 0
        self.go_on()
