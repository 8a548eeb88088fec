"""The outline: the network as a tree of names, for large graphs and for the keyboard. Selecting here selects there."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from engine.declare import Declaration, find
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
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(metrics.control_padding, metrics.control_padding, 4, 0)
        layout.addWidget(self.search)
        layout.addWidget(self.tree)
        self.search.searched.connect(lambda _text: self.fill())
        self.tree.itemSelectionChanged.connect(self._select)
        document.opened.connect(self.fill)
        document.changed.connect(lambda _delta: self.fill())
        document.analyzed.connect(lambda _analysis: self._write_facts())
        document.selection.changed.connect(self._follow)

    def showEvent(self, event: object) -> None:
        """Fills only once somebody looks."""
        super().showEvent(event)  # type: ignore[arg-type]
        self.fill()

    def fill(self) -> None:
        """Writes the tree again; skipped while hidden."""
        if not self.isVisible():
            return
        self._filling = True
        self.tree.clear()
        self._add_level(self.tree.invisibleRootItem(), self._document.graph, "", set())
        self.tree.expandToDepth(0)
        self._write_facts()
        self._filling = False
        self._follow()

    def _add_level(self, parent: QTreeWidgetItem, graph: Graph, definition: str, above: set[str]) -> None:
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
            parent.addChild(item)
            if node.is_group and node.definition in graph.definitions and node.definition not in above:
                self._add_level(item, graph, node.definition, above | {node.definition})

    def _write_facts(self) -> None:
        if not self.isVisible():
            return
        for item in self._items():
            facts = self._document.analysis.nodes.get(item.data(0, _KEY))
            item.setText(1, str(facts.output) if facts and facts.output else "")
            item.setText(2, count(facts.parameters) if facts and facts.parameters else "")

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
        if not self.isVisible():
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
