"""Groups in their three looks: card, stack and frame. Bars and numbers that change are drawn by `evidence.py`.

Owns what changes only with the group itself.
"""

from __future__ import annotations

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter

from gui.canvas import measures as m
from gui.canvas.boxes import Box, Kind, elided, text_width
from gui.canvas.paint.ink import LEFT, RIGHT, blended, family, font, ink, pen, readable
from gui.canvas.paint.layer import FLAKE, paint_body, paint_flake, paint_tile
from gui.icons import paint_icon
from gui.theme import metrics, themes

ROW_TILE = 18.0
NAME_LEFT = 36.0
BAR_WIDE, BAR_HIGH = 40.0, 6.0
BAR_RIGHT = 66.0
MOST_BARS = 16
ROW_FLAKE = 12.0


def paint_card(painter: QPainter, box: Box, zoom: float) -> None:
    """Title and summary; the bars stand below."""
    paint_sheets(painter, box)
    paint_body(painter, box)
    rect = box.rect
    _title(painter, box, rect.y() + 20.0, zoom)
    paint_flake(painter, QRectF(rect.right() - 8 - FLAKE, rect.y() + 12, FLAKE, FLAKE), box.frozen)
    size = readable(11, zoom)
    painter.setFont(font(size))
    painter.setPen(ink("text2"))
    room = rect.width() - 20
    painter.drawText(QRectF(rect.x() + 10, rect.y() + 29.5, room, 20), LEFT, elided(box.summary, room, size, 400))


def paint_stack(painter: QPainter, box: Box, zoom: float) -> None:
    """Head and one row per layer of a chain."""
    paint_sheets(painter, box)
    paint_body(painter, box)
    rect = box.rect
    _title(painter, box, rect.y() + m.STACK_HEAD / 2, zoom)
    paint_flake(painter, _head_flake(rect, m.STACK_HEAD), box.frozen)
    painter.setPen(pen("border", 1.0))
    line = rect.y() + m.STACK_HEAD - 0.5
    painter.drawLine(QLineF(rect.x() + 1, line, rect.right() - 1, line))
    size = readable(12, zoom)
    for index, row in enumerate(box.rows):
        middle = box.row_rect(index).center().y() + 1
        area = QRectF(rect.x() + 10, middle - ROW_TILE / 2, ROW_TILE, ROW_TILE)
        paint_tile(painter, area, row.words.family, row.words.glyph, 14.0)
        painter.setFont(font(size))
        painter.setPen(ink("text2" if row.frozen in ("all", "held") else "text"))
        room = rect.width() - NAME_LEFT - (BAR_RIGHT + BAR_WIDE + 4 if row.layers else 12)
        if row.frozen:
            wide = min(text_width(row.words.name, size, 400), room - ROW_FLAKE - 4)
            area = QRectF(rect.x() + NAME_LEFT + wide + 5, middle - ROW_FLAKE / 2, ROW_FLAKE, ROW_FLAKE)
            paint_flake(painter, area, row.frozen)
            room = wide
        name = elided(row.words.name, room, size, 400)
        painter.drawText(QRectF(rect.x() + NAME_LEFT, middle - 10, room + 4, 20), LEFT, name)
        if not row.layers:
            used = NAME_LEFT + text_width(row.words.name, size, 400) + (ROW_FLAKE + 6 if row.frozen else 0)
            _row_detail(painter, box, middle, used, row.words.line, zoom)


def _row_detail(painter: QPainter, box: Box, middle: float, used: float, detail: str, zoom: float) -> None:
    room = box.rect.width() - used - 24
    if room < 40:
        return
    size = readable(11, zoom)
    painter.setFont(font(size))
    painter.setPen(ink("text3"))
    text = elided(detail, room, size, 400)
    painter.drawText(QRectF(box.rect.right() - 12 - room, middle - 10, room, 20), RIGHT, text)


def paint_frame(painter: QPainter, box: Box, zoom: float) -> None:
    """An opened group: a light sheet with a head, its layers on top. Drawn at every zoom."""
    paint_sheets(painter, box)
    rect = box.rect
    painter.setPen(pen("border2", 1.0))
    painter.setBrush(blended("node", "canvas", themes.current.frame_share))
    radius = metrics.radius_block
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
    if zoom < m.COMPACT_FROM:
        return
    middle = rect.y() + m.FRAME_HEAD / 2
    wide = _title(painter, box, middle, zoom, left=14.0)
    paint_flake(painter, _head_flake(rect, m.FRAME_HEAD), box.frozen)
    size = readable(11, zoom)
    painter.setFont(font(size))
    painter.setPen(ink("text2"))
    room = rect.width() - wide - 28 - (60 if box.node.repeat > 1 else 12)
    text = elided(box.summary, room, size, 400)
    painter.drawText(QRectF(rect.x() + wide + 14, middle - 10, max(room, 0) + 4, 20), LEFT, text)


def paint_sheets(painter: QPainter, box: Box) -> None:
    """Two sheets behind a repeated group."""
    if box.node.repeat < 2 or box.kind is not Kind.FRAME:
        return
    radius = metrics.radius_block
    for step in (2, 1):
        away = step * m.SHEET
        painter.setPen(pen("border", 1.0))
        painter.setBrush(blended("node", "canvas", themes.current.frame_share / (step + 1)))
        sheet = box.rect.translated(away, -away).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(sheet, radius, radius)


def paint_bars(painter: QPainter, box: Box) -> None:
    """A card's bars while no value is shown: one per layer, in the colour of its family."""
    rows = box.rows[:MOST_BARS]
    left, foot = box.rect.x() + 10, box.rect.bottom() - 10
    painter.setPen(pen("node", 0.0, 0.0))
    for index, row in enumerate(rows):
        painter.setBrush(family(row.words.family))
        painter.drawRoundedRect(QRectF(left + index * 10.0, foot - 8, 7, 8), 1.5, 1.5)


def _head_flake(rect: QRectF, high: float) -> QRectF:
    return QRectF(rect.right() - 8 - FLAKE, rect.y() + (high - FLAKE) / 2, FLAKE, FLAKE)


def _title(painter: QPainter, box: Box, middle: float, zoom: float, left: float = 10.0) -> float:
    """The group's icon and name; returns how far to the right they reach."""
    rect = box.rect
    paint_icon(painter, "group", QRectF(rect.x() + left, middle - 8, 16, 16), ink("text2"))
    size = readable(13, zoom)
    painter.setFont(font(size, 600))
    painter.setPen(ink("text2" if box.is_still else "text"))
    room = rect.width() - left - 22 - 12 - (FLAKE if box.frozen else 0)
    name = elided(box.words.name, room, size, 600)
    painter.drawText(QRectF(rect.x() + left + 22, middle - 10, room + 4, 20), LEFT, name)
    return left + 22 + text_width(name, size, 600)
