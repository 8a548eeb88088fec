"""Base of charts with one column per layer, from the input side to the output side, and a sentence above them.

Owns the sentence, names and brackets below, the column below the pointer and its card. What a column shows is the
chart's own matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from PySide6.QtCore import QLineF, QMargins, QPointF, QRectF
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent

from engine.verdict import Verdict
from gui.charts import text
from gui.charts.brackets import Labels, labels
from gui.charts.chart import HEAD, SIDE, Chart
from gui.charts.curves import Frame
from gui.charts.depthfoot import draw_foot
from gui.charts.state import ChartState
from gui.icons import paint_icon
from gui.theme import color

SENTENCE = 20
"""Height of the sentence below the title."""

PAUSE = 0.25
"""Seconds between two drawings while a run goes on: what a chart over depth shows is a mean of many probes."""

SENTENCE_FROM = 150
"""Height of the chart from which there is room for it."""

_ICONS = {"good": ("check", "ok"), "warning": ("warning", "warn"), "error": ("error", "error")}


class OverDepth(Chart):
    """Columns, a sentence and a card. Subclasses call `show_layers` and `say` when they refresh."""

    def __init__(self, state: ChartState) -> None:
        super().__init__(state, timed=False, foot=42)
        self.layers: tuple[str, ...] = ()
        """Instance paths of the columns."""
        self._labels = Labels((), (), False)
        self._said: tuple[tuple[str, ...], str, str] = ((), "", "")
        self._drawn: tuple[object, float] = (None, -PAUSE)
        self._verdict = Verdict("unknown", "")
        self._hovered: int | None = None
        self.plot.pointed.connect(self._hover)
        state.pointed.connect(self._show_pointed)

    def tick(self) -> None:
        """Refresh if the chart is visible and its data changed, while a run goes on not more often than `PAUSE`."""
        going = tuple((item.name, item.timeline.outcome) for item in self.state.series)
        known, at = self._drawn
        if self._shown is not None and going == known and monotonic() - at < PAUSE:
            return
        before = self._shown
        super().tick()
        if self._shown != before:
            self._drawn = (going, monotonic())

    @property
    def verdict(self) -> Verdict:
        """The sentence on show."""
        return self._verdict

    def say(self, verdict: Verdict) -> None:
        """Another sentence."""
        if verdict != self._verdict:
            self._verdict = verdict
            self.update()
        self._place()

    def show_layers(self, layers: Sequence[str], values: tuple[float, float]) -> None:
        """These columns, and this range of values (chart units)."""
        said = (tuple(layers), self.tr("copy"), self.tr("copies"))
        if said != self._said:
            self.layers, copy, copies = self._said = said
            self._labels = labels(self.layers, copy=copy, copies=copies)
        self.plot.set_range((-0.5, max(len(self.layers), 1) - 0.5), values)
        self.plot.refresh()

    def card(self, row: int) -> list[tuple[str, str]]:
        """(words, kind of text) of the lines about the column below the pointer."""
        raise NotImplementedError

    def paint_over(self, painter: QPainter, frame: Frame) -> None:
        """Foot line, names, brackets; the card of the column below the pointer."""
        if not self.layers:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(color("border2"), 1))
        foot = round(frame.rect.bottom()) + 0.5
        painter.drawLine(QLineF(frame.rect.left(), foot, frame.rect.right(), foot))
        draw_foot(painter, frame, self._labels)
        if self._hovered is not None and self._hovered < len(self.layers):
            self._draw_card(painter, frame, self._hovered)

    def _draw_card(self, painter: QPainter, frame: Frame, row: int) -> None:
        lines = self.card(row)
        wide = max(text.width(words, kind) for words, kind in lines) + 20
        middle = float(frame.x(float(row)))
        left = min(max(middle - wide / 2, frame.rect.left()), frame.rect.right() - wide)
        area = QRectF(round(left) + 0.5, round(frame.rect.top()) + 0.5, round(wide), 10 + 16 * len(lines))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(color("border2"), 1))
        painter.setBrush(color("raised"))
        painter.drawRoundedRect(area, 8, 8)
        for index, (words, kind) in enumerate(lines):
            ink = color("text2" if index else "text")
            text.draw(painter, area.left() + 10, area.top() + 17 + 16 * index, words, color=ink, kind=kind)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the title row and, below it, the sentence."""
        super().paintEvent(event)
        if not self._has_sentence():
            return
        painter = QPainter(self)
        name, token = _ICONS[self._verdict.level]
        paint_icon(painter, name, QRectF(SIDE, HEAD - 1, 14, 14), color(token))
        room = self.width() - SIDE - 34
        title = text.elided(self._verdict.title, room, "name")
        text.draw(painter, SIDE + 20, HEAD + 10, title, color=color("text"), kind="name")
        used = text.width(title, "name") + 8
        if room - used > 40:
            detail = text.elided(self._verdict.detail, room - used)
            text.draw(painter, SIDE + 20 + used, HEAD + 10, detail, color=color("text2"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Make room for the sentence where there is any."""
        super().resizeEvent(event)
        self._place()

    def _has_sentence(self) -> bool:
        return self.height() >= SENTENCE_FROM and self._verdict.level in _ICONS

    def _place(self) -> None:
        margins = QMargins(1, HEAD + (SENTENCE if self._has_sentence() else 0), 0, 0)
        if self.layout().contentsMargins() != margins:
            self.layout().setContentsMargins(margins)
        self.setToolTip(str(self._verdict) if self._verdict.level in _ICONS else "")

    def _hover(self, place: QPointF | None) -> None:
        row = None if place is None else round(self.plot.frame().time(place.x()))
        row = row if row is not None and 0 <= row < len(self.layers) else None
        if row != self._hovered:
            self._hovered = row
            self.plot.refresh()

    def _show_pointed(self) -> None:
        self.update()
        if self.isVisible():
            self.refresh()
        else:
            self.invalidate()


def draw_cross(painter: QPainter, x: float, y: float) -> None:
    """Marks a layer whose numbers are not finite."""
    painter.setPen(QPen(color("error"), 2))
    painter.drawLine(QLineF(x - 4, y - 4, x + 4, y + 4))
    painter.drawLine(QLineF(x - 4, y + 4, x + 4, y - 4))
