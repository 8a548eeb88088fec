"""The fixed part of a layer or merge: body, tile, glyph, name and second line, in each look.

Owns what changes only with the node itself; rings, badges, ports and evidence are drawn on top by others.
"""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QCoreApplication, QLineF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from gui.canvas import measures as m
from gui.canvas.boxes import Box, Kind, elided, text_width
from gui.canvas.paint.ink import CENTER, LEFT, family, font, ink, on_screen, pen, readable, tile
from gui.icons import paint_icon
from gui.shadow import paint_shadow
from gui.theme import metrics, themes

HATCH = 7
"""Pixels from one line of a hatch to the next."""
FLAKE, SMALL_FLAKE = 16.0, 11.0
TILE = 20.0
TILE_LEFT = 10.0
GLYPH = 16.0


def radius_of(box: Box) -> float:
    """The corner radius of a box."""
    return metrics.radius_block if box.kind in (Kind.MERGE, Kind.FRAME) else metrics.radius_node


def paint_body(painter: QPainter, box: Box) -> None:
    """Shadow, fill and edge of a closed box."""
    radius = radius_of(box)
    paint_shadow(painter, box.rect, radius)
    edge = box.rect.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.setPen(pen("border2", 1.0))
    painter.setBrush(ink("node"))
    painter.drawRoundedRect(edge, radius, radius)
    if box.is_still:
        _paint_still(painter, edge, radius)


def _paint_still(painter: QPainter, edge: QRectF, radius: float) -> None:
    """The look of a box in which nothing trains: a hatch at 45 degrees and a dashed edge."""
    painter.save()
    shape = QPainterPath()
    shape.addRoundedRect(edge, radius, radius)
    painter.setClipPath(shape, Qt.ClipOperation.IntersectClip)
    painter.setPen(pen("frozen", 1.0, themes.current.hatch_share))
    high, start = edge.height(), edge.x() - edge.height()
    lines = [
        QLineF(start + step, edge.bottom(), start + step + high, edge.top())
        for step in range(0, ceil(edge.width() + 2 * high), HATCH)
    ]
    painter.drawLines(lines)
    painter.restore()
    line = QPen(ink("node"), 1.5)
    painter.setPen(line)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(edge, radius, radius)
    line = QPen(ink("frozen"), 1.0)
    line.setDashPattern([4.0, 3.0])
    painter.setPen(line)
    painter.drawRoundedRect(edge, radius, radius)


def paint_flake(painter: QPainter, area: QRectF, frozen: str) -> None:
    """A snowflake, half of one where only some of it is frozen."""
    if frozen:
        paint_icon(painter, "freeze-half" if frozen == "some" else "snowflake", area, ink("frozen"))


BESIDE_GLYPH, BESIDE_BAR = 24.0, 10.0


def paint_tile(painter: QPainter, rect: QRectF, family_name: str, glyph: str, size: float = GLYPH) -> None:
    """A family's tile with a glyph in its middle."""
    painter.setPen(pen("node", 0.0, 0.0))
    painter.setBrush(tile(family_name))
    painter.drawRoundedRect(rect, metrics.radius_field, metrics.radius_field)
    side = size / 2
    middle = rect.center()
    area = QRectF(middle.x() - side, middle.y() - side, size, size)
    paint_icon(painter, glyph, area, family(family_name))


def paint_layer(painter: QPainter, box: Box, zoom: float) -> None:
    """A layer from 70 % on."""
    rect = box.rect
    paint_body(painter, box)
    if box.evidence:
        painter.setPen(pen("border", 1.0))
        painter.drawLine(QLineF(rect.x() + 1, rect.y() + 50.5, rect.right() - 1, rect.y() + 50.5))
    top = 10.0 if box.evidence else 18.0
    paint_tile(painter, QRectF(rect.x() + TILE_LEFT, rect.y() + top, TILE, TILE), box.words.family, box.words.glyph)
    room = rect.width() - m.TEXT_LEFT - 10
    first = 18.5 if box.evidence else 20.0
    size = readable(13, zoom)
    painter.setFont(font(size, 600))
    painter.setPen(ink("text2" if box.is_still else "text"))
    left = rect.x() + m.TEXT_LEFT
    # A long name keeps its room: then the flake is small and sits in the corner above it.
    tight = text_width(box.words.name, size, 600) > room - FLAKE - 2
    side = SMALL_FLAKE if tight else FLAKE
    away = 4.0 if tight else 8.0
    paint_flake(painter, QRectF(rect.right() - away - side, rect.y() + away / 2, side, side), box.frozen)
    name = elided(box.words.name, room, size, 600)
    painter.drawText(QRectF(left, rect.y() + first - 10, room + 4, 20), LEFT, name)
    size = readable(11, zoom)
    painter.setFont(font(size))
    painter.setPen(ink("text2"))
    held = QCoreApplication.translate("Canvas", "statistics held")
    detail = elided(held if box.frozen == "held" else box.words.line, room, size, 400)
    second = first + (18.5 if box.evidence else 19.5)
    painter.drawText(QRectF(left, rect.y() + second - 10, room + 4, 20), LEFT, detail)


def paint_merge(painter: QPainter, box: Box, zoom: float) -> None:
    """A merge from 70 % on: a glyph, and its name below."""
    paint_body(painter, box)
    middle = box.rect.center()
    area = QRectF(middle.x() - 12, middle.y() - 12, 24, 24)
    paint_icon(painter, box.words.glyph, area, ink("text2"))
    size = readable(11, zoom)
    painter.setFont(font(size, 600))
    painter.setPen(ink("text"))
    name = elided(box.words.name, m.MERGE + 60, size, 600)
    painter.drawText(QRectF(box.rect.x() - 32, box.rect.bottom() + 3, m.MERGE + 64, 18), CENTER, name)


def paint_compact(painter: QPainter, box: Box) -> None:
    """Any closed box from 40 to 70 %: glyph and name at constant size on the screen."""
    paint_body(painter, box)
    with on_screen(painter) as transform:
        rect = transform.mapRect(box.rect)
        glyph = box.words.glyph
        color = ink("text2") if box.kind in (Kind.MERGE, Kind.CARD) else family(box.words.family)
        if box.kind is Kind.MERGE:
            side = min(rect.width() - 4, 20.0)
            area = QRectF(rect.center().x() - side / 2, rect.center().y() - side / 2, side, side)
            paint_icon(painter, glyph, area, color)
            return
        middle = rect.center().y() - (1.5 if box.evidence or box.is_group else 0.0)
        size, left = fitting(box.words.name, rect.width())
        if left == BESIDE_GLYPH:
            paint_icon(painter, glyph, QRectF(rect.x() + 6, round(middle) - 7, 14, 14), color)
        else:
            painter.setPen(pen("node", 0.0, 0.0))
            painter.setBrush(color)
            painter.drawRoundedRect(QRectF(rect.x() + 4, rect.center().y() - 6, 3, 12), 1.5, 1.5)
        painter.setFont(font(size, 600))
        painter.setPen(ink("text2" if box.is_still else "text"))
        room = rect.width() - left - 4 - (12 if box.frozen and rect.width() >= 64 else 0)
        name = elided(box.words.name, room, size, 600)
        painter.drawText(QRectF(rect.x() + left, middle - 9, room + 4, 18), LEFT, name)
        if rect.width() >= 64:
            paint_flake(painter, QRectF(rect.right() - 15, middle - 6, 12, 12), box.frozen)


def fitting(name: str, wide: float) -> tuple[int, float]:
    """Font size and left edge of a name in a small box: beside the glyph, else beside a bar of its colour."""
    for left in (BESIDE_GLYPH, BESIDE_BAR):
        for size in (11, 10):
            if text_width(name, size, 600) <= wide - left - 4:
                return size, left
    return 10, BESIDE_BAR
