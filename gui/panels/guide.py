"""The guide: tables of good practice as sections to read; each row applies itself to the project or shows its place.

Owns the rows and the search over them. What they say and do stands in `engine.guide`; whole tables are applied through
`gui.dialogs.preset`, which shows first what would change.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from engine.guide import TABLES, Row, Table, target_of
from engine.presets import PRESETS
from gui.document import Document
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.search_field import SearchField
from gui.widgets.section import CollapsibleSection
from gui.widgets.states import EmptyState


class GuidePanel(QWidget):
    """Sections of tables, with a field that finds rows."""

    show_requested = Signal(str, str)
    """(kind, type) of a declaration, or ("recipe", name) of a setting."""
    preset_requested = Signal(str)
    unchanged = Signal(str)
    """A row was applied, but the project is so already; the words name the row."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.rows: list[GuideRow] = []
        self.sections: dict[str, CollapsibleSection] = {}
        self.presets: dict[str, Button] = {}
        self.search = SearchField(self.tr("Find in the guide"))
        self.search.searched.connect(self._filter)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._nothing = EmptyState("search", self.tr("Nothing found"), self.tr("Try another word."), framed=False)
        self._nothing.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, metrics.grid, 0, 0)
        layout.setSpacing(metrics.half)
        head = QHBoxLayout()
        head.setContentsMargins(metrics.control_padding, 0, metrics.control_padding, 0)
        head.addWidget(self.search)
        layout.addLayout(head)
        layout.addWidget(self._nothing)
        layout.addWidget(self._scroll, 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Makes the rows when the panel is first painted: most windows keep it behind its tab."""
        super().paintEvent(event)
        if not self.sections:
            QTimer.singleShot(0, self, self._fill)

    def _fill(self) -> None:
        if self.sections:
            return
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, metrics.grid)
        layout.setSpacing(0)
        for number, table in enumerate(TABLES.values()):
            section = CollapsibleSection(table.title, opened=bool(table.preset), line=number > 0)
            if table.preset:
                self._add_preset(section, table)
            for row in table.rows:
                made = GuideRow(table, row)
                made.applied.connect(self._apply)
                made.shown.connect(lambda place: self.show_requested.emit(*target_of(place)))
                section.content.addWidget(made)
                self.rows.append(made)
            self.sections[table.id] = section
            layout.addWidget(section)
        layout.addStretch()
        self._scroll.setWidget(content)
        self._filter(self.search.text())

    def _add_preset(self, section: CollapsibleSection, table: Table) -> None:
        preset = PRESETS[table.preset]
        button = Button(self.tr("Apply to this network…"), icon_name="wand", tip=f"{preset.help}\n{preset.source}")
        button.setAccessibleName(preset.title)
        button.clicked.connect(lambda: self.preset_requested.emit(preset.id))
        self.presets[preset.id] = button
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, metrics.half)
        line.addWidget(button)
        line.addStretch()
        section.content.addLayout(line)

    def _apply(self, row: Row) -> None:
        before = self._document.project
        if row.apply is None:
            return
        title = self.tr("Guide: {0}").format(row.cells[0])
        if self._document.edit(title, row.apply) and self._document.project == before:
            self.unchanged.emit(row.cells[0])

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        found = 0
        for table in TABLES.values():
            section = self.sections.get(table.id)
            if section is None:
                return
            rows = [row for row in self.rows if row.table is table]
            named = all(word in table.title.lower() for word in words)
            for row in rows:
                row.setVisible(named or all(word in row.words for word in words))
            hits = sum(not row.isHidden() for row in rows)
            found += hits
            section.setVisible(hits > 0)
            section.set_open(bool(words) or bool(table.preset))
        self._nothing.setVisible(not found)
        self._scroll.setVisible(found > 0)


class GuideRow(QWidget):
    """The cells of one row below each other, and its button."""

    applied = Signal(object)
    shown = Signal(str)

    def __init__(self, table: Table, row: Row) -> None:
        super().__init__()
        self.table, self.row = table, row
        self.words = " ".join((table.title, *row.cells)).lower()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, metrics.half, 0, metrics.half)
        line.setSpacing(metrics.grid)
        text = QVBoxLayout()
        text.setSpacing(0)
        for label in self._labels():
            text.addWidget(label)
        line.addLayout(text, 1)
        if row.apply is not None:
            self.button = Button(self.tr("Apply"), tip=self.tr("Change the open project so; Undo takes it back"))
            self.button.clicked.connect(lambda: self.applied.emit(row))
        else:
            self.button = Button(self.tr("Show"), kind="quiet", tip=self.tr("What it is and which settings it has"))
            self.button.clicked.connect(lambda: self.shown.emit(row.show))
        self.button.setAccessibleName(f"{self.button.text()} {row.cells[0]}")
        line.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self.setToolTip(row.differs)

    def _labels(self) -> Iterator[QLabel]:
        yield _words(self.row.cells[0], "strong")
        named = len(self.row.cells) > 2
        for head, cell in zip(self.table.head[1:], self.row.cells[1:], strict=True):
            yield _words(f"{head}: {cell}" if named else cell, "label")


def _words(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label
