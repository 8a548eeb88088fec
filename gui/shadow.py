"""Shadows under what floats: nodes, popups, toasts.

Owns one nine-part pixmap per kind, theme and scale, and drawing it around a rectangle. Never uses a graphics effect:
those draw the whole item anew at each frame.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap, QPixmapCache

from gui.theme import themes

Kind = Literal["node", "popup"]
BLUR = {"node": 8, "popup": 16}
DROP = 4
"""How far a shadow lies below what casts it, in pixels."""


def margin(kind: Kind) -> int:
    """How far the shadow reaches beyond the rectangle, in pixels: what a bounding rectangle must add."""
    return BLUR[kind] + DROP


def paint_shadow(painter: QPainter, rect: QRectF, radius: float, kind: Kind = "node") -> None:
    """Draw the shadow of a rounded rectangle, below it, in the coordinates of the painter."""
    device = painter.device()
    ratio = device.devicePixelRatio() if device is not None else 1.0
    blur, corner = BLUR[kind], BLUR[kind] + round(radius)
    tile = _tile(kind, round(radius), ratio)
    side = tile.width()
    cut = corner * ratio
    target = rect.adjusted(-blur, -blur + DROP, blur, blur + DROP)
    middle = side - 2 * cut
    across = ((0.0, cut), (cut, middle), (cut + middle, cut))
    wide = _spans(target.left(), target.right(), corner)
    high = _spans(target.top(), target.bottom(), corner)
    for (top, height), (source_top, source_height) in zip(high, across, strict=True):
        for (left, width), (source_left, source_width) in zip(wide, across, strict=True):
            if width > 0 and height > 0:
                source = QRectF(source_left, source_top, source_width, source_height)
                painter.drawPixmap(QRectF(left, top, width, height), tile, source)


def _spans(first: float, last: float, corner: float) -> tuple[tuple[float, float], ...]:
    edge = min(corner, (last - first) / 2)
    return ((first, edge), (first + edge, last - first - 2 * edge), (last - edge, edge))


def _tile(kind: Kind, radius: int, ratio: float) -> QPixmap:
    """A small square whose corners, edges and middle are those of every shadow of this kind."""
    share = themes.current.shadow_share
    key = f"lw-shadow/{kind}/{radius}/{ratio}/{share}"
    made = QPixmap()
    if QPixmapCache.find(key, made):
        return made
    blur = BLUR[kind]
    side = round((2 * (blur + radius) + 2) * ratio)
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    # Nested outlines, each a pixel smaller: their opacities add up along a curve that is steepest at the edge.
    steps = 2 * blur
    covered = 0.0
    for step in range(steps):
        inset = step / 2 * ratio
        done = (step + 1) / steps
        wanted = share * done * done
        layer = (wanted - covered) / (1 - covered)
        covered = wanted
        painter.setBrush(QColor.fromRgbF(0, 0, 0, layer))
        corner = max(0.0, (radius + blur) * ratio - inset)
        painter.drawRoundedRect(QRectF(inset, inset, side - 2 * inset, side - 2 * inset), corner, corner)
    painter.end()
    made = QPixmap.fromImage(image)
    QPixmapCache.insert(key, made)
    return made
