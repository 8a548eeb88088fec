"""Which part of the scene is seen, and how large: zoom and offset, as numbers.

Owns the mapping between scene and view. Never draws and knows no widget. The offset is kept on whole device pixels, so
that panning only moves pixels.
"""

from __future__ import annotations

from math import isfinite

from PySide6.QtCore import QPointF, QRectF, QSizeF

from gui.canvas.measures import MAX_ZOOM, MIN_ZOOM, Detail, detail_at


class Camera:
    """`view = scene * zoom + offset`. Zoom stays between 10 % and 400 % whatever it is asked for."""

    def __init__(self) -> None:
        self.zoom = 1.0
        self.x = 0.0
        self.y = 0.0
        self.ratio = 1.0
        """Device pixels per view pixel."""

    @property
    def detail(self) -> Detail:
        """The look of boxes at this zoom."""
        return detail_at(self.zoom)

    def to_view(self, point: QPointF) -> QPointF:
        """Where a point of the scene is seen."""
        return QPointF(point.x() * self.zoom + self.x, point.y() * self.zoom + self.y)

    def to_scene(self, point: QPointF) -> QPointF:
        """The point of the scene that is seen there."""
        return QPointF((point.x() - self.x) / self.zoom, (point.y() - self.y) / self.zoom)

    def rect_to_view(self, rect: QRectF) -> QRectF:
        """Where a rectangle of the scene is seen."""
        return QRectF(self.to_view(rect.topLeft()), rect.size() * self.zoom)

    def rect_to_scene(self, rect: QRectF) -> QRectF:
        """The part of the scene that is seen there."""
        return QRectF(self.to_scene(rect.topLeft()), rect.size() / self.zoom)

    def pan(self, dx: float, dy: float) -> tuple[int, int]:
        """Moves what is seen by view pixels; returns how many device pixels it really went."""
        if not (isfinite(dx) and isfinite(dy)):
            return 0, 0
        before = round(self.x * self.ratio), round(self.y * self.ratio)
        self._move_to(self.x + dx, self.y + dy)
        return round(self.x * self.ratio) - before[0], round(self.y * self.ratio) - before[1]

    def zoom_at(self, point: QPointF, factor: float) -> bool:
        """Zooms by `factor` so that what is seen at `point` stays there; False when nothing changed."""
        if not (isfinite(factor) and factor > 0):
            return False
        wanted = min(max(self.zoom * factor, MIN_ZOOM), MAX_ZOOM)
        # Steps of the wheel never add up to a round number by themselves.
        if abs(wanted - 1.0) < 0.01:
            wanted = 1.0
        if wanted == self.zoom:
            return False
        fixed = self.to_scene(point)
        self.zoom = wanted
        self._move_to(point.x() - fixed.x() * wanted, point.y() - fixed.y() * wanted)
        return True

    def aim(self, center: QPointF, zoom: float, view: QSizeF) -> None:
        """Puts a point of the scene into the middle of the view, at a zoom."""
        if not (isfinite(zoom) and isfinite(center.x()) and isfinite(center.y())):
            return
        self.zoom = min(max(zoom, MIN_ZOOM), MAX_ZOOM)
        self._move_to(view.width() / 2 - center.x() * self.zoom, view.height() / 2 - center.y() * self.zoom)

    def fitting(self, rect: QRectF, view: QSizeF, margin: QSizeF, most: float = 1.0) -> float:
        """The largest zoom, at most `most`, at which `rect` fits into the view with a margin in view pixels."""
        wide = max(view.width() - 2 * margin.width(), 40.0) / max(rect.width(), 1.0)
        high = max(view.height() - 2 * margin.height(), 40.0) / max(rect.height(), 1.0)
        return min(max(min(wide, high, most), MIN_ZOOM), MAX_ZOOM)

    def _move_to(self, x: float, y: float) -> None:
        self.x, self.y = round(x * self.ratio) / self.ratio, round(y * self.ratio) / self.ratio
