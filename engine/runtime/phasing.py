"""Which phase of a training is under way, when it is over, and what the next one begins with.

Each phase gets a new optimizer over what trains then, its own rates from its first step, and no gradient of before.
Never takes a step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.events import PhaseStarted
from engine.phases import Stage
from engine.runtime.averaging import Average
from engine.runtime.steering import Steering
from engine.runtime.stopping import Stopping

Begun = tuple[Steering, Average | None]


class Phasing:
    """The phases of one training. `begin` freezes what a phase freezes and makes what moves the weights in it, given
    the steps done before; `patient` makes what ends it early, None for a phase that is never ended.
    """

    def __init__(
        self, stages: Sequence[Stage], begin: Callable[[Stage, int], Begun],
        patient: Callable[[Stage], Stopping | None] = lambda stage: None,
    ) -> None:  # fmt: skip
        self.stages = tuple(stages)
        self.index = 0
        self.began = 0
        """Epochs that were done when it began."""
        self._begin, self._patient = begin, patient
        self._stopping = patient(self.stages[0])

    @property
    def stage(self) -> Stage:
        """The phase under way."""
        return self.stages[self.index]

    @property
    def several(self) -> bool:
        """Whether there are phases at all."""
        return len(self.stages) > 1 or bool(self.stages[0].name)

    @property
    def is_last(self) -> bool:
        """Whether no phase comes after this one."""
        return self.index == len(self.stages) - 1

    @property
    def left(self) -> int:
        """Epochs of the phases after this one."""
        return sum(stage.epochs for stage in self.stages[self.index + 1 :])

    def started(self, step: int, epoch: int) -> PhaseStarted:
        """What is told when the phase begins."""
        return PhaseStarted(self.index, self.stage.name, step, epoch)

    def gave_up(self, done: int) -> bool:
        """Whether the phase ends early: its figure has not improved for as long as it is patient."""
        return self._stopping is not None and self._stopping.is_over(done)

    def is_over(self, done: int) -> bool:
        """Whether the phase has come to its end after so many epochs of the training."""
        return done - self.began >= self.stage.epochs or self.gave_up(done)

    def observe(self, figures: Mapping[str, Any]) -> None:
        """Takes in the figures of an epoch that ended."""
        if self._stopping is not None:
            self._stopping.observe(figures)

    def begin_next(self, done: int, step: int) -> Begun:
        """Goes on to the next phase after so many epochs and steps."""
        return self._enter(self.index + 1, done, step)

    def state(self) -> dict[str, Any]:
        """Where it stands, as plain values."""
        return {
            "index": self.index, "began": self.began,
            **({"stopping": self._stopping.state()} if self._stopping is not None else {}),
        }  # fmt: skip

    def load(self, state: Mapping[str, Any], steps_per_epoch: int) -> Begun | None:
        """Goes to the phase that `state` names; None where that is the first, which is begun already."""
        index, began = int(state["index"]), int(state["began"])
        begun = self._enter(index, began, began * steps_per_epoch) if index else None
        if self._stopping is not None and "stopping" in state:
            self._stopping.load(state["stopping"])
        return begun

    def _enter(self, index: int, done: int, step: int) -> Begun:
        self.index, self.began = index, done
        self._stopping = self._patient(self.stage)
        if self._stopping is not None:
            self._stopping.be_patient_from(done)
        return self._begin(self.stage, step)
