"""Marks that mean the same on every chart over time: phases, edits, checkpoints, clipping, the first non-finite.

Owns their look. Reads the leading run's timeline through the shared state; never changes it.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication, QLineF, QPointF, QRectF
from PySide6.QtGui import QPainter, QPen, QPolygonF

from engine.timeline import Mark, Timeline
from gui.charts import text
from gui.charts.axis import dash_pen
from gui.charts.curves import Frame
from gui.charts.placing import Row
from gui.charts.state import ChartState
from gui.theme import color

LEGEND_ROOM = 14
"""Height of the legend's row, which the words of marks keep clear of."""


class Marks:
    """Paints the marks of a state's leading run onto any frame."""

    def __init__(self, state: ChartState) -> None:
        self._state = state

    def paint_lines(self, painter: QPainter, frame: Frame) -> None:
        """Lines and small figures; the words come later, above the curves (`paint_words`)."""
        timeline = self._state.first
        if timeline is None:
            return
        self._paint_clipped(painter, frame, timeline)
        for mark, x in self._places(frame, timeline):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            column = round(x) + 0.5
            if mark.kind == "edit":
                painter.setPen(QPen(color("warn"), 1))
            else:
                painter.setPen(dash_pen("text3" if mark.kind == "alert" else "text2"))
            painter.drawLine(QLineF(column, frame.rect.top() - 2, column, frame.rect.bottom()))
        if timeline.first_non_finite:
            x = self._x(frame, timeline, timeline.first_non_finite.step)
            if frame.rect.left() <= x <= frame.rect.right():
                _cross(painter, round(x) + 0.5, frame)

    def paint_words(self, painter: QPainter, frame: Frame, taken: QRectF, *, edits: bool = True) -> None:
        """Names of phases at the foot; words of edits at the top, on one chart of the row; as far as there is room."""
        timeline = self._state.first
        if timeline is None:
            return
        top, foot = Row(), Row()
        top_y = max(frame.rect.top() + LEGEND_ROOM, taken.bottom()) + 12
        if timeline.first_non_finite:
            words = QCoreApplication.translate("Marks", "not finite")
            x = self._x(frame, timeline, timeline.first_non_finite.step)
            _words(painter, frame, top, x, top_y, words, "error")
        for mark, x in reversed(self._places(frame, timeline)):
            if mark.kind == "edit":
                _triangle(painter, round(x) + 0.5, frame.rect.top() - 6)
            if mark.kind in ("edit", "alert"):
                if not edits:
                    continue
                _words(painter, frame, top, x, top_y, mark.words, "text2")
            else:
                _words(painter, frame, foot, x, frame.rect.bottom() - 7, mark.words, "text2")

    def paint_checkpoint(self, painter: QPainter, frame: Frame) -> None:
        """A hollow diamond on the axis where the newest checkpoint stands: the step a resume starts from."""
        timeline = self._state.first
        saved = timeline.checkpoints.get("last") if timeline else None
        if timeline is None or saved is None:
            return
        x = self._x(frame, timeline, saved.step)
        if frame.rect.left() <= x <= frame.rect.right():
            diamond(painter, QPointF(x, frame.rect.bottom()), 4.0, "text2", hollow=True)

    def _places(self, frame: Frame, timeline: Timeline) -> list[tuple[Mark, float]]:
        marks = [mark for mark in timeline.marks if mark.kind != "phase" or mark.step > 0]
        if not marks:
            return []
        steps = np.array([mark.step for mark in marks], dtype=float)
        columns = frame.x(self._state.position(timeline, steps)).tolist()
        inside = (frame.rect.left() - 1, frame.rect.right() + 1)
        return [(mark, x) for mark, x in zip(marks, columns, strict=True) if inside[0] <= x <= inside[1]]

    def _x(self, frame: Frame, timeline: Timeline, step: float) -> float:
        return float(frame.x(self._state.position(timeline, np.array([float(step)])))[0])

    def _paint_clipped(self, painter: QPainter, frame: Frame, timeline: Timeline) -> None:
        steps, _ = timeline.clipped.points()
        if not len(steps):
            return
        columns = np.unique(np.round(frame.x(self._state.position(timeline, steps))))
        inside = columns[(columns >= frame.rect.left()) & (columns <= frame.rect.right())]
        foot = frame.rect.bottom()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(color("text3"), 1))
        painter.drawLines([QLineF(x + 0.5, foot - 5, x + 0.5, foot - 1) for x in inside.tolist()])


def diamond(painter: QPainter, at: QPointF, radius: float, token: str, *, hollow: bool = False) -> None:
    """A diamond, filled (the best) or hollow (a checkpoint), with the panel around it so that it stands out."""
    shape = QPolygonF(
        [at + QPointF(0, -radius), at + QPointF(radius, 0), at + QPointF(0, radius), at + QPointF(-radius, 0)]
    )
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(color(token) if hollow else color("panel"), 1.2))
    painter.setBrush(color("panel") if hollow else color(token))
    painter.drawPolygon(shape)


def _triangle(painter: QPainter, x: float, top: float) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(color("warn"), 1))
    painter.setBrush(color("warn"))
    painter.drawPolygon(QPolygonF([QPointF(x - 4, top), QPointF(x + 4, top), QPointF(x, top + 6)]))


def _cross(painter: QPainter, x: float, frame: Frame) -> None:
    painter.setPen(QPen(color("error"), 1))
    painter.drawLine(QLineF(x, frame.rect.top() + 4, x, frame.rect.bottom()))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(color("error"), 2))
    y = frame.rect.top()
    painter.drawLine(QLineF(x - 4, y - 4, x + 4, y + 4))
    painter.drawLine(QLineF(x - 4, y + 4, x + 4, y - 4))


def _words(painter: QPainter, frame: Frame, row: Row, x: float, baseline: float, words: str, token: str) -> None:
    """Right of the line, or left of it at the right edge; nothing where another mark's words stand."""
    wide = text.width(words)
    for start in (x + 6, x - 6 - wide):
        if frame.rect.left() <= start and start + wide <= frame.rect.right() and row.take(start - 4, start + wide + 4):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.fillRect(QRectF(start - 2, baseline - 10, wide + 4, 13), color("panel", 0.86))
            text.draw(painter, start, baseline, words, color=color(token))
            return
