"""The answer: classes with bars, or values with their unit; the truth where it is known, and how sure the network is.

Owns the words. Never asks anything.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.answer import Answer
from engine.asked import Reply, Weights
from engine.problem import Problem
from gui.numbers import number, percent
from gui.theme import metrics
from gui.widgets.bar_rows import BarRows, Row
from gui.widgets.choices import Check, Choice
from gui.widgets.labels import ElidedLabel
from gui.widgets.number_field import NumberField
from gui.widgets.states import Banner, IconLabel

MOST = 200
"""Classes that get a row: the best ones."""


class AnswerPart(QWidget):
    """Shows one output of a reply at a time."""

    asked = Signal()
    """Something about the question has changed: passes, the output, the class to explain."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reply: Reply | None = None
        self.title = ElidedLabel(self.tr("Answer"), role="section")
        self.verdict = IconLabel("check", size=16, token="ok")
        self.output = Choice(dense=True)
        self.output.setToolTip(self.tr("Which output of the network"))
        self.output.setAccessibleName(self.tr("Output"))
        self.mc = Check(self.tr("MC dropout"))
        self.mc.setToolTip(self.tr("Many passes with dropout on: their mean, and how far they lie apart"))
        self.passes = NumberField(30, minimum=2, maximum=10_000, whole=True, dense=True)
        self.passes.setFixedWidth(84)
        self.passes.setToolTip(self.tr("How many passes"))
        self.passes.entry.setAccessibleName(self.tr("Passes of MC dropout"))
        self.rows = BarRows(selectable=True)
        self.rows.setAccessibleName(self.tr("Answer"))
        self.weights = ElidedLabel("", role="hint")
        self.banner = Banner("error", "", "")
        self._lay_out()
        self.mc.committed.connect(self._switch_mc)
        self.passes.committed.connect(lambda _passes: self.asked.emit())
        self.output.committed.connect(lambda _output: self._show())
        self.rows.chosen.connect(lambda _name: self.asked.emit())

    @property
    def num_passes(self) -> int:
        """Passes of MC dropout that are wanted; 0 for a plain answer."""
        return int(self.passes.value()) if self.mc.value() else 0

    def show_reply(self, reply: Reply) -> None:
        """Shows the answer, and the first warning about the sample."""
        self._reply = reply
        if list(reply.answers) != [self.output.itemText(place) for place in range(self.output.count())]:
            self.output.set_options([(name, name) for name in reply.answers])
        self.output.setVisible(len(reply.answers) > 1)
        self.banner.setVisible(bool(reply.remarks))
        if reply.remarks:
            first = reply.remarks[0]
            self.banner.set_state("warn", first.happened, first.fix)
        self.weights.setText(self._weight_words(reply.weights))
        self._show()

    def show_problem(self, problem: Problem) -> None:
        """Says why there is no answer."""
        self._reply = None
        self.title.setText(self.tr("No answer"))
        self.verdict.hide()
        self.rows.show_rows(())
        self.banner.set_state("error", problem.happened, problem.fix or problem.expected)
        self.banner.show()

    def set_stale(self) -> None:
        """Pales the answer while a newer one is on its way."""
        self.rows.set_stale(True)

    def clear(self) -> None:
        """Nothing has been asked yet."""
        self._reply = None
        self.title.setText(self.tr("Draw, or choose a file, a sample or a row, and the answer stands here"))
        self.verdict.hide()
        self.banner.hide()
        self.rows.show_rows(())
        self.weights.setText("")

    def _show(self) -> None:
        if self._reply is None:
            return
        name = str(self.output.value() or next(iter(self._reply.answers)))
        answer, truth = self._reply.answers[name], self._reply.truth.get(name, "")
        right = self._reply.is_right(name)
        self.verdict.setVisible(right is not None)
        if right is not None:
            self.verdict.set_icon("check" if right else "close", "ok" if right else "error")
        if answer.values:
            self._show_values(answer, truth)
        else:
            self._show_classes(answer, truth, right)

    def _show_classes(self, answer: Answer, truth: str, right: bool | None) -> None:
        best, score = answer.scores[0]
        words = percent(score) if answer.is_probability else number(score)
        said = {None: self.tr("{0}, {1}"), True: self.tr("{0}, {1}: right"),
                False: self.tr("{0}, {1}: wrong, in truth {2}")}[right]  # fmt: skip
        self.title.setText(said.format(best, words, truth))
        rows = []
        for name, value in answer.scores[:MOST]:
            spread = answer.deviations.get(name, 0.0)
            shown = number(value) if not answer.deviations else f"{number(value)} ± {number(spread, 2)}"
            mark = "" if name != truth else ("right" if right else "truth")
            rows.append(Row(name, value, shown, spread, mark))
        self.rows.show_rows(rows, full=1.0 if answer.is_probability else 0.0)

    def _show_values(self, answer: Answer, truth: str) -> None:
        unit = f" {answer.unit}" if answer.unit else ""
        first, value = next(iter(answer.values.items()))
        self.title.setText(
            self.tr("{0} {1}; in truth {2}").format(first, number(value, 4) + unit, truth + unit)
            if truth
            else f"{first} {number(value, 4)}{unit}"
        )
        rows = []
        for name, one in answer.values.items():
            spread = answer.deviations.get(name, 0.0)
            shown = number(one, 4) + unit + (f" ± {number(spread, 2)}" if answer.deviations else "")
            rows.append(Row(name, one, shown, spread))
        self.rows.show_rows(rows)

    def _weight_words(self, weights: Weights) -> str:
        words = self.tr("Weights of the checkpoint {0}: epoch {1}, step {2}").format(
            weights.checkpoint, weights.epoch, f"{weights.step:,}"
        )
        return self.tr("{0} of a run under way").format(words) if weights.running else words

    def _switch_mc(self, wanted: bool) -> None:
        self.passes.setVisible(wanted)
        self.asked.emit()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(metrics.half)
        head.addWidget(self.verdict)
        head.addWidget(self.title, 1)
        for widget in (self.output, self.mc, self.passes):
            head.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.banner)
        column.addWidget(self.rows, 1)
        column.addWidget(self.weights)
        self.output.hide()
        self.passes.hide()
        self.clear()
