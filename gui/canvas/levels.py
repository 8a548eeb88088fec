"""Lays one level of the network out as boxes: sizes, frames of opened groups, and how neighbours give way to them.

Owns the arrangement only: it changes no project, positions in the project stay as they are. Never paints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QCoreApplication, QPointF, QRectF

from engine.analysis import Analysis
from engine.declare import Port
from engine.graph import GROUP_INPUT, GROUP_OUTPUT, Edge, Graph, Node, input_ports, output_ports
from engine.project import Project
from gui.canvas import measures as m
from gui.canvas.boxes import Box, ItemKey, Kind, Path, Row, Socket, size_of, sockets
from gui.canvas.lanes import Lane, lanes_of
from gui.canvas.words import chain, inner_words, leaves, words
from gui.numbers import count

IO = ("input", "output")


@dataclass
class Laid:
    """One level laid out: its boxes with their places, and the laid insides of its frames."""

    definition: str
    path: Path
    boxes: list[Box] = field(default_factory=list)
    places: list[QRectF] = field(default_factory=list)
    inner: dict[str, Laid] = field(default_factory=dict)
    lanes: dict[Edge, Lane] = field(default_factory=dict)
    """Of the wires that pass round other boxes."""
    shift: QPointF = field(default_factory=QPointF)
    """From positions of this level to the scene."""

    def bounds(self) -> QRectF:
        """The rectangle around all boxes, group ports left out."""
        found = QRectF()
        for box, rect in zip(self.boxes, self.places, strict=True):
            if box.kind is not Kind.PORT:
                found = found.united(rect.adjusted(0, 0, 0, 20) if box.kind is Kind.MERGE else rect)
        for lane in self.lanes.values():
            found = found.united(QRectF(lane.left, lane.y - 1, lane.right - lane.left, 2))
        return found


class Layouter:
    """Makes boxes for a project; those whose node and circumstances did not change are taken from `kept`."""

    def __init__(
        self,
        project: Project,
        analysis: Analysis,
        looks: Mapping[ItemKey, Kind],
        kept: Mapping[ItemKey, Box],
        *,
        evidence: bool,
    ) -> None:
        self._project = project
        self._graph = project.graph
        self._analysis = analysis
        self._looks = looks
        self._kept = kept
        self._evidence = evidence

    def lay(self, definition: str, path: Path = ()) -> Laid:
        """The boxes of one level in its own coordinates, frames opened within, neighbours moved aside."""
        level = self._graph.level(definition)
        wires = Counter((edge.target, edge.input) for edge in level.edges)
        laid = Laid(definition, path)
        opened: list[tuple[Box, QRectF]] = []
        for node in level.nodes.values():
            box = self._box(definition, path, node, wires)
            if box.kind is Kind.FRAME:
                laid.inner[node.id] = self._frame(box)
                opened.append((box, box.rect))
            laid.boxes.append(box)
            laid.places.append(_anchored(box))
        if opened:
            _give_way(laid)
        laid.lanes = lanes_of(level, laid.boxes, laid.places)
        return laid

    def _box(self, definition: str, path: Path, node: Node, wires: Counter[tuple[str, str]]) -> Box:
        kind = self._kind(path, node)
        facts = self._analysis.nodes.get((definition, node.id))
        evidence = self._evidence and kind is Kind.LAYER and facts is not None and facts.parameters > 0
        num_wires = max((wires[node.id, port.name] for port in self._inputs(node)), default=0)
        stamp: tuple[object, ...] = (node, kind, evidence, num_wires if num_wires > 2 else 2)
        if node.is_group:
            stamp += (*map(_Identity, _below(self._graph, node.definition)), facts, self._inner_of(node))
        elif (inner := inner_words(self._graph, definition, node)) != ():
            stamp += inner
        elif node.type in IO:
            stamp += (_Identity(self._project.recipe), _Identity(self._project.data))
        kept = self._kept.get((path, node.id))
        if kept is not None and kept.key[0] == definition and kind is not Kind.FRAME and _same(kept.stamp, stamp):
            return kept
        made = self._make(definition, path, node, kind, evidence, num_wires)
        made.stamp = stamp
        return made

    def _make(self, definition: str, path: Path, node: Node, kind: Kind, evidence: bool, num_wires: int) -> Box:
        said = words(self._project, definition, node)
        if kind is Kind.LAYER and said.merge:
            kind = Kind.MERGE
        rows = self._rows(node, kind) if node.is_group else ()
        size = size_of(kind, said, evidence=evidence, num_rows=len(rows))
        rect = QRectF(0.0, 0.0, *size)
        return Box(
            key=(definition, node.id), path=path, node=node, kind=kind, words=said, rect=rect,
            inputs=sockets(self._inputs(node), out=False, size=size, num_wires=num_wires),
            outputs=sockets(output_ports(self._graph, node), out=True, size=size),
            rows=rows, evidence=evidence, summary=self._summary(definition, node) if node.is_group else "",
        )  # fmt: skip

    def _inputs(self, node: Node) -> tuple[Port, ...]:
        return input_ports(self._graph, node)

    def _kind(self, path: Path, node: Node) -> Kind:
        if not node.is_group:
            return Kind.PORT if path and node.type in (GROUP_INPUT, GROUP_OUTPUT) else Kind.LAYER
        if node.definition not in self._graph.definitions or len(path) > m.MOST_ROWS:
            return Kind.CARD
        row = chain(self._graph.definitions[node.definition])
        wanted = self._looks.get((path, node.id))
        if wanted is None or (wanted is Kind.STACK and not row):
            return Kind.STACK if 0 < len(row) <= m.MOST_ROWS else Kind.CARD
        return wanted

    def _rows(self, node: Node, kind: Kind) -> tuple[Row, ...]:
        inside = self._graph.definitions.get(node.definition)
        if inside is None:
            return ()
        if kind is Kind.STACK:
            found = [(node.definition, one) for one in chain(inside)]
        else:
            found = list(leaves(self._graph, node.definition))[:64]
        return tuple(Row((owner, one.id), words(self._project, owner, one), one) for owner, one in found)

    def _inner_of(self, node: Node) -> tuple[tuple[str, ...], ...]:
        """What the layers of a block hold, which may change with a setting far outside."""
        return tuple(inner_words(self._graph, owner, one) for owner, one in leaves(self._graph, node.definition))

    def _summary(self, definition: str, node: Node) -> str:
        num = sum(1 for _ in leaves(self._graph, node.definition))
        text = _tr("{0} layers").format(num) if num != 1 else _tr("1 layer")
        facts = self._analysis.nodes.get((definition, node.id))
        if facts is None or not facts.parameters:
            return text
        if node.repeat > 1:
            each = facts.parameters / node.repeat
            about = "" if each == int(each) else "≈"
            return f"{text}, " + _tr("{0} each").format(about + count(round(each)))
        return f"{text}, {count(facts.parameters)}"

    def _frame(self, box: Box) -> Laid:
        """Lays out what is inside a frame and sizes the frame around it."""
        inner = self.lay(box.node.definition, box.inside)
        area = inner.bounds()
        if area.isEmpty():
            area = QRectF(0, 0, m.NODE_LEAST, m.NODE_HIGH)
        for port in inner.boxes:
            if port.kind is Kind.PORT:
                y = port.node.y + m.ANCHOR
                area.setTop(min(area.top(), y - 16))
                area.setBottom(max(area.bottom(), y + 16))
        side = m.FRAME_PADDING + m.FRAME_ROOM
        title = m.TEXT_LEFT + 260.0
        size = (max(area.width() + 2 * side, title), area.height() + m.FRAME_HEAD + 2 * m.FRAME_PADDING)
        box.home = QRectF(0, 0, *size_of(Kind.CARD, box.words, evidence=False, num_rows=0))
        box.rect = QRectF(0, 0, *size)
        inner.shift = QPointF(side - area.left(), m.FRAME_HEAD + m.FRAME_PADDING - area.top())
        _edge_sockets(box, inner, size)
        return inner


def _edge_sockets(box: Box, inner: Laid, size: tuple[float, float]) -> None:
    """A frame's ports stand on its edge where the wires inside begin and end."""
    kinds = {GROUP_INPUT: box.inputs, GROUP_OUTPUT: box.outputs}
    for kind, outer in kinds.items():
        ports = [port for port in inner.boxes if port.node.type == kind and port.kind is Kind.PORT]
        for index, port in enumerate(ports):
            x = 0.0 if kind == GROUP_INPUT else size[0]
            y = port.node.y + m.ANCHOR + inner.shift.y()
            place = inner.boxes.index(port)
            inner.places[place] = QRectF(x - inner.shift.x(), y - inner.shift.y(), 0, 0)
            for socket in (*port.inputs, *port.outputs):
                socket.dx = socket.dy = 0.0
            if index < len(outer):
                outer[index].dx, outer[index].dy = x, y


def _anchored(box: Box) -> QRectF:
    """Where a box stands in its level: left edge and height of its first wire as the node says."""
    node, size = box.node, box.rect.size()
    first: Socket | None = next(iter(box.inputs), None) or next(iter(box.outputs), None)
    high = first.dy if box.kind is Kind.FRAME and first else size.height() / 2
    if box.kind is Kind.FRAME:
        home = box.home.height() / 2
        box.home.moveTo(node.x, node.y + m.ANCHOR - home)
    return QRectF(node.x, node.y + m.ANCHOR - high, size.width(), size.height())


def _give_way(laid: Laid) -> None:
    """Moves the neighbours of opened groups aside by as much as each grew; overlapping would hide them."""
    before = [box.home if box.kind is Kind.FRAME else rect for box, rect in zip(laid.boxes, laid.places, strict=True)]
    for index, box in enumerate(laid.boxes):
        if box.kind is not Kind.FRAME:
            continue
        closed, size = before[index], laid.places[index]
        wider = size.width() - closed.width()
        above = (closed.center().y() - size.top()) - closed.height() / 2
        below = (size.bottom() - closed.center().y()) - closed.height() / 2
        for other, rect in enumerate(before):
            if other == index:
                continue
            if rect.left() >= closed.right() - m.GRID:
                laid.places[other].translate(wider, 0)
            elif rect.right() > closed.left() and rect.top() >= closed.bottom():
                laid.places[other].translate(0, max(0.0, below))
            elif rect.right() > closed.left() and rect.bottom() <= closed.top():
                laid.places[other].translate(0, -max(0.0, above))


def _below(graph: Graph, definition: str, depth: int = 0) -> tuple[Graph, ...]:
    """A definition and all that it holds, as values: one of them is new when anything inside changed."""
    level = graph.definitions.get(definition)
    if level is None or depth > 8:
        return ()
    found = [level]
    for node in level.nodes.values():
        if node.is_group:
            found.extend(_below(graph, node.definition, depth + 1))
    return tuple(found)


def _same(old: tuple[object, ...], new: tuple[object, ...]) -> bool:
    # The node is compared by identity first: equality of two nodes walks their settings.
    return len(old) == len(new) and (old[0] is new[0] or old[0] == new[0]) and old[1:] == new[1:]


class _Identity:
    """Compares a large value by being the same object; holding it keeps its identity from being given away."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Canvas", text)
