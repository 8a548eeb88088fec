"""Runs a training in a QThread and hands its events to the window ten times a second.

One of the three modules that reach `engine.runtime`, and only inside the thread. Pause means that nobody pulls the
next event; stop is a request the training reads at each step border. Never touches a widget.
"""

from __future__ import annotations

import threading
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from engine.events import Alerted, Event, RunEnded, RunResumed, RunStarted, Step
from engine.places import Places
from engine.problem import Problem, ProblemError
from engine.project import Project
from engine.timeline import Timeline

if TYPE_CHECKING:
    from engine.runtime.control import Control

_DRAIN_MS = 100
IDLE, STARTING, RUNNING, PAUSED, STOPPING = "idle", "starting", "running", "paused", "stopping"


@dataclass(frozen=True)
class Order:
    """What to train: a project, or a run to go on with."""

    project: Project
    runs: Path
    places: Places
    name: str = ""
    resume: Path | None = None
    epochs: int | None = None


class Training(QObject):
    """The one training of the window: its state, its timeline, and the buttons' verbs."""

    state_changed = Signal()
    advanced = Signal()
    """New events are in `timeline`, at most ten times a second."""
    alerted = Signal(object)
    """An `Alerted` of the live training, as it comes; never one of a replayed run."""
    ended = Signal(object)
    """The `RunEnded` of the training that just ended."""
    refused = Signal(object)
    """A `Problem`: the training could not begin."""
    broke = Signal(str)
    """A traceback: a bug of ours ended the training."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = IDLE
        self.timeline = Timeline()
        self.order: Order | None = None
        self.last: RunEnded | None = None
        self.stopped_by = ""
        """What an alert said that ended the training; "" when none did."""
        self.run_path: Path | None = None
        self._thread: _RunThread | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_DRAIN_MS)
        self._timer.timeout.connect(self.drain)

    @property
    def active(self) -> bool:
        """True from the press on Train until the run has ended and its files are closed."""
        return self.state != IDLE

    def start(self, order: Order) -> None:
        """Begins a training; ignored while one is active."""
        if self.active:
            return
        self.order, self.last, self.run_path, self.stopped_by = order, None, order.resume, ""
        self.timeline = _recorded(order.resume) if order.resume else Timeline()
        self._thread = _RunThread(order)
        self._thread.finished.connect(self._finish)
        self._set_state(STARTING)
        self._timer.start()
        self._thread.start()

    def pause(self) -> None:
        """Holds the training before its next step."""
        if self.state in (STARTING, RUNNING) and self._thread:
            self._thread.hold()
            self._set_state(PAUSED)

    def go_on(self) -> None:
        """Continues a paused training."""
        if self.state == PAUSED and self._thread:
            self._thread.release()
            self._set_state(RUNNING)

    def step(self) -> None:
        """Makes one optimizer step and holds again."""
        if self.state == PAUSED and self._thread:
            self._thread.release(steps=1)

    def stop(self) -> None:
        """Asks the training to save and end after the step under way."""
        if self.active and self._thread:
            self._set_state(STOPPING)
            self._thread.stop()

    def edit(self, path: str, value: Any) -> None:
        """Changes a setting of the running recipe at the next step border (`recipe.optimizer.lr`)."""
        if self._thread:
            self._thread.edit(path, value)

    def scale(self, path: str, factor: float) -> None:
        """Multiplies a number of the running recipe at the next step border."""
        if self._thread:
            self._thread.scale(path, factor)

    def wait(self, seconds: float | None = None) -> bool:
        """Waits for the thread's end; True when it has ended. For closing the window and for tests."""
        if self._thread is None:
            return True
        return self._thread.wait() if seconds is None else self._thread.wait(int(seconds * 1000))

    def show(self, timeline: Timeline, run: Path) -> None:
        """Puts a finished run's timeline in the place of the live one; ignored while training."""
        if not self.active:
            self.timeline, self.run_path, self.order = timeline, run, None
            self.advanced.emit()

    def forget(self) -> None:
        """Another project is open: what the last training showed does not belong to it."""
        if not self.active:
            self.timeline, self.run_path, self.order = Timeline(), None, None
            self.advanced.emit()

    def drain(self) -> None:
        """Moves what the thread has said into the timeline."""
        thread = self._thread
        if thread is None or not thread.mailbox:
            return
        while thread.mailbox:
            self._take(thread.mailbox.popleft())
        self.advanced.emit()

    def _take(self, event: Event) -> None:
        self.timeline.add(event)
        if isinstance(event, RunStarted):
            self.run_path = Path(event.run)
        if isinstance(event, (RunStarted, RunResumed)) and self.state == STARTING:
            self._set_state(RUNNING)
        elif isinstance(event, RunEnded):
            self.last = event
        elif isinstance(event, Alerted):
            self.stopped_by = event.words if event.action == "stop" else self.stopped_by
            self.alerted.emit(event)

    def _finish(self) -> None:
        self.drain()
        self._timer.stop()
        thread, self._thread = self._thread, None
        assert thread is not None
        problem, fault = thread.problem, thread.fault
        thread.deleteLater()
        self._set_state(IDLE)
        if problem is not None:
            self.refused.emit(problem)
        elif fault:
            self.broke.emit(fault)
        elif self.last is not None:
            self.ended.emit(self.last)

    def _set_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit()


class _RunThread(QThread):
    """Pulls events from the session; the only thread that advances and closes the generator."""

    def __init__(self, order: Order) -> None:
        super().__init__()
        self.mailbox: deque[Event] = deque()
        self.problem: Problem | None = None
        self.fault = ""
        self._order = order
        self._gate = threading.Condition()
        self._held = False
        self._allowed = 0
        self._stop_wanted = False
        self._edits: deque[Callable[[Control], None]] = deque()
        self._control: Control | None = None

    def hold(self) -> None:
        with self._gate:
            self._held = True
            if self._control:
                self._control.stepping = True

    def release(self, steps: int = 0) -> None:
        with self._gate:
            self._allowed = steps
            self._held = steps > 0
            if self._control:
                self._control.stepping = self._held
            self._gate.notify()

    def stop(self) -> None:
        with self._gate:
            self._stop_wanted, self._held = True, False
            if self._control:
                self._control.request_stop()
            self._gate.notify()

    def edit(self, path: str, value: Any) -> None:
        self._ask(lambda control: control.edit(path, value))

    def scale(self, path: str, factor: float) -> None:
        self._ask(lambda control: control.scale(path, factor))

    def _ask(self, wish: Callable[[Control], None]) -> None:
        """Hands a wish over now, or keeps it until there is a control to hand it to."""
        with self._gate:
            if self._control:
                wish(self._control)
            else:
                self._edits.append(wish)

    def run(self) -> None:
        """Thread body."""
        try:
            self._pull()
        except ProblemError as fault:
            self.problem = fault.problem
        except Exception:  # a bug of ours must reach the crash dialog, not the terminal only
            self.fault = traceback.format_exc()

    def _pull(self) -> None:
        from engine.runtime.control import Control
        from engine.runtime.session import run

        order = self._order
        with self._gate:
            self._control = Control()
            self._control.stepping = self._held
            if self._stop_wanted:
                self._control.request_stop()
            while self._edits:
                self._edits.popleft()(self._control)
        events = run(
            order.project,
            runs=order.runs,
            places=order.places,
            name=order.name,
            control=self._control,
            resume=order.resume,
            epochs=order.epochs,
        )
        for event in events:
            self.mailbox.append(event)
            if isinstance(event, (Step, RunStarted, RunResumed)):
                self._wait_at_gate(counts=isinstance(event, Step))

    def _wait_at_gate(self, counts: bool) -> None:
        if not self._held:
            return
        with self._gate:
            if counts and self._allowed:
                self._allowed -= 1
            while self._held and not self._allowed:
                self._gate.wait()


def _recorded(run: Path) -> Timeline:
    from engine.runs import read_events

    return Timeline.from_events(read_events(run))
