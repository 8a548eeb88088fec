"""Any metric of the epochs over time, such as accuracy. Owns only the choice of curves."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtWidgets import QMenu

from engine.timeline import Timeline
from gui.charts.curves import Curve
from gui.charts.definition import RUNNING_DASH, add_definition_choice, say_definition, short_words, shown_definition
from gui.charts.state import ChartState
from gui.charts.timechart import TimeChart, series_color, series_dash


class MetricChart(TimeChart):
    """Training thin, validation with dots; which metric is chosen in the chart's menu."""

    name = "metric"

    def __init__(self, state: ChartState) -> None:
        self._metric = ""
        super().__init__(state)
        self.set_log(False)

    @property
    def metric(self) -> str:
        """The metric on show: the chosen one, or the first that the run carries."""
        names = self._names()
        return self._metric if self._metric in names else (names[0] if names else "")

    def set_metric(self, metric: str) -> None:
        """Show another metric."""
        self._metric = metric
        self.reset_range()
        self.invalidate()
        self.tick()
        self.update()

    def title(self) -> str:
        """The metric."""
        words = self.metric.replace("_", " ")
        return words[:1].upper() + words[1:] if words else self.tr("Metric")

    def subtitle(self) -> str:
        """When it is measured."""
        said = self.tr("per epoch") + (self.tr(", log") if self.log else "")
        return f"{said} · {short_words(shown_definition(self.state))}" if self.state.series else said

    def refresh(self) -> None:
        """Read the timelines; the tip says in full what the training figures are."""
        super().refresh()
        say_definition(self)

    def add_choices(self, menu: QMenu) -> None:
        """Add the choice of metric."""
        names = {name: name.replace("_", " ") for name in self._names()}
        if names:
            self.add_choice(menu, self.tr("Metric"), names, self.metric, self.set_metric)
        super().add_choices(menu)
        add_definition_choice(self, menu)

    def curves(self) -> Iterable[tuple[Timeline, Curve]]:
        """Train below, validation on top."""
        alone = len(self.state.series) == 1
        for item in reversed(self.state.series):
            prefix = "" if alone else f"{item.name}: "
            step, value = item.timeline.epoch_series(f"train_{self.metric}")
            if len(value):
                tint = "series.0" if alone else series_color(item)
                train = Curve(f"{prefix}train", step, value, tint, width=1.8 if alone else 1.2)
                train.share = 1.0 if alone else 0.6
                train.label, train.legend = (self.tr("train") if alone else item.name + self.tr(", train")), alone
                yield item.timeline, train
            step, value = item.timeline.epoch_series(f"val_{self.metric}")
            if alone:
                yield from self._running(item.timeline)
            tint = "series.1" if alone else series_color(item)
            curve = Curve(f"{prefix}validation", step, value, tint, width=1.8, dots=True)
            curve.label = self.tr("validation") if alone else item.name
            curve.dash = None if alone else series_dash(item)
            yield item.timeline, curve

    def _running(self, line: Timeline) -> Iterable[tuple[Timeline, Curve]]:
        """The average over the epoch, dropout on, where the run has it beside the re-evaluated figure."""
        step, value = line.epoch_series(f"running_{self.metric}")
        if len(value):
            curve = Curve("running", step, value, "series.0", width=1.4, share=0.8, dash=RUNNING_DASH)
            curve.label = self.tr("running")
            yield line, curve

    def _names(self) -> list[str]:
        return self.state.first.metric_names() if self.state.first else []
