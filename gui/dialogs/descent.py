"""Optimizers side by side on a landscape of two numbers: where each goes, and how fast.

Shows and explains. Changes nothing of the project; every way is walked by torch's own optimizer, in a job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.declare import find
from engine.surfaces import SURFACES, Surface
from gui import jobs as work
from gui.charts.surface_plane import SurfacePlane, Way
from gui.fonts import mono_font
from gui.jobs import Jobs
from gui.motion import reduced
from gui.numbers import number
from gui.theme import color, metrics, themes
from gui.widgets.buttons import Button
from gui.widgets.choices import Check
from gui.widgets.number_field import NumberField
from gui.widgets.segmented import SegmentedSwitch

STEPS = 200
TICK_MS = 40
NEAR = 0.02
"""Share of the height at the start above the goal that counts as arrived."""


@dataclass
class Racer:
    """One row: an optimizer, its colour, whether it runs, and its learning rate."""

    key: str
    tagged: dict[str, Any]
    token: str
    check: Check
    rate: NumberField
    result: QLabel


class DescentDialog(QDialog):
    """Open it with `open()`. `own` is the project's optimizer, which runs beside the textbook's."""

    def __init__(self, jobs: Jobs, own: Mapping[str, Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Optimizers on a landscape"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._jobs = jobs
        self._open = True
        self.surface = SURFACES[0]
        self.plane = SurfacePlane(self.surface)
        self.plane.moved.connect(lambda _x, _y: self.run())
        self.switch = SegmentedSwitch([self.tr(item.title) for item in SURFACES], dense=True)
        self.switch.currentChanged.connect(lambda index: self.choose(SURFACES[index]))
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.momentum = NumberField(0.9, minimum=0.0, maximum=0.999, dense=True)
        self.momentum.setToolTip(self.tr("How much of the speed is kept: 0 is high friction, 1 none"))
        self.momentum.committed.connect(lambda _value: self.run())
        self.racers = self._make_racers(dict(own))
        self.play = Button(self.tr("Play again"), icon_name="play", tip=self.tr("Runs from the start, step by step"))
        self.play.clicked.connect(self.replay)
        self.reset = Button(self.tr("Usual start and rates"), icon_name="refresh")
        self.reset.clicked.connect(lambda: self.choose(self.surface))
        self.close_button = Button(self.tr("Close"))
        self.close_button.clicked.connect(self.accept)
        self.count = QLabel()
        self.count.setFont(mono_font(11))
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._advance)
        self._lay_out()
        themes.changed.connect(self._name_racers)
        self.choose(self.surface)

    def choose(self, surface: Surface) -> None:
        """Another landscape, with its usual start and rates."""
        self.surface = surface
        self.plane.show_surface(surface)
        self.about.setText(self.tr(surface.help))
        for racer in self.racers:
            if racer.key != "own":
                racer.rate.set_value(surface.rates.get(racer.tagged["type"], 0.01))
        self.run()

    def run(self) -> None:
        """Lets those that are ticked run from the start; the picture follows when they have."""
        racers = [racer for racer in self.racers if racer.check.value()]
        tagged = [self._tagged(racer) for racer in racers]
        self._jobs.start(
            "descents", self.tr("Running optimizers"),
            work.descents(self.surface.name, tagged, self.plane.start, STEPS),
            done=partial(self._take, racers, self.surface),
        )  # fmt: skip

    def replay(self) -> None:
        """Shows the ways from their first step on."""
        self.plane.set_step(0)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing moves that nobody sees, and a late answer finds nobody."""
        self._open = False
        self._timer.stop()
        super().hideEvent(event)

    def showEvent(self, event: object) -> None:
        """It is seen."""
        self._open = True
        super().showEvent(event)  # type: ignore[arg-type]

    def _tagged(self, racer: Racer) -> dict[str, Any]:
        found = {**racer.tagged, "lr": float(racer.rate.value())}
        if racer.key in ("momentum", "nesterov"):
            found["momentum"] = float(self.momentum.value())
            found["nesterov"] = racer.key == "nesterov" and found["momentum"] > 0
        return found

    def _take(self, racers: list[Racer], surface: Surface, found: list[np.ndarray | None]) -> None:
        if not self._open or surface is not self.surface:
            return
        ways = [
            Way(racer.key, places, racer.token)
            for racer, places in zip(racers, found, strict=True)
            if places is not None
        ]
        self.plane.show_ways(ways)
        shown = {way.name: way.places for way in ways}
        for racer in self.racers:
            racer.result.setText(self._result(shown.get(racer.key)) if racer.check.value() else "")
        if reduced():
            self.plane.set_step(STEPS)
            self._count()
        elif self.plane.step in (0, STEPS):
            self.replay()

    def _result(self, places: np.ndarray | None) -> str:
        """How many steps it took to arrive, else how high it ended."""
        if places is None:
            return self.tr("a setting is not allowed")
        goal = self.surface.function(*self.surface.goal)
        heights = self.surface.function(places[:, 0], places[:, 1]) - goal
        if len(places) <= STEPS:
            return self.tr("diverged at step {0}").format(len(places))
        near = heights < NEAR * max(float(heights[0]), 1e-12)
        if near[-1]:
            last_far = np.flatnonzero(~near)
            return self.tr("arrived at step {0}").format(int(last_far[-1]) + 1 if len(last_far) else 0)
        return self.tr("still {0} above the lowest").format(number(float(heights[-1])))

    def _advance(self) -> None:
        self.plane.set_step(min(self.plane.step + 1, STEPS))
        self._count()
        if self.plane.step >= STEPS:
            self._timer.stop()

    def _count(self) -> None:
        self.count.setText(self.tr("step {0} of {1}").format(self.plane.step, STEPS))

    def _make_racers(self, own: dict[str, Any]) -> list[Racer]:
        made = (
            ("sgd", {"type": "sgd"}), ("momentum", {"type": "sgd"}), ("nesterov", {"type": "sgd"}),
            ("adagrad", {"type": "adagrad"}), ("rmsprop", {"type": "rmsprop"}), ("adam", {"type": "adam"}),
            ("own", own),
        )  # fmt: skip
        found = []
        for index, (key, tagged) in enumerate(made):
            rate = NumberField(float(tagged.get("lr") or _usual_rate(tagged)), minimum=1e-9, maximum=1e3, dense=True)
            check = Check("", key in ("sgd", "momentum", "adagrad", "adam"))
            racer = Racer(key, tagged, f"series.{index}", check, rate, QLabel())
            check.committed.connect(lambda _on: self.run())
            rate.committed.connect(lambda _value: self.run())
            rate.setToolTip(self.tr("Learning rate"))
            found.append(racer)
        return found

    def _title(self, racer: Racer) -> str:
        if racer.key == "own":
            declaration = find("optimizer", str(racer.tagged.get("type")))
            return self.tr("This project: {0}").format(declaration.title if declaration else racer.tagged.get("type"))
        titles = {
            "sgd": self.tr("Plain descent"), "momentum": self.tr("Momentum"), "nesterov": self.tr("Nesterov"),
            "adagrad": "Adagrad", "rmsprop": "RMSprop", "adam": "Adam",
        }  # fmt: skip
        return titles[racer.key]

    def _name_racers(self) -> None:
        for racer, label in zip(self.racers, self._names, strict=True):
            square = f'<span style="color: {color(racer.token).name()}">■</span>'
            label.setText(f"{square} {self._title(racer)}")

    def _lay_out(self) -> None:
        rows = self._table()
        friction = QHBoxLayout()
        words = QLabel(self.tr("Momentum β"))
        words.setProperty("role", "label")
        words.setBuddy(self.momentum)
        self.momentum.setFixedWidth(84)
        friction.addWidget(words)
        friction.addStretch()
        friction.addWidget(self.momentum)
        side = QVBoxLayout()
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(metrics.grid)
        side.addWidget(self.about)
        side.addSpacing(metrics.half)
        side.addLayout(rows)
        side.addLayout(friction)
        side.addStretch()
        hint = QLabel(self.plane.toolTip())
        hint.setProperty("role", "label")
        hint.setWordWrap(True)
        side.addWidget(hint)
        holder = QWidget()
        holder.setLayout(side)
        holder.setFixedWidth(290)
        main = QHBoxLayout()
        main.setSpacing(2 * metrics.grid)
        main.addWidget(self.plane, 1)
        main.addWidget(holder)
        foot = QHBoxLayout()
        foot.addWidget(self.switch)
        foot.addSpacing(metrics.grid)
        foot.addWidget(self.count)
        foot.addStretch()
        for button in (self.play, self.reset, self.close_button):
            foot.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[metrics.panel_padding] * 4)
        layout.setSpacing(metrics.grid)
        layout.addLayout(main, 1)
        layout.addLayout(foot)
        self.resize(980, 580)

    def _table(self) -> QGridLayout:
        rows = QGridLayout()
        rows.setHorizontalSpacing(metrics.grid)
        rows.setVerticalSpacing(6)
        self._names = [QLabel() for _ in self.racers]
        self._name_racers()
        for row, (racer, label) in enumerate(zip(self.racers, self._names, strict=True)):
            racer.check.setAccessibleName(self._title(racer))
            racer.rate.entry.setAccessibleName(self.tr("Learning rate of {0}").format(self._title(racer)))
            racer.rate.setFixedWidth(84)
            racer.result.setProperty("role", "hint")
            rows.addWidget(racer.check, 2 * row, 0)
            rows.addWidget(label, 2 * row, 1)
            rows.addWidget(racer.rate, 2 * row, 2)
            rows.addWidget(racer.result, 2 * row + 1, 1, 1, 2)
            label.mousePressEvent = lambda _event, check=racer.check: check.click()  # type: ignore[method-assign]
        rows.setColumnStretch(1, 1)
        return rows


def _usual_rate(tagged: Mapping[str, Any]) -> float:
    declaration = find("optimizer", str(tagged.get("type")))
    param = declaration.by_name.get("lr") if declaration else None
    return float(param.default) if param is not None and param.default else 0.01
