"""What the inspector shows of a layer before anything trains: what its weights are drawn like, or its curve.

Owns when a picture is asked for and what stands beside it. Numbers come from jobs; nothing here knows torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget
from shiboken6 import isValid

from engine.analysis import NodeFacts
from engine.declare import catalogue, find
from gui import jobs as work
from gui.jobs import Jobs
from gui.numbers import number
from gui.theme import metrics, themes
from gui.widgets.function_plot import FunctionPlot, Line
from gui.widgets.histogram import Histogram
from gui.widgets.labels import ElidedLabel
from gui.widgets.section import CollapsibleSection

OVERLAYS = ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "sigmoid", "tanh")
"""Activations that others are compared with, those that a chapter on deep networks compares."""


class DrawsView(QWidget):
    """Fans, deviation and a histogram of what an initializer would draw for a layer."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs
        self._shown: object = None
        self.words = ElidedLabel(role="hint")
        self.histogram = Histogram()
        self.histogram.setToolTip(self.tr("How the weights of this layer would be drawn: 4,096 of them at most"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(metrics.half)
        column.addWidget(self.words)
        column.addWidget(self.histogram)
        themes.changed.connect(self.histogram.update)
        self.hide()

    def show_layer(self, facts: NodeFacts | None, initializer: Mapping[str, Any]) -> None:
        """Shows a layer's weights; hidden for one whose weights no initializer fills."""
        self.setVisible(facts is not None and facts.fans is not None)
        if facts is None or facts.fans is None:
            self._shown = None
            return
        fan_in, fan_out = facts.fans
        deviation = number(facts.initial_deviation) if facts.initial_deviation is not None else "?"
        self.words.setText(self.tr("fan in {0} · out {1} · σ {2}").format(f"{fan_in:,}", f"{fan_out:,}", deviation))
        self.words.setToolTip(
            self.tr("Numbers that enter a unit, units that one number reaches, standard deviation of the weights")
        )
        wanted = (facts.fans, repr(initializer))
        if wanted != self._shown:
            self._shown = wanted
            self._jobs.start(
                "draws", self.tr("Drawing weights"), work.draws(dict(initializer), facts.fans), done=self._take
            )

    def _take(self, values: NDArray[np.float32]) -> None:
        if isValid(self):  # another layer may be on show by now
            self.histogram.set_values(values)


class FunctionSection(CollapsibleSection):
    """The curve of an activation and of its derivative; others can be laid over it."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__("")
        self.set_title(self.tr("Function"))
        self.set_hint(self.tr("dashed: derivative"))
        self._jobs = jobs
        self._own: dict[str, Any] = {}
        self._over: list[str] = []
        self._asked: object = None
        self.plot = FunctionPlot()
        self.compare = QToolButton()
        self.compare.setAutoRaise(True)
        self.compare.setText(self.tr("Compare with"))
        self.compare.setToolTip(self.tr("Lay other activations over this one"))
        self.compare.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self.compare)
        self.compare.setMenu(self._menu)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.names = ElidedLabel(role="hint")
        row = QHBoxLayout()
        row.addWidget(self.compare)
        row.addWidget(self.names, 1)
        self.content.addWidget(self.plot)
        self.content.addLayout(row)
        themes.changed.connect(self.plot.update)

    def show_layer(self, type_name: str, params: Mapping[str, Any]) -> None:
        """Shows an activation with its settings."""
        self._own = {"type": type_name, **params}
        self._ask()

    def toggle(self, type_name: str, wanted: bool) -> None:
        """Lays another activation over the own one, or takes it away."""
        self._over = [*self._over, type_name] if wanted else [name for name in self._over if name != type_name]
        self._ask()

    def _fill_menu(self) -> None:
        self._menu.clear()
        for type_name in OVERLAYS:
            declaration = find("layer", type_name)
            if declaration is None or type_name == self._own.get("type"):
                continue
            action = self._menu.addAction(declaration.title)
            action.setCheckable(True)
            action.setChecked(type_name in self._over)
            action.toggled.connect(partial(self.toggle, type_name))

    def _ask(self) -> None:
        wanted = [self._own, *({"type": name} for name in self._over if name != self._own.get("type"))]
        if repr(wanted) != self._asked:
            self._asked = repr(wanted)
            self._jobs.start("curves", self.tr("Drawing the function"), work.curves(wanted), done=self._take)

    def _take(self, found: list[tuple[str, Any]]) -> None:
        if not isValid(self):
            return
        lines = []
        for place, (type_name, curve) in enumerate(found):
            declaration = find("layer", type_name)
            title = declaration.title if declaration else type_name
            lines.append(Line(title, curve.x, curve.y, curve.slope, f"series.{place % 8}"))
        self.names.setText(", ".join(line.name for line in lines[1:]))
        self.plot.set_lines(lines[::-1])


def is_activation(type_name: str) -> bool:
    """Whether a layer is a function of one number that can be drawn."""
    declaration = catalogue().find("layer", type_name)
    return (
        declaration is not None
        and declaration.family == "activation"
        and bool(getattr(declaration.cls, "elementwise", True))
    )
