"""Names and brackets below the bars of the depth chart, fitted to the room there is.

Owns their painting only; which names and brackets there are comes from `brackets`.
"""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QLineF
from PySide6.QtGui import QPainter, QPen

from gui.charts import text
from gui.charts.brackets import Labels
from gui.charts.curves import Frame
from gui.theme import color

GAP = 4
"""Least pixels between two names."""

MIN_TAIL = 3
"""Letters of a name's second word that are worth writing."""

LEGIBLE = 22
"""A name cut shorter than this many pixels says nothing."""


def draw_foot(painter: QPainter, frame: Frame, labels: Labels) -> None:
    """One row of names, one row of brackets."""
    slot = frame.rect.width() / max(len(labels.names), 1)
    foot = frame.rect.bottom()
    names = _names(labels, slot)
    drop = 0 if names else 15
    for row, words, x in names:
        middle = float(frame.x(float(row)))
        start = min(max(middle - x / 2, 2.0), frame.rect.right() + 10 - x)
        text.draw(painter, start, foot + 16, words, color=color("text2"))
    painter.setPen(QPen(color("border2"), 1))
    for bracket in labels.brackets:
        left = float(frame.x(float(bracket.first))) - slot / 2 + min(3.0, slot / 6)
        right = float(frame.x(float(bracket.last))) + slot / 2 - min(3.0, slot / 6)
        line = round(foot + 22 - drop) + 0.5
        painter.setPen(QPen(color("border2"), 1))
        painter.drawLine(QLineF(left, line, right, line))
        fitting = next((words for words in bracket.words if text.width(words) <= right - left + 4), "")
        if not fitting and text.width(bracket.words[0]) > right - left >= LEGIBLE:
            fitting = text.elided(bracket.words[0], right - left)
        start = (left + right - text.width(fitting)) / 2
        text.draw(painter, start, foot + 36 - drop, fitting, color=color("text2"))


def _names(labels: Labels, slot: float) -> list[tuple[int, str, float]]:
    """Row, words and width of each name that is written: all, all shortened, or every so many."""
    widths = [text.width(name) for name in labels.names]
    room = slot - GAP
    if all(wide <= room for wide in widths):
        return [(row, name, wide) for row, (name, wide) in enumerate(zip(labels.names, widths, strict=True))]
    if not labels.numbered:
        short = [shortened(name, room) for name in labels.names]
        return [(row, name, text.width(name)) for row, name in enumerate(short)] if all(short) else []
    written: list[tuple[int, str, float]] = []
    every = max(1, ceil((max(text.width(name) for name in labels.names if name.isdigit()) + GAP) / slot))
    free = -1e9
    for row, (name, wide) in enumerate(zip(labels.names, widths, strict=True)):
        counted = not name.isdigit() or int(name) == 1 or int(name) % every == 0
        start = row * slot - wide / 2
        if counted and start >= free + GAP and wide <= 3 * slot:
            written.append((row, name, wide))
            free = start + wide
    return written


def shortened(name: str, room: float) -> str:
    """The beginning of a name with the number at its end: "conv2" may become "co2", never "con…"; "" if none fits."""
    stem = name.rstrip("0123456789")
    number = name[len(stem) :]
    for length in range(len(stem), 1, -1):
        kept, mark, tail = stem[:length].rpartition("_")
        # One or two letters of a second word say less than none: "conv_in" becomes "conv", not "conv_i".
        short = (kept if mark and len(tail) < MIN_TAIL and length < len(stem) else stem[:length]) + number
        if text.width(short) <= room:
            return short
    return ""
