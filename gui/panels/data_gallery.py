"""Samples as a grid of labelled images that fills its room; small images are enlarged to whole multiples, crisp.

Owns placing and painting. Never reads a sample.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from gui.panels.data_look import Pictures
from gui.theme import color, line_height, ui_font

GAP = 8
SMALL = 40
"""The least size that tiny images are enlarged to."""
LARGE = 96
TINY_SIDE = 40
STALE = 0.6


class Gallery(QWidget):
    """Shows as many images as there is room for."""

    arranged = Signal(int)
    """How many images there is room for now."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = Pictures((), ())
        self._stale = False
        self._places: list[QRectF] = []
        self.setAccessibleName(self.tr("Samples"))
        self.setMinimumSize(80, 60)

    def show_pictures(self, pictures: Pictures) -> None:
        """Shows other images."""
        self._shown, self._stale = pictures, False
        self._arrange()
        self.update()

    def set_stale(self, stale: bool) -> None:
        """Pales what is shown while something newer is on its way."""
        self._stale = stale
        self.update()

    @property
    def num_visible(self) -> int:
        """How many images there was room for."""
        return len(self._places)

    def sizeHint(self) -> QSize:
        """The size at which a few images show."""
        return QSize(420, 160)

    def resizeEvent(self, event: object) -> None:
        """Fill the new room."""
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """The label of an image in full, as its tip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = next((at for at, box in enumerate(self._places) if box.contains(QPointF(event.pos()))), None)
            QToolTip.showText(event.globalPos(), "" if place is None else self._shown.labels[place], self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the images and their labels."""
        painter = QPainter(self)
        painter.setOpacity(STALE if self._stale else 1.0)
        font = ui_font(11)
        painter.setFont(font)
        words = QFontMetricsF(font)
        for place, box in enumerate(self._places):
            image, label = self._shown.images[place], self._shown.labels[place]
            area = QRectF(box.left(), box.top(), box.width(), box.height() - self._label_height())
            self._paint_image(painter, image, area)
            if self._shown.group > 1 and place % self._shown.group == 0:
                painter.setPen(QPen(color("accent"), 2))
                painter.drawRect(area.adjusted(-1, -1, 1, 1))
            painter.setPen(color("text2"))
            shown = words.elidedText(label, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(
                QRectF(box.left(), area.bottom() + 1, box.width(), self._label_height() - 1),
                Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter,
                shown,
            )
        painter.end()

    def _paint_image(self, painter: QPainter, image: QImage, area: QRectF) -> None:
        target = QRectF(area)
        scale = min(area.width() / image.width(), area.height() / image.height())
        small = scale >= 1
        if small:
            # Whole multiples in the pixels of the screen: every pixel of the sample becomes an equal square.
            ratio = self.devicePixelRatioF()
            scale = max(1, int(scale * ratio)) / ratio
        size = (image.width() * scale, image.height() * scale)
        target = QRectF(area.center().x() - size[0] / 2, area.center().y() - size[1] / 2, *size)
        target.moveTopLeft(QPointF(round(target.left()), round(target.top())))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not small)
        painter.drawImage(target, image)

    def _arrange(self) -> None:
        self._places = []
        if not self._shown.images or self.width() < 20 or self.height() < 20:
            return
        sides = [max(image.width(), image.height()) for image in self._shown.images]
        largest, label = max(sides), self._label_height()
        tiny = largest <= TINY_SIDE
        wanted = math.ceil(SMALL / largest) * largest if tiny else LARGE
        rows = max(1, int((self.height() + GAP - 4) // (wanted + label + GAP)))
        side = (self.height() + GAP - 4) / rows - GAP - label
        if tiny:
            ratio = self.devicePixelRatioF()
            side = max(1, int(side * ratio / largest)) * largest / ratio
        side = min(side, self.width(), 1.6 * wanted)
        columns = max(1, int((self.width() + GAP) // (side + GAP)))
        if columns > self._shown.group:
            columns -= columns % self._shown.group
        # The columns end where the panel ends; a gap may grow, an image never loses its sharpness.
        step = (self.width() - side) / (columns - 1) if columns > 1 else 0
        step = min(step, side + 2 * GAP)
        for place in range(min(rows * columns, len(self._shown.images))):
            row, column = divmod(place, columns)
            left, top = round(column * step), 2 + round(row * (side + label + GAP))
            self._places.append(QRectF(left, top, side, side + label))
        self.arranged.emit(len(self._places))

    def _label_height(self) -> int:
        return line_height(11) + 2 if any(self._shown.labels) else 0
