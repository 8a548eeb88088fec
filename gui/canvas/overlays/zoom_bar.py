"""Smaller, how large, larger, fit: bottom left."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout

from gui.canvas.moving import Moving
from gui.widgets.buttons import Button, tool_button


class ZoomBar(QFrame):
    """Shows the zoom; pressing the number goes to 100 %."""

    def __init__(self, board: Moving) -> None:
        super().__init__(board)
        self._board = board
        self.setProperty("role", "overlay")
        row = QHBoxLayout(self)
        row.setContentsMargins(3, 0, 3, 0)
        row.setSpacing(0)
        smaller = tool_button("minus", self.tr("Zoom out  Ctrl+−"), size=14, dense=True)
        smaller.clicked.connect(board.zoom_out)
        self.percent = Button("100 %", kind="quiet", tip=self.tr("Zoom to 100 %  Ctrl+1"))
        self.percent.setMinimumWidth(56)
        self.percent.clicked.connect(board.zoom_reset)
        larger = tool_button("add", self.tr("Zoom in  Ctrl++"), size=14, dense=True)
        larger.clicked.connect(board.zoom_in)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.VLine)
        line.setFixedHeight(16)
        fit = Button(self.tr("Fit"), kind="quiet", tip=self.tr("Show the whole network  Ctrl+0"))
        fit.clicked.connect(board.fit)
        for widget in (smaller, self.percent, larger, line, fit):
            row.addWidget(widget)
            if widget is not line:
                widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        board.camera_moved.connect(self.refresh)
        self.setFixedHeight(30)
        self.refresh()

    def refresh(self) -> None:
        """Writes the zoom."""
        self.percent.setText(f"{self._board.camera.zoom * 100:.0f} %")
