"""The outline: the network as a tree of names, for large graphs and for the keyboard. Selecting here selects there."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QIcon, QPaintEvent
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from engine.declare import Declaration, find
from engine.diff import Delta
from engine.graph import GROUP_INPUT, GROUP_OUTPUT, OUTPUT, Graph, Node, order
from gui.document import Document
from gui.icons import family_icon, icon
from gui.numbers import count
from gui.theme import metrics
from gui.widgets.search_field import SearchField

_KEY = Qt.ItemDataRole.UserRole


class OutlinePanel(QWidget):
    """Every layer and block in order, with its output shape and parameters."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._filling = False
        self.search = SearchField(self.tr("Find in this network"))
        self.tree = QTreeWidget()
        self.tree.setColumnCount(3)
        self.tree.setHeaderHidden(True)
        self.tree.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(12)
        self.tree.header().setStretchLastSection(False)
        self.tree.header().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.tree.header().setMinimumSectionSize(24)
        # Not ResizeToContents: with it, each text that is written measures the whole tree again.
        self.tree.header().setResizeContentsPrecision(0)
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._stale = True
        layout = QVBoxLayout(self)
        layout.setContentsMargins(metrics.control_padding, metrics.control_padding, 4, 0)
        layout.addWidget(self.search)
        layout.addWidget(self.tree)
        self.search.searched.connect(lambda _text: self._mark_stale())
        self.tree.itemSelectionChanged.connect(self._select)
        document.opened.connect(self._mark_stale)
        document.changed.connect(self._changed)
        document.analyzed.connect(lambda _analysis: self._write_facts())
        document.selection.changed.connect(self._follow)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Being painted is being looked at: a panel behind a tab counts as visible but is not worth filling."""
        super().paintEvent(event)
        if self._stale:
            QTimer.singleShot(0, self, self.fill)

    def fill(self) -> None:
        """Writes the tree again, when something has changed since the last time."""
        if not self._stale:
            return
        self._stale = False
        self._filling = True
        self.tree.clear()
        roots: list[QTreeWidgetItem] = []
        self._add_level(roots, self._document.graph, "", set())
        self.tree.addTopLevelItems(roots)
        self.tree.expandToDepth(0)
        self._filling = False
        self._write_facts()
        self._follow()

    def _changed(self, delta: Delta) -> None:
        if delta.graph:
            self._mark_stale()

    def _mark_stale(self) -> None:
        self._stale = True
        self.update()

    def _add_level(self, into: list[QTreeWidgetItem], graph: Graph, definition: str, above: set[str]) -> None:
        level = graph.level(definition)
        words = self.search.text().strip().lower()
        try:
            ids = order(level)
        except ValueError:
            ids = list(level.nodes)
        for id_ in ids:
            node = level.nodes[id_]
            if node.type in (GROUP_INPUT, GROUP_OUTPUT):
                continue
            if words and not node.is_group and words not in node.name.lower() and words not in node.type:
                continue
            item = QTreeWidgetItem([_label(node), "", ""])
            item.setData(0, _KEY, (definition, id_))
            declaration = find("layer", node.type)
            item.setIcon(0, _icon(node, declaration))
            item.setToolTip(0, declaration.title if declaration else node.type)
            into.append(item)
            if node.is_group and node.definition in graph.definitions and node.definition not in above:
                inside: list[QTreeWidgetItem] = []
                self._add_level(inside, graph, node.definition, above | {node.definition})
                item.addChildren(inside)

    def _write_facts(self) -> None:
        if self._stale:
            return
        self.tree.setUpdatesEnabled(False)
        for item in self._items():
            facts = self._document.analysis.nodes.get(item.data(0, _KEY))
            shape = str(facts.output) if facts and facts.output else ""
            weights = count(facts.parameters) if facts and facts.parameters else ""
            for column, words in ((1, shape), (2, weights)):
                if item.text(column) != words:
                    item.setText(column, words)
        for column in (1, 2):
            self.tree.resizeColumnToContents(column)
        self.tree.setUpdatesEnabled(True)

    def _items(self) -> list[QTreeWidgetItem]:
        found, waiting = [], [self.tree.invisibleRootItem()]
        while waiting:
            item = waiting.pop()
            children = [item.child(row) for row in range(item.childCount())]
            found += children
            waiting += children
        return found

    def _select(self) -> None:
        if not self._filling:
            self._document.selection.select([item.data(0, _KEY) for item in self.tree.selectedItems()])

    def _follow(self) -> None:
        if self._stale:
            return
        self._filling = True
        chosen = self._document.selection.nodes
        for item in self._items():
            item.setSelected(tuple(item.data(0, _KEY)) in chosen)
        self._filling = False


def _icon(node: Node, declaration: Declaration | None) -> QIcon:
    if node.is_group:
        return icon("group")
    if node.type == OUTPUT:
        return icon("family-io-out", "family.io")
    return family_icon(declaration.family if declaration else "merge")


def _label(node: Node) -> str:
    return f"{node.name}  ×{node.repeat}" if node.repeat > 1 else node.name
