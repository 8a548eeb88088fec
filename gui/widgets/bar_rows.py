"""Rows of a name, a bar and a number: probabilities with their spread, values of features, results of a layer.

Owns painting, scrolling and choosing a row. Only the rows in sight are drawn, so that a thousand cost no more than ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from gui.icons import paint_icon
from gui.theme import color, mono_font, row_height, ui_font
from gui.widgets.box import paint_box

GAP = 8
BAR = 8
MARK = 14
STALE = 0.6


@dataclass(frozen=True)
class Row:
    """One row. Bars of negative values go to the left of a line in the middle."""

    name: str
    value: float
    words: str
    """The number, as it is shown."""
    spread: float = 0.0
    """Half the length of the whisker at the end of the bar."""
    mark: str = ""
    """`right`: a tick, this is the truth and it was answered; `truth`: this would have been right."""


class BarRows(QAbstractScrollArea):
    """`chosen(name)` is emitted when the person picks a row; "" when the row that was picked is picked again."""

    chosen = Signal(str)

    def __init__(self, *, selectable: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Row, ...] = ()
        self._full = 0.0
        self._picked = ""
        self._stale = False
        self._selectable = selectable
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if selectable else Qt.FocusPolicy.TabFocus)
        self.viewport().setAutoFillBackground(False)
        self.setMinimumSize(120, 3 * self._height())

    @property
    def rows(self) -> tuple[Row, ...]:
        """What is shown."""
        return self._rows

    @property
    def picked(self) -> str:
        """Name of the row that the person picked; "" for none."""
        return self._picked

    def show_rows(self, rows: Sequence[Row], *, full: float = 0.0) -> None:
        """Shows other rows; a bar of `full` (0: the greatest size) fills its room."""
        self._rows = tuple(rows)
        self._full = full or max((abs(row.value) + row.spread for row in rows), default=0.0) or 1.0
        self._stale = False
        if self._picked and all(row.name != self._picked for row in rows):
            self._picked = ""
        self._measure()
        self.viewport().update()

    def set_stale(self, stale: bool) -> None:
        """Pales the rows while newer ones are on their way."""
        self._stale = stale
        self.viewport().update()

    def pick(self, name: str) -> None:
        """Picks a row from code, without telling."""
        self._picked = name
        self.viewport().update()

    def sizeHint(self) -> QSize:
        """The size at which ten rows show."""
        return QSize(260, 10 * self._height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or fewer rows are in sight."""
        self._measure()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Picks the row under the pointer."""
        row = self._at(event.position().toPoint())
        if self._selectable and row is not None and event.button() == Qt.MouseButton.LeftButton:
            self._choose(row.name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down pick a neighbour."""
        by = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        if not (self._selectable and by and self._rows):
            super().keyPressEvent(event)
            return
        names = [row.name for row in self._rows]
        now = names.index(self._picked) if self._picked in names else (-1 if by > 0 else len(names))
        place = min(max(now + by, 0), len(names) - 1)
        if names[place] != self._picked:
            self._choose(names[place])
        height = self._height()
        bar = self.verticalScrollBar()
        bar.setValue(min(max(bar.value(), (place + 1) * height - self.viewport().height()), place * height))

    def viewportEvent(self, event: QEvent) -> bool:
        """A row in full as its tip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = self._at(event.pos())
            words = f"{row.name}  {row.words}" if row else ""
            if row and self._selectable:
                words += "\n" + self.tr("Press to see what in the input speaks for it, under Why")
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows in sight in the current theme."""
        painter = QPainter(self.viewport())
        painter.setOpacity(STALE if self._stale else 1.0)
        height, top = self._height(), self.verticalScrollBar().value()
        name_width, number_width = self._columns()
        first = top // height
        for place in range(first, min(len(self._rows), first + self.viewport().height() // height + 2)):
            area = QRectF(0, place * height - top, self.viewport().width(), height)
            self._paint_row(painter, self._rows[place], area, name_width, number_width)
        painter.end()

    def _paint_row(
        self, painter: QPainter, row: Row, area: QRectF, name_width: float, number_width: float
    ) -> None:  # fmt: skip
        if row.name == self._picked:
            paint_box(painter, area.adjusted(0, 1, 0, -1), fill=color("selected"), edge=None, radius=4)
        if row.mark:
            token = "ok" if row.mark == "right" else "text2"
            mark = QRectF(2, round(area.center().y() - MARK / 2), MARK, MARK)
            paint_icon(painter, "check" if row.mark == "right" else "target", mark, color(token))
        left = MARK + 6 if any(item.mark for item in self._rows) else 4
        font = ui_font(12, 600 if row.mark else 400)
        painter.setFont(font)
        painter.setPen(color("text"))
        name = QFontMetricsF(font).elidedText(row.name, Qt.TextElideMode.ElideRight, name_width)
        painter.drawText(QRectF(left, area.top(), name_width, area.height()), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setFont(mono_font(11))
        painter.setPen(color("text2"))
        side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(area.adjusted(0, 0, -4, 0), side, row.words)
        start = left + name_width + GAP
        track = QRectF(start, round(area.center().y() - BAR / 2), area.width() - 4 - number_width - GAP - start, BAR)
        if track.width() > 8:
            self._paint_bar(painter, row, track)

    def _paint_bar(self, painter: QPainter, row: Row, track: QRectF) -> None:
        paint_box(painter, track, fill=color("hover"), edge=None, radius=BAR / 2)
        signed = any(item.value < 0 for item in self._rows)
        zero = track.center().x() if signed else track.left()
        room = track.width() / 2 if signed else track.width()
        length = min(abs(row.value) / self._full, 1.0) * room if row.value == row.value else 0.0
        left = zero - length if row.value < 0 else zero
        if length > 0:
            bar = QRectF(left, track.top(), max(length, 1.0), BAR)
            token = "ok" if row.mark == "right" else "accent"
            paint_box(painter, bar, fill=color(token), edge=None, radius=min(BAR / 2, bar.width() / 2))
        if signed:
            painter.setPen(QPen(color("border2"), 1))
            painter.drawLine(round(zero), round(track.top()) - 2, round(zero), round(track.bottom()) + 2)
        if row.spread > 0:
            end = left if row.value < 0 else left + length
            half = row.spread / self._full * room
            painter.setPen(QPen(color("text"), 1.4))
            low, high = max(track.left(), end - half), min(track.right(), end + half)
            middle = track.center().y()
            painter.drawLine(
                QRectF(low, middle, high - low, 0).topLeft(), QRectF(low, middle, high - low, 0).topRight()
            )
            for at in (low, high):
                painter.drawLine(QRectF(at, middle - 3, 0, 6).topLeft(), QRectF(at, middle - 3, 0, 6).bottomLeft())

    def _columns(self) -> tuple[float, float]:
        """Widths of the names and of the numbers."""
        names, numbers = QFontMetricsF(ui_font(12, 600)), QFontMetricsF(mono_font(11))
        wide = max((numbers.horizontalAdvance(row.words) for row in self._rows), default=0.0)
        longest = max((names.horizontalAdvance(row.name) for row in self._rows), default=0.0)
        return min(longest + 2, self.viewport().width() * 0.4), wide

    def _at(self, point: QPoint) -> Row | None:
        place = (point.y() + self.verticalScrollBar().value()) // self._height()
        return self._rows[place] if 0 <= place < len(self._rows) else None

    def _choose(self, name: str) -> None:
        self._picked = "" if name == self._picked else name
        self.viewport().update()
        self.chosen.emit(self._picked)

    def _measure(self) -> None:
        height = self._height()
        bar = self.verticalScrollBar()
        bar.setSingleStep(height)
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, len(self._rows) * height - self.viewport().height()))

    def _height(self) -> int:
        return row_height(12, 22, 4)
