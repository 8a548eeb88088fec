"""Finished pictures of boxes, kept while neither box, zoom, scale nor theme changes.

Owns the cache. A box costs a tenth of a millisecond to paint and a few microseconds to copy.
"""

from __future__ import annotations

from collections import OrderedDict
from math import ceil

from PySide6.QtCore import QPointF, Qt
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


class Plates:
    """Pictures by box; those longest unused go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Box, tuple[tuple[object, ...], QPixmap]] = OrderedDict()
        self._bytes = 0
        self.num_painted = 0
        """How many pictures were made so far: tests and benchmarks watch it."""

    def paint(self, painter: QPainter, box: Box, camera: Camera) -> None:
        """Draws a closed box into a painter in scene pixels, at a whole device pixel."""
        key = (themes.current.name, camera.zoom, camera.ratio, bool(box.layers), _row_key(box))
        kept = self._kept.get(box)
        if kept is None or kept[0] != key:
            self._keep(box, key, self._make(box, camera))
            kept = self._kept[box]
        else:
            self._kept.move_to_end(box)
        with on_screen(painter) as transform:
            corner = transform.map(box.rect.topLeft())
            ratio = camera.ratio
            x, y = round(corner.x() * ratio) / ratio, round(corner.y() * ratio) / ratio
            painter.drawPixmap(QPointF(x - _aside(box, camera), y - _above(camera)), kept[1])

    def _make(self, box: Box, camera: Camera) -> QPixmap:
        self.num_painted += 1
        zoom, ratio = camera.zoom, camera.ratio
        aside, above = _aside(box, camera), _above(camera)
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

    def _keep(self, box: Box, key: tuple[object, ...], picture: QPixmap) -> None:
        old = self._kept.pop(box, None)
        if old is not None:
            self._bytes -= _size(old[1])
        self._kept[box] = (key, picture)
        self._bytes += _size(picture)
        while self._bytes > LIMIT and len(self._kept) > 1:
            _, (_, gone) = self._kept.popitem(last=False)
            self._bytes -= _size(gone)


_PAINT = {Kind.LAYER: paint_layer, Kind.MERGE: paint_merge, Kind.CARD: paint_card, Kind.STACK: paint_stack}


def _row_key(box: Box) -> tuple[bool, ...]:
    return tuple(bool(row.layers) for row in box.rows) if box.kind is Kind.STACK else ()


def _above(camera: Camera) -> float:
    return float(ceil(REACH * camera.zoom))


def _aside(box: Box, camera: Camera) -> float:
    """Room beside a box: for its shadow, or the name below a merge."""
    return float(ceil((36 if box.kind is Kind.MERGE else REACH) * camera.zoom))


def _size(picture: QPixmap) -> int:
    return picture.width() * picture.height() * 4
