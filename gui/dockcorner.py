"""What stands at the right end of the bottom docks' tab row: the charts' choices while they are in front, and a cross.

Qt gives dock tab bars no corner, so this is a small widget laid over the row. Owns its place only.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QMainWindow, QTabBar, QWidget

from gui.charts.panel import ChartPanel
from gui.theme import metrics
from gui.widgets.buttons import tool_button


class DockCorner(QWidget):
    """Follows the bottom docks of a window."""

    def __init__(self, window: QMainWindow, charts: ChartPanel, docks: list[QDockWidget]) -> None:
        super().__init__(window)
        self._window, self._charts, self._docks = window, charts, docks
        self._choices = charts.take_corner()
        self._close = tool_button("close", self.tr("Close this panel; its button below opens it again"), dense=True)
        self._close.clicked.connect(self._hide_front)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, metrics.grid, 0)
        row.setSpacing(metrics.grid)
        row.addWidget(self._choices)
        row.addWidget(self._close)
        # Many events of a layout in one turn: placed once, after the last of them.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._place)
        for dock in docks:
            dock.installEventFilter(self)
            dock.visibilityChanged.connect(lambda _shown: self._timer.start())
            dock.topLevelChanged.connect(lambda _floating: self._timer.start())
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notices that a dock has moved."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide):
            self._timer.start()
        return False

    def _front(self) -> QDockWidget | None:
        area = Qt.DockWidgetArea.BottomDockWidgetArea
        for dock in self._docks:
            docked = not dock.isFloating() and self._window.dockWidgetArea(dock) == area
            if docked and dock.isVisible() and not dock.visibleRegion().isEmpty():
                return dock
        return None

    def _place(self) -> None:
        charts_dock = self._docks[0]
        if charts_dock.isFloating():
            self._charts.give_corner(self._choices)
        elif self._choices.parentWidget() is not self:
            self._choices = self._charts.take_corner()
            self.layout().insertWidget(0, self._choices)  # type: ignore[union-attr,attr-defined]
        front = self._front()
        bar = self._bar(front) if front else None
        if front is None or bar is None:
            self.hide()
            return
        self._choices.setVisible(front is charts_dock or charts_dock.isFloating())
        self.adjustSize()
        height = bar.height()
        width = min(self.sizeHint().width(), max(0, front.width() - bar.sizeHint().width()))
        self.setGeometry(front.x() + front.width() - width, bar.y(), width, height - 1)
        self.setVisible(width > 24)
        self.raise_()

    def _bar(self, front: QDockWidget) -> QTabBar | None:
        for bar in self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            titles = [bar.tabText(index) for index in range(bar.count())]
            if bar.isVisible() and front.windowTitle() in titles and abs(bar.x() - front.x()) < 4:
                return bar
        return None

    def _hide_front(self) -> None:
        front = self._front()
        if front is None:
            return
        # Behind the front one lie the others of the row: closing the panel closes the row.
        for dock in self._docks:
            if self._window.dockWidgetArea(dock) == Qt.DockWidgetArea.BottomDockWidgetArea and not dock.isFloating():
                dock.hide()
