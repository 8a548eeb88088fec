"""Finds a learning rate: runs the range test in a job, draws it as it comes, and puts the chosen rate into the recipe.

Asks and shows. The test works on a copy; the project changes only with Apply, in one step that Undo takes back.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.places import Places
from engine.problem import Problem
from engine.project import Project
from engine.proposal import with_proposal
from engine.range_test import HIGH, LEAST_STEPS, LOW, MOST_STEPS, STEPS, RangeTest, Smoothing
from gui.charts.rate_loss import RateLossChart
from gui.clock import clock
from gui.document import Document
from gui.jobs import Job, Jobs, range_test
from gui.orders import RangeOrder
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.number_field import NumberField
from gui.widgets.progress import ProgressLine
from gui.widgets.states import Banner

FIELD = 84


class RangeTestDialog(QDialog):
    """Open it with `open()`; it runs the test at once."""

    def __init__(self, document: Document, jobs: Jobs, places: Places, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._jobs, self._places = document, jobs, places
        self._job: Job | None = None
        self._seen: list[tuple[float, float]] = []
        self._smoothed: list[float] = []
        self._smoothing = Smoothing(STEPS)
        self.result_found: RangeTest | None = None
        self._tested = document.project
        self.setWindowTitle(self.tr("Find a learning rate"))
        self._make_controls()
        self._lay_out()
        self.finished.connect(self._let_go)
        clock.subscribe(self, self._draw)
        self.start()

    def _make_controls(self) -> None:
        self.low = NumberField(LOW, minimum=1e-12, maximum=100.0, dense=True)
        self.high = NumberField(HIGH, minimum=1e-12, maximum=100.0, dense=True)
        self.steps = NumberField(STEPS, minimum=LEAST_STEPS, maximum=MOST_STEPS, whole=True, dense=True)
        self.rate = NumberField(None, minimum=1e-12, maximum=100.0, optional=True, dense=True)
        for field, name in (
            (self.low, self.tr("First rate")), (self.high, self.tr("Last rate")), (self.steps, self.tr("Steps")),
            (self.rate, self.tr("Learning rate")),
        ):  # fmt: skip
            field.entry.setAccessibleName(name)
            field.setFixedWidth(FIELD if field is not self.rate else FIELD + 24)
        self.run = Button(self.tr("Run again"), icon_name="refresh", tip=self.tr("Run the test over this range"))
        self.run.clicked.connect(self._run_or_stop)
        self.line = ProgressLine()
        self.chart = RateLossChart()
        self.chart.present = self._present()
        self.chart.chosen.connect(self._choose)
        self.rate.committed.connect(self._typed)
        self.banner = Banner("accent", "", "")
        self.apply = Button(self.tr("Apply"), icon_name="check", kind="primary")
        self.apply.setToolTip(self.tr("Make this the recipe's learning rate; Undo takes it back"))
        self.apply.clicked.connect(self._apply)
        self.close_button = Button(self.tr("Cancel"), tip=self.tr("Leave the project as it is"))
        self.close_button.clicked.connect(self.reject)

    def start(self) -> None:
        """Runs the test over the range in the fields; one under way is given up."""
        low, high, steps = float(self.low.value()), float(self.high.value()), int(self.steps.value())
        if low >= high:
            self.high.set_error(self.tr("Above the first rate"))
            return
        self.high.set_error("")
        self._seen, self._smoothed, self._smoothing = [], [], Smoothing(steps)
        self.result_found = None
        self.chart.set_range(low, high)
        self.chart.show_points((), (), ())
        self._choose(None)
        self._set_busy(True)
        self._tested = self._document.project
        order = RangeOrder(self._tested, self._places, low, high, steps)
        self._job = self._jobs.start(
            "range_test", self.tr("Finding a learning rate"), range_test(order, self._seen),
            done=self._done, failed=self._failed, cancelled=self._stopped,
        )  # fmt: skip
        self._say("accent", self.tr("The rate grows with every step until the loss shoots up"),
                  self.tr("On a copy of the network: nothing of the project changes."))  # fmt: skip

    def _run_or_stop(self) -> None:
        if self._busy and self._job is not None:
            self.run.setEnabled(False)
            self._job.cancel()
        else:
            self.start()

    def _draw(self) -> None:
        """Ten times a second: the points that have come since."""
        points = list(self._seen)
        if len(points) == len(self._smoothed) or self.result_found is not None:
            return
        self._smoothed += [self._smoothing.add(loss) for _, loss in points[len(self._smoothed) :]]
        self.chart.show_points(*zip(*points, strict=True), self._smoothed)
        self.line.set_share(len(points) / max(1, int(self.steps.value())))

    def _done(self, found: RangeTest) -> None:
        self._set_busy(False)
        self.result_found = found
        self.chart.show_result(found)
        title = self.tr("No rate can be proposed")
        if found.proposal is not None:
            # What was found out is kept, so that advice can tell a rate that is far from it; it is no edit.
            marked = with_proposal(self._tested, found.proposal).proposed
            self._document.amend(lambda project: replace(project, proposed=marked))
            title = self.tr("Proposed: {0}").format(f"{found.proposal:g}")
        self._say("ok" if found.proposal is not None else "warn", title, found.why)
        # Without a proposal the present rate is a place to drag from.
        self._choose(found.proposal or self._present())

    def _failed(self, problem: Problem) -> None:
        self._set_busy(False)
        self._say("error", problem.happened, problem.fix or problem.expected)

    def _stopped(self) -> None:
        self._set_busy(False)
        self._draw()
        self._say("warn", self.tr("Stopped"), self.tr("The range was not tested to its end."))
        self._choose(self._present())

    def _present(self) -> float | None:
        try:
            rate = getattr(self._document.project.recipe.made("optimizer"), "lr", None)
        except ValueError:  # the test will say what is wrong with it
            return None
        return float(rate) if rate else None

    def _choose(self, rate: float | None) -> None:
        self.rate.set_value(rate)
        self.chart.set_marker(rate)
        self.rate.setEnabled(rate is not None)
        self.apply.setEnabled(rate is not None)

    def _typed(self, rate: object) -> None:
        if isinstance(rate, float | int):
            self.chart.set_marker(float(rate))
        self.apply.setEnabled(rate is not None)

    def _apply(self) -> None:
        rate = self.rate.value()
        if rate is None:
            return

        def change(project: Project) -> Project:
            optimizer = {**project.recipe.get("optimizer"), "lr": float(rate)}
            return project.with_recipe(project.recipe.with_value("optimizer", optimizer))

        self._document.edit(self.tr("Set learning rate"), change)
        self.accept()

    def _say(self, tone: str, title: str, words: str) -> None:
        self.banner.set_state(tone, title, words)

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.run.setEnabled(True)
        self.run.setText(self.tr("Stop") if busy else self.tr("Run again"))
        self.run.set_icon_name("stop" if busy else "refresh")
        for field in (self.low, self.high, self.steps):
            field.setEnabled(not busy)
        if busy:
            self.line.begin(0.0)
        else:
            self.line.finish()

    def _let_go(self) -> None:
        """A test that nobody waits for any more is given up."""
        clock.unsubscribe(self)
        if self._job is not None and self._busy:
            self._job.dropped = True
            self._job.cancel()
        self.deleteLater()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(metrics.grid)
        for words, field in (
            (self.tr("From"), self.low), (self.tr("to"), self.high), (self.tr("in"), self.steps),
        ):  # fmt: skip
            head.addWidget(_label(words, field))
            head.addWidget(field)
        head.addWidget(_label(self.tr("steps")))
        head.addStretch()
        head.addWidget(self.run)
        foot = QHBoxLayout()
        foot.setSpacing(metrics.grid)
        foot.addWidget(_label(self.tr("Learning rate"), self.rate))
        foot.addWidget(self.rate)
        foot.addStretch()
        foot.addWidget(self.close_button)
        foot.addWidget(self.apply)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(metrics.panel_padding, metrics.panel_padding, metrics.panel_padding, metrics.grid)
        layout.setSpacing(metrics.grid)
        layout.addLayout(head)
        layout.addWidget(self.line)
        layout.addWidget(self.chart, 1)
        layout.addWidget(self.banner)
        layout.addLayout(foot)
        self.resize(720, 520)


def _label(words: str, buddy: QWidget | None = None) -> QLabel:
    made = QLabel(words)
    made.setProperty("role", "label")
    if buddy is not None:
        made.setBuddy(buddy)
    return made
