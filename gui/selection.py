"""What is selected, and which level of the network is shown. Owns no project data; every view listens to it."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from engine.graph import Edge, Graph

NodeKey = tuple[str, str]
"""(definition id, node id); the definition "" is the outermost level."""
EdgeKey = tuple[str, Edge]


class Selection(QObject):
    """Selected nodes and wires, and the trail of groups entered from the outermost level."""

    changed = Signal()
    trail_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._nodes: frozenset[NodeKey] = frozenset()
        self._edges: frozenset[EdgeKey] = frozenset()
        self._trail: tuple[NodeKey, ...] = ()
        self._level = ""

    @property
    def nodes(self) -> frozenset[NodeKey]:
        """The selected nodes, of any level."""
        return self._nodes

    @property
    def edges(self) -> frozenset[EdgeKey]:
        """The selected wires."""
        return self._edges

    @property
    def node(self) -> NodeKey | None:
        """The one selected node; None when none or several are."""
        return next(iter(self._nodes)) if len(self._nodes) == 1 else None

    @property
    def trail(self) -> tuple[NodeKey, ...]:
        """The group nodes entered, outermost first; empty at the outermost level."""
        return self._trail

    @property
    def level(self) -> str:
        """The definition id of the level that is shown."""
        return self._level

    def select(self, nodes: Iterable[NodeKey] = (), edges: Iterable[EdgeKey] = ()) -> None:
        """Selects exactly these."""
        wanted, wires = frozenset(nodes), frozenset(edges)
        if (wanted, wires) != (self._nodes, self._edges):
            self._nodes, self._edges = wanted, wires
            self.changed.emit()

    def toggle(self, nodes: Iterable[NodeKey]) -> None:
        """Adds what is not selected and removes what is."""
        self.select(self._nodes ^ frozenset(nodes), self._edges)

    def clear(self) -> None:
        """Selects nothing."""
        self.select()

    def enter(self, group: NodeKey, definition: str) -> None:
        """Shows the level inside a group node of the level shown now."""
        self._trail, self._level = (*self._trail, group), definition
        self.select()
        self.trail_changed.emit()

    def leave(self, graph: Graph, depth: int | None = None) -> None:
        """Goes back to the first `depth` groups of the trail; one level up when not given."""
        keep = max(0, len(self._trail) - 1) if depth is None else depth
        if keep >= len(self._trail):
            return
        left = self._trail[keep]
        self._trail = self._trail[:keep]
        self._level = _definition(graph, self._trail)
        self.trail_changed.emit()
        self.select([left])

    def follow(self, graph: Graph) -> None:
        """Drops what an edit or undo took away, and leaves levels that are gone."""
        levels = dict(graph.levels())
        nodes = {key for key in self._nodes if key[0] in levels and key[1] in levels[key[0]].nodes}
        edges = {key for key in self._edges if key[0] in levels and key[1] in levels[key[0]].edges}
        depth = 0
        for index in range(len(self._trail)):
            if _definition(graph, self._trail[: index + 1]):
                depth = index + 1
            else:
                break
        if depth < len(self._trail):
            self._trail = self._trail[:depth]
            self._level = _definition(graph, self._trail)
            self.trail_changed.emit()
        self.select(nodes, edges)


def _definition(graph: Graph, trail: tuple[NodeKey, ...]) -> str:
    """The definition id inside the last group of a trail; "" at the outermost level or when it is gone."""
    if not trail:
        return ""
    definition, node = trail[-1]
    level = graph.definitions.get(definition) if definition else graph
    group = level.nodes.get(node) if level else None
    return group.definition if group is not None and group.definition in graph.definitions else ""
