"""The drawing pad: strokes with the mouse, the last one taken back, all wiped; told at every move.

Owns strokes as points, so that taking one back is exact. Never knows a network.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui.theme import color, metrics
from gui.widgets.box import paint_box
from gui.widgets.buttons import tool_button
from gui.widgets.number_field import NumberField

SIDE = 280
"""Points along a side of the pad, whatever its size on the screen."""
LEAST = 96


class DrawingPad(QWidget):
    """A square to draw on. Ctrl+Z takes the last stroke back, Delete wipes all."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pen = 32
        """Width of the next stroke, in points of the pad."""
        self._strokes: list[tuple[int, list[QPointF]]] = []
        self._drawing = False
        self.setMinimumSize(LEAST, LEAST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("focusRadius", metrics.radius_field)
        self.setAccessibleName(self.tr("Drawing pad"))
        self.setToolTip(
            self.tr("Draw with the left button held down; Ctrl+Z takes the last stroke back, Del wipes all")
        )

    @property
    def num_strokes(self) -> int:
        """Strokes on the pad."""
        return len(self._strokes)

    def undo(self) -> None:
        """Takes the last stroke back."""
        if self._strokes:
            self._strokes.pop()
            self._tell()

    def clear(self) -> None:
        """Wipes everything."""
        if self._strokes:
            self._strokes.clear()
            self._tell()

    def pixels(self) -> NDArray[np.uint8]:
        """What is drawn, (280, 280, 1): 255 where there is ink."""
        image = QImage(SIDE, SIDE, QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_strokes(painter, Qt.GlobalColor.white)
        painter.end()
        flat = np.frombuffer(image.constBits(), np.uint8).reshape(SIDE, image.bytesPerLine())
        return flat[:, :SIDE, None].copy()

    def sizeHint(self) -> QSize:
        """The size in a dock of usual height."""
        return QSize(150, 150)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begins a stroke; a mere press leaves a dot."""
        if event.button() == Qt.MouseButton.LeftButton:
            point = self._on_pad(event.position())
            self._strokes.append((self.pen, [point, point + QPointF(0.01, 0)]))
            self._drawing = True
            self._tell()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Goes on with the stroke."""
        if self._drawing:
            self._strokes[-1][1].append(self._on_pad(event.position()))
            self._tell()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends the stroke."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._drawing = False

    def event(self, event: QEvent) -> bool:
        """Keys that mean something else in the rest of the window belong to the pad while it has the keyboard."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_own(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Takes back and wipes."""
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif event.key() == Qt.Key.Key_Delete:
            self.clear()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        pad = self._pad()
        paint_box(painter, pad, fill=color("sunken"), edge=color("control"), radius=metrics.radius_field)
        if not self._strokes:
            painter.setPen(color("text3"))
            painter.drawText(pad, Qt.AlignmentFlag.AlignCenter, self.tr("Draw here"))
        painter.setClipRect(pad.adjusted(1, 1, -1, -1))
        painter.translate(pad.topLeft())
        painter.scale(pad.width() / SIDE, pad.height() / SIDE)
        self._paint_strokes(painter, color("text"))
        painter.end()

    def _paint_strokes(self, painter: QPainter, ink: object) -> None:
        for width, points in self._strokes:
            pen = QPen(ink, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)  # type: ignore[call-overload]
            path = QPainterPath(points[0])
            for point in points[1:]:
                path.lineTo(point)
            painter.strokePath(path, pen)

    def _pad(self) -> QRectF:
        side = min(self.width(), self.height())
        return QRectF((self.width() - side) // 2, (self.height() - side) // 2, side, side)

    def _on_pad(self, point: QPointF) -> QPointF:
        pad = self._pad()
        return (point - pad.topLeft()) * (SIDE / pad.width())

    def _tell(self) -> None:
        self.update()
        self.changed.emit()


def _is_own(event: QKeyEvent) -> bool:
    return event.matches(QKeySequence.StandardKey.Undo) or event.key() == Qt.Key.Key_Delete


class DrawPage(QWidget):
    """The pad with its tools."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pad = DrawingPad()
        self.width_ = NumberField(self.pad.pen, minimum=4, maximum=80, whole=True, dense=True)
        self.width_.setFixedWidth(78)
        self.width_.setToolTip(self.tr("Width of the pen; the pad is 280 wide"))
        self.width_.entry.setAccessibleName(self.tr("Width of the pen"))
        self.undo = tool_button("undo", self.tr("Take the last stroke back (Ctrl+Z on the pad)"), dense=True)
        self.clear = tool_button("remove", self.tr("Wipe the pad (Del on the pad)"), dense=True)
        label = QLabel(self.tr("Pen"))
        label.setProperty("role", "label")
        tools = QVBoxLayout()
        tools.setSpacing(metrics.half)
        tools.addWidget(label)
        tools.addWidget(self.width_)
        buttons = QHBoxLayout()
        buttons.setSpacing(metrics.half)
        buttons.addWidget(self.undo)
        buttons.addWidget(self.clear)
        buttons.addStretch()
        tools.addLayout(buttons)
        tools.addStretch()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(metrics.grid)
        row.addWidget(self.pad, 1)
        row.addLayout(tools)
        self.pad.changed.connect(self._changed)
        self.undo.clicked.connect(self.pad.undo)
        self.clear.clicked.connect(self.pad.clear)
        self.width_.committed.connect(self._set_pen)
        self._changed()

    def set_pen(self, share: float) -> None:
        """The width that suits a data set, as a share of a character's size."""
        self._set_pen(round(share * SIDE * 0.8))
        self.width_.set_value(self.pad.pen)

    def _set_pen(self, width: int) -> None:
        self.pad.pen = int(width)

    def _changed(self) -> None:
        self.undo.setEnabled(self.pad.num_strokes > 0)
        self.clear.setEnabled(self.pad.num_strokes > 0)
        self.changed.emit()
