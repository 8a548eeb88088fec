"""A landscape of two numbers in bands of equal height, and the ways of optimizers down it.

Owns the picture, the mouse and the arrow keys that move the start. The ways come from the engine, computed elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.surfaces import Surface
from gui.theme import color, themes
from gui.tokens import mix

BANDS = 16
EDGE = 1.0
_KEYS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Down: (0, -1), Qt.Key.Key_Up: (0, 1),
}  # fmt: skip


@dataclass(frozen=True)
class Way:
    """Places (n, 2) of one optimizer, and the token of its colour."""

    name: str
    places: np.ndarray
    token: str


class SurfacePlane(QWidget):
    """Shows a surface, ways up to a step, and the start. `moved(x, y)`: another start was chosen."""

    moved = Signal(float, float)

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self.surface = surface
        self.start = surface.start
        self.ways: tuple[Way, ...] = ()
        self.step = 0
        self._ground: QImage | None = None
        self._key: object = None
        self._held = False
        self.setMinimumSize(320, 280)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(self.tr("Landscape of two numbers"))
        self.setToolTip(self.tr("Click or drag to choose another start, or move it with the arrow keys"))
        themes.changed.connect(self.update)

    def show_surface(self, surface: Surface) -> None:
        """Another landscape, from its own start."""
        self.surface, self.start, self.ways, self.step = surface, surface.start, (), 0
        self.update()

    def show_ways(self, ways: Sequence[Way]) -> None:
        """The ways of optimizers; how far along them is shown stays."""
        self.ways = tuple(ways)
        self.update()

    def set_step(self, step: int) -> None:
        """Shows the ways up to this step."""
        self.step = step
        self.update()

    def place_of(self, point: Sequence[float]) -> QPointF:
        """The pixel of a point."""
        (left, right), (low, high) = self.surface.x, self.surface.y
        return QPointF(
            (point[0] - left) / (right - left) * self.width(), (high - point[1]) / (high - low) * self.height()
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, goal, ways, start."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.drawImage(QRectF(self.rect()), self._drawn_ground())
        goal = self.place_of(self.surface.goal)
        painter.setPen(QPen(color("text2"), 1.5))
        for dx, dy in ((1, 0), (0, 1)):
            painter.drawLine(goal - 5 * QPointF(dx, dy), goal + 5 * QPointF(dx, dy))
        for way in self.ways:
            self._paint_way(painter, way)
        start = self.place_of(self.start)
        painter.setPen(QPen(color("text"), 2))
        painter.setBrush(color("panel", 0.6))
        painter.drawEllipse(start, 6, 6)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        focused = self.hasFocus()
        painter.setPen(QPen(color("accent" if focused else "border2"), 2 if focused else 1))
        painter.drawRect(QRectF(self.rect()).adjusted(EDGE / 2, EDGE / 2, -EDGE / 2, -EDGE / 2))
        painter.end()

    def _paint_way(self, painter: QPainter, way: Way) -> None:
        points = [self.place_of(place) for place in way.places[: self.step + 1]]
        if not points:
            return
        ink = color(way.token)
        painter.setPen(QPen(ink, 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        for point in points[:-1]:
            painter.drawEllipse(point, 1.8, 1.8)
        painter.setPen(QPen(color("panel"), 1.5))
        painter.drawEllipse(points[-1], 5.5, 5.5)

    def _drawn_ground(self) -> QImage:
        """Bands of equal steps of the height's logarithm, for the present size and theme."""
        ratio = self.devicePixelRatioF()
        key = (self.surface.name, self.size(), ratio, themes.current.name)
        if self._ground is None or key != self._key:
            self._key = key
            wide, high = max(2, round(self.width() * ratio)), max(2, round(self.height() * ratio))
            (left, right), (low, top) = self.surface.x, self.surface.y
            x, y = np.meshgrid(np.linspace(left, right, wide), np.linspace(top, low, high))
            height = self.surface.function(x, y) - self.surface.function(*self.surface.goal)
            height = np.maximum(height, 0.0)
            scale = float(np.quantile(height, 0.05)) or 1e-9
            share = np.log1p(height / scale) / np.log1p(float(height.max()) / scale)
            band = np.minimum((share * BANDS).astype(int), BANDS - 1)
            shades = [mix(color("sunken"), color("border2"), 0.9 * index / BANDS) for index in range(BANDS)]
            table = np.array([(one.blue(), one.green(), one.red(), 255) for one in shades], dtype=np.uint8)
            pixels = np.ascontiguousarray(table[band])
            image = QImage(pixels.data, wide, high, 4 * wide, QImage.Format.Format_RGB32).copy()
            image.setDevicePixelRatio(ratio)
            self._ground = image
        return self._ground

    def sizeHint(self) -> QSize:
        """A little wider than high, as the landscapes are."""
        return QSize(520, 400)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The start moves to the pointer."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = True
            self._drag(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The start follows the pointer."""
        if self._held:
            self._drag(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let it go."""
        self._held = False
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys move the start by a fiftieth of the picture; with Shift five times as far."""
        way = _KEYS.get(Qt.Key(event.key()))
        if way is None:
            super().keyPressEvent(event)
            return
        (left, right), (low, high) = self.surface.x, self.surface.y
        far = 0.1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0.02
        self._move(self.start[0] + way[0] * far * (right - left), self.start[1] + way[1] * far * (high - low))
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The frame shows that the arrow keys act here."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """They act elsewhere."""
        super().focusOutEvent(event)
        self.update()

    def _drag(self, event: QMouseEvent) -> None:
        (left, right), (low, high) = self.surface.x, self.surface.y
        point = event.position()
        x = left + point.x() / self.width() * (right - left)
        self._move(x, high - point.y() / self.height() * (high - low))
        event.accept()

    def _move(self, x: float, y: float) -> None:
        (left, right), (low, high) = self.surface.x, self.surface.y
        start = (round(min(max(x, left), right), 2), round(min(max(y, low), high), 2))
        if start != self.start:
            self.start = start
            self.update()
            self.moved.emit(*start)
