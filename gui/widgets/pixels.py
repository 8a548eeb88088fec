"""Arrays as pictures: one image, or many maps as small multiples on one scale. Crisp at every zoom and screen scale.

Owns painting. Never computes what it shows.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from gui.numbers import number
from gui.theme import color

Values = NDArray[np.floating]
MOST_MAPS = 64
"""More maps are counted, not drawn."""
LEAST_CELL = 24
GAP = 4
STALE = 0.6


def image_of(pixels: NDArray[np.uint8]) -> QImage:
    """An (h, w) or (h, w, 3) uint8 array as an image of its own memory."""
    kept = np.ascontiguousarray(pixels)
    form = QImage.Format.Format_RGB888 if kept.ndim == 3 else QImage.Format.Format_Grayscale8
    # A copy, because an image only points to the array, which goes away.
    return QImage(kept.data, kept.shape[1], kept.shape[0], kept.strides[0], form).copy()


def shades(values: Values, low: float, high: float) -> NDArray[np.uint8]:
    """Numbers as grey, `low` black and `high` white; what is not finite is black."""
    if low == high:  # of one shade: white above nothing, else black
        low, high = min(low, 0.0), max(high, 0.0)
    spread = (high - low) or 1.0
    share = np.nan_to_num((values.astype(np.float64) - low) / spread, nan=0.0, posinf=1.0, neginf=0.0)
    return np.clip(share * 255 + 0.5, 0, 255).astype(np.uint8)


class PixelView(QWidget):
    """One picture, as large as there is room for; small ones in whole multiples."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self._stale = False
        self.setMinimumSize(48, 48)

    @property
    def image(self) -> QImage:
        """What is shown; null for nothing."""
        return self._image

    def show_image(self, image: QImage) -> None:
        """Shows another picture, or nothing for a null one."""
        self._image, self._stale = image, False
        self.update()

    def set_stale(self, stale: bool) -> None:
        """Pales the picture while a newer one is on its way."""
        self._stale = stale
        self.update()

    def sizeHint(self) -> QSize:
        """The size in a dock of usual height."""
        return QSize(150, 150)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        if self._image.isNull():
            return
        painter = QPainter(self)
        painter.setOpacity(STALE if self._stale else 1.0)
        paint_picture(painter, self._image, QRectF(self.rect()).adjusted(1, 1, -1, -1), self.devicePixelRatioF())
        painter.end()


class MapsView(QWidget):
    """Maps (C, h, w) beside each other, black at the least and white at the greatest number of all of them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._maps: Values = np.zeros((0, 1, 1), np.float32)
        self._images: list[QImage] = []
        self._stale = False
        self.setMinimumSize(80, 60)
        self.setAccessibleName(self.tr("Feature maps"))

    @property
    def num_drawn(self) -> int:
        """How many maps there are places for now."""
        return len(self.places())

    def show_maps(self, maps: Values) -> None:
        """Shows other maps."""
        self._maps, self._stale = maps[:MOST_MAPS], False
        finite = maps[np.isfinite(maps)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        self._images = [image_of(shades(one, low, high)) for one in self._maps]
        self.update()

    def set_stale(self, stale: bool) -> None:
        """Pales the maps while newer ones are on their way."""
        self._stale = stale
        self.update()

    def places(self) -> list[QRectF]:
        """Where the maps stand: as large as all fit, but not below a least size; then the first that fit."""
        count = len(self._images)
        if not count:
            return []
        best, across = 0.0, 1
        for columns in range(1, count + 1):
            side = min(self.width() / columns, self.height() / math.ceil(count / columns)) - GAP
            if side > best:
                best, across = side, columns
        if best < LEAST_CELL:
            best, across = LEAST_CELL, max(1, int(self.width() // (LEAST_CELL + GAP)))
        rows = max(1, int((self.height() + GAP) // (best + GAP)))
        step = best + GAP
        return [
            QRectF(place % across * step, place // across * step, best, best)
            for place in range(min(count, rows * across))
        ]  # fmt: skip

    def event(self, event: QEvent) -> bool:
        """A map's number and range as its tip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            point = QPointF(event.pos())
            place = next((at for at, box in enumerate(self.places()) if box.contains(point)), None)
            if place is not None:
                one = self._maps[place]
                words = self.tr("Map {0}: {1} to {2}")
                QToolTip.showText(event.globalPos(), words.format(place, number(float(one.min())),
                                                                  number(float(one.max()))), self)  # fmt: skip
            return True
        return super().event(event)

    def sizeHint(self) -> QSize:
        """The size in a dock of usual height."""
        return QSize(320, 150)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fill the new room."""
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        painter = QPainter(self)
        painter.setOpacity(STALE if self._stale else 1.0)
        for image, box in zip(self._images, self.places(), strict=False):
            paint_picture(painter, image, box, self.devicePixelRatioF())
        painter.end()


def paint_picture(painter: QPainter, image: QImage, area: QRectF, ratio: float) -> None:
    """Paints an image into an area, kept in proportion, with a thin edge around it."""
    scale = min(area.width() / image.width(), area.height() / image.height())
    small = scale >= 1
    if small:  # whole multiples in the pixels of the screen: every number becomes an equal square
        scale = max(1, int(scale * ratio)) / ratio
    size = (image.width() * scale, image.height() * scale)
    target = QRectF(area.center().x() - size[0] / 2, area.center().y() - size[1] / 2, *size)
    target.moveTopLeft(QPointF(round(target.left() * ratio) / ratio, round(target.top() * ratio) / ratio))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not small)
    painter.drawImage(target, image)
    painter.setPen(color("border2"))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(target.adjusted(-0.5, -0.5, -0.5, -0.5))
