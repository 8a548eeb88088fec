"""The painted surface: keeps the picture of the scene in one pixmap and redraws only what became stale.

Owns the pixmap, panning by scrolling it, and moving the camera. Never decides what the scene is or what a press means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEasingCurve, QPointF, QRect, QRectF, QSize, QSizeF, Qt, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap, QRegion, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from gui.canvas import measures as m
from gui.canvas.camera import Camera
from gui.canvas.paint.picture import Picture, Shown
from gui.canvas.scene import Scene
from gui.motion import motion_ms
from gui.theme import metrics, themes

FIT_MARGIN = QSizeF(20.0, 56.0)
"""Overlays stand above and below; at the sides every pixel makes a long network easier to read."""
MOST_PARTS = 96
"""Stale parts beyond this are painted as one rectangle: clipping to each costs more than painting it all."""
HURRY_FROM, REST_MS = 150, 160


class Surface(QWidget):
    """A scene seen through a camera. Subclasses draw over it in `paint_over`, in view pixels."""

    camera_moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scene = Scene()
        self.camera = Camera()
        self.shown = Shown()
        self.picture = Picture(self.scene, self.camera, self.shown)
        self.num_strips = 0
        """How many partial paintings there were: tests and benchmarks watch it."""
        self._pixmap = QPixmap()
        self._aimed_for = QSize()
        """The size of the view for which the camera stands where it stands."""
        self._stale = QRegion()
        self._flight: QVariantAnimation | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._rested)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        themes.changed.connect(self.invalidate_all)

    def to_scene(self, point: QPointF) -> QPointF:
        """The point of the scene seen at a point of the widget."""
        return self.camera.to_scene(point)

    def to_view(self, point: QPointF) -> QPointF:
        """Where on the widget a point of the scene is seen."""
        return self.camera.to_view(point)

    def invalidate(self, rects: Iterable[QRectF]) -> None:
        """These parts of the scene look different now."""
        whole = self.rect()
        for rect in rects:
            part = self.camera.rect_to_view(rect).toAlignedRect().adjusted(-2, -2, 2, 2) & whole
            if not part.isEmpty():
                self._stale += part
                self.update(part)

    def touch_up(self, rects: list[QRectF], paint: Callable[[QPainter], object]) -> bool:
        """Lets `paint` (scene pixels) draw over parts of the picture; False when that must be made anew first."""
        if self._pixmap.isNull() or not self._stale.isEmpty():
            return False
        painter = QPainter(self._pixmap)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.translate(self.camera.x, self.camera.y)
        painter.scale(self.camera.zoom, self.camera.zoom)
        paint(painter)
        painter.end()
        for rect in rects:
            self.update(self.camera.rect_to_view(rect).toAlignedRect())
        return True

    def invalidate_all(self) -> None:
        """Everything looks different now."""
        self._stale = QRegion(self.rect())
        self.update()

    def pan(self, dx: float, dy: float) -> None:
        """Moves the picture by view pixels; only the strip that comes into view is painted."""
        moved_x, moved_y = self.camera.pan(dx, dy)
        if not (moved_x or moved_y):
            return
        ratio = self.camera.ratio
        if self._pixmap.isNull() or ratio != int(ratio):
            self.invalidate_all()
        else:
            self._stale.translate(int(moved_x / ratio), int(moved_y / ratio))
            self._pixmap.scroll(moved_x, moved_y, QRect(0, 0, self._pixmap.width(), self._pixmap.height()))
            step_x, step_y = int(moved_x / ratio), int(moved_y / ratio)
            kept = self.rect().translated(step_x, step_y) & self.rect()
            self._stale += QRegion(self.rect()) - QRegion(kept)
            self.update()
        self.camera_moved.emit()

    def zoom_at(self, point: QPointF, factor: float) -> None:
        """Zooms around a point of the widget."""
        if self.camera.zoom_at(point, factor):
            self._hurry()
            self.invalidate_all()
            self.camera_moved.emit()

    def aim(self, center: QPointF, zoom: float, *, glide: bool = False) -> None:
        """Shows a point of the scene in the middle; `glide` moves there instead of jumping."""
        time = motion_ms(metrics.move_ms) if glide and self.isVisible() else 0
        if self._flight is not None:
            self._flight.stop()
            self._flight = None
        if time == 0:
            self._aim(center, zoom)
            return
        size = QSizeF(self.size())
        start, first = self.to_scene(QPointF(size.width() / 2, size.height() / 2)), self.camera.zoom
        flight = QVariantAnimation(self)
        flight.setDuration(time)
        flight.setEasingCurve(QEasingCurve.Type.OutCubic)
        flight.setStartValue(0.0)
        flight.setEndValue(1.0)
        flight.valueChanged.connect(
            lambda t: self._aim(start + (center - start) * t, first * (zoom / first) ** t if t < 1 else zoom)
        )
        self._flight = flight
        flight.start(QVariantAnimation.DeletionPolicy.KeepWhenStopped)

    def show_rect(self, rect: QRectF, *, most: float = 1.0, glide: bool = True) -> None:
        """Shows a rectangle of the scene as large as it fits."""
        if rect.isEmpty():
            return
        zoom = self.camera.fitting(rect, QSizeF(self.size()), FIT_MARGIN, most)
        self.aim(rect.center(), zoom, glide=glide)

    def show_first(self, rect: QRectF) -> None:
        """Shows a rectangle of the scene as large as it fits; one too large to be read then, from its beginning."""
        view = QSizeF(self.size())
        if rect.isEmpty() or self.camera.fitting(rect, view, FIT_MARGIN) >= m.COMPACT_FROM:
            self.show_rect(rect, glide=False)
            return
        room = (view - 2 * FIT_MARGIN) / m.OPENED_AT
        wide, high = min(rect.width(), room.width()), min(rect.height(), room.height())
        top = rect.center().y() - high / 2 if high == rect.height() else rect.top()
        self.aim(QRectF(rect.left(), top, wide, high).center(), m.OPENED_AT)

    def ensure_seen(self, rect: QRectF) -> None:
        """Pans just as far as needed to bring a rectangle of the scene into view."""
        seen = self.camera.rect_to_view(rect)
        room = QRectF(self.rect()).adjusted(16, 40, -16, -48)
        if room.contains(seen):
            return
        dx = max(room.left() - seen.left(), 0.0) or min(room.right() - seen.right(), 0.0)
        dy = max(room.top() - seen.top(), 0.0) or min(room.bottom() - seen.bottom(), 0.0)
        self.pan(dx, dy)

    def paint_over(self, painter: QPainter) -> None:
        """Draws what changes too often for the pixmap; view pixels."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Brings the pixmap up to date and shows it."""
        ratio = self.devicePixelRatioF()
        wanted = self.size() * ratio
        if self._pixmap.size() != wanted or self.camera.ratio != ratio:
            self.camera.ratio = ratio
            self._pixmap = QPixmap(wanted)
            self._pixmap.setDevicePixelRatio(ratio)
            self._stale = QRegion(self.rect())
        self._repaint_stale()
        painter = QPainter(self)
        for part in event.region():
            if ratio == 1.0:
                painter.drawPixmap(part.topLeft(), self._pixmap, part)
                continue
            area = QRectF(part)
            source = QRectF(area.x() * ratio, area.y() * ratio, area.width() * ratio, area.height() * ratio)
            painter.drawPixmap(area, self._pixmap, source)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_over(painter)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keeps the scene point at the centre."""
        if self.isVisible():
            self._keep_center()
        self.invalidate_all()
        super().resizeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Behind another page it may have become larger or smaller, without a word."""
        self._keep_center()
        super().showEvent(event)

    def _keep_center(self) -> None:
        old, new = self._aimed_for, self.size()
        self._aimed_for = new
        if old.isValid() and old != new:
            self.camera.pan((new.width() - old.width()) / 2, (new.height() - old.height()) / 2)
            self.camera_moved.emit()

    def _aim(self, center: QPointF, zoom: float) -> None:
        self._aimed_for = self.size()
        self.camera.aim(center, zoom, QSizeF(self.size()))
        self.invalidate_all()
        self.camera_moved.emit()

    def _repaint_stale(self) -> None:
        stale = self._stale & QRegion(self.rect())
        self._stale = QRegion()
        if stale.isEmpty():
            return
        if stale.rectCount() > MOST_PARTS:
            stale = QRegion(stale.boundingRect())
        self.num_strips += 1
        painter = QPainter(self._pixmap)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setClipRegion(stale)
        self.picture.paint(painter, stale)
        painter.end()

    def _hurry(self) -> None:
        """While a large network is being zoomed, pictures of boxes are stretched; drawn anew once it rests."""
        if len(self.scene.boxes) > HURRY_FROM:
            self.picture.plates.hurried = True
            self._rest.start(REST_MS)

    def _rested(self) -> None:
        self.picture.plates.hurried = False
        self.invalidate_all()
