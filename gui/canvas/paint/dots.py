"""The ground and the look from afar: grid dots, and below 40 % plain blocks in batches.

Owns both; thousands of boxes are a few calls here, because boxes of one colour are drawn together.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap, QRegion

from gui.canvas.boxes import Box, Kind
from gui.canvas.camera import Camera
from gui.canvas.evidence import Evidence
from gui.canvas.paint.ink import family, ink, on_screen, scale_color
from gui.canvas.wires import Wire
from gui.theme import metrics, themes

FEW_PARTS = 4
LEAST_STEP = 14.0
"""Dots closer than this on the screen would be a grey haze: every second one is left out."""


class Ground:
    """Canvas colour and grid dots; kept as a pixmap while the camera rests and small parts are asked for."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._kept = QPixmap()
        self._key: tuple[object, ...] = ()

    def paint(self, painter: QPainter, area: QRegion) -> None:
        """Covers `area`, in view pixels."""
        with on_screen(painter):
            if area.rectCount() <= FEW_PARTS:
                for part in area:
                    _paint_ground(painter, self._camera, QRectF(part))
                return
            self._keep(area.boundingRect())
            ratio = self._camera.ratio
            for part in area:
                source = QRectF(part.x() * ratio, part.y() * ratio, part.width() * ratio, part.height() * ratio)
                painter.drawPixmap(QRectF(part), self._kept, source)

    def _keep(self, area: QRect) -> None:
        camera = self._camera
        key = (themes.current.name, camera.zoom, camera.x, camera.y, camera.ratio)
        wide, high = max(area.right() + 1, 64), max(area.bottom() + 1, 64)
        size = QSize(ceil(wide * camera.ratio), ceil(high * camera.ratio))
        if key == self._key and self._kept.width() >= size.width() and self._kept.height() >= size.height():
            return
        self._key, self._kept = key, QPixmap(size)
        self._kept.setDevicePixelRatio(camera.ratio)
        painter = QPainter(self._kept)
        _paint_ground(painter, camera, QRectF(0, 0, wide, high))
        painter.end()


def _paint_ground(painter: QPainter, camera: Camera, area: QRectF) -> None:
    painter.fillRect(area, ink("canvas"))
    step = metrics.canvas_dots * camera.zoom
    while step < LEAST_STEP:
        step *= 2
    left = camera.x % step + floor((area.left() - camera.x % step) / step) * step
    top = camera.y % step + floor((area.top() - camera.y % step) / step) * step
    columns = [left + step * index for index in range(int(area.width() / step) + 2)]
    rows = [top + step * index for index in range(int(area.height() / step) + 2)]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(ink("dots"), 1.0))
    painter.drawPoints([QPointF(x, y) for y in rows for x in columns])
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)


def paint_dots(painter: QPainter, boxes: Iterable[Box], evidence: Evidence) -> None:
    """Boxes as plain blocks in the colour of their family or of the value on show."""
    batches: dict[int, tuple[QColor, list[QRectF]]] = {}
    for box in boxes:
        if box.kind in (Kind.PORT, Kind.FRAME):
            continue
        color = color_of(box, evidence)
        batches.setdefault(color.rgb(), (color, []))[1].append(box.rect)
    painter.setPen(Qt.PenStyle.NoPen)
    for color, rects in batches.values():
        path = QPainterPath()
        for rect in rects:
            path.addRoundedRect(rect, 8, 8)
        painter.fillPath(path, color)


def paint_hairs(painter: QPainter, wires: Iterable[Wire]) -> None:
    """Wires one screen pixel wide."""
    batches: dict[int, tuple[QColor, QPainterPath]] = {}
    for wire in wires:
        color = scale_color(wire.level) if wire.level >= 0 else ink("control")
        if wire.fault or wire.broken:
            color = ink("error")
        batches.setdefault(color.rgb(), (color, QPainterPath()))[1].addPath(wire.curve)
    for color, path in batches.values():
        line = QPen(color, 1.0)
        line.setCosmetic(True)
        painter.setPen(line)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)


def color_of(box: Box, evidence: Evidence) -> QColor:
    """The one colour that stands for a box from afar and on the minimap."""
    if evidence.on:
        reading = evidence.reading(box.layers)
        if reading is None:
            return ink("text3")
        return scale_color(evidence.scale.position(reading.value)) if reading.finite else ink("error")
    if box.is_group and box.rows:
        return family(box.rows[0].words.family)
    return family(box.words.family)
