"""The toolbar: undo and arrangement, the command box, the workspace switch, and the controls of a training.

Training controls live here and never in a dock, so that a running training is always seen and can always be stopped.
Owns no state of its own: it shows that of the actions, the training and the last check.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStackedWidget, QToolBar, QVBoxLayout, QWidget

from engine.analysis import Analysis
from engine.timeline import Timeline
from gui.actions import Actions
from gui.clock import clock
from gui.figures import newest_figure
from gui.numbers import duration, number
from gui.theme import color
from gui.training import PAUSED, STARTING, STOPPING, Training
from gui.widgets.buttons import Button, tool_button
from gui.widgets.labels import ElidedLabel
from gui.widgets.progress import Bar
from gui.widgets.segmented import SegmentedSwitch

BUILD, TRAIN, COMPARE = 0, 1, 2


class ToolBar(QToolBar):
    """The one toolbar of the window."""

    workspace_chosen = Signal(int)
    problems_wanted = Signal()

    def __init__(self, actions: Actions, training: Training, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setFloatable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setFixedHeight(44)
        self._actions = actions
        # One widget with a layout of its own: a QToolBar centres its widgets only against the tallest of them.
        self.setContentsMargins(0, 0, 0, 0)
        self.layout().setContentsMargins(0, 0, 0, 0)
        content = QWidget()
        content.setFixedHeight(43)
        row = QHBoxLayout(content)
        row.setContentsMargins(8, 0, 0, 0)
        row.setSpacing(4)
        for names in (("undo", "redo"), ("group", "tidy", "fit")):
            for name in names:
                row.addWidget(_action_button(actions, name))
            row.addWidget(_Divider())
        self.command_box = Button(
            self.tr("Do anything"), icon_name="search", hint="Ctrl+Shift+P", tip=actions["commands"].toolTip()
        )
        self.command_box.clicked.connect(actions["commands"].trigger)
        row.addWidget(self.command_box)
        row.addStretch(1)
        self.switch = SegmentedSwitch([self.tr("Build"), self.tr("Train"), self.tr("Compare")], least_width=84)
        for index, name in enumerate(("workspace_build", "workspace_train", "workspace_compare")):
            self.switch.segment(index).setToolTip(actions[name].toolTip())
            self.switch.segment(index).clicked.connect(lambda _=False, index=index: self.workspace_chosen.emit(index))
        row.addWidget(self.switch)
        row.addStretch(1)
        self.run_controls = RunControls(actions, training, self)
        self.run_controls.problems_wanted.connect(self.problems_wanted)
        row.addWidget(self.run_controls)
        self.addWidget(content)
        self.set_compact(False)
        training.state_changed.connect(lambda: self.switch.set_dot(TRAIN, "ok" if training.active else None))

    def changeEvent(self, event: QEvent) -> None:
        """A new style gives the layout margins of its own, which would push the row out of the bar."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.layout().setContentsMargins(0, 0, 0, 0)

    def set_compact(self, compact: bool) -> None:
        """On a narrow window the command box shrinks to its icon's width."""
        self.command_box.setFixedWidth(196)
        self.run_controls.set_compact(compact)


class RunControls(QStackedWidget):
    """Idle: the Train button and what stands in its way. Running: pause, step, stop and the progress."""

    problems_wanted = Signal()

    def __init__(self, actions: Actions, training: Training, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions, self._training = actions, training
        self._blocked = ""
        self._compact = False
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._idle = self._make_idle()
        self._running = self._make_running()
        self.addWidget(self._idle)
        self.addWidget(self._running)
        training.state_changed.connect(self._refresh)
        clock.subscribe(self, self._tick)
        self._refresh()

    def _make_idle(self) -> QWidget:
        page = QWidget(self)
        row = QHBoxLayout(page)
        row.setContentsMargins(8, 0, 12, 0)
        row.setSpacing(8)
        row.addStretch()
        self.reason = Button("", icon_name="error", kind="danger", tip=self.tr("Show the problems"))
        self.reason.setFlat(True)
        self.reason.clicked.connect(self.problems_wanted)
        self.reason.hide()
        self.hint = ElidedLabel("")
        self.hint.setProperty("role", "hint")
        self.train = Button(
            self.tr("Train"), icon_name="play", kind="primary", hint="Ctrl+↵", tip=self._actions["train"].toolTip()
        )
        self.train.clicked.connect(self._actions["train"].trigger)
        for widget in (self.hint, self.reason, self.train):
            row.addWidget(widget)
        return page

    def _make_running(self) -> QWidget:
        page = QWidget(self)
        row = QHBoxLayout(page)
        row.setContentsMargins(8, 0, 12, 0)
        row.setSpacing(8)
        self.pause = Button(self.tr("Pause"), icon_name="pause", tip=self._actions["pause"].toolTip())
        self.step = Button(self.tr("Step"), icon_name="step", tip=self._actions["step"].toolTip())
        self.stop = Button(self.tr("Stop"), icon_name="stop", tip=self._actions["stop"].toolTip())
        for button, name in ((self.pause, "pause"), (self.step, "step"), (self.stop, "stop")):
            button.clicked.connect(self._actions[name].trigger)
            row.addWidget(button)
        words = QVBoxLayout()
        words.setContentsMargins(8, 0, 0, 0)
        words.setSpacing(3)
        line = QHBoxLayout()
        line.setSpacing(8)
        self.epoch = QLabel()
        self.epoch.setProperty("role", "section")
        self.figure = ElidedLabel()
        self.speed = QLabel()
        self.left = QLabel()
        line.addWidget(self.epoch)
        line.addWidget(self.figure, 1)
        line.addWidget(self.speed)
        line.addWidget(self.left)
        words.addLayout(line)
        self.bar = Bar()
        words.addWidget(self.bar)
        self._progress = QWidget(page)
        self._progress.setLayout(words)
        row.addWidget(self._progress)
        return page

    def set_compact(self, compact: bool) -> None:
        """On a narrow window the progress takes less room and the speed is left to its tip."""
        self._compact = compact
        self._progress.setFixedWidth(284 if compact else 400)
        self.speed.setVisible(not compact)

    def show_analysis(self, analysis: Analysis) -> None:
        """Greys the Train button when errors stand in the way, and says so."""
        num_errors = len(analysis.errors)
        self._blocked = ""
        if num_errors == 1:
            self._blocked = self.tr("1 error to mend first")
        elif num_errors:
            self._blocked = self.tr("{0} errors to mend first").format(num_errors)
        self._refresh()

    def sizeHint(self) -> QSize:
        """As wide as the page that shows."""
        return self.currentWidget().sizeHint() if self.currentWidget() else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """As wide as the page that shows."""
        return self.sizeHint()

    def _refresh(self) -> None:
        training = self._training
        active, state = training.active, training.state
        self.reason.setVisible(bool(self._blocked))
        self.reason.setText(self._blocked)
        self.train.setEnabled(not self._blocked)
        self.train.setToolTip(self._blocked or self._actions["train"].toolTip())
        self._actions["train"].setEnabled(not self._blocked and not active)
        paused = state == PAUSED
        self.pause.setText(self.tr("Continue") if paused else self.tr("Pause"))
        self.pause.set_icon_name("play" if paused else "pause")
        self._actions["pause"].setText(self.pause.text())
        for name, button, on in (
            ("pause", self.pause, active and state != STOPPING),
            ("step", self.step, paused),
            ("stop", self.stop, active and state != STOPPING),
        ):
            button.setEnabled(on)
            self._actions[name].setEnabled(on)
        key = self._actions["step"].shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        tip = self.tr("Make one optimizer step") if paused else self.tr("Make one optimizer step; pause first")
        self._actions["step"].setToolTip(f"{tip}  {key}")
        self.step.setToolTip(f"{tip}  {key}")
        for name in ("halve_rate", "double_rate"):
            self._actions[name].setEnabled(active and state != STOPPING)
        self.hint.setText("" if active else newest_figure(training.timeline))
        self.hint.setToolTip(self.tr("On validation data, after the last epoch of the training that was shown"))
        self.hint.setVisible(bool(self.hint.text()) and not self._blocked)
        self.setCurrentWidget(self._running if active else self._idle)
        self.updateGeometry()
        self._tick()

    def _tick(self) -> None:
        if not self._training.active:
            return
        words = {STARTING: self.tr("Preparing…"), STOPPING: self.tr("Saving…")}.get(self._training.state, "")
        timeline = self._training.timeline
        epoch = _epoch_words(timeline)
        told = self.tr("Epoch {0}/{1}") if self._compact else self.tr("Epoch {0} of {1}")
        self.epoch.setText(words or (told.format(*epoch) if epoch else ""))
        speed = _speed(timeline)
        paused = self._training.state == PAUSED
        self.speed.setText(self.tr("{0} samples/s").format(number(speed)) if speed and not paused else "")
        self.left.setText(self.tr("paused") if paused else self._time_left(timeline))
        self.figure.setText(newest_figure(timeline))
        self.bar.set_share(progress(timeline))
        said = (label.text() for label in (self.epoch, self.figure, self.speed, self.left))
        self._progress.setToolTip("  ·  ".join(words for words in said if words))

    def _time_left(self, timeline: Timeline) -> str:
        done = progress(timeline)
        seconds = timeline.seconds
        if not done or not seconds or seconds < 1.0:
            return ""
        return self.tr("{0} left").format(duration(seconds / done * (1.0 - done)))


def progress(timeline: Timeline) -> float:
    """Share of the planned steps that are done, 0 to 1."""
    total = timeline.planned_steps
    return min(1.0, timeline.step / total) if total else 0.0


def _epoch_words(timeline: Timeline) -> tuple[int, int] | None:
    return (max(1, timeline.epoch), timeline.planned_epochs) if timeline.planned_epochs else None


def _speed(timeline: Timeline) -> float | None:
    last = timeline.speed.last
    return last[1] if last else None


def _action_button(actions: Actions, name: str) -> QWidget:
    action = actions[name]
    button = tool_button(name, action.toolTip(), size=20)
    button.clicked.connect(action.trigger)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.setToolTip(action.toolTip())

    action.changed.connect(follow)
    follow()
    return button


class _Divider(QWidget):
    """A short upright line between groups of buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(9, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        painter.fillRect(4, 6, 1, 16, color("border2"))
        painter.end()
