"""The scene: boxes and wires of the level on show, kept in step with the project, and what lies where.

Owns both maps (node -> boxes, edge -> wires) and hit testing. `sync` compares with the project's values and says which
parts of the scene look different now. Never paints and never edits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from PySide6.QtCore import QPointF, QRectF

from engine.analysis import Analysis
from engine.graph import Edge, Graph
from engine.project import Project
from gui.canvas.boxes import Box, ItemKey, Kind, NodeKey, Path, Socket, socket_of
from gui.canvas.levels import Laid, Layouter
from gui.canvas.wires import Wire, WireKey


class Scene:
    """Boxes by item key, wires by wire key; deeper frames come later, so the last one at a point is on top."""

    def __init__(self) -> None:
        self.boxes: dict[ItemKey, Box] = {}
        self.wires: dict[WireKey, Wire] = {}
        self.definition = ""
        self._shifts: dict[Path, tuple[str, QPointF]] = {(): ("", QPointF())}
        self._by_node: dict[NodeKey, list[Box]] = {}
        self._at: dict[ItemKey, list[Wire]] = {}
        self._overlapped: frozenset[ItemKey] | None = None

    def sync(
        self,
        project: Project,
        analysis: Analysis,
        definition: str,
        looks: Mapping[ItemKey, Kind],
        *,
        evidence: bool = False,
    ) -> list[QRectF]:
        """Takes over the project as it is; returns the rectangles of the scene that changed."""
        graph = project.graph
        if definition and definition not in graph.definitions:
            definition = ""
        kept = self.boxes if definition == self.definition else {}
        self.definition = definition
        laid = Layouter(project, analysis, looks, kept, evidence=evidence).lay(definition)
        dirty: list[QRectF] = []
        boxes: dict[ItemKey, Box] = {}
        self._shifts = {}
        self._settle_boxes(laid, QPointF(), boxes, dirty)
        dirty.extend(box.bounds() for item, box in self.boxes.items() if boxes.get(item) is not box)
        self.boxes = boxes
        self._by_node = {}
        for box in boxes.values():
            self._by_node.setdefault(box.key, []).append(box)
        dirty.extend(self._settle_wires(graph, laid))
        self._overlapped = None
        return dirty

    def _settle_boxes(self, laid: Laid, shift: QPointF, boxes: dict[ItemKey, Box], dirty: list[QRectF]) -> None:
        self._shifts[laid.path] = (laid.definition, shift)
        for box, place in zip(laid.boxes, laid.places, strict=True):
            rect = place.translated(shift)
            old = self.boxes.get(box.item)
            if old is not box:
                box.rect = rect
                dirty.append(box.bounds())
            elif box.rect != rect:
                dirty.append(box.bounds())
                box.rect = rect
                dirty.append(box.bounds())
            boxes[box.item] = box
        for box in laid.boxes:
            inner = laid.inner.get(box.node.id)
            if inner is not None:
                self._settle_boxes(inner, box.rect.topLeft() + inner.shift, boxes, dirty)

    def _settle_wires(self, graph: Graph, laid: Laid) -> list[QRectF]:
        dirty: list[QRectF] = []
        wires: dict[WireKey, Wire] = {}
        self._at = {}
        for box in self.boxes.values():
            for socket in (*box.inputs, *box.outputs):
                socket.wired = False
        for level in _paths(laid):
            shift = self._shifts[level.path][1]
            for edge in graph.level(level.definition).edges:
                wire = self._wire(edge, level.definition, level.path)
                if wire is None:
                    continue
                lane = level.lanes.get(edge)
                wire.lane = lane.moved(shift) if lane is not None else None
                old = self.wires.get(wire.key)
                if wire.settle() or old is not wire:
                    dirty.append(wire.bounds)
                    if old is not None and old is not wire:
                        dirty.append(old.bounds)
                wires[wire.key] = wire
                wire.output.wired = wire.input.wired = True
                for end in (wire.source, wire.target):
                    self._at.setdefault(end.item, []).append(wire)
        dirty.extend(wire.bounds for key, wire in self.wires.items() if key not in wires)
        self.wires = wires
        return dirty

    def _wire(self, edge: Edge, definition: str, path: Path) -> Wire | None:
        source, target = self.boxes.get((path, edge.source)), self.boxes.get((path, edge.target))
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

    def of(self, key: NodeKey) -> list[Box]:
        """Every box that shows a node; empty when none does."""
        return self._by_node.get(key, [])

    def box(self, key: NodeKey) -> Box | None:
        """The first box that shows a node."""
        return next(iter(self.of(key)), None)

    def wires_at(self, box: Box) -> list[Wire]:
        """The wires that begin or end at a box, in its own level."""
        return self._at.get(box.item, [])

    def preview(self, keys: Iterable[NodeKey], dx: float, dy: float) -> list[QRectF]:
        """Moves boxes and what is inside them for the eye only; the next `sync` puts them where the project says."""
        self._overlapped = None
        dirty: list[QRectF] = []
        moved: list[Box] = []
        for key in keys:
            for box in self.of(key):
                moved.append(box)
                if box.kind is Kind.FRAME:
                    inside = box.inside
                    moved.extend(other for other in self.boxes.values() if other.path[: len(inside)] == inside)
        for box in dict.fromkeys(moved):
            dirty.append(box.bounds())
            box.rect = box.rect.translated(dx, dy)
            dirty.append(box.bounds())
            for wire in self.wires_at(box):
                before = wire.bounds
                if wire.lane is not None and box is wire.source and wire.target in moved:
                    wire.lane = wire.lane.moved(QPointF(dx, dy))
                if wire.settle():
                    dirty += [before, wire.bounds]
        return dirty

    @property
    def overlapped(self) -> frozenset[ItemKey]:
        """Boxes that share a place with another one; frames hold theirs and do not count."""
        if self._overlapped is None:
            self._overlapped = frozenset(_overlapping(self.boxes.values()))
        return self._overlapped

    def box_at(self, point: QPointF, *, margin: float = 0.0) -> Box | None:
        """The topmost box under a point; a frame only by its head."""
        for box in reversed(self.boxes.values()):
            if box.kind is not Kind.PORT and box.head_rect().adjusted(-margin, -margin, margin, margin).contains(point):
                return box
        return None

    def frame_at(self, point: QPointF) -> Box | None:
        """The innermost opened group around a point."""
        found = [box for box in self.boxes.values() if box.kind is Kind.FRAME and box.rect.contains(point)]
        return max(found, key=lambda box: len(box.path), default=None)

    def row_at(self, box: Box, point: QPointF) -> int:
        """The row of a stack under a point; -1 when there is none."""
        if box.kind is Kind.STACK:
            for index in range(len(box.rows)):
                if box.row_rect(index).contains(point):
                    return index
        return -1

    def socket_at(self, point: QPointF, reach: float) -> tuple[Box, Socket] | None:
        """The nearest socket within `reach`."""
        best, found = reach, None
        for box in reversed(self.boxes.values()):
            if not box.rect.adjusted(-reach, -reach, reach, reach).contains(point):
                continue
            for socket in (*box.inputs, *box.outputs):
                away = box.place(socket) - point
                if not _on_side(box, socket, -away.x()):
                    continue
                length = (away.x() ** 2 + away.y() ** 2) ** 0.5
                if length < best:
                    best, found = length, (box, socket)
        return found

    def wire_at(self, point: QPointF, reach: float) -> Wire | None:
        """The nearest wire within `reach`."""
        best, found = reach, None
        for wire in self.wires.values():
            if wire.bounds.adjusted(-reach, -reach, reach, reach).contains(point):
                away = wire.distance(point)
                if away < best:
                    best, found = away, wire
        return found

    def boxes_in(self, rect: QRectF) -> Iterator[Box]:
        """Boxes that a marquee touches; a frame only when it lies wholly inside."""
        for box in self.boxes.values():
            if box.kind is Kind.FRAME:
                if rect.contains(box.rect):
                    yield box
            elif box.kind is not Kind.PORT and rect.intersects(box.rect):
                yield box

    def bounds(self, keys: Iterable[NodeKey] | None = None) -> QRectF:
        """The rectangle around some boxes, or all."""
        boxes = self.boxes.values() if keys is None else [box for key in keys for box in self.of(key)]
        found = QRectF()
        for box in boxes:
            found = found.united(box.rect)
        return found

    def level_at(self, point: QPointF) -> tuple[str, Path]:
        """The definition and path of the level that a point belongs to: the innermost frame, or the level on show."""
        frame = self.frame_at(point)
        return (frame.node.definition, frame.inside) if frame is not None else (self.definition, ())

    def to_level(self, path: Path, point: QPointF) -> QPointF:
        """A point of the scene in the coordinates of a level."""
        shift = self._shifts.get(path, ("", QPointF()))[1]
        return point - shift


def _overlapping(boxes: Iterable[Box]) -> Iterator[ItemKey]:
    solid = sorted((box for box in boxes if box.kind not in (Kind.FRAME, Kind.PORT)), key=lambda box: box.rect.left())
    for index, box in enumerate(solid):
        for other in solid[index + 1 :]:
            if other.rect.left() > box.rect.right():
                break
            if other.rect.intersects(box.rect):
                yield box.item
                yield other.item


def _on_side(box: Box, socket: Socket, beyond: float) -> bool:
    """On the edge of a frame two ports share a place: outside it wires end at the group, inside at its port."""
    if box.kind is Kind.FRAME:
        return beyond >= 0 if socket.out else beyond <= 0
    if box.kind is Kind.PORT:
        return beyond >= 0 if socket.out else beyond <= 0
    return True


def _paths(laid: Laid) -> Iterator[Laid]:
    yield laid
    for inner in laid.inner.values():
        yield from _paths(inner)
