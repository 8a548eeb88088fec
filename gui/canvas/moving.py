"""Commands that change what is seen or selected, never the network: zoom, fit, select, walk, enter and leave groups.

Owns those commands; the camera and the selection hold the result.
"""

from __future__ import annotations

from graphlib import CycleError

from PySide6.QtCore import QPointF, QRectF

from engine.graph import order
from gui.canvas.board import Board
from gui.canvas.boxes import Box, Kind, NodeKey

STEP = 2**0.25
"""One notch of the wheel, and one press of the zoom buttons is two: four notches double."""


class Moving(Board):
    """A board that a person moves about in."""

    def zoom_in(self) -> None:
        """Larger, around the middle."""
        self.zoom_at(QPointF(self.width() / 2, self.height() / 2), STEP**2)

    def zoom_out(self) -> None:
        """Smaller, around the middle."""
        self.zoom_at(QPointF(self.width() / 2, self.height() / 2), STEP**-2)

    def zoom_reset(self) -> None:
        """To 100 %."""
        self.aim(self.to_scene(QPointF(self.width() / 2, self.height() / 2)), 1.0, glide=True)

    def fit(self) -> None:
        """The whole level on show."""
        self.show_rect(self.scene.bounds(), glide=self.isVisible())

    def fit_first(self) -> None:
        """The level as it is first seen: whole, or the beginning of one whose names could not be read."""
        self.show_first(self.scene.bounds())

    def fit_selection(self) -> None:
        """The selected layers; all when none is."""
        chosen = self.scene.bounds(self.document.selection.nodes)
        self.show_rect(chosen if not chosen.isEmpty() else self.scene.bounds(), most=2.0)

    def select_all(self) -> None:
        """Every layer of the level on show."""
        level = self.document.graph.level(self.level)
        self.document.selection.select((self.level, node) for node in level.nodes)

    def enter_group(self) -> None:
        """Shows the inside of the selected block by itself."""
        key = self.document.selection.node
        if key is not None:
            self.enter(key)

    def leave_group(self) -> None:
        """Back to the level above."""
        if self.document.selection.trail:
            self.document.selection.leave(self.document.graph)

    def enter(self, key: NodeKey) -> None:
        """Shows the inside of one block. Of a block within opened ones, the whole way there goes into the path."""
        graph = self.document.graph
        box = self.scene.box(key)
        trail = [(box.path[:i], box.path[i]) for i in range(len(box.path))] if box is not None else []
        keys = [self.scene.boxes[item].key for item in trail if item in self.scene.boxes] + [key]
        for definition, one in keys:
            node = graph.level(definition).nodes[one]
            if not node.is_group or node.definition not in graph.definitions:
                return
            self.document.selection.enter((definition, one), node.definition)

    def show_node(self, definition: str, node: str) -> None:
        """Selects a node and brings it into view, entering the blocks around it when no box shows it."""
        graph = self.document.graph
        level = graph if not definition else graph.definitions.get(definition)
        if level is None or (node and node not in level.nodes):
            return
        key = (definition, node)
        if definition != self.level and not self.scene.of(key):
            self.document.selection.leave(graph, 0)
            for step in _way(self, definition):
                self.enter(step)
        if node:
            self.document.selection.select([key])
            box = self.scene.box(key)
            if box is not None:
                self.ensure_seen(box.rect)
        self.setFocus()

    def walk(self, step: int) -> None:
        """Selects the next or previous layer in the order of the data."""
        level = self.document.graph.level(self.level)
        try:
            keys = order(level)
        except CycleError:
            keys = list(level.nodes)
        if not keys:
            return
        here = self.shown.focus or self.document.selection.node
        at = keys.index(here[1]) if here and here[0] == self.level and here[1] in keys else (-1 if step > 0 else 0)
        self._go((self.level, keys[(at + step) % len(keys)]), select=True)

    def go_aside(self, dx: int, dy: int) -> None:
        """Moves the keyboard's place to the nearest box in a direction, without selecting it."""
        here = self.shown.focus or next(iter(self.document.selection.nodes), None)
        box = self.scene.box(here) if here is not None else None
        if box is None:
            self.walk(1)
            return
        best: tuple[float, Box] | None = None
        for other in self.scene.boxes.values():
            away = other.rect.center() - box.rect.center()
            along, across = away.x() * dx + away.y() * dy, abs(away.x() * dy) + abs(away.y() * dx)
            if other is not box and other.kind is not Kind.PORT and along > 1:
                cost = along + 2 * across
                if best is None or cost < best[0]:
                    best = (cost, other)
        if best is not None:
            self._go(best[1].key, select=False)

    def _go(self, key: NodeKey, *, select: bool) -> None:
        old = self.shown.focus
        self.shown.focus = key
        self.invalidate(box.bounds() for one in (old, key) if one is not None for box in self.scene.of(one))
        if select:
            self.document.selection.select([key])
        box = self.scene.box(key)
        if box is not None:
            self.ensure_seen(box.bounds())

    def seen_rect(self) -> QRectF:
        """The part of the scene that is in view."""
        return self.camera.rect_to_scene(QRectF(self.rect()))


def _way(board: Board, definition: str) -> list[NodeKey]:
    """The groups to enter, outermost first, to come to a definition; empty when nothing uses it."""
    graph = board.document.graph
    way: list[NodeKey] = []
    wanted = definition
    for _ in range(len(graph.definitions) + 1):
        if not wanted:
            return way[::-1]
        found = next(
            (
                (outer, node.id)
                for outer, level in graph.levels()
                for node in level.nodes.values()
                if node.definition == wanted
            ),
            None,
        )
        if found is None:
            return []
        way.append(found)
        wanted = found[0]
    return []
