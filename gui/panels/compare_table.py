"""A table that is read, not edited: swatches of the charts' colours before names, the best in bold, the equal quiet.

Owns painting and heights: it is as high as its rows, because the page around it scrolls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QKeySequence, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from gui.theme import color, mono_font, row_height, themes, ui_font

ROW = 32
HEAD = 32
SWATCH = 16
_COLOR, _STRENGTH = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
STRONG, PLAIN, QUIET = 2, 1, 0


@dataclass(frozen=True)
class Line:
    """One row: its words, a strength per cell, and the colour of its series (None: no swatch)."""

    cells: tuple[str, ...]
    strengths: tuple[int, ...]
    series: int | None = None
    tip: str = ""


class ComparisonTable(QTableWidget):
    """First column left, the others right or, for settings, left in the mono font."""

    def __init__(self, name: str, *, mono: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mono = mono
        self.setAccessibleName(name)
        self.setItemDelegate(_Delegate(self, mono))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setShowGrid(False)
        self.setFrameShape(QTableWidget.Shape.NoFrame)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(row_height(13, ROW, 10))
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head = self.horizontalHeader()
        head.setFixedHeight(HEAD)
        head.setHighlightSections(False)
        head.setSectionsClickable(False)
        themes.changed.connect(self.viewport().update)

    def show_lines(self, columns: Sequence[str], lines: Sequence[Line], tips: Sequence[str] = ()) -> None:
        """Shows other rows; `tips` explain the columns."""
        self.clear()
        self.setColumnCount(len(columns))
        self.setRowCount(len(lines))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for column, words in enumerate(columns):
            head = QTableWidgetItem(words)
            head.setTextAlignment(left if column == 0 or self._mono else right)
            head.setToolTip(tips[column] if column < len(tips) else words)
            self.setHorizontalHeaderItem(column, head)
        for row, line in enumerate(lines):
            for column, words in enumerate(line.cells):
                item = QTableWidgetItem(words)
                item.setToolTip(line.tip if column == 0 and line.tip else words)
                item.setTextAlignment(left if column == 0 or self._mono else right)
                item.setData(_STRENGTH, line.strengths[column])
                item.setData(_COLOR, line.series if column == 0 else None)
                self.setItem(row, column, item)
        self._fit(columns, lines)

    def minimumSizeHint(self) -> QSize:
        """All rows: the page scrolls, not the table."""
        return QSize(200, self.sizeHint().height())

    def sizeHint(self) -> QSize:
        """All rows."""
        bar = 12 if self.horizontalScrollBar().isVisible() else 2
        return QSize(600, HEAD + self.rowCount() * self.verticalHeader().defaultSectionSize() + bar)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the page."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy takes the selected cells, a tab between columns."""
        if not event.matches(QKeySequence.StandardKey.Copy):
            super().keyPressEvent(event)
            return
        rows: dict[int, list[str]] = {}
        for index in sorted(self.selectedIndexes(), key=lambda one: (one.row(), one.column())):
            rows.setdefault(index.row(), []).append(str(index.data()))
        QApplication.clipboard().setText("\n".join("\t".join(cells) for cells in rows.values()))

    def _fit(self, columns: Sequence[str], lines: Sequence[Line]) -> None:
        font = QFontMetricsF(mono_font(12) if self._mono else ui_font(13, 600))
        head = QFontMetricsF(ui_font(11, 600))
        widths = []
        for column, words in enumerate(columns):
            cells = [font.horizontalAdvance(line.cells[column]) for line in lines]
            widths.append(min(320.0, max([head.horizontalAdvance(words), *cells]) + 28))
        widths[0] += SWATCH + 14 if any(line.series is not None for line in lines) else 0
        resize = self.horizontalHeader().setSectionResizeMode
        for column, width in enumerate(widths):
            resize(column, QHeaderView.ResizeMode.Interactive)
            self.setColumnWidth(column, round(width))
        # What room is left goes to the names, so that the figures stay together at the right.
        stretched = len(columns) - 1 if self._mono else 0
        if sum(widths) < self.viewport().width() or self.width() < 200:
            resize(stretched, QHeaderView.ResizeMode.Stretch)
        self.updateGeometry()


class _Delegate(QStyledItemDelegate):
    def __init__(self, parent: QWidget, mono: bool) -> None:
        super().__init__(parent)
        self._mono = mono

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        painter.save()
        area = QRectF(option.rect)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, color("selected"))
        painter.setPen(color("border"))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        room = area.adjusted(8, 0, -8, 0)
        series = index.data(_COLOR)
        if series is not None:
            middle = round(area.center().y())
            painter.fillRect(QRectF(room.left(), middle - 1, SWATCH, 3), color(f"series.{series}"))
            if series >= 8:
                painter.setPen(QPen(color("panel"), 3))
                painter.drawLine(int(room.left() + 6), middle, int(room.left() + 9), middle)
            room.setLeft(room.left() + SWATCH + 10)
        strength = index.data(_STRENGTH)
        first = index.column() == 0
        if self._mono:
            painter.setFont(mono_font(12 if not first else 11, 600 if strength == STRONG else 400))
        else:
            painter.setFont(ui_font(13, 600 if strength == STRONG else 400))
        painter.setPen(color("text" if strength else "text3"))
        words = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag(index.data(Qt.ItemDataRole.TextAlignmentRole)), words)
        painter.restore()
