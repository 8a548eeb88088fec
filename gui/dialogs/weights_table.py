"""The table of which tensor of a file goes where: one row per tensor, coloured by what becomes of it, searchable.

Owns the model, the filter and the columns. Never decides anything: the rows come from the engine.
"""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableView, QWidget

from engine.weightmatch import ABSENT, DIFFERS, NAMED, ORDERED, UNUSED, Match, Row
from gui.icons import icon
from gui.theme import color, mono_font, row_height, themes

Index = QModelIndex | QPersistentModelIndex
LOOKS = {
    NAMED: ("ok", "check"), ORDERED: ("accent", "link"), DIFFERS: ("warn", "warning"),
    ABSENT: ("text2", "minus"), UNUSED: ("text2", "dot"),
}  # fmt: skip
"""Colour and icon of what becomes of a tensor; the word stands beside them."""
NAMES, SHAPES, REMARK = (1, 3), (2, 4), 5
COLUMNS = 6


class WeightsTable(QTableView):
    """Rows are looked at and copied, never edited."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._widest = dict.fromkeys(range(COLUMNS), 120)
        self._rows = _Rows(self)
        self._found = _Found(self)
        self._found.setSourceModel(self._rows)
        self.setModel(self._found)
        self.setAccessibleName(self.tr("Tensors of the network and of the file"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(row_height(12, 26, 8))
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        themes.changed.connect(self.viewport().update)

    def show_match(self, match: Match) -> None:
        """Shows other rows."""
        self._rows.show_rows(match.rows)
        for column in range(COLUMNS):
            self.resizeColumnToContents(column)
        self._widest = {column: self.columnWidth(column) for column in range(COLUMNS)}
        self._share_out()
        self.scrollToTop()

    def search(self, words: str) -> None:
        """Shows rows whose names contain the words."""
        self._found.search(words)

    def show_status(self, status: str) -> None:
        """Shows rows of one status; "" for all."""
        self._found.show_status(status)

    def shown(self) -> list[Row]:
        """The rows that are visible, in order."""
        places = [self._found.mapToSource(self._found.index(row, 0)).row() for row in range(self._found.rowCount())]
        return [self._rows.rows[place] for place in places]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Names and remarks share the room."""
        super().resizeEvent(event)
        self._share_out()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy takes the selected rows, a tab between columns."""
        if not event.matches(QKeySequence.StandardKey.Copy):
            super().keyPressEvent(event)
            return
        lines = [
            "\t".join(str(index.siblingAtColumn(column).data() or "") for column in range(self._found.columnCount()))
            for index in self.selectionModel().selectedRows()
        ]
        QApplication.clipboard().setText("\n".join(lines))

    def _share_out(self) -> None:
        """Names as wide as they are where there is room, and the remark what is left."""
        narrow = sum(self.columnWidth(column) for column in (0, *SHAPES))
        room = self.viewport().width() - narrow
        wanted = [self._widest[column] for column in NAMES]
        remark = min(self._widest[REMARK], room // 3)
        most = max(120, (room - remark) // len(NAMES))
        for column, width in zip(NAMES, wanted, strict=True):
            spare = sum(max(0, most - other) for other in wanted) - max(0, most - width)
            self.setColumnWidth(column, min(width, most + spare))
        self.setColumnWidth(REMARK, max(120, room - sum(self.columnWidth(column) for column in NAMES)))


class _Rows(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else COLUMNS

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.rows[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._words(row)[column]
        token, drawing = LOOKS[row.status]
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return icon(drawing, token)
        if role == Qt.ItemDataRole.ForegroundRole:
            if column == 0 or (row.status == DIFFERS and column in SHAPES):
                return color(token)
            return color("text" if column in (1, 3) else "text2")
        if role == Qt.ItemDataRole.FontRole and 0 < column < REMARK:
            return mono_font(11)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return (
            self.tr("What becomes of it"), self.tr("In the network"), self.tr("Shape"), self.tr("In the file"),
            self.tr("Shape"), self.tr("Remark"),
        )[section]  # fmt: skip

    def _words(self, row: Row) -> tuple[str, ...]:
        status = {
            NAMED: self.tr("Matched"), ORDERED: self.tr("By order"), DIFFERS: self.tr("Differs"),
            ABSENT: self.tr("No weights"), UNUSED: self.tr("Left over"),
        }[row.status]  # fmt: skip
        return (
            status, row.own, str(row.own_facts or ""), row.theirs, str(row.their_facts or ""), row.note,
        )  # fmt: skip


class _Found(QSortFilterProxyModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._searched = ""
        self._status = ""

    def search(self, words: str) -> None:
        self._searched = words.strip().lower()
        self.invalidate()

    def show_status(self, status: str) -> None:
        self._status = status
        self.invalidate()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        model = self.sourceModel()
        assert isinstance(model, _Rows)
        row = model.rows[source_row]
        named = not self._searched or self._searched in row.own.lower() or self._searched in row.theirs.lower()
        return named and (not self._status or row.status == self._status)
