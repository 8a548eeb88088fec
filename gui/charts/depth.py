"""Gradient norm of each layer, from the input side to the output side, and the sentence that says what it means.

Owns the bars, whiskers and brackets. The numbers and the sentence come from the engine.
"""

from __future__ import annotations

from math import log10

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QMenu

from engine.probe_window import Depth
from engine.verdict import spoken, verdict
from gui.charts.curves import Frame
from gui.charts.overdepth import OverDepth, draw_cross
from gui.charts.state import ChartState
from gui.numbers import number, scientific
from gui.theme import color, gradient_color

FIRST_DOMAIN = (-5.0, 0.0)
"""Decades of the norm at first, as on the scale of the canvas; wider when needed, never narrower within a run."""


class DepthChart(OverDepth):
    """Bars on a logarithmic scale in the colours of gradient flow; whiskers are the least and greatest."""

    name = "depth"

    def __init__(self, state: ChartState) -> None:
        super().__init__(state)
        self._domain = FIRST_DOMAIN
        self._depth: Depth | None = None

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
        self.say(verdict(timeline))
        shown = np.concatenate([self._depth.least, self._depth.greatest])
        shown = shown[np.isfinite(shown) & (shown > 0)]
        if len(shown):
            low, high = np.floor(np.log10(shown.min())), np.ceil(np.log10(shown.max()))
            self._domain = (float(min(self._domain[0], low)), float(max(self._domain[1], high)))
        self.show_layers(self._depth.layers, self._domain)

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
        middles = frame.x(np.arange(len(depth.layers))).tolist()
        means = depth.mean.tolist()
        broken = [path in depth.non_finite for path in depth.layers]
        sound = [row for row, mean in enumerate(means) if mean > 0 and not broken[row]]
        for row, middle in enumerate(middles):
            if broken[row]:
                draw_cross(painter, middle, frame.rect.top() + 8)
        self._draw_bars(painter, frame, wide, [(middles[row], log10(means[row])) for row in sound])
        if wide >= 5:
            ends = [(depth.least[row], depth.greatest[row]) for row in sound]
            whiskers = zip((middles[row] for row in sound), ends, strict=True)
            self._draw_whiskers(painter, frame, wide, [one for one in whiskers if 0 < one[1][0] < one[1][1]])

    def _draw_bars(self, painter: QPainter, frame: Frame, wide: float, bars: list[tuple[float, float]]) -> None:
        """Bars at (pixel column, decade)."""
        low, high = self._domain
        foot, radius = frame.rect.bottom(), min(2.0, wide / 3)
        painter.save()
        # The lower corners lie below the clip: only the top is round, the bar stands on the foot.
        painter.setClipRect(frame.rect, Qt.ClipOperation.IntersectClip)
        painter.setPen(Qt.PenStyle.NoPen)
        for (middle, at), top in zip(bars, frame.y(np.array([at for _, at in bars])).tolist(), strict=True):
            painter.setBrush(gradient_color((at - low) / (high - low)))
            bar = QRectF(round(middle - wide / 2), top, round(wide), foot - top + 3)
            painter.drawRoundedRect(bar, radius, radius)
        painter.restore()

    def _draw_whiskers(
        self, painter: QPainter, frame: Frame, wide: float, whiskers: list[tuple[float, tuple[float, float]]]
    ) -> None:
        """Lines at (pixel column, (least, greatest norm))."""
        arm, lines = min(3.0, wide / 3), []
        for middle, norms in whiskers:
            column = round(middle) + 0.5
            ends = [round(end) + 0.5 for end in frame.y(np.log10(norms)).tolist()]
            lines.append(QLineF(column, ends[0], column, ends[1]))
            lines += [QLineF(column - arm, end, column + arm, end) for end in ends]
        if lines:
            painter.setPen(QPen(color("text"), 1))
            painter.drawLines(lines)

    def card(self, row: int) -> list[tuple[str, str]]:
        """The layer, and its norm."""
        depth = self._depth
        if depth is None:
            return []
        mean, least, most = float(depth.mean[row]), float(depth.least[row]), float(depth.greatest[row])
        said = number(mean) if mean == 0 or np.isnan(mean) else scientific(mean)
        if most > least:
            said += self.tr(" ({least} to {most})").format(least=scientific(least), most=scientific(most))
        if depth.layers[row] in depth.non_finite:
            said = self.tr("not finite")
        return [(spoken(depth.layers[row], depth.layers), "strong"), (said, "mono")]
