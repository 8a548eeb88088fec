"""The axes of every chart: sparse ticks in quiet text, the unit at the end, no lines except the foot.

Owns tick choice on screen and their painting. Never decides a range.
"""

from __future__ import annotations

from math import ceil

import pyqtgraph as pg
from PySide6.QtCore import QLineF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from gui.charts import text
from gui.charts.curves import Frame
from gui.charts.ticks import Tick, linear_ticks, log_ticks
from gui.theme import color

LABEL_GAP = 6
"""Pixels between a tick's words and the plot."""


class ValueAxis(pg.AxisItem):
    """Left axis: labels right-aligned beside the plot; its width grows with the labels and never shrinks."""

    def __init__(self) -> None:
        super().__init__("left", showValues=False)
        self.log = True
        self.ticks: list[Tick] = []
        self._settled: object = None
        self._wide = 24.0
        self.setWidth(self._wide)

    def settle(self, low: float, high: float, pixels: float) -> None:
        """Choose ticks for a range in chart units over `pixels`."""
        if (key := (low, high, pixels, self.log)) == self._settled:
            return
        self._settled = key
        made = log_ticks(low, high, pixels) if self.log else linear_ticks(low, high, pixels, 22.0)
        if made == self.ticks:
            return
        self.ticks = made
        widest = max((text.width(tick.label) for tick in made), default=0.0)
        if (needed := ceil(widest) + LABEL_GAP + 2) > self._wide:
            self._wide = needed
            self.setWidth(needed)
        self.update()

    def paint(self, p: QPainter, opt: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the labels beside their heights; the first and last stay inside the chart."""
        view = self.linkedView()
        low, high = view.viewRange()[1]
        height = self.size().height()
        ascent = text.metrics().capHeight()
        for tick in self.ticks:
            y = height * (high - tick.at) / (high - low)
            x = self._wide - LABEL_GAP - text.width(tick.label)
            text.draw(p, x, y + ascent / 2, tick.label, color=color("text3"))


class TimeAxisItem(pg.AxisItem):
    """Bottom axis: the foot line, labels that never touch, and the unit at the right end."""

    def __init__(self) -> None:
        super().__init__("bottom", showValues=False)
        self.unit = ""
        self.whole = True
        self._made: tuple[object, list[Tick]] = (None, [])
        self.setHeight(22)

    def paint(self, p: QPainter, opt: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the foot line, the unit, and every label that leaves room for it."""
        low, high = self.linkedView().viewRange()[0]
        wide = self.size().width()
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        p.setPen(QPen(color("border2"), 1))
        p.drawLine(QLineF(0, 0, wide, 0))
        baseline = 17
        unit_x = wide - text.width(self.unit)
        text.draw(p, unit_x, baseline, self.unit, color=color("text3"))
        for tick in self.ticks(low, high, wide):
            half = text.width(tick.label) / 2
            x = wide * (tick.at - low) / (high - low)
            if x + half + 8 <= unit_x and x >= -0.5:
                # The leftmost number may reach under the value axis, which has nothing at this height.
                text.draw(p, x - half, baseline, tick.label, color=color("text3"))

    def ticks(self, low: float, high: float, pixels: float) -> list[Tick]:
        """Ticks whose labels keep clear of each other."""
        key = (low, high, pixels, self.whole)
        if self._made[0] != key:
            made = linear_ticks(low, high, pixels, lambda label: text.width(label) + 30, whole=self.whole)
            self._made = (key, made)
        return self._made[1]


def grid_lines(axis: ValueAxis, frame: Frame) -> list[QLineF]:
    """Horizontal lines at the ticks of `axis`, on whole pixels; the foot has a line of its own."""
    rect = frame.rect
    rows = [round(float(frame.y(tick.at))) + 0.5 for tick in axis.ticks]
    return [QLineF(rect.left(), y, rect.right(), y) for y in rows if y < rect.bottom()]


def dash_pen(token: str, width: float = 1.0, dashes: tuple[float, float] = (4, 3)) -> QPen:
    """A dashed pen whose dashes are `dashes` pixels, whatever its width."""
    pen = QPen(color(token), width)
    pen.setDashPattern([part / max(width, 1.0) for part in dashes])
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen
