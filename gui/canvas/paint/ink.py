"""Colours, pens and fonts of the canvas, made once per theme: painting asks for them thousands of times a second.

Owns those caches only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from math import ceil

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QTransform

from gui.canvas.measures import LEAST_TEXT
from gui.theme import Theme, mix, mono_font, themes, ui_font

CENTER = int(Qt.AlignmentFlag.AlignCenter)
LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)


def ink(token: str, share: float = 1.0) -> QColor:
    """A colour of the current theme."""
    return _ink(themes.current, token, share)


def pen(token: str, width: float, share: float = 1.0) -> QPen:
    """A solid pen in scene pixels."""
    return _pen(themes.current, token, width, share)


def family(name: str) -> QColor:
    """The colour of a layer family."""
    return _family(themes.current, name)


def tile(name: str) -> QColor:
    """The fill of a family's tile."""
    return _tile(themes.current, name)


def scale_color(position: float) -> QColor:
    """The colour of a position on the gradient scale."""
    return _scale(themes.current, round(position * 128))


def blended(token: str, under: str, share: float) -> QColor:
    """`token` at `share` over `under`, opaque."""
    return _blended(themes.current, token, under, share)


@cache
def font(size: int, weight: int = 400) -> QFont:
    """The interface font at a size in the painter's pixels."""
    return ui_font(size, weight)


@cache
def mono(size: int, weight: int = 400) -> QFont:
    """The font of numbers and shapes at a size in the painter's pixels."""
    return mono_font(size, weight)


def readable(size: int, zoom: float) -> int:
    """A text size in scene pixels that is never drawn below the least size on the screen."""
    return max(size, ceil(LEAST_TEXT / zoom - 1e-6))


@contextmanager
def on_screen(painter: QPainter) -> Iterator[QTransform]:
    """Paints in view pixels for a while; yields the transform from the scene, to place things."""
    transform = painter.transform()
    painter.setTransform(QTransform())
    try:
        yield transform
    finally:
        painter.setTransform(transform)


def clear_of_pixels(rect: QRectF, ratio: float) -> QRectF:
    """A rectangle in view pixels with its corner on a whole device pixel."""
    return QRectF(round(rect.x() * ratio) / ratio, round(rect.y() * ratio) / ratio, rect.width(), rect.height())


@cache
def _ink(theme: Theme, token: str, share: float) -> QColor:
    return theme.color(token, share)


@cache
def _pen(theme: Theme, token: str, width: float, share: float) -> QPen:
    return QPen(theme.color(token, share), width)


@cache
def _family(theme: Theme, name: str) -> QColor:
    return theme.family_color(name)


@cache
def _tile(theme: Theme, name: str) -> QColor:
    return theme.tile_color(name)


@cache
def _scale(theme: Theme, step: int) -> QColor:
    return theme.gradient_color(step / 128)


@cache
def _blended(theme: Theme, token: str, under: str, share: float) -> QColor:
    return mix(theme.color(token), theme.color(under), share)
