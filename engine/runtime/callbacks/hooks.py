"""Calls the callbacks of a training in the order of `engine.callback.EVENTS`, and does what they ask.

Owns when hooks run, that a fault in one is told by file and line, and that they cannot disturb the random numbers of
the training. Each method yields the events that came of it. Never trains and never judges a figure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine.callback import Callback, TrainingView, overrides
from engine.events import Alerted, EpochEnded, Event
from engine.problem import Problem, ProblemError
from engine.runtime import randomness
from engine.runtime.callbacks.requests import MOST_REQUESTS, BuiltIn, Notify, Request, Save, Stop, checked_name
from engine.runtime.callbacks.trouble import hook_problem
from engine.runtime.control import Control

if TYPE_CHECKING:
    from engine.runtime.training import Training


class HookFailed(ProblemError):
    """A callback raised; training must end, its state is whole."""


class Hooks:
    """The callbacks of one training, in the recipe's order."""

    def __init__(self, callbacks: Sequence[Callback] = ()) -> None:
        self.callbacks = tuple(callbacks)
        self.watch_batches = any(
            overrides(item, "on_batch_begin", "on_batch_end", "on_lr_change") for item in callbacks
        )
        """False: no step needs to be told to anybody."""
        self._values: dict[str, Any] = {"figures": {}}
        self._view = TrainingView(self._values, self._asked)
        self._requests: list[Request] = []
        self._open: list[Callback] = []
        """Those that have begun and not ended."""
        self._lr: float | None = None
        self._training: Training | None = None
        self._states: list[dict[str, Any]] = [{} for _ in self.callbacks]
        self._pending: Problem | None = None
        """A fault met where nothing could be said; the next round tells it."""

    def begin(self, training: Training, control: Control) -> Iterator[Event]:
        """Training begins or goes on."""
        self._training, self._control = training, control
        self._open = list(self.callbacks)
        self._lr = training.steering.lr if training.step else None
        self._values["figures"] = dict(training.final)
        yield from self._round("on_train_begin")

    def begin_epoch(self) -> Iterator[Event]:
        """An epoch begins."""
        if self.callbacks:
            yield from self._round("on_epoch_begin")

    def begin_batch(self) -> Iterator[Event]:
        """A step is about to be taken."""
        yield from self._round("on_batch_begin")

    def end_batch(self) -> Iterator[Event]:
        """A step was taken."""
        assert self._training is not None
        lr, before = self._training.steering.lr, self._lr
        self._lr = lr
        if before is not None and before != lr:
            yield from self._round("on_lr_change", before, lr)
        self._values["loss"] = self._training.last_loss
        try:
            yield from self._round("on_batch_end")
        finally:
            del self._values["loss"]

    def end_epoch(self, ended: EpochEnded) -> Iterator[Event]:
        """An epoch ended; the training already stands at the next one."""
        if self.callbacks and self._training is not None:
            self._values["figures"] = dict(self._training.final)
            yield from self._round("on_epoch_end", epoch=ended.epoch, position=self._training.steps_per_epoch)

    def end(self, outcome: str) -> Iterator[Event]:
        """Training ended; requests come too late."""
        if self._open and self._training is not None:
            self._values["outcome"] = outcome
            yield from self._round("on_train_end", epoch=min(self._training.epoch, self._training.epochs), closing=True)

    def close(self, outcome: str) -> None:
        """Tells the end to those that have not heard it, whatever they make of it."""
        with suppress(HookFailed):
            for _ in self.end(outcome):
                pass

    def state(self) -> list[dict[str, Any]]:
        """What each callback wants to keep; of one that fails, what it kept before. It never stops a save."""
        for index, item in enumerate(self.callbacks):
            try:
                self._states[index] = _state_of(item)
            except Exception as fault:
                self._pending = self._pending or hook_problem(item, "state", fault)
        return list(self._states)

    def load(self, state: Sequence[Mapping[str, Any]]) -> None:
        """Goes on from `state`."""
        for index, (item, kept) in enumerate(zip(self.callbacks, state, strict=False)):
            self._states[index] = dict(kept)
            try:
                item.load(kept)
            except Exception as fault:
                raise HookFailed(hook_problem(item, "load", fault)) from fault

    def _round(
        self, hook: str, *arguments: Any, epoch: int = 0, position: int = -1, closing: bool = False
    ) -> Iterator[Event]:
        """Calls one hook of everybody, also when one of them fails, then does what was asked, then tells the fault."""
        training = self._training
        if training is None:
            return
        self._values.update(
            run=training.plan.run, epoch=epoch or training.epoch, epochs=training.epochs, step=training.step,
            position=training.position if position < 0 else position, steps_per_epoch=training.steps_per_epoch,
            lr=training.steering.lr,
        )  # fmt: skip
        callbacks = self._open if closing else self.callbacks
        if closing:
            self._open = []
        for item in callbacks:
            if not overrides(item, hook):
                continue
            try:
                self._call(item, hook, arguments)
            except Exception as fault:
                self._pending = self._pending or hook_problem(item, hook, fault)
        requests, self._requests = self._requests, []
        for request in () if closing else requests:
            yield from self._answered(training, request)
        if self._pending is not None:
            problem, self._pending = self._pending, None
            raise HookFailed(problem)

    def _call(self, item: Callback, hook: str, arguments: Sequence[Any]) -> None:
        if isinstance(item, BuiltIn):
            getattr(item, hook)(self._view, *arguments)
            self._requests += item.asked
            item.asked = []
            return
        # Somebody else's code may draw random numbers; the training's own must not notice.
        before = randomness.capture()
        try:
            getattr(item, hook)(self._view, *arguments)
        except SystemExit as fault:
            raise RuntimeError(f"it asked Python to exit ({fault.code})") from fault
        finally:
            randomness.restore(before)

    def _asked(self, kind: str, text: str) -> None:
        """A request of a view, from the hook that runs now."""
        if len(self._requests) >= MOST_REQUESTS:
            raise RuntimeError(f"more than {MOST_REQUESTS} requests in one hook")
        if kind == "save":
            self._requests.append(Save(checked_name(text or f"step-{self._values['step']}")))
        else:
            self._requests.append(Stop(text) if kind == "stop" else Notify(text))

    def _answered(self, training: Training, request: Request) -> Iterator[Event]:
        at = training.step, int(self._values["epoch"])
        if isinstance(request, Notify):
            yield Alerted(*at, request.words[:1000], request.figure, request.value, request.action)
        elif isinstance(request, Stop):
            self._control.request_stop()
            if request.words:
                yield Alerted(*at, request.words[:1000], action="stop")
        else:
            yield from training.save_as(request.name, request.drop)


def _state_of(item: Callback) -> dict[str, Any]:
    found = item.state()
    if not isinstance(found, dict) or not _is_plain(found):
        raise TypeError("state() must give a dictionary of numbers, words, lists and dictionaries of these")
    return found


def _is_plain(value: Any, depth: int = 0) -> bool:
    if isinstance(value, dict) and depth < 20:
        return all(isinstance(key, (str, int)) and _is_plain(item, depth + 1) for key, item in value.items())
    if isinstance(value, (list, tuple)) and depth < 20:
        return all(_is_plain(item, depth + 1) for item in value)
    return value is None or type(value) in (bool, int, float, str)
