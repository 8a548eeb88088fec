"""The whole level in small, with the part in view: bottom right. Drag in it to go there."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from gui.canvas.board import Board
from gui.canvas.boxes import Kind
from gui.canvas.paint.dots import paint_dots
from gui.canvas.paint.ink import ink, pen
from gui.clock import clock
from gui.theme import metrics, themes
from gui.widgets.box import paint_box

WIDE, HIGH, PADDING = 176, 88, 10.0
TICKS = 5
"""Colours of dots this small are followed twice a second."""


class Minimap(QWidget):
    """Boxes as dots in the colours on show; their picture is kept until boxes or colours change."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._board = board
        self._picture = QPixmap()
        self._area = QRectF()
        self._ticks = 0
        self.setFixedSize(QSize(WIDE, HIGH))
        self.setToolTip(self.tr("Drag to go there"))
        board.synced.connect(self.forget)
        board.evidence_changed.connect(self.forget)
        board.camera_moved.connect(self.update)
        themes.changed.connect(self.forget)
        clock.subscribe(self, self._tick)

    def forget(self) -> None:
        """Boxes or colours are other ones now."""
        self._picture = QPixmap()
        self.update()

    def _tick(self) -> None:
        self._ticks += 1
        if self._board.shown.evidence.on and self._ticks % TICKS == 0:
            self.forget()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws the kept picture and the frame of the view."""
        ratio = self.devicePixelRatioF()
        if self._picture.isNull():
            self._picture = self._make(ratio)
        painter = QPainter(self)
        painter.drawPixmap(QPointF(0, 0), self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        seen = self._board.camera.rect_to_scene(QRectF(self._board.rect()))
        view = QRectF(self._to_map(seen.topLeft()), self._to_map(seen.bottomRight()))
        view = view & QRectF(self.rect()).adjusted(2, 2, -2, -2)
        painter.setPen(pen("accent", 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(view, 4, 4)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Goes there."""
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Keeps going there."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        scale, corner = self._scale()
        place = (event.position() - corner) / scale + self._area.topLeft()
        self._board.aim(place, self._board.camera.zoom)

    def _make(self, ratio: float) -> QPixmap:
        board = self._board
        self._area = board.scene.bounds()
        made = QPixmap(self.size() * ratio)
        made.setDevicePixelRatio(ratio)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        paint_box(painter, QRectF(self.rect()), fill=ink("raised"), edge=ink("border"), radius=metrics.radius_node)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale, corner = self._scale()
        painter.translate(corner)
        painter.scale(scale, scale)
        painter.translate(-self._area.topLeft())
        frame = QPen(ink("border2"), 1.0)
        frame.setCosmetic(True)
        painter.setPen(frame)
        painter.drawRects([box.rect for box in board.scene.boxes.values() if box.kind is Kind.FRAME])
        paint_dots(painter, board.scene.boxes.values(), board.shown.evidence)
        painter.end()
        return made

    def _to_map(self, point: QPointF) -> QPointF:
        scale, corner = self._scale()
        return (point - self._area.topLeft()) * scale + corner

    def _scale(self) -> tuple[float, QPointF]:
        wide, high = self.width() - 2 * PADDING, self.height() - 2 * PADDING
        scale = min(wide / max(self._area.width(), 1.0), high / max(self._area.height(), 1.0), 0.12)
        size = self._area.size() * scale
        return scale, QPointF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2)
