"""Boxes: one layer, merge, group or group port as plain geometry, with the sockets where wires end.

Owns `Box`, `Socket`, `Row` and how large each is. Never paints, and never decides where neighbours give way
(`scene.py` does).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF

from engine.declare import Port
from engine.graph import Node
from gui.canvas import measures as m
from gui.canvas.words import Words
from gui.theme import ui_font

NodeKey = tuple[str, str]
"""(definition id, node id), as in the selection."""
Path = tuple[str, ...]
"""Ids of the opened groups around a box, outermost first."""
ItemKey = tuple[Path, str]
"""A linked definition can be open in two places, so a box is known by its path and its node."""


class Kind(Enum):
    """What a box looks like."""

    LAYER = "layer"
    MERGE = "merge"
    CARD = "card"
    STACK = "stack"
    FRAME = "frame"
    PORT = "port"
    """A group's port on the edge of its frame: no box, only the end of wires."""


@dataclass(slots=True, eq=False)
class Socket:
    """Where wires end at a box; `dx`, `dy` from the box's top left corner. A variadic port has one per wire."""

    port: str
    slot: int
    out: bool
    dx: float
    dy: float
    variadic: bool = False
    wired: bool = False


@dataclass(slots=True, eq=False)
class Row:
    """A line of a stack, or a bar of a card: one node inside a group."""

    key: NodeKey
    words: Words
    node: Node
    layers: tuple[str, ...] = ()
    """Instance paths that hold its weights, one per copy."""
    frozen: str = ""
    """As of a box."""


@dataclass(slots=True, eq=False)
class Box:
    """One box of the scene. `rect` is its place in the scene; all else is fixed until its node changes."""

    key: NodeKey
    path: Path
    node: Node
    kind: Kind
    words: Words
    rect: QRectF
    inputs: list[Socket]
    outputs: list[Socket]
    stamp: tuple[object, ...] = ()
    """Everything the box was made from; an equal stamp means it can stay."""
    rows: tuple[Row, ...] = ()
    evidence: bool = False
    layers: tuple[str, ...] = ()
    summary: str = ""
    """Second line of a group: "6 layers, 18,624 each"."""
    frozen: str = ""
    """`all` or `some` of its weights do not train, in any copy; `held`: all, and its running statistics stand still."""
    home: QRectF = field(default_factory=QRectF)
    """Frames only: where the closed group would stand."""

    @property
    def item(self) -> ItemKey:
        """The box's own key."""
        return self.path, self.node.id

    @property
    def is_still(self) -> bool:
        """True when nothing in it trains."""
        return self.frozen in ("all", "held")

    @property
    def is_group(self) -> bool:
        """True for a card, stack or frame."""
        return self.kind in (Kind.CARD, Kind.STACK, Kind.FRAME)

    @property
    def inside(self) -> Path:
        """The path of the boxes within this one."""
        return (*self.path, self.node.id)

    def place(self, socket: Socket) -> QPointF:
        """Where a socket is in the scene."""
        return QPointF(self.rect.x() + socket.dx, self.rect.y() + socket.dy)

    def bounds(self) -> QRectF:
        """All that painting this box may touch: ring, badge, shadow, sheets, the name below a merge."""
        sheets = 2 * m.SHEET if self.node.repeat > 1 else 0.0
        below = 24.0 if self.kind is Kind.MERGE else 16.0
        aside = 40.0 if self.kind is Kind.MERGE else 16.0
        return self.rect.adjusted(-aside, -20.0 - sheets, aside + sheets, below)

    def row_rect(self, index: int) -> QRectF:
        """Where a row of a stack is in the scene."""
        top = self.rect.y() + m.STACK_HEAD + index * m.STACK_ROW
        return QRectF(self.rect.x(), top, self.rect.width(), m.STACK_ROW)

    def badge_rect(self) -> QRectF:
        """Where the repeat badge is in the scene; empty when the box is no group."""
        if not self.is_group:
            return QRectF()
        wide = max(28.0, text_width(f"×{self.node.repeat}", 12, 600) + 16)
        return QRectF(self.rect.right() - m.BADGE_RIGHT - wide, self.rect.top() - m.BADGE_HIGH / 2, wide, m.BADGE_HIGH)

    def head_rect(self) -> QRectF:
        """The part of a frame that is grasped: its head. Any other box is grasped everywhere."""
        if self.kind is not Kind.FRAME:
            return self.rect
        return QRectF(self.rect.x(), self.rect.y(), self.rect.width(), m.FRAME_HEAD)


def size_of(kind: Kind, words: Words, *, evidence: bool, num_rows: int) -> tuple[float, float]:
    """Width and height of a closed box."""
    if kind is Kind.MERGE:
        return m.MERGE, m.MERGE
    if kind is Kind.PORT:
        return 0.0, 0.0
    if kind is Kind.STACK:
        title = m.TEXT_LEFT + text_width(words.name, 13, 600) + 56
        return min(max(m.STACK_WIDE, title), m.NODE_MOST), m.STACK_HEAD + num_rows * m.STACK_ROW + m.STACK_FOOT
    if kind is Kind.CARD:
        title = m.TEXT_LEFT + text_width(words.name, 13, 600) + 16
        return min(max(m.CARD_WIDE, title), m.NODE_MOST), m.CARD_HIGH
    # Details are never drawn below 9 px, so at the smallest full zoom they need more than their share of the box.
    wide = _wide(words.name, words.detail)
    if words.inner:
        # A layer may grow by less than the gap to the next one, which stays where the person put it.
        wide = min(max(wide, _wide(words.name, words.line)), wide + m.INNER_ROOM)
    return wide, m.NODE_EVIDENCE if evidence else m.NODE_HIGH


def _wide(name: str, detail: str) -> float:
    longest = max(text_width(name, 13, 600), text_width(detail, 11, 400) * m.DETAIL_ROOM)
    return min(max(m.snapped(m.TEXT_LEFT + longest + 16, m.GRID), m.NODE_LEAST), m.NODE_MOST)


def sockets(ports: Iterable[Port], *, out: bool, size: tuple[float, float], num_wires: int = 0) -> list[Socket]:
    """Sockets of one side, spread evenly; a variadic port shows two or as many as it has wires."""
    found = []
    for port in ports:
        for slot in range(max(2, num_wires) if port.variadic else 1):
            found.append(Socket(port.name, slot, out, size[0] if out else 0.0, 0.0, port.variadic))
    for index, socket in enumerate(found):
        socket.dy = size[1] * (index + 1) / (len(found) + 1)
    return found


def socket_of(found: list[Socket], port: str, slot: int) -> Socket | None:
    """The socket of a port, or of the place in a variadic one; None when there is none of that name."""
    matching = [socket for socket in found if socket.port == port]
    if not matching:
        return None
    return matching[min(slot, len(matching) - 1)]


def text_width(text: str, size: int, weight: int) -> float:
    """Width of a line of the interface font at 100 %."""
    return _measure(size, weight).horizontalAdvance(text) if text else 0.0


def elided(text: str, room: float, size: int, weight: int) -> str:
    """The text, its end replaced by an ellipsis when it is wider than `room`."""
    metrics = _measure(size, weight)
    if metrics.horizontalAdvance(text) <= room:
        return text
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)


@cache
def _measure(size: int, weight: int) -> QFontMetricsF:
    return QFontMetricsF(ui_font(size, weight))
