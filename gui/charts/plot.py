"""The drawing area of one chart: pyqtgraph's view with our axes, grid and painting order.

Owns pixels, zoom and pan by mouse. What is painted comes from the chart; nothing here knows a run.
"""

from __future__ import annotations

from collections.abc import Callable

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QFrame, QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from gui.charts.axis import TimeAxisItem, ValueAxis, grid_lines
from gui.charts.curves import Frame
from gui.theme import color

Paint = Callable[[QPainter, Frame], None]

TOP, SIDE = 10, 14
"""Room above the plot, where half a tick label may stand out, and beside it: the padding of every panel."""


class Ink(QGraphicsItem):
    """A layer in pixels of the plot: painted by the chart, clipped to the plot where it asks for that."""

    def __init__(self, plot: ChartPlot, paint: Paint, *, clipped: bool, height: float) -> None:
        super().__init__(plot.plotItem)
        self._plot, self._paint, self._clipped = plot, paint, clipped
        self.setZValue(height)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        if clipped:
            self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemClipsToShape, False)

    def boundingRect(self) -> QRectF:
        """The whole chart: labels may stand beside the plot."""
        return self._plot.plotItem.rect()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Let the chart paint."""
        frame = self._plot.frame()
        if frame.rect.width() < 8 or frame.rect.height() < 8:
            return
        painter.save()
        if self._clipped:
            painter.setClipRect(frame.rect.adjusted(-1, -8, 1, 1))
        self._paint(painter, frame)
        painter.restore()


class ChartPlot(pg.PlotWidget):
    """A plot whose time axis zooms and pans. Signals: `zoomed(low, high)`, `fitted`, `pointed(place)`."""

    zoomed = Signal(float, float)
    fitted = Signal()
    pointed = Signal(object)
    menu_requested = Signal(object)

    def __init__(self, *, under: Paint, over: Paint, timed: bool = True, foot: int = 22) -> None:
        self.value_axis, self.time_axis = ValueAxis(), TimeAxisItem()
        super().__init__(axisItems={"left": self.value_axis, "bottom": self.time_axis}, background=color("panel"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # The background covers everything, so what lies behind need not be painted first.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.plotItem.hideButtons()
        self.plotItem.setMenuEnabled(False)
        self.plotItem.disableAutoRange()
        self.plotItem.setMouseEnabled(x=timed, y=False)
        self.time_axis.setHeight(foot)
        self.time_axis.setVisible(timed)
        self.timed = timed
        self._foot = foot
        self.set_margins()
        # One layer below the axes' words and one above: grid and curves, then marks and the legend.
        self._layers = [
            Ink(self, self._paint_grid, clipped=False, height=-2),
            Ink(self, under, clipped=True, height=-1),
            Ink(self, over, clipped=False, height=10),
        ]
        self.view = self.plotItem.vb
        self.view.sigRangeChangedManually.connect(self._report_zoom)
        self.view.sigResized.connect(self.settle)

    def set_margins(self, right: float = SIDE) -> None:
        """Keep `right` pixels free beside the plot (names at the ends of curves)."""
        bottom = 0 if self.timed else self._foot
        self.plotItem.layout.setContentsMargins(SIDE - 4, TOP, right, bottom)

    def frame(self) -> Frame:
        """Rectangle and range of the plot now."""
        rect = self.view.mapRectToItem(self.plotItem, self.view.rect())
        (low, high), (bottom, top) = self.view.viewRange()
        return Frame(rect, low, high, bottom, top)

    def set_range(self, time: tuple[float, float], values: tuple[float, float]) -> None:
        """Show this part of time and values (chart units); does nothing when it is shown already."""
        (low, high), (bottom, top) = self.view.viewRange()
        if (low, high) != time or (bottom, top) != values:
            self.view.setRange(xRange=time, yRange=values, padding=0, disableAutoRange=False)
        self.settle()

    def settle(self) -> None:
        """Choose the ticks for the present size and range."""
        _, (bottom, top) = self.view.viewRange()
        self.value_axis.settle(bottom, top, self.view.rect().height())

    def refresh(self) -> None:
        """Repaint all layers once."""
        for layer in self._layers:
            layer.update()
        self.time_axis.update()

    def restyle(self) -> None:
        """Follow the theme."""
        self.setBackground(color("panel"))
        self.refresh()
        self.value_axis.update()

    def _paint_grid(self, painter: QPainter, frame: Frame) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(color("border"), 1))
        painter.drawLines(grid_lines(self.value_axis, frame))

    def _report_zoom(self, *_: object) -> None:
        low, high = self.view.viewRange()[0]
        self.zoomed.emit(low, high)

    def mouseMoveEvent(self, ev: QMouseEvent) -> None:
        """Tell where the pointer is, in time; None outside the plot."""
        super().mouseMoveEvent(ev)
        place = self.plotItem.mapFromScene(self.mapToScene(ev.position().toPoint()))
        frame = self.frame()
        self.pointed.emit(QPointF(place) if frame.rect.contains(place) else None)

    def leaveEvent(self, ev: object) -> None:
        """The pointer left: the crosshair goes."""
        super().leaveEvent(ev)
        self.pointed.emit(None)

    def mouseDoubleClickEvent(self, ev: QMouseEvent) -> None:
        """Show the whole plan again."""
        super().mouseDoubleClickEvent(ev)
        if ev.button() == Qt.MouseButton.LeftButton:
            self.fitted.emit()

    def contextMenuEvent(self, ev: QContextMenuEvent) -> None:
        """Ask for the chart's menu."""
        self.menu_requested.emit(ev.globalPos())
        ev.accept()
