"""One chart: its title row, its plot, its menu, its export, and when it repaints.

Owns what all charts have in common. What is measured comes from the subclasses.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QPainter, QPaintEvent
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QVBoxLayout, QWidget

from engine.problem import Problem, ProblemError
from gui.charts import text
from gui.charts.curves import Frame
from gui.charts.export import FORMATS, export
from gui.charts.plot import SIDE, ChartPlot
from gui.charts.state import ChartState
from gui.icons import icon
from gui.theme import color

HEAD = 30
"""Height of the title row."""


class Chart(QWidget):
    """Base of every chart. `problem` carries a failed export; `values()` is what the chart shows, as plain arrays."""

    problem = Signal(object)
    name = ""
    """Stable key for settings, export names and tests."""
    can_smooth = False

    def __init__(self, state: ChartState, *, timed: bool = True, foot: int = 22) -> None:
        super().__init__()
        self.state = state
        self.log = True
        self.plot = ChartPlot(under=self.paint_under, over=self.paint_over, timed=timed, foot=foot)
        self.first_in_row = True
        self._shown: object = None
        self._menu_button = QToolButton(self)
        self._menu_button.setIcon(icon("more"))
        self._menu_button.setIconSize(QSize(16, 16))
        self._menu_button.setAutoRaise(True)
        self._menu_button.setFixedSize(24, 24)
        self._menu_button.clicked.connect(self._open_menu_below)
        # A tip over the curves would cover the values at the pointer: it belongs to the title row only.
        self.head = QWidget(self)
        self.plot.menu_requested.connect(self._open_menu)
        layout = QVBoxLayout(self)
        # One pixel at the left stays free for the hairline between charts.
        layout.setContentsMargins(1, HEAD, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.plot)
        self.setMinimumSize(180, 120)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._retranslate()

    @abstractmethod
    def title(self) -> str:
        """The few words at the top left."""

    @abstractmethod
    def subtitle(self) -> str:
        """What is measured, and the scale."""

    @abstractmethod
    def refresh(self) -> None:
        """Read the timelines and repaint."""

    @abstractmethod
    def paint_under(self, painter: QPainter, frame: Frame) -> None:
        """Draw what belongs to the data."""

    @abstractmethod
    def paint_over(self, painter: QPainter, frame: Frame) -> None:
        """Draw marks, names and the crosshair."""

    @abstractmethod
    def values(self) -> dict[str, np.ndarray]:
        """The numbers on show by name, in real units."""

    def stale(self) -> object:
        """What a refresh depends on: nothing is repainted while this stays equal."""
        return self.state.revision

    def tick(self) -> None:
        """Refresh if the chart is visible and its data changed."""
        if self.isVisible() and (now := self.stale()) != self._shown:
            self._shown = now
            self.refresh()

    def invalidate(self) -> None:
        """Refresh at the next tick even if no timeline changes."""
        self._shown = None
        self.update()

    def set_log(self, log: bool) -> None:
        """Measure on a logarithmic or a linear scale."""
        self.log = log
        self.plot.value_axis.log = log
        self.reset_range()
        self.invalidate()
        self.tick()
        self.update()

    def reset_range(self) -> None:
        """Let the range of values start anew: other runs, or another scale."""

    def restyle(self) -> None:
        """Follow a change of theme."""
        self.plot.restyle()
        self.update()

    def export(self, path: Path | str) -> None:
        """Write the chart as PNG, SVG or CSV, by the ending. Raises ProblemError when that cannot be done."""
        self._menu_button.hide()
        try:
            export(self, self.values(), Path(path))
        finally:
            self._menu_button.show()

    def build_menu(self) -> QMenu:
        """The menu of the three dots and of the right mouse button."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        words = {"png": self.tr("Export picture (PNG) …"), "svg": self.tr("Export drawing (SVG) …")}
        words["csv"] = self.tr("Export numbers (CSV) …")
        for kind in FORMATS:
            action = menu.addAction(words[kind])
            action.setToolTip(self.tr("Write what this chart shows to a file"))
            action.triggered.connect(partial(self._ask_and_export, kind))
        menu.addSeparator()
        self.add_choices(menu)
        return menu

    def add_choices(self, menu: QMenu) -> None:
        """Add the choices of this chart to its menu."""
        log = menu.addAction(self.tr("Logarithmic scale"))
        log.setToolTip(self.tr("Equal distances are equal factors"))
        log.setCheckable(True)
        log.setChecked(self.log)
        log.toggled.connect(self.set_log)
        if self.can_smooth:
            words = {"off": self.tr("Off"), "light": self.tr("Light")}
            words |= {"normal": self.tr("Normal"), "strong": self.tr("Strong")}
            self.add_choice(menu, self.tr("Smoothing"), words, self.state.smoothing, self.state.set_smoothing)

    def add_choice(self, menu: QMenu, title: str, words: dict[str, str], now: str, choose: object) -> None:
        """A submenu of which one line is checked; `choose(key)` is called with another."""
        submenu = menu.addMenu(title)
        group = QActionGroup(submenu)
        for key, label in words.items():
            action = QAction(label, submenu, checkable=True, checked=key == now)
            action.triggered.connect(partial(_call, choose, key))
            group.addAction(action)
            submenu.addAction(action)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the title row, and a hairline to the chart on the left."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("panel"))
        if not self.first_in_row:
            painter.fillRect(QRect(0, 0, 1, self.height()), color("border"))
        room = QRect(SIDE, 0, self.width() - SIDE - 34, HEAD)
        painter.setFont(text.font("title"))
        painter.setPen(color("text"))
        metrics = painter.fontMetrics()
        words = metrics.elidedText(self.title(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)
        room.setLeft(room.left() + metrics.horizontalAdvance(words) + 10)
        painter.setFont(text.font())
        painter.setPen(color("text3"))
        said = painter.fontMetrics().elidedText(self.subtitle(), Qt.TextElideMode.ElideRight, room.width())
        if room.width() > 30:
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, said)

    def resizeEvent(self, event: object) -> None:
        """Keep the menu button in the corner."""
        self._menu_button.move(self.width() - 30, 3)
        self.head.setGeometry(0, 0, self.width() - 32, HEAD)
        super().resizeEvent(event)

    def showEvent(self, event: object) -> None:
        """A chart that was hidden catches up at once."""
        super().showEvent(event)
        self.tick()

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self._menu_button.setToolTip(self.tr("Export, scale and smoothing of this chart"))
        self._menu_button.setAccessibleName(self.tr("Menu of the chart {title}").format(title=self.title()))
        self.setAccessibleName(self.title())

    def _open_menu_below(self) -> None:
        self._open_menu(self._menu_button.mapToGlobal(QPoint(0, self._menu_button.height())))

    def _open_menu(self, at: QPoint) -> None:
        menu = self.build_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    def _ask_and_export(self, kind: str) -> None:
        suggestion = f"{self.name}.{kind}"
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Export chart"), suggestion, f"*.{kind}")
        if not path:
            return
        try:
            self.export(path if Path(path).suffix else f"{path}.{kind}")
        except ProblemError as failed:
            problem: Problem = failed.problem
            self.problem.emit(problem)


def _call(choose: object, key: str, *_: object) -> None:
    """Qt adds the checked state to the arguments; the choice wants its key only."""
    if callable(choose):
        choose(key)
