"""Which training figures a curve shows: the mean over the epoch while the weights move, or the set evaluated anew.

Owns the words for the two definitions, and the choice between them in a chart's menu. The recipe holds the choice; a
run's record says which one its figures have.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu

from gui.charts.chart import Chart
from gui.charts.state import ChartState

RUNNING, EVALUATED = "running", "evaluated"

RUNNING_DASH = (5.0, 4.0)
"""Dashes of running figures where the re-evaluated ones are drawn beside them."""


def shown_definition(state: ChartState) -> str:
    """The definition that the runs on show share; "" when they differ or nothing is shown."""
    found = {item.timeline.train_figures for item in state.series}
    return found.pop() if len(found) == 1 else ""


def short_words(definition: str) -> str:
    """Beside a chart's title."""
    if definition == EVALUATED:
        return _tr("train: re-evaluated, dropout off")
    return _tr("train: running, dropout on") if definition else _tr("train: as each run defines it")


def long_words(definition: str) -> str:
    """In a chart's tip."""
    if definition == EVALUATED:
        return _tr(
            "Training figures are those of the whole training set, evaluated after each epoch with dropout off, as "
            "validation is. Dashed: the running average over the epoch, dropout on."
        )
    if definition == RUNNING:
        return _tr(
            "Training figures are averages over each epoch's batches, taken while the weights move: dropout on, "
            "penalties in. They may lie above validation for that reason alone."
        )
    return _tr("The runs on show define their training figures differently; the box at the pointer says how.")


def say_definition(chart: Chart) -> None:
    """Puts the definition of the runs on show into the tip of the chart's title row."""
    words = long_words(shown_definition(chart.state)) if chart.state.series else ""
    if words != chart.head.toolTip():
        chart.head.setToolTip(words)
        chart.setAccessibleDescription(words)
        chart.update()


def add_definition_choice(chart: Chart, menu: QMenu) -> None:
    """Lines of a menu that choose the definition for the next run; the recipe is edited by whoever listens."""
    words = {RUNNING: _tr("Running average, dropout on"), EVALUATED: _tr("Re-evaluated after each epoch, dropout off")}
    state = chart.state
    chart.add_choice(menu, _tr("Training figures, from the next run on"), words, state.train_figures,
                     state.figures_wanted.emit)  # fmt: skip


def _tr(words: str) -> str:
    return QCoreApplication.translate("TrainingFigures", words)
