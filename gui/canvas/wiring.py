"""The wires of the scene, in step with its boxes: after an edit only those that it could touch are made anew.

Owns the map of wires and which of them meet at a box. Never decides where a box stands, never paints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from engine.graph import Edge, Graph
from gui.canvas.boxes import Box, ItemKey, Path, socket_of
from gui.canvas.lanes import Lane
from gui.canvas.levels import Laid
from gui.canvas.wires import Wire, WireKey


@dataclass(frozen=True, slots=True)
class _Level:
    """What the wires of one level were made from."""

    definition: str
    edges: tuple[Edge, ...]
    by_node: Mapping[str, tuple[Edge, ...]]
    lanes: Mapping[Edge, Lane]
    shift: QPointF

    def holds(self, laid: Laid, edges: tuple[Edge, ...], shift: QPointF) -> bool:
        """Whether only the wires of boxes that changed can be other ones now."""
        return (
            edges is self.edges
            and laid.definition == self.definition
            and shift == self.shift
            and laid.lanes == self.lanes
        )


class Wiring:
    """Wires by key, in the order of their edges where nothing was added since."""

    def __init__(self) -> None:
        self.wires: dict[WireKey, Wire] = {}
        self._at: dict[ItemKey, list[Wire]] = {}
        self._levels: dict[Path, _Level] = {}
        self._boxes: Mapping[ItemKey, Box] = {}

    def at(self, item: ItemKey) -> list[Wire]:
        """The wires that begin or end at a box, in its own level."""
        return self._at.get(item, [])

    def settle(
        self, graph: Graph, laid: Laid, shifts: Mapping[Path, QPointF], boxes: Mapping[ItemKey, Box],
        changed: Iterable[ItemKey],
    ) -> list[QRectF]:  # fmt: skip
        """Takes over boxes of which `changed` are new, gone or moved; returns what looks different now."""
        self._boxes = boxes
        levels = list(_levels(laid))
        if len(levels) == len(self._levels) and all(
            (known := self._levels.get(level.path)) is not None
            and known.holds(level, graph.level(level.definition).edges, shifts[level.path])
            for level in levels
        ):
            dirty = self._touch(changed)
            if dirty is not None:
                return dirty
        return self._make_all(graph, levels, shifts)

    def _touch(self, changed: Iterable[ItemKey]) -> list[QRectF] | None:
        """Makes the wires at some boxes anew; None when one of them came or went, so that others may change too."""
        dirty: list[QRectF] = []
        touched: dict[WireKey, None] = {}
        for path, node in changed:
            level = self._levels.get(path)
            if level is not None:
                touched.update(dict.fromkeys((path, edge) for edge in level.by_node.get(node, ())))
        made: list[tuple[Wire, Wire | None]] = []
        for path, edge in touched:
            level = self._levels[path]
            old, wire = self.wires.get((path, edge)), self._wire(edge, level.definition, path)
            if (wire is None) != (old is None):
                return None
            if wire is not None:
                made.append((wire, old))
        for wire, old in made:
            level = self._levels[wire.path]
            self._lay(wire, old, level.lanes.get(wire.edge), level.shift, dirty)
            self.wires[wire.key] = wire
            wire.output.wired = wire.input.wired = True
            if old is not None and old is not wire:
                for end in (wire.source, wire.target):
                    self._at[end.item] = [wire if one is old else one for one in self._at[end.item]]
        return dirty

    def _make_all(self, graph: Graph, levels: list[Laid], shifts: Mapping[Path, QPointF]) -> list[QRectF]:
        dirty: list[QRectF] = []
        wires: dict[WireKey, Wire] = {}
        self._at, self._levels = {}, {}
        for box in self._boxes.values():
            for socket in (*box.inputs, *box.outputs):
                socket.wired = False
        for level in levels:
            edges, shift = graph.level(level.definition).edges, shifts[level.path]
            self._levels[level.path] = _Level(level.definition, edges, _by_node(edges), level.lanes, shift)
            for edge in edges:
                wire = self._wire(edge, level.definition, level.path)
                if wire is None:
                    continue
                self._lay(wire, self.wires.get(wire.key), level.lanes.get(edge), shift, dirty)
                wires[wire.key] = wire
                wire.output.wired = wire.input.wired = True
                for end in (wire.source, wire.target):
                    self._at.setdefault(end.item, []).append(wire)
        dirty.extend(wire.bounds for key, wire in self.wires.items() if key not in wires)
        self.wires = wires
        return dirty

    def _lay(self, wire: Wire, old: Wire | None, lane: Lane | None, shift: QPointF, dirty: list[QRectF]) -> None:
        wire.lane = lane.moved(shift) if lane is not None else None
        before = old.bounds if old is not None else None
        if wire.settle() or old is not wire:
            dirty.append(wire.bounds)
            if before is not None:
                dirty.append(before)

    def _wire(self, edge: Edge, definition: str, path: Path) -> Wire | None:
        source, target = self._boxes.get((path, edge.source)), self._boxes.get((path, edge.target))
        if source is None or target is None:
            return None
        output = socket_of(source.outputs, edge.output, 0)
        entry = socket_of(target.inputs, edge.input, edge.slot)
        if output is None or entry is None:
            return None
        old = self.wires.get((path, edge))
        if old is not None and old.source is source and old.target is target:
            old.output, old.input = output, entry
            return old
        return Wire(edge, path, definition, source, target, output, entry)


def _by_node(edges: tuple[Edge, ...]) -> dict[str, tuple[Edge, ...]]:
    found: dict[str, list[Edge]] = {}
    for edge in edges:
        found.setdefault(edge.source, []).append(edge)
        if edge.target != edge.source:
            found.setdefault(edge.target, []).append(edge)
    return {node: tuple(ends) for node, ends in found.items()}


def _levels(laid: Laid) -> Iterator[Laid]:
    yield laid
    for inner in laid.inner.values():
        yield from _levels(inner)
