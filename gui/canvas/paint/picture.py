"""Paints the scene: ground, frames, wires, boxes, marks, in this order, only what lies in the area asked for.

Owns the order and what is shown at which zoom. Holds no state but the finished plates.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QColor, QPainter, QRegion

from engine.graph import Edge
from gui.canvas.boxes import Box, ItemKey, Kind, NodeKey, Path, Socket
from gui.canvas.camera import Camera
from gui.canvas.evidence import Evidence
from gui.canvas.findings import Findings
from gui.canvas.measures import Detail
from gui.canvas.paint import marks
from gui.canvas.paint.dots import Ground, paint_dots, paint_hairs
from gui.canvas.paint.evidence import paint_evidence, paint_foot
from gui.canvas.paint.group import paint_frame
from gui.canvas.paint.ink import blended, ink
from gui.canvas.paint.plates import Plates
from gui.canvas.paint.wire import Line, line_of, paint_edge_of, paint_label, paint_wire
from gui.canvas.scene import Scene
from gui.canvas.wires import Wire, WireKey
from gui.theme import themes


@dataclass
class Shown:
    """All that decides what is seen, beside the scene itself."""

    findings: Findings = field(default_factory=Findings)
    evidence: Evidence = field(default_factory=Evidence)
    selected: frozenset[NodeKey] = frozenset()
    selected_wires: frozenset[tuple[str, Edge]] = frozenset()
    hovered: ItemKey | None = None
    hovered_badge: bool = False
    hovered_wire: WireKey | None = None
    focus: NodeKey | None = None
    all_labels: bool = False
    fitting: frozenset[tuple[ItemKey, str, bool]] | None = None
    """While a wire is drawn: (box, port, is an output) of every port that it may end at."""
    near: Socket | None = None
    """The port that would take the wire now."""
    drop: WireKey | None = None
    """The wire that would take what is dragged."""
    hidden_wire: WireKey | None = None
    """The wire that has been taken off at one end."""


class Picture:
    """Paints a scene through a camera."""

    def __init__(self, scene: Scene, camera: Camera, shown: Shown) -> None:
        self._scene, self._camera, self._shown = scene, camera, shown
        self.plates = Plates()
        self._ground = Ground(camera)

    def paint(self, painter: QPainter, area: QRegion) -> None:
        """Paints the view area `area` (view pixels); the painter is in view pixels and clipped to it."""
        camera = self._camera
        self._ground.paint(painter, area)
        seen = camera.rect_to_scene(QRectF(area.boundingRect()))
        boxes = [box for box in self._scene.boxes.values() if box.bounds().intersects(seen)]
        wires = [wire for wire in self._scene.wires.values() if wire.bounds.intersects(seen)]
        if area.rectCount() > 1:
            boxes = [box for box in boxes if area.intersects(_aligned(camera, box.bounds()))]
            wires = [wire for wire in wires if area.intersects(_aligned(camera, wire.bounds))]
        painter.translate(camera.x, camera.y)
        painter.scale(camera.zoom, camera.zoom)
        for box in boxes:
            if box.kind is Kind.FRAME:
                paint_frame(painter, box, camera.zoom)
        if camera.detail is Detail.DOT:
            paint_hairs(painter, (wire for wire in wires if wire.key != self._shown.hidden_wire))
            paint_dots(painter, boxes, self._shown.evidence)
        else:
            self._paint_near(painter, boxes, wires)
        self._paint_marks(painter, boxes)

    def _paint_near(self, painter: QPainter, boxes: list[Box], wires: list[Wire]) -> None:
        shown, zoom = self._shown, self._camera.zoom
        full = self._camera.detail is Detail.FULL
        self._paint_wires(painter, wires)
        for wire in wires:
            text = self._label(wire, full)
            if text and wire.key != shown.hidden_wire:
                paint_label(painter, wire, text, zoom, self._under(wire.path))
        for box in boxes:
            if box.kind in (Kind.FRAME, Kind.PORT):
                continue
            self.plates.paint(painter, box, self._camera)
            if full or box.kind is Kind.STACK:
                paint_evidence(painter, box, shown.evidence, zoom)
            elif shown.evidence.on and box.kind is not Kind.MERGE:
                reading = shown.evidence.reading(box.layers)
                if reading is not None:
                    paint_foot(painter, box, reading, shown.evidence.scale)

    def _paint_wires(self, painter: QPainter, wires: list[Wire]) -> None:
        """Wires from one output share their beginning: the edges of all of them go below the first of them."""
        shown = self._shown
        by_source: dict[tuple[ItemKey, str], list[Wire]] = {}
        for wire in wires:
            if wire.key != shown.hidden_wire:
                by_source.setdefault((wire.source.item, wire.output.port), []).append(wire)
        for siblings in by_source.values():
            lines = [self._line(wire) for wire in siblings]
            for wire, line in zip(siblings, lines, strict=True):
                paint_edge_of(painter, wire, line, self._under(wire.path))
            for wire, line in zip(siblings, lines, strict=True):
                paint_wire(painter, wire, line)

    def _line(self, wire: Wire) -> Line:
        shown = self._shown
        chosen = (wire.definition, wire.edge) in shown.selected_wires or wire.key == shown.drop
        return line_of(wire, chosen=chosen, hovered=wire.key == shown.hovered_wire)

    def _label(self, wire: Wire, full: bool) -> str:
        shown = self._shown
        if shown.all_labels or wire.key == shown.hovered_wire:
            return f"N×{wire.info}" if shown.all_labels and wire.info else str(wire.info or "")
        return wire.label if full or wire.fault else ""

    def _paint_marks(self, painter: QPainter, boxes: list[Box]) -> None:
        shown, zoom = self._shown, self._camera.zoom
        dot = self._camera.detail is Detail.DOT
        for box in boxes:
            severity = shown.findings.severity(box) if box.kind is not Kind.PORT else None
            if severity is not None:
                marks.paint_edge(painter, box, marks.TOKENS[severity], 1.5)
            elif shown.hovered == box.item and not dot and box.kind is not Kind.PORT:
                marks.paint_edge(painter, box, "control")
            if box.key in shown.selected:
                marks.paint_ring(painter, box)
            elif shown.focus == box.key:
                marks.paint_focus(painter, box)
            if box.kind is Kind.STACK:
                for index, row in enumerate(box.rows):
                    if row.key in shown.selected:
                        marks.paint_row_ring(painter, box.row_rect(index))
            if not dot:
                self._paint_ports(painter, box)
                if box.is_group and (box.node.repeat > 1 or shown.hovered == box.item):
                    hovered = shown.hovered == box.item and shown.hovered_badge
                    marks.paint_repeat(painter, box, zoom, hovered=hovered)
            if severity is not None:
                marks.paint_problem(painter, box, severity, self._under(box.path))

    def _paint_ports(self, painter: QPainter, box: Box) -> None:
        shown = self._shown
        if box.kind is Kind.PORT and shown.fitting is None:
            return
        under = ink("node")
        for socket in (*box.inputs, *box.outputs):
            if shown.fitting is None:
                marks.paint_port(painter, box.place(socket), wired=socket.wired, under=under)
            else:
                fits = (box.item, socket.port, socket.out) in shown.fitting
                marks.paint_port_wiring(painter, box.place(socket), fits=fits, near=socket is shown.near)

    def _under(self, path: Path) -> QColor:
        """The colour behind things of a level: that of the canvas, or of the frame around them."""
        return blended("node", "canvas", themes.current.frame_share) if path else ink("canvas")


def _aligned(camera: Camera, rect: QRectF) -> QRect:
    return camera.rect_to_view(rect).toAlignedRect()
