"""Samples as rows of a table: the answer first, then every feature under its name. Owns the model and the columns."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from gui.panels.data_look import Rows
from gui.theme import color, metrics, mono_font, ui_font

Index = QModelIndex | QPersistentModelIndex
MOST = 180
"""No column is wider: a long name is elided, its tip says all of it."""


class RowsView(QTableView):
    """A table that is only looked at; cells can be selected and copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _RowsModel(self)
        self.setModel(self._model)
        self.setAccessibleName(self.tr("Rows of the data"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(metrics.row)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setTabKeyNavigation(False)

    def show_rows(self, rows: Rows) -> None:
        """Shows other rows."""
        self._model.show_rows(rows)
        head, cell = QFontMetricsF(ui_font(11, 600)), QFontMetricsF(mono_font(11))
        for column, name in enumerate(rows.columns):
            widest = max((cell.horizontalAdvance(row[column]) for row in rows.cells), default=0.0)
            width = max(head.horizontalAdvance(name), widest) + 24
            self.setColumnWidth(column, min(MOST, round(width)))
        self.scrollToTop()

    def set_stale(self, stale: bool) -> None:
        """Pales what is shown while something newer is on its way."""
        self._model.set_stale(stale)


class _RowsModel(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows = Rows((), ())
        self._stale = False

    def show_rows(self, rows: Rows) -> None:
        self.beginResetModel()
        self._rows, self._stale = rows, False
        self.endResetModel()

    def set_stale(self, stale: bool) -> None:
        self._stale = stale
        if self._rows.cells:
            last = self.index(self.rowCount() - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last, [Qt.ItemDataRole.ForegroundRole])

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows.cells)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._rows.cells[index.row()][index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.FontRole:
            return mono_font(11, 600 if index.column() == 0 else 400)
        if role == Qt.ItemDataRole.ForegroundRole:
            return color("text3" if self._stale else "text" if index.column() == 0 else "text2")
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._rows.columns[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            words = self.tr("{0}: the answer") if section == 0 else "{0}"
            return words.format(self._rows.columns[section])
        return None
