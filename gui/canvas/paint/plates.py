"""Finished pictures of boxes, kept while neither box, zoom, scale nor theme changes.

Owns the cache. A box costs a tenth of a millisecond to paint and a few microseconds to copy.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QPainter, QPixmap

from gui.canvas.boxes import Box, Kind
from gui.canvas.camera import Camera
from gui.canvas.measures import Detail
from gui.canvas.paint.group import paint_card, paint_stack
from gui.canvas.paint.ink import on_screen
from gui.canvas.paint.layer import paint_compact, paint_layer, paint_merge
from gui.theme import themes

LIMIT = 48 * 1024 * 1024
"""Bytes kept: two screens full of layers."""
REACH = 14
"""How far a shadow reaches, in scene pixels."""


@dataclass(slots=True)
class _Plate:
    key: tuple[object, ...]
    zoom: float
    picture: QPixmap

    @property
    def size(self) -> int:
        return self.picture.width() * self.picture.height() * 4


class Plates:
    """Pictures by box; those longest unused go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Box, _Plate] = OrderedDict()
        self.hurried = False
        """While true, a picture made at another zoom is stretched instead of made anew."""
        self._bytes = 0
        self.num_painted = 0
        """How many pictures were made so far: tests and benchmarks watch it."""

    def paint(self, painter: QPainter, box: Box, camera: Camera) -> None:
        """Draws a closed box into a painter in scene pixels, at a whole device pixel."""
        key = (themes.current.name, camera.ratio, camera.detail, bool(box.layers), box.frozen, _row_key(box))
        kept = self._kept.get(box)
        if kept is None or kept.key != key or (kept.zoom != camera.zoom and not self.hurried):
            kept = self._keep(box, _Plate(key, camera.zoom, self._make(box, camera)))
        else:
            self._kept.move_to_end(box)
        with on_screen(painter) as transform:
            corner = transform.map(box.rect.topLeft())
            ratio, stretch = camera.ratio, camera.zoom / kept.zoom
            x, y = round(corner.x() * ratio) / ratio, round(corner.y() * ratio) / ratio
            place = QPointF(x - _aside(box, kept.zoom) * stretch, y - _above(kept.zoom) * stretch)
            if stretch == 1.0:
                painter.drawPixmap(place, kept.picture)
            else:
                size = QSizeF(kept.picture.size()) * (stretch / ratio)
                painter.drawPixmap(QRectF(place, size), kept.picture, QRectF(kept.picture.rect()))

    def _make(self, box: Box, camera: Camera) -> QPixmap:
        self.num_painted += 1
        zoom, ratio = camera.zoom, camera.ratio
        aside, above = _aside(box, zoom), _above(zoom)
        wide = ceil((box.rect.width() * zoom + 2 * aside) * ratio)
        below = 2 * above if box.kind is Kind.MERGE else above
        high = ceil((box.rect.height() * zoom + above + below) * ratio)
        made = QPixmap(wide, high)
        made.setDevicePixelRatio(ratio)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.translate(aside, above)
        painter.scale(zoom, zoom)
        painter.translate(-box.rect.topLeft())
        if camera.detail is Detail.COMPACT and box.kind is not Kind.STACK:
            paint_compact(painter, box)
        else:
            _PAINT[box.kind](painter, box, zoom)
        painter.end()
        return made

    def _keep(self, box: Box, plate: _Plate) -> _Plate:
        old = self._kept.pop(box, None)
        if old is not None:
            self._bytes -= old.size
        self._kept[box] = plate
        self._bytes += plate.size
        while self._bytes > LIMIT and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.size
        return plate


_PAINT = {Kind.LAYER: paint_layer, Kind.MERGE: paint_merge, Kind.CARD: paint_card, Kind.STACK: paint_stack}


def _row_key(box: Box) -> tuple[tuple[bool, str], ...]:
    return tuple((bool(row.layers), row.frozen) for row in box.rows) if box.kind is Kind.STACK else ()


def _above(zoom: float) -> float:
    return float(ceil(REACH * zoom))


def _aside(box: Box, zoom: float) -> float:
    """Room beside a box: for its shadow, or the name below a merge."""
    return float(ceil((36 if box.kind is Kind.MERGE else REACH) * zoom))
