"""A row to predict from, cell by cell: typed, or taken from the data and changed.

Owns the fields. Never encodes a cell: the engine does, as in training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from engine.asked import FromCells, Reply, Source
from engine.datasets.encoding import GAP, Column
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.choices import Choice
from gui.widgets.labels import ElidedLabel
from gui.widgets.number_field import TextField


class CellsPage(QWidget):
    """The cells of one row, typed or taken from a row of the data."""

    changed = Signal()
    row_wanted = Signal()
    """A row of the data, drawn at random, is to be filled in."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._readers: dict[str, Callable[[], str]] = {}
        self._writers: dict[str, Callable[[str], None]] = {}
        self._touched = False
        self.random = Button(self.tr("Random row"),
                             tip=self.tr("Fill in a row of the data, drawn at random"))  # fmt: skip
        self.words = ElidedLabel("", role="label")
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        top = QHBoxLayout()
        top.addWidget(self.random)
        top.addWidget(self.words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(metrics.grid)
        column.addLayout(top)
        column.addWidget(self._scroll, 1)
        self.random.clicked.connect(self.row_wanted)

    def set_columns(self, columns: Sequence[Column]) -> None:
        """A field for each column: a choice of its words, or text for a number."""
        body = QWidget()
        grid = QGridLayout(body)
        grid.setContentsMargins(0, 0, metrics.grid, 0)
        grid.setSpacing(metrics.half)
        self._readers.clear()
        self._writers.clear()
        self._touched = False
        for place, column in enumerate(columns):
            label = ElidedLabel(column.name, role="label")
            editor = self._editor(column)
            editor.setAccessibleName(column.name)
            grid.addWidget(label, place, 0)
            grid.addWidget(editor, place, 1)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 3)
        grid.setRowStretch(len(columns), 1)
        self._scroll.setWidget(body)

    def source(self) -> Source | None:
        """The row, None before anything was typed or filled in."""
        return FromCells({name: read() for name, read in self._readers.items()}) if self._touched else None

    def fill(self, reply: Reply) -> None:
        """Writes a row of the data into the fields; its true answer stands beside them until one is changed."""
        for name, cell in reply.cells.items():
            if name in self._writers:
                self._writers[name](cell)
        self._touched = True
        truth = ", ".join(words for words in reply.truth.values() if words)
        self.words.setText(self.tr("In truth {0}").format(truth) if truth else reply.label)
        self.words.setToolTip(reply.label)

    def show_reply(self, reply: Reply) -> None:
        """Nothing of a reply is shown here: the cells are what was asked."""

    def _editor(self, column: Column) -> QWidget:
        if column.categories:
            words = [(word if word != GAP else "", word) for word in column.categories]
            choice = Choice(words, words[0][0], dense=True)
            choice.setToolTip(self.tr("{0}: one of the words that training met").format(column.name))
            choice.committed.connect(lambda _word: self._tell())
            self._readers[column.name] = lambda: str(choice.value() or "")
            self._writers[column.name] = choice.set_value
            return choice
        field = TextField(f"{column.fill:.6g}", dense=True)
        field.setToolTip(self.tr("{0}: a number; empty is a gap, which training filled with {1}").format(
            column.name, f"{column.fill:.6g}"))  # fmt: skip
        field.edited.connect(lambda _text: self._tell())
        self._readers[column.name] = field.entry.text
        self._writers[column.name] = field.set_value
        return field

    def _tell(self) -> None:
        self._touched = True
        self.words.setText("")
        self.changed.emit()
