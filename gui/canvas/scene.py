"""The scene: boxes and wires of the level on show, kept in step with the project, and what lies where.

Owns both maps (node -> boxes, edge -> wires) and hit testing. `sync` compares with the project's values and says which
parts of the scene look different now. Never paints and never edits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from PySide6.QtCore import QPointF, QRectF

from engine.analysis import Analysis
from engine.project import Project
from gui.canvas.boxes import Box, ItemKey, Kind, NodeKey, Path, Socket
from gui.canvas.levels import Laid, Layouter
from gui.canvas.wires import Wire, WireKey
from gui.canvas.wiring import Wiring


class Scene:
    """Boxes by item key, wires by wire key; deeper frames come later, so the last one at a point is on top."""

    def __init__(self) -> None:
        self.boxes: dict[ItemKey, Box] = {}
        self.definition = ""
        self._shifts: dict[Path, tuple[str, QPointF]] = {(): ("", QPointF())}
        self._by_node: dict[NodeKey, list[Box]] = {}
        self._wiring = Wiring()
        self._facts: tuple[bool, Mapping[NodeKey, object]] = (False, {})
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
        changed: list[ItemKey] = []
        self._settle_boxes(laid, QPointF(), boxes, dirty, changed)
        gone = [box for item, box in self.boxes.items() if boxes.get(item) is not box]
        dirty.extend(box.bounds() for box in gone)
        changed.extend(box.item for box in gone)
        self.boxes = boxes
        self._by_node = {}
        for box in boxes.values():
            self._by_node.setdefault(box.key, []).append(box)
        shifts = {path: shift for path, (_, shift) in self._shifts.items()}
        dirty.extend(self._wiring.settle(graph, laid, shifts, boxes, changed))
        self._overlapped = None
        self._facts = (evidence, self._sized_by(analysis, evidence=evidence))
        return dirty

    def depends_on(self, analysis: Analysis) -> bool:
        """Whether another check of the same project would make other boxes than those that stand here."""
        evidence, facts = self._facts
        return self._sized_by(analysis, evidence=evidence) != facts

    def _sized_by(self, analysis: Analysis, *, evidence: bool) -> Mapping[NodeKey, object]:
        """What of a check a box is made from: a group's counts, and which layers have weights to show evidence of."""
        found: dict[NodeKey, object] = {}
        for box in self.boxes.values():
            facts = analysis.nodes.get(box.key)
            if box.node.is_group:
                found[box.key] = facts
            elif evidence:
                found[box.key] = facts is not None and facts.parameters > 0
        return found

    def _settle_boxes(
        self, laid: Laid, shift: QPointF, boxes: dict[ItemKey, Box], dirty: list[QRectF], changed: list[ItemKey]
    ) -> None:
        self._shifts[laid.path] = (laid.definition, shift)
        for box, place in zip(laid.boxes, laid.places, strict=True):
            rect = place.translated(shift)
            old = self.boxes.get(box.item)
            if old is not box:
                box.rect = rect
                dirty.append(box.bounds())
                changed.append(box.item)
            elif box.rect != rect:
                dirty.append(box.bounds())
                box.rect = rect
                dirty.append(box.bounds())
                changed.append(box.item)
            boxes[box.item] = box
        for box in laid.boxes:
            inner = laid.inner.get(box.node.id)
            if inner is not None:
                self._settle_boxes(inner, box.rect.topLeft() + inner.shift, boxes, dirty, changed)

    @property
    def wires(self) -> dict[WireKey, Wire]:
        """Every wire by its key."""
        return self._wiring.wires

    def of(self, key: NodeKey) -> list[Box]:
        """Every box that shows a node; empty when none does."""
        return self._by_node.get(key, [])

    def box(self, key: NodeKey) -> Box | None:
        """The first box that shows a node."""
        return next(iter(self.of(key)), None)

    def wires_at(self, box: Box) -> list[Wire]:
        """The wires that begin or end at a box, in its own level."""
        return self._wiring.at(box.item)

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
