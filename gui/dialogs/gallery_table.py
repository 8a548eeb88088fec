"""The table of networks in the gallery: name, parameters, accuracy, cost and image size; sortable and searchable.

Owns the model, the filter and the columns. The rows come from the engine.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from gui.theme import mono_font, row_height, themes

Index = QModelIndex | QPersistentModelIndex
COLUMNS = 5


class GalleryTable(QTableView):
    """One network is chosen at a time. Signal: `chosen(card)` while the selection moves, `wanted()` on Enter."""

    chosen = Signal(object)
    wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = _Rows(self)
        self._found = QSortFilterProxyModel(self)
        self._found.setSourceModel(self._rows)
        self._found.setSortRole(Qt.ItemDataRole.UserRole)
        self._found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setModel(self._found)
        self.setAccessibleName(self.tr("Networks"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(row_height(12, 26, 8))
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.selectionModel().currentRowChanged.connect(lambda now, _before: self.chosen.emit(self._card(now)))
        self.doubleClicked.connect(lambda _index: self.wanted.emit())
        themes.changed.connect(self.viewport().update)

    def show_cards(self, cards: tuple[Any, ...]) -> None:
        """Shows these networks and chooses the first."""
        self._rows.show_cards(cards)
        for column in range(1, COLUMNS):
            self.resizeColumnToContents(column)
        if cards:
            self.selectRow(0)

    def search(self, words: str) -> None:
        """Shows networks whose names contain the words; one stays chosen."""
        self._found.setFilterFixedString(words)
        if not self.currentIndex().isValid() and self._found.rowCount():
            self.selectRow(0)

    def choose(self, name: str) -> None:
        """Chooses a network by name, if it is shown."""
        for row in range(self._found.rowCount()):
            if self._found.index(row, 0).data() == name:
                self.selectRow(row)
                self.scrollTo(self._found.index(row, 0))

    @property
    def num_shown(self) -> int:
        """How many rows the search leaves."""
        return self._found.rowCount()

    def _card(self, index: QModelIndex) -> Any:
        return self._rows.cards[self._found.mapToSource(index).row()] if index.isValid() else None


class _Rows(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.cards: tuple[Any, ...] = ()

    def show_cards(self, cards: tuple[Any, ...]) -> None:
        self.beginResetModel()
        self.cards = cards
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.cards)

    def columnCount(self, parent: Index | None = None) -> int:
        return COLUMNS

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Network"), self.tr("Parameters"), self.tr("Accuracy"), self.tr("Multiply-adds"),
                    self.tr("Image"))[section]  # fmt: skip
        if role == Qt.ItemDataRole.ToolTipRole:
            return (
                self.tr("torchvision's name"), self.tr("Weights and biases"),
                self.tr("Share of ImageNet's validation images that the best weights answer right at once"),
                self.tr("For one image"), self.tr("Side of the images that the best weights take"),
            )[section]  # fmt: skip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_side(section) | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        card, column = self.cards[index.row()], index.column()
        plain = (card.name, card.parameters, card.best.accuracy, card.giga_multiply_adds, card.best.size)[column]
        if role == Qt.ItemDataRole.UserRole:
            return plain
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                card.name, f"{card.parameters / 1e6:.1f} M", f"{card.best.accuracy:.1f} %",
                f"{card.giga_multiply_adds:.2f} G", f"{card.best.size} px",
            )[column]  # fmt: skip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_side(column) | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.FontRole and column:
            return mono_font(12)
        return None


def _side(column: int) -> Qt.AlignmentFlag:
    return Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
