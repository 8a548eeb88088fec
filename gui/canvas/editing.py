"""Commands that change the network: delete, group, rename, repeat, arrange, add. Each is one undoable edit.

Owns what the commands mean for the present selection. Keys, menus and buttons call them; the edits themselves stand in
`engine.edits` and `engine.groups`.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QPointF, QRectF

from engine import edits, groups, layout
from engine.graph import Graph, input_ports, output_ports
from engine.names import name_fault
from gui.canvas import measures as m
from gui.canvas.board import Board
from gui.canvas.boxes import Box, NodeKey, Path, Socket
from gui.canvas.gestures.palette import ghost
from gui.canvas.wires import Wire


class Editing(Board):
    """A board whose selection can be worked upon."""

    def delete(self) -> None:
        """Deletes the selected layers and wires."""
        self._remove(edits.remove_nodes, _tr("Delete"))

    def delete_bridge(self) -> None:
        """Deletes the selected layers and joins what fed each to what it fed."""
        self._remove(edits.remove_and_bridge, _tr("Delete and join"))

    def group(self) -> None:
        """Puts the selected layers of one level into a block."""
        definition, ids = self.chosen()
        made: list[str] = []

        def change(graph: Graph) -> Graph:
            grouped, block = groups.group(graph, definition, ids)
            made.append(block)
            return grouped

        if ids and self.document.edit_graph(_tr("Group"), change):
            self.document.selection.select([(definition, made[-1])])

    def ungroup(self) -> None:
        """Takes the selected blocks apart."""
        graph = self.document.graph
        definition, ids = self.chosen()
        blocks = [one for one in ids if graph.level(definition).nodes[one].is_group]
        freed: list[str] = []

        def change(graph: Graph) -> Graph:
            for block in blocks:
                graph, inside = groups.ungroup(graph, definition, block)
                freed.extend(inside)
            return graph

        if blocks and self.document.edit_graph(_tr("Ungroup"), change):
            kept = self.document.graph.level(definition).nodes
            self.document.selection.select((definition, one) for one in freed if one in kept)

    def tidy(self) -> None:
        """Arranges the level on show from left to right."""
        definition = self.level
        sizes, high = {}, {}
        for (path, node), box in self.scene.boxes.items():
            if not path:
                sizes[node] = (box.rect.width(), box.rect.height())
                high[node] = box.rect.height()

        def change(graph: Graph) -> Graph:
            arranged = layout.arrange(graph, definition, sizes=sizes)
            # The layout places upper edges; a node stores the height of its wires, whatever its box grows to.
            places = {
                node.id: (node.x, node.y + high.get(node.id, m.NODE_HIGH) / 2 - m.ANCHOR)
                for node in arranged.level(definition).nodes.values()
            }
            return edits.move(arranged, definition, places)

        self.gliding = True
        if self.scene.boxes and self.document.edit_graph(_tr("Tidy"), change):
            area = QRectF()
            for box in self.scene.boxes.values():
                area = area.united(self.glide.target(box))
            self.show_rect(area)
        self.gliding = False

    def nudge(self, dx: float, dy: float) -> None:
        """Moves the selected layers; presses in a row are one step of the history."""
        chosen = self.document.selection.nodes

        def change(graph: Graph) -> Graph:
            for definition in {owner for owner, _ in chosen}:
                nodes = graph.level(definition).nodes
                places = {one: (nodes[one].x + dx, nodes[one].y + dy) for owner, one in chosen if owner == definition}
                graph = edits.move(graph, definition, places)
            return graph

        if chosen:
            self.document.edit_graph(_tr("Move"), change, merge=f"nudge {sorted(chosen)}")

    def add_layer(
        self, type_name: str, scene_pos: QPointF | None = None, *, params: dict[str, object] | None = None
    ) -> str:
        """Adds a layer with its middle at a point of the scene, or wired behind the selected one; returns its id."""
        after = self._feeding() if scene_pos is None else None
        path: Path = ()
        definition = self.level
        if scene_pos is None:
            place = self._free_place(type_name, after)
        else:
            definition, path = self.scene.level_at(scene_pos)
            place = self._corner(type_name, self.scene.to_level(path, scene_pos))
        return self.add(definition, type_name, place, source=after, params=params)

    def add(
        self,
        definition: str,
        type_name: str,
        place: QPointF,
        *,
        source: tuple[Box, Socket] | None = None,
        target: tuple[Box, Socket] | None = None,
        wire: Wire | None = None,
        params: dict[str, object] | None = None,
    ) -> str:
        """Adds a layer and its wires in one edit, and selects it; returns its id, "" when it was refused."""
        made: list[str] = []

        def change(graph: Graph) -> Graph:
            graph, node = edits.add_node(graph, definition, type_name, x=place.x(), y=place.y(), params=params)
            made.append(node.id)
            if wire is not None:
                return edits.insert_on_edge(graph, definition, wire.edge, node.id)
            inputs, outputs = input_ports(graph, node), output_ports(graph, node)
            if source is not None and inputs:
                box, socket = source
                graph = edits.connect(graph, definition, box.node.id, socket.port, node.id, inputs[0].name)
            if target is not None and outputs:
                box, socket = target
                graph = edits.connect(graph, definition, node.id, outputs[0].name, box.node.id, socket.port)
            return graph

        if not self.document.edit_graph(_tr("Add layer"), change):
            return ""
        self.document.selection.select([(definition, made[-1])])
        added = self.scene.box((definition, made[-1]))
        if added is not None:
            self.ensure_seen(added.rect)
        return made[-1]

    def rename_to(self, key: NodeKey, text: str) -> None:
        """Gives a layer another name. A block takes any words as its title."""
        definition, one = key
        node = self.document.graph.level(definition).nodes[one]
        text = text.strip()

        def change(graph: Graph) -> Graph:
            if not node.is_group:
                return edits.rename(graph, definition, one, text)
            if name_fault(text):
                return edits.set_title(graph, node.definition, text)
            return edits.set_title(edits.rename(graph, definition, one, text), node.definition, "")

        if text:
            self.document.edit_graph(_tr("Rename"), change)

    def repeat_to(self, key: NodeKey, repeat: int) -> None:
        """Repeats a block another number of times."""
        self.document.edit_graph(_tr("Repeat"), lambda graph: edits.set_repeat(graph, key[0], key[1], repeat))

    def chosen(self) -> tuple[str, list[str]]:
        """The selected nodes of one level: of the level on show when any is, else of the one that holds most."""
        by_level: dict[str, list[str]] = {}
        for definition, one in self.document.selection.nodes:
            by_level.setdefault(definition, []).append(one)
        if not by_level:
            return self.level, []
        definition = self.level if self.level in by_level else max(by_level, key=lambda key: len(by_level[key]))
        # In the order of the level, so that what is made from them does not depend on the order of a set.
        chosen = set(by_level[definition])
        return definition, [one for one in self.document.graph.level(definition).nodes if one in chosen]

    def _remove(self, remove: Callable[[Graph, str, list[str]], Graph], label: str) -> None:
        selection = self.document.selection
        nodes, wires = selection.nodes, selection.edges

        def change(graph: Graph) -> Graph:
            for definition, edge in wires:
                graph = edits.disconnect(graph, definition, edge)
            # Outermost first: a block takes its inside along, selected or not.
            for definition in sorted({owner for owner, _ in nodes}):
                if definition and definition not in graph.definitions:
                    continue
                there = graph.level(definition).nodes
                graph = remove(graph, definition, [one for owner, one in nodes if owner == definition and one in there])
            return graph

        if nodes or wires:
            self.document.edit_graph(label, change)

    def _feeding(self) -> tuple[Box, Socket] | None:
        """The selected box, when a new layer can be wired behind it."""
        key = self.document.selection.node
        box = self.scene.box(key) if key is not None and key[0] == self.level else None
        if box is None or not box.outputs or any(wire.source is box for wire in self.scene.wires_at(box)):
            return None
        return box, box.outputs[0]

    def _free_place(self, type_name: str, after: tuple[Box, Socket] | None) -> QPointF:
        """Behind the box that feeds it, else in the middle of the view; lower while something is there."""
        size = ghost(self, type_name).rect
        if after is not None:
            place = QPointF(after[0].rect.right() + 64, after[0].rect.center().y() - m.ANCHOR)
        else:
            middle = self.to_scene(QPointF(self.width() / 2, self.height() / 2))
            place = self._corner(type_name, QPointF(m.snapped(middle.x()), m.snapped(middle.y())))
        for _ in range(200):
            wanted = size.translated(place).adjusted(-16, -16, 16, 16)
            if not any(box.rect.intersects(wanted) for box in self.scene.boxes.values()):
                break
            place += QPointF(0, 88)
        return place

    def _corner(self, type_name: str, middle: QPointF) -> QPointF:
        return QPointF(middle.x() - ghost(self, type_name).rect.width() / 2, middle.y() - m.ANCHOR)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Canvas", text)
