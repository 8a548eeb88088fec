"""The value on show, drawn on boxes: sparkline and number of a layer, bars of stacks and cards.

Owns the drawing of readings. Which value a layer has is settled before (`gui.canvas.evidence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isnan

from PySide6.QtCore import QCoreApplication, QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from gui.canvas import measures as m
from gui.canvas.boxes import Box, Kind
from gui.canvas.evidence import Evidence, Reading
from gui.canvas.paint.group import BAR_HIGH, BAR_RIGHT, BAR_WIDE, MOST_BARS, paint_bars
from gui.canvas.paint.ink import RIGHT, font, ink, mono, on_screen, readable, scale_color
from gui.canvas.scale import Scale
from gui.numbers import scientific

SPARK_HIGH = 14.0
NUMBER_WIDE = 48.0
LEAST_SPAN = 0.5
"""A sparkline spans at least half a decade: noise must not look like a trend."""


def area_of(box: Box) -> QRectF:
    """The part of a box that changes with a new probe."""
    rect = box.rect
    if box.kind is Kind.LAYER:
        return QRectF(rect.x() + 1, rect.y() + 50, rect.width() - 2, rect.height() - 51) if box.evidence else QRectF()
    if box.kind is Kind.CARD:
        return QRectF(rect.x() + 1, rect.bottom() - 28, rect.width() - 2, 27)
    if box.kind is Kind.STACK:
        left = rect.right() - BAR_RIGHT - BAR_WIDE - 2
        return QRectF(left, rect.y() + m.STACK_HEAD, rect.right() - 1 - left, rect.height() - m.STACK_HEAD - 1)
    return QRectF()


def paint_evidence(painter: QPainter, box: Box, evidence: Evidence, zoom: float) -> None:
    """What the value on show says about a box, from 70 % on (stacks from 40 %)."""
    if box.kind is Kind.LAYER and box.evidence:
        _paint_row(painter, box, evidence, zoom)
    elif box.kind is Kind.CARD:
        _paint_card(painter, box, evidence, zoom)
    elif box.kind is Kind.STACK and evidence.on:
        for index, row in enumerate(box.rows):
            reading = evidence.reading(row.layers)
            if reading is not None:
                _paint_stack_row(painter, box.row_rect(index), reading, evidence.scale, zoom)


def repaint_evidence(painter: QPainter, box: Box, evidence: Evidence, zoom: float) -> None:
    """Draws the evidence over what it was, without the box around it: most of what a training changes is this."""
    area = area_of(box)
    if not area.isEmpty() and not box.is_still:  # nothing that stands still is measured
        # Narrower than the box by its rounding; nothing else is drawn there.
        left = 0.0 if box.kind is Kind.STACK else 7.0
        painter.fillRect(area.adjusted(left, 1.5, -7, -2), ink("node"))
        paint_evidence(painter, box, evidence, zoom)


def paint_foot(painter: QPainter, box: Box, reading: Reading, scale: Scale) -> None:
    """The value as a bar at the foot of a small box."""
    with on_screen(painter) as transform:
        rect = transform.mapRect(box.rect)
        room = rect.width() - 12
        bar = QRectF(rect.x() + 6, rect.bottom() - 6, room, 3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink("track"))
        painter.drawRoundedRect(bar, 1.5, 1.5)
        painter.setBrush(scale_color(scale.position(reading.value)) if reading.finite else ink("error"))
        bar.setWidth(max(3.0, room * scale.position(reading.value)) if reading.finite else room)
        painter.drawRoundedRect(bar, 1.5, 1.5)


def _paint_row(painter: QPainter, box: Box, evidence: Evidence, zoom: float) -> None:
    rect = box.rect
    reading = evidence.reading(box.layers)
    if reading is None:
        return
    middle = rect.y() + 65.0
    words = 58.0 if not reading.finite else NUMBER_WIDE
    course = QRectF(rect.x() + 10, middle - SPARK_HIGH / 2, rect.width() - 20 - words - 6, SPARK_HIGH)
    _sparkline(painter, course, evidence.course(box.layers), reading, evidence.scale)
    _number(painter, rect.right() - 10, middle, reading, zoom)


def _sparkline(painter: QPainter, area: QRectF, course: Sequence[float], reading: Reading, scale: Scale) -> None:
    known = [power for power in course if not isnan(power)]
    if not known or area.width() < 8:
        return
    low, high = min(known), max(known)
    if high - low < LEAST_SPAN:
        low, high = (low + high - LEAST_SPAN) / 2, (low + high + LEAST_SPAN) / 2
    step, rise, foot = area.width() / max(m.SPARK_PROBES - 1, 1), area.height() / (high - low), area.bottom()
    first = area.right() - step * (len(course) - 1)
    points = [
        QPointF(first + step * index, foot - (power - low) * rise)
        for index, power in enumerate(course)
        if not isnan(power)
    ]
    color = scale_color(scale.position(reading.value)) if reading.finite else ink("text3")
    painter.setPen(QPen(color, 1.4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF(points))
    if reading.finite:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(points[-1], 2.2, 2.2)
    else:
        painter.setPen(QPen(ink("error"), 1.6))
        x, y = points[-1].x() + 4, area.center().y() - 3
        for sign in (1, -1):
            painter.drawLine(QLineF(x - 3, y - 3 * sign, x + 3, y + 3 * sign))


def _number(painter: QPainter, right: float, middle: float, reading: Reading, zoom: float) -> None:
    size = readable(11, zoom)
    if reading.finite:
        painter.setFont(mono(size))
        painter.setPen(ink("text"))
        text = scientific(reading.value)
    else:
        painter.setFont(font(size, 600))
        painter.setPen(ink("error"))
        text = QCoreApplication.translate("Canvas", "not finite")
    painter.drawText(QRectF(right - 90, middle - 10, 90, 20), RIGHT, text)


def _paint_stack_row(painter: QPainter, rect: QRectF, reading: Reading, scale: Scale, zoom: float) -> None:
    middle = rect.center().y() + 1
    if zoom < m.FULL_FROM:
        # Readable figures would take the room of the bar: from afar the bar says enough.
        _bar(painter, QRectF(rect.right() - 12 - BAR_WIDE, middle - BAR_HIGH / 2, BAR_WIDE, BAR_HIGH), reading, scale)
        return
    bar = QRectF(rect.right() - BAR_RIGHT - BAR_WIDE, middle - BAR_HIGH / 2, BAR_WIDE, BAR_HIGH)
    _bar(painter, bar, reading, scale)
    _number(painter, rect.right() - 12, middle, reading, zoom)


def _bar(painter: QPainter, bar: QRectF, reading: Reading, scale: Scale) -> None:
    """Solid to the weakest copy, pale to the strongest."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink("track"))
    half = bar.height() / 2
    painter.drawRoundedRect(bar, half, half)
    if not isfinite(reading.value):
        painter.setBrush(ink("error"))
        painter.drawRoundedRect(bar, half, half)
        return
    color = scale_color(scale.position(reading.value))
    for value, share in ((reading.strongest, 0.4), (reading.weakest, 1.0)):
        wide = max(bar.height(), bar.width() * scale.position(value))
        painter.setOpacity(share)
        painter.setBrush(color)
        painter.drawRoundedRect(QRectF(bar.x(), bar.y(), wide, bar.height()), half, half)
    painter.setOpacity(1.0)


def _paint_card(painter: QPainter, box: Box, evidence: Evidence, zoom: float) -> None:
    whole = evidence.reading(box.layers) if evidence.on else None
    if whole is None:
        paint_bars(painter, box)
        return
    rows = [row for row in box.rows if row.layers][:MOST_BARS]
    left, foot = box.rect.x() + 10, box.rect.bottom() - 10
    room = box.rect.width() - 20 - NUMBER_WIDE - 8
    step = min(10.0, room / max(len(rows), 1))
    painter.setPen(Qt.PenStyle.NoPen)
    for index, row in enumerate(rows):
        reading = evidence.reading(row.layers)
        if reading is None:
            continue
        broken = not reading.finite
        place = 1.0 if broken else evidence.scale.position(reading.value)
        painter.setBrush(ink("error") if broken else scale_color(place))
        high = 3 + 13 * place
        painter.drawRoundedRect(QRectF(left + index * step, foot - high, step * 0.7, high), 1.5, 1.5)
    _number(painter, box.rect.right() - 10, foot - 7, whole, zoom)
