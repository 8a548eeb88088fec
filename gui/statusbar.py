"""The status bar: a button for each bottom dock with its count, and at the right the totals and the device.

Every button toggles its dock, also one that was closed or floated away. No dock opens because something happened:
a count or a dot appears here instead.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from engine.analysis import Analysis
from engine.problem import Severity
from gui.numbers import count
from gui.widgets.status_button import StatusButton
from gui.workspaces import Docks


class StatusBar(QStatusBar):
    """Left: dock buttons. Right: what the network weighs and what trains it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.setFixedHeight(26)
        self.charts = StatusButton("charts", self.tr("Charts"))
        self.problems = StatusButton("check", self.tr("No problems"))
        self.runs = StatusButton("runs", self.tr("No runs"))
        self.data = StatusButton("data", self.tr("Data"))
        self.predict = StatusButton("sample", self.tr("Predict"))
        for button in (self.charts, self.problems, self.runs, self.data, self.predict):
            self.addWidget(button)
        self._totals = self._training_on = ""
        self._device = self.tr("preparing engine…")
        self.totals = QLabel()
        self.totals.setProperty("role", "hint")
        self.totals.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.totals.setContentsMargins(0, 0, 14, 0)
        self.addPermanentWidget(self.totals)
        self._write()

    def attach(self, name: str, docks: Docks) -> None:
        """Makes a button show and hide a dock, and light up while the dock is in front."""
        button: StatusButton = getattr(self, name)
        dock = docks.by_name[name]
        tip = self.tr("Show or hide {0}").format(dock.windowTitle())
        button.setToolTip(tip)

        def toggle() -> None:
            if docks.in_front(name):
                docks.conceal(name)
            else:
                docks.reveal(name)

        button.clicked.connect(toggle)
        dock.visibilityChanged.connect(button.setChecked)

    def show_analysis(self, analysis: Analysis) -> None:
        """Counts problems, parameters and cost."""
        num_errors = len(analysis.errors)
        num_advice = sum(problem.severity is Severity.ADVICE for problem in analysis.problems)
        num_all = len(analysis.problems) - num_advice
        if not num_all and num_advice:
            # Advice is no problem: the network trains as well as it says.
            words = self.tr("1 piece of advice") if num_advice == 1 else self.tr("{0} pieces of advice")
            _content(self.problems, "info", words.format(num_advice), "accent")
        elif not num_all:
            _content(self.problems, "check", self.tr("No problems"), "ok")
        else:
            words = self.tr("1 problem") if num_all == 1 else self.tr("{0} problems").format(num_all)
            icon, token = ("error", "error") if num_errors else ("warning", "warn")
            _content(self.problems, icon, words, token)
        if analysis.parameters or analysis.source:
            frozen = analysis.parameters - analysis.trainable
            training = (
                self.tr("all training")
                if not frozen
                else self.tr("{0} train, {1} frozen").format(count(analysis.trainable), count(frozen))
            )
            parts = [self.tr("{0} parameters, {1}").format(count(analysis.parameters), training)]
            if analysis.multiply_adds:
                parts.append(self.tr("{0} multiply-adds").format(count(analysis.multiply_adds)))
            self._totals = "  ·  ".join(parts)
        else:
            self._totals = ""
        self._write()

    def set_runs(self, num_runs: int) -> None:
        """How many runs there are."""
        words = {0: self.tr("No runs"), 1: self.tr("1 run")}.get(num_runs, self.tr("{0} runs").format(num_runs))
        self.runs.set_label(words)

    def set_data(self, words: str) -> None:
        """Which data set, how many samples."""
        self.data.set_label(words)

    def set_device(self, words: str) -> None:
        """Which device trains; `preparing engine…` until torch is there."""
        self._device = words
        self._write()

    def set_training_on(self, words: str) -> None:
        """What the running training really uses; empty while none runs."""
        self._training_on = words
        self._write()

    def _write(self) -> None:
        device = self._training_on or self._device
        self.totals.setText("  ·  ".join(part for part in (self._totals, device) if part))


def _content(button: StatusButton, icon: str, words: str, token: str) -> None:
    button.set_icon(icon, token)
    button.set_label(words)
