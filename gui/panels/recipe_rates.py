"""The rate that the recipe plans, drawn below its schedule before anything trains, and where a training has come to.

Owns the little picture. The plan is reckoned anew only when what it depends on changed.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.plan import Planned, known_steps_per_epoch, planned_rates
from engine.project import Project
from engine.timeline import Timeline
from gui.fonts import mono_font
from gui.numbers import number
from gui.theme import color, themes

HIGH = 74
FOOT = 14
POINTS = 400


class RatePreview(QWidget):
    """Planned rate over the whole training, momentum dashed where the schedule moves it. Hidden while unknown."""

    def __init__(self) -> None:
        super().__init__()
        self._key: object = None
        self.planned: list[Planned] = []
        self.now = 0
        """The step that a training has come to; 0 when none is shown."""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        themes.changed.connect(self.update)

    def show_project(self, project: Project) -> None:
        """Draws the plan of this project."""
        recipe = project.recipe
        steps = known_steps_per_epoch(project)
        key = repr((steps, [recipe.get(name) for name in ("optimizer", "schedule", "epochs", "phases")]))
        if key == self._key:
            return
        self._key = key
        try:
            self.planned = planned_rates(project, steps_per_epoch=steps, points=POINTS) if steps else []
        except (ValueError, ZeroDivisionError, OverflowError):
            self.planned = []  # what is wrong stands in the list of problems
        self.setVisible(len(self.planned) > 1)
        if self.planned:
            self.setToolTip(self._words())
            self.setAccessibleName(self._words())
        self.update()

    def _words(self) -> str:
        rates = [item.rate for item in self.planned]
        words = self.tr("Planned learning rate: {0} at first, {1} at most, {2} at the end").format(
            number(rates[0]), number(max(rates)), number(rates[-1])
        )
        if moved := self.moved_momentum():
            words += "\n" + self.tr("Momentum, dashed, from 0 to 1: {0} at first, {1} at least, {2} at the end").format(
                number(moved[0]), number(min(moved)), number(moved[-1])
            )
        return words

    def moved_momentum(self) -> list[float]:
        """Planned momentum of every point where the schedule moves it; empty where it stays."""
        found = [item.momentum for item in self.planned if item.momentum is not None]
        return found if len(set(found)) > 1 else []

    def show_timeline(self, timeline: Timeline | None) -> None:
        """Marks where a training is; None or one that ended marks nothing."""
        now = timeline.step if timeline is not None and timeline.outcome is None else 0
        before, self.now = self._column(self.now), now
        if self._column(now) != before:  # a training must not pay for a mark that stays where it is
            self.update()

    def _column(self, step: int) -> int:
        last = self.planned[-1].step if self.planned else 0
        return round(step / last * self.width()) if last and step else -1

    def sizeHint(self) -> QSize:
        """The size at which everything shows."""
        return QSize(220, HIGH)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        if len(self.planned) < 2:
            return
        painter = QPainter(self)
        area = QRectF(1, 4, self.width() - 2, self.height() - FOOT - 4)
        painter.fillRect(area, color("sunken"))
        most = max(item.rate for item in self.planned) or 1.0
        last = self.planned[-1].step
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

        def place(step: float, share: float) -> QPointF:
            inside = area.adjusted(0, 5, 0, -3)
            return QPointF(area.x() + step / last * area.width(), inside.bottom() - share * inside.height())

        if moved := self.moved_momentum():
            pen = QPen(color("text3"), 1.25)
            pen.setDashPattern([3, 3])
            painter.setPen(pen)
            points = [place(item.step, share) for item, share in zip(self.planned, moved, strict=True)]
            painter.drawPolyline(QPolygonF(points))
        painter.setPen(QPen(color("series.0"), 2))
        painter.drawPolyline(QPolygonF([place(item.step, item.rate / most) for item in self.planned]))
        if 0 < self.now <= last:
            painter.setPen(QPen(color("accent"), 1.5))
            painter.drawLine(place(self.now, 0) + QPointF(0, 3), place(self.now, 1) - QPointF(0, 5))
        painter.setPen(color("text3"))
        painter.setFont(mono_font(10))
        foot = QRectF(0, area.bottom() + 1, self.width(), FOOT)
        epochs = self.planned[-1].epoch
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, number(self.planned[0].rate))
        painter.drawText(
            foot,
            Qt.AlignmentFlag.AlignHCenter,
            self.tr("1 epoch") if epochs == 1 else self.tr("{0} epochs").format(epochs),
        )
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight, number(self.planned[-1].rate))
        painter.end()
