"""Gradient norm of each layer, from the input side to the output side, and the sentence that says what it means.

Owns the bars, whiskers and brackets. The numbers and the sentence come from the engine.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QMargins, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QMenu

from engine.probe_window import Depth
from engine.verdict import Verdict, spoken, verdict
from gui.charts import text
from gui.charts.brackets import Labels, labels
from gui.charts.chart import HEAD, SIDE, Chart
from gui.charts.curves import Frame
from gui.charts.depthfoot import draw_foot
from gui.charts.state import ChartState
from gui.icons import paint_icon
from gui.numbers import number, scientific
from gui.theme import color, gradient_color

FIRST_DOMAIN = (-5.0, 0.0)
"""Decades of the norm at first, as on the scale of the canvas; wider when needed, never narrower within a run."""

SENTENCE = 20
"""Height of the sentence below the title."""

SENTENCE_FROM = 150
"""Height of the chart from which there is room for it."""

_ICONS = {"good": ("check", "ok"), "warning": ("warning", "warn"), "error": ("error", "error")}


class DepthChart(Chart):
    """Bars on a logarithmic scale in the colours of gradient flow; whiskers are the least and greatest."""

    name = "depth"

    def __init__(self, state: ChartState) -> None:
        super().__init__(state, timed=False, foot=42)
        self._domain = FIRST_DOMAIN
        self._depth: Depth | None = None
        self._labels = Labels((), (), False)
        self._verdict = Verdict("unknown", "")
        self._hovered: int | None = None
        self.plot.pointed.connect(self._hover)
        state.pointed.connect(self._show_pointed)

    @property
    def verdict(self) -> Verdict:
        """The sentence on show."""
        return self._verdict

    @property
    def domain(self) -> tuple[float, float]:
        """The decades on show, for the scale's colours."""
        return self._domain

    def title(self) -> str:
        """What the chart is."""
        return self.tr("Gradient flow over depth")

    def subtitle(self) -> str:
        """Which probes; the run, where several are shown."""
        if self.state.pointer is not None:
            return self.tr("norm per layer, step {step}").format(step=f"{self.state.pointer:,.0f}")
        if len(self.state.series) > 1:
            return self.tr("{run}, last 100 probes").format(run=self.state.series[0].name)
        return self.tr("norm per layer, last 100 probes")

    def add_choices(self, menu: QMenu) -> None:
        """Nothing to choose: bars of norms that differ by decades need the logarithm."""

    def reset_range(self) -> None:
        """Other runs: the scale starts anew."""
        self._domain = FIRST_DOMAIN

    def refresh(self) -> None:
        """Read the probes, widen the scale if they leave it, repaint."""
        timeline = self.state.first
        if timeline is None:
            return
        pointer = self.state.pointer
        self._depth = timeline.depth() if pointer is None else timeline.depth_at(pointer)
        said = verdict(timeline)
        if said != self._verdict:
            self._verdict = said
            self.update()
        made = labels(self._depth.layers, copy=self.tr("copy"), copies=self.tr("copies"))
        self._labels = made
        shown = np.concatenate([self._depth.least, self._depth.greatest])
        shown = shown[np.isfinite(shown) & (shown > 0)]
        if len(shown):
            low, high = np.floor(np.log10(shown.min())), np.ceil(np.log10(shown.max()))
            self._domain = (float(min(self._domain[0], low)), float(max(self._domain[1], high)))
        self._place()
        self.plot.set_range((-0.5, max(len(self._depth.layers), 1) - 0.5), self._domain)
        self.plot.refresh()

    def values(self) -> dict[str, np.ndarray]:
        """Layer paths with geometric mean, least and greatest norm."""
        depth = self._depth
        if depth is None:
            return {}
        names = np.array(depth.layers, dtype=object)
        return {"layer": names, "mean": depth.mean, "least": depth.least, "greatest": depth.greatest}

    def paint_under(self, painter: QPainter, frame: Frame) -> None:
        """Bars and whiskers."""
        depth = self._depth
        if depth is None or not depth.layers:
            return
        slot = frame.rect.width() / len(depth.layers)
        wide = max(min(24.0, slot * 0.6), min(slot - 1.0, 2.0))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for row, mean in enumerate(depth.mean.tolist()):
            middle = float(frame.x(float(row)))
            if depth.layers[row] in depth.non_finite:
                _draw_cross(painter, middle, frame.rect.top() + 8)
            elif mean > 0:
                self._draw_bar(painter, frame, middle, wide, row)

    def _draw_bar(self, painter: QPainter, frame: Frame, middle: float, wide: float, row: int) -> None:
        depth = self._depth
        if depth is None:
            return
        low, high = self._domain
        at = np.log10(depth.mean[row])
        top, foot = float(frame.y(at)), frame.rect.bottom()
        left = round(middle - wide / 2)
        bar = QRectF(left, top, round(wide), foot - top + 3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(gradient_color(float((at - low) / (high - low))))
        painter.save()
        painter.setClipRect(QRectF(left - 1, frame.rect.top(), wide + 2, frame.rect.height()))
        # The lower corners lie below the clip: only the top is round, the bar stands on the foot.
        radius = min(2.0, wide / 3)
        painter.drawRoundedRect(bar, radius, radius)
        painter.restore()
        least, most = depth.least[row], depth.greatest[row]
        if wide >= 5 and least > 0 and most > least:
            column = round(middle) + 0.5
            ends = [round(float(frame.y(np.log10(end)))) + 0.5 for end in (least, most)]
            arm = min(3.0, wide / 3)
            painter.setPen(QPen(color("text"), 1))
            painter.drawLine(QLineF(column, ends[0], column, ends[1]))
            for end in ends:
                painter.drawLine(QLineF(column - arm, end, column + arm, end))

    def paint_over(self, painter: QPainter, frame: Frame) -> None:
        """Foot line, names, brackets; the numbers of the bar below the pointer."""
        depth = self._depth
        if depth is None or not depth.layers:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(color("border2"), 1))
        foot = round(frame.rect.bottom()) + 0.5
        painter.drawLine(QLineF(frame.rect.left(), foot, frame.rect.right(), foot))
        draw_foot(painter, frame, self._labels)
        if self._hovered is not None and self._hovered < len(depth.layers):
            self._draw_numbers(painter, frame, depth, self._hovered)

    def _draw_numbers(self, painter: QPainter, frame: Frame, depth: Depth, row: int) -> None:
        words = spoken(depth.layers[row], depth.layers)
        mean, least, most = float(depth.mean[row]), float(depth.least[row]), float(depth.greatest[row])
        said = number(mean) if mean == 0 or np.isnan(mean) else scientific(mean)
        if most > least:
            said += self.tr(" ({least} to {most})").format(least=scientific(least), most=scientific(most))
        if depth.layers[row] in depth.non_finite:
            said = self.tr("not finite")
        wide = max(text.width(words, "strong"), text.width(said, "mono")) + 20
        middle = float(frame.x(float(row)))
        left = min(max(middle - wide / 2, frame.rect.left()), frame.rect.right() - wide)
        area = QRectF(round(left) + 0.5, round(frame.rect.top()) + 0.5, round(wide), 42)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(color("border2"), 1))
        painter.setBrush(color("raised"))
        painter.drawRoundedRect(area, 8, 8)
        text.draw(painter, area.left() + 10, area.top() + 17, words, color=color("text"), kind="strong")
        text.draw(painter, area.left() + 10, area.top() + 33, said, color=color("text2"), kind="mono")

    def paintEvent(self, event: object) -> None:
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

    def resizeEvent(self, event: object) -> None:
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
        size = len(self._depth.layers) if self._depth else 0
        row = None if place is None else round(self.plot.frame().time(place.x()))
        row = row if row is not None and 0 <= row < size else None
        if row != self._hovered:
            self._hovered = row
            self.plot.refresh()

    def _show_pointed(self) -> None:
        self.update()
        if self.isVisible():
            self.refresh()
        else:
            self.invalidate()


def _draw_cross(painter: QPainter, x: float, y: float) -> None:
    painter.setPen(QPen(color("error"), 2))
    painter.drawLine(QLineF(x - 4, y - 4, x + 4, y + 4))
    painter.drawLine(QLineF(x - 4, y + 4, x + 4, y - 4))
