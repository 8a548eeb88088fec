"""Loss over time: raw and smoothed training loss, validation with dots. Owns only the choice of curves."""

from __future__ import annotations

from collections.abc import Iterable

from engine.timeline import Timeline
from gui.charts.curves import Curve
from gui.charts.state import SMOOTHING, ChartSeries
from gui.charts.thin import moving_mean
from gui.charts.timechart import TimeChart, series_color, series_dash

RAW_SHARE = 0.30
"""Opacity of the raw curve: a hint of the noise below the smoothed one."""


class LossChart(TimeChart):
    """One run: train and validation. Several: training thin, validation solid, one colour per run."""

    name = "loss"
    can_smooth = True

    def title(self) -> str:
        """What the chart is."""
        return self.tr("Loss")

    def subtitle(self) -> str:
        """The loss function and the scale."""
        first = self.state.first
        words = first.run.loss.replace("_", "-") if first and first.run else ""
        scale = self.tr("log") if self.log else self.tr("linear")
        return f"{words}, {scale}" if words else scale

    def curves(self) -> Iterable[tuple[Timeline, Curve]]:
        """Raw curves first, so that they lie below everything."""
        alone = len(self.state.series) == 1
        share = SMOOTHING[self.state.smoothing]
        for item in self.state.series:
            step, value = item.timeline.loss.points()
            tint = "series.0" if alone else series_color(item)
            raw = Curve(f"{item.name}: train, raw", step, value, tint, width=1.0, share=RAW_SHARE if share else 1.0)
            if share == 0:
                raw.label, raw.legend = (self.tr("train") if alone else f"{item.name}, {self.tr('train')}"), alone
            if alone or share == 0:
                raw.name = "train, raw" if alone else raw.name
                yield item.timeline, raw
        for item in self.state.series:
            yield from self._smooth_and_validation(item, alone, share)

    def _smooth_and_validation(self, item: ChartSeries, alone: bool, share: float) -> Iterable[tuple[Timeline, Curve]]:
        prefix = "" if alone else f"{item.name}: "
        validation_step, validation = item.timeline.epoch_series("val_loss")
        validated = len(validation) > 0
        if share:
            step, mean = item.timeline.loss.means()
            tint = "series.0" if alone else series_color(item)
            train = Curve(f"{prefix}train", step, moving_mean(mean, share), tint, smooth=True)
            train.label = self.tr("train") if alone else item.name + self.tr(", train")
            train.legend = alone or not validated
            if not alone:
                train.width, train.share = (1.2, 0.6) if validated else (2.0, 1.0)
                train.dash = series_dash(item)
            yield item.timeline, train
        if validated:
            tint = "series.1" if alone else series_color(item)
            curve = Curve(f"{prefix}validation", validation_step, validation, tint, width=1.8, dots=True)
            curve.label = self.tr("validation") if alone else item.name
            curve.dash = None if alone else series_dash(item)
            yield item.timeline, curve
