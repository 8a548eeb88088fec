"""Loss over time: raw and smoothed training loss, validation with dots. Owns only the choice of curves."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtWidgets import QMenu

from engine.timeline import Timeline
from gui.charts.curves import Curve
from gui.charts.definition import (
    EVALUATED,
    RUNNING_DASH,
    add_definition_choice,
    say_definition,
    short_words,
    shown_definition,
)
from gui.charts.legend import Entry
from gui.charts.state import SMOOTHING, ChartSeries
from gui.charts.thin import moving_mean
from gui.charts.timechart import TimeChart, series_color, series_dash

RAW_SHARE = 0.30
"""Opacity of the raw curve: a hint of the noise below the smoothed one."""


class LossChart(TimeChart):
    """One run: train, validation, and each epoch's training loss as the run defines it. Several: one colour per run,
    training thin, validation solid.
    """

    name = "loss"
    can_smooth = True

    def title(self) -> str:
        """What the chart is."""
        return self.tr("Loss")

    def subtitle(self) -> str:
        """The loss function and the scale, and what the training loss is."""
        first = self.state.first
        words = first.run.loss.replace("_", "-") if first and first.run else ""
        scale = self.tr("log") if self.log else self.tr("linear")
        said = f"{words}, {scale}" if words else scale
        return f"{said} · {short_words(shown_definition(self.state))}" if self.state.series else said

    def refresh(self) -> None:
        """Read the timelines; the tip says in full what the training loss is."""
        super().refresh()
        say_definition(self)

    def add_choices(self, menu: QMenu) -> None:
        """Add what the training loss shall be."""
        super().add_choices(menu)
        add_definition_choice(self, menu)

    def entries(self) -> list[Entry]:
        """Running figures last, though they are drawn below."""
        return sorted(super().entries(), key=lambda entry: entry.curve.name == "running")

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
            yield from self._training(item, alone, share)
            yield from self._validation(item, alone)

    def _training(self, item: ChartSeries, alone: bool, share: float) -> Iterable[tuple[Timeline, Curve]]:
        """The smoothed losses of the batches, and the epochs' figures as the run defines them."""
        line, prefix = item.timeline, "" if alone else f"{item.name}: "
        evaluated = line.train_figures == EVALUATED
        validated = any(row.val_loss is not None for row in line.epochs[-1:])
        tint = "series.0" if alone else series_color(item)
        if share and (alone or not evaluated):
            step, mean = line.loss.means()
            train = Curve(f"{prefix}{'running' if evaluated else 'train'}", step, moving_mean(mean, share), tint,
                          smooth=True)  # fmt: skip
            train.label = self.tr("train") if alone else item.name + self.tr(", train")
            train.legend = alone or not validated
            if evaluated:
                train.label, train.width, train.share, train.dash = self.tr("running"), 1.4, 0.8, RUNNING_DASH
            if not alone:
                train.width, train.share = (1.2, 0.6) if validated else (2.0, 1.0)
                train.dash = series_dash(item)
            yield line, train
        step, value = line.epoch_series("train_loss")
        if evaluated:
            curve = Curve(f"{prefix}train", step, value, tint, width=1.8 if alone else 1.2, dots=alone)
            curve.label = self.tr("train") if alone else item.name + self.tr(", train, re-evaluated")
            curve.legend, curve.share = alone, 1.0 if alone else 0.6
            curve.dash = None if alone else series_dash(item)
            yield line, curve
        elif alone and len(value):
            curve = Curve("train, epoch mean", step, value, tint, width=1.0, share=0.7, dash=(2.0, 3.0), dots=True)
            curve.label, curve.legend = self.tr("train, epoch mean"), False
            yield line, curve

    def _validation(self, item: ChartSeries, alone: bool) -> Iterable[tuple[Timeline, Curve]]:
        step, value = item.timeline.epoch_series("val_loss")
        if len(value):
            tint = "series.1" if alone else series_color(item)
            curve = Curve("validation" if alone else f"{item.name}: validation", step, value, tint, width=1.8,
                          dots=True)  # fmt: skip
            curve.label = self.tr("validation") if alone else item.name
            curve.dash = None if alone else series_dash(item)
            yield item.timeline, curve
