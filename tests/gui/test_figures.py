"""The figure by which a training is judged is told in words."""

from __future__ import annotations

from engine.events import EpochEnded
from engine.timeline import Timeline
from gui.figures import newest_figure


def _epoch(**metrics: float) -> Timeline:
    timeline = Timeline()
    timeline.add(
        EpochEnded(
            epoch=1, step=10, train_loss=0.5, val_loss=0.6, lr=0.1, seconds=1.0, samples_per_second=9.0, metrics=metrics
        )
    )
    return timeline


def test_accuracy_is_told_as_per_cent() -> None:
    assert newest_figure(_epoch(val_top5=0.99, val_accuracy=0.972)) == "accuracy 97.2\N{NO-BREAK SPACE}%"


def test_a_regression_tells_its_first_metric() -> None:
    assert newest_figure(_epoch(val_mae=0.4321)) == "mae 0.432"


def test_nothing_is_told_before_the_first_epoch() -> None:
    assert newest_figure(Timeline()) == ""
