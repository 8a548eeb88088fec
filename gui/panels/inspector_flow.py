"""Part of the inspector that lives while a training runs: gradient, update and weight norms of the selected layer."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from engine.timeline import Timeline
from gui.numbers import number, scientific
from gui.theme import metrics, mono_font
from gui.widgets.section import CollapsibleSection
from gui.widgets.sparkline import Sparkline
from gui.widgets.states import Banner

_POINTS = 36


class FlowSection(CollapsibleSection):
    """Small curves with their newest number, and one sentence. Hidden for layers of which nothing was measured."""

    def __init__(self) -> None:
        super().__init__("")
        self.set_title(self.tr("While training"))
        self._gradient = _Row(self.tr("Gradient norm"), self.tr("2-norm of the gradient, before clipping"))
        self._ratio = _Row(self.tr("Grad ÷ weight"), self.tr("How large the gradient is beside the weights"))
        self._weight = _Row(self.tr("Weight norm"), self.tr("2-norm of the weights"), number)
        told = self.tr("Standard deviation of what the layer gives for some fixed samples, at ends of epochs")
        self._spread = _Row(self.tr("Output σ"), told, number)
        told = self.tr("Share of the units that give the same for every one of these samples")
        self._dead = _Row(self.tr("Dead units"), told, lambda share: f"{share:.0%}")
        for row in (self._gradient, self._ratio, self._weight, self._spread, self._dead):
            self.content.addWidget(row)
        self._banner = Banner("ok", "", "")
        self.content.addWidget(self._banner)
        self.hide()

    def follow(self, timeline: Timeline, paths: tuple[str, ...]) -> None:
        """Shows the geometric mean over the copies of a layer."""
        known = [path for path in paths if path in timeline.gradients]
        measured = timeline.activity.known(paths)
        self.setVisible(bool(known or measured))
        self._show_outputs(timeline, measured)
        for row in (self._gradient, self._ratio, self._weight):
            row.setVisible(bool(known))
        if not known:
            self._banner.hide()
            return
        gradient = _mean([timeline.gradients[path].points()[1][-_POINTS:] for path in known])
        weight = _mean([timeline.weights[path].points()[1][-_POINTS:] for path in known])
        size = min(len(gradient), len(weight))
        gradient, weight = gradient[-size:], weight[-size:]
        self._gradient.show_values(gradient)
        self._weight.show_values(weight)
        with np.errstate(divide="ignore", invalid="ignore"):
            self._ratio.show_values(np.where(weight > 0, gradient / weight, np.nan))
        self._judge(timeline, known, float(gradient[-1]) if size else float("nan"))

    def _show_outputs(self, timeline: Timeline, measured: tuple[str, ...]) -> None:
        """Mean over the copies of a layer."""
        for row, name in ((self._spread, "std"), (self._dead, "dead")):
            curves = [timeline.activity.series(path, name)[1][-_POINTS:] for path in measured]
            size = min((len(curve) for curve in curves), default=0)
            row.setVisible(size > 0)
            if size:
                row.show_values(np.mean([curve[-size:] for curve in curves], axis=0))

    def _judge(self, timeline: Timeline, known: list[str], newest: float) -> None:
        if timeline.first_non_finite and timeline.first_non_finite.layer in known:
            self._banner.set_state("error", self.tr("Not finite"), self.tr("This layer's gradient broke first."))
            return
        others = [last[1] for last in (series.last for series in timeline.gradients.values()) if last]
        others = [value for value in others if isfinite(value) and value > 0]
        if not others or not isfinite(newest):
            self._banner.hide()
            return
        share = newest / float(np.median(others))
        words = self.tr("{0} × the gradient of the median layer").format(number(share))
        healthy = 1e-2 <= share <= 1e2
        self._banner.show()
        title = self.tr("Healthy") if healthy else (self.tr("Faint") if share < 1 else self.tr("Strong"))
        self._banner.set_state("ok" if healthy else "warn", title, words)


class _Row(QWidget):
    def __init__(self, title: str, tip: str, words: Callable[[float], str] = scientific) -> None:
        super().__init__()
        self._words = words
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(metrics.grid)
        label = QLabel(title)
        label.setProperty("role", "label")
        label.setFixedWidth(metrics.label_column)
        self._line = Sparkline()
        self._value = QLabel()
        self._value.setFont(mono_font(12))
        self._value.setMinimumWidth(52)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(label)
        row.addWidget(self._line, 1)
        row.addWidget(self._value)
        self.setToolTip(tip)

    def show_values(self, values: np.ndarray) -> None:
        """Curve and newest number."""
        self._line.set_values([float(value) for value in values])
        self._value.setText(self._words(float(values[-1])) if len(values) else "")


def _mean(curves: list[np.ndarray]) -> np.ndarray:
    """Geometric mean of curves, over the points that all of them have."""
    size = min(len(curve) for curve in curves)
    stacked = np.stack([curve[-size:] for curve in curves]) if size else np.empty((1, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean: np.ndarray = np.exp(np.log(np.maximum(stacked, 1e-38)).mean(axis=0))
    return mean
