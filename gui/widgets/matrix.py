"""A confusion matrix: rows are the truth, columns the answer; a cell is the darker the larger its share of the row.

Owns its painting. Colour never speaks alone: every cell says its number, and its tip says it in words.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui.theme import color, mono_font, themes, tint, ui_font

_LEAST, _MOST = 14, 44
"""Sides of a cell in pixels."""
_HEAD = 22
_GAP = 1
_NUMBERS_FROM = 22
"""Cells smaller than this show no number; the tip still does."""


class ConfusionMatrix(QWidget):
    """Counts by truth and answer, as large as the room allows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._classes: tuple[str, ...] = ()
        self._counts: tuple[tuple[int, ...], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 160)

    def show_counts(self, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
        """Shows a square of counts: `counts[truth][answer]`."""
        self._classes = tuple(classes)
        self._counts = tuple(tuple(int(value) for value in row) for row in counts)
        self.setAccessibleDescription(
            "; ".join(
                f"{name}: {', '.join(map(str, row))}" for name, row in zip(self._classes, self._counts, strict=True)
            )
        )
        self.update()

    def sizeHint(self) -> QSize:
        """Room for ten classes with numbers."""
        return QSize(460, 400)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the widget in the current theme."""
        if not self._classes:
            return
        painter = QPainter(self)
        left, side = self._geometry()
        self._paint_heads(painter, left, side)
        mono, strong = mono_font(11), mono_font(11, 600)
        share_most = 0.85 if themes.current.dark else 0.75
        for truth, row in enumerate(self._counts):
            total = sum(row) or 1
            for answer, value in enumerate(row):
                cell = QRectF(left + answer * side, 2 * _HEAD + truth * side, side - _GAP, side - _GAP)
                share = value / total
                token = "accent_fill" if truth == answer else "error"
                painter.fillRect(cell, tint(color(token), color("sunken"), share_most * share))
                if side >= _NUMBERS_FROM and value:
                    painter.setFont(strong if truth == answer else mono)
                    painter.setPen(color("on_accent" if share > 0.5 else "text"))
                    painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, str(value))
        painter.end()

    def event(self, event: QEvent) -> bool:
        """A cell's tip says it in words."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.words_at(event.pos()), self)
            return True
        return super().event(event)

    def words_at(self, point: QPoint) -> str:
        """The cell below a point in words; empty beside the cells."""
        left, side = self._geometry()
        answer, truth = int((point.x() - left) // side), int((point.y() - 2 * _HEAD) // side)
        size = len(self._classes)
        if not (0 <= answer < size and 0 <= truth < size):
            return ""
        row = self._counts[truth]
        return self.tr("{0} of {1} samples of {2} are called {3}").format(
            row[answer], sum(row), self._classes[truth], self._classes[answer]
        )

    def _geometry(self) -> tuple[float, float]:
        metrics = QFontMetricsF(ui_font(11))
        left = min(120.0, max((metrics.horizontalAdvance(name) for name in self._classes), default=0.0)) + 26
        size = max(1, len(self._classes))
        side = min((self.width() - left) / size, (self.height() - 2 * _HEAD) / size, _MOST)
        return left, max(_LEAST / 2, float(int(side)))

    def _paint_heads(self, painter: QPainter, left: float, side: float) -> None:
        painter.setFont(ui_font(11))
        painter.setPen(color("text3"))
        size = len(self._classes)
        painter.drawText(QRectF(left, 0, size * side, _HEAD), Qt.AlignmentFlag.AlignCenter, self.tr("answer"))
        painter.save()
        painter.translate(8, 2 * _HEAD + size * side / 2)
        painter.rotate(-90)
        painter.drawText(QRectF(-60, -8, 120, 16), Qt.AlignmentFlag.AlignCenter, self.tr("truth"))
        painter.restore()
        if side < _LEAST:
            return
        painter.setPen(color("text2"))
        metrics = QFontMetricsF(painter.font())
        for index, name in enumerate(self._classes):
            row = QRectF(18, 2 * _HEAD + index * side, left - 26, side)
            words = metrics.elidedText(name, Qt.TextElideMode.ElideRight, row.width())
            painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
            head = QRectF(left + index * side, _HEAD, side, _HEAD)
            words = metrics.elidedText(name, Qt.TextElideMode.ElideRight, side - 2)
            painter.drawText(head, Qt.AlignmentFlag.AlignCenter, words)
