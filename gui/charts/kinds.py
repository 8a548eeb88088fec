"""Which charts there are. Their classes are loaded with the first run on show: they bring pyqtgraph along, and the
window is visible a quarter of a second earlier without it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.charts.chart import Chart

NAMES = ("loss", "rate", "metric", "gradient", "depth", "activations", "clip", "speed")
"""In the order in which chosen ones stand: time first, depth beneath the network's right part."""


@cache
def kinds() -> dict[str, type[Chart]]:
    """The class of every chart by its name, in the order of `NAMES`."""
    from gui.charts.activations import ActivationsChart
    from gui.charts.clip import ClipChart
    from gui.charts.depth import DepthChart
    from gui.charts.gradient import GradientTimeChart
    from gui.charts.loss import LossChart
    from gui.charts.metric import MetricChart
    from gui.charts.rate import RateChart
    from gui.charts.speed import SpeedChart

    over_time: tuple[type[Chart], ...] = (LossChart, RateChart, MetricChart, GradientTimeChart)
    made: tuple[type[Chart], ...] = (*over_time, DepthChart, ActivationsChart, ClipChart, SpeedChart)
    return {kind.name: kind for kind in made}
