"""The one figure by which a person judges a training, in words: accuracy where there is one, else the first metric.

Owns the choice and the wording. Never computes a metric.
"""

from __future__ import annotations

from engine.timeline import Timeline
from gui.numbers import number, percent

SHARES = ("accuracy", "f1", "top")
"""Metrics of 0 to 1 that people read as per cent."""


def newest_figure(timeline: Timeline) -> str:
    """The metric on validation data after the newest epoch, such as "accuracy 97.2 %"; "" before there is one."""
    for row in reversed(timeline.epochs):
        found = {name.removeprefix("val_"): value for name, value in row.metrics.items() if name.startswith("val_")}
        if found:
            name = "accuracy" if "accuracy" in found else next(iter(found))
            said = percent(found[name]) if name.startswith(SHARES) else number(found[name])
            return f"{name.replace('_', ' ')} {said}"
    return ""
