"""The scene in step with the document: what changed there is shown here, what is selected there has its ring here.

Owns which groups are open, which value is shown, and the ten ticks a second of a training. Never edits and never reads
the mouse.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from engine.diff import Delta
from engine.timeline import Timeline
from engine.verdict import Verdict, verdict
from gui.canvas.boxes import Box, ItemKey, Kind, NodeKey
from gui.canvas.evidence import FAMILY, GRADIENT
from gui.canvas.findings import Findings
from gui.canvas.glide import Glide
from gui.canvas.measures import Detail
from gui.canvas.paint.evidence import area_of, repaint_evidence
from gui.canvas.surface import Surface
from gui.clock import clock
from gui.document import Document

WIRE_TICKS = 3
"""Wires change colour at every third tick: each takes the boxes and labels around it along, the numbers do not."""
VERDICT_TICKS = 10
"""The sentence is judged anew once a second: it reads a hundred probes, and nobody reads faster."""


class Board(Surface):
    """A surface that follows one document."""

    synced = Signal()
    """Boxes or wires are other ones now."""
    evidence_changed = Signal()
    """The value on show, its scale or the verdict changed."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.verdict: Verdict | None = None
        self._looks: dict[ItemKey, Kind] = {}
        self._ticks = 0
        self.glide = Glide(self)
        self.gliding = False
        """True for an edit whose new places the boxes should glide to."""
        document.changed.connect(self._changed)
        document.opened.connect(self._opened)
        document.analyzed.connect(self._analyzed)
        document.selection.changed.connect(self._selected)
        document.selection.trail_changed.connect(self._entered)
        self.sync()

    @property
    def level(self) -> str:
        """The definition id of the level on show."""
        return self.document.selection.level

    def sync(self) -> None:
        """Makes boxes and wires agree with the document."""
        before = self.glide.places() if self.gliding else None
        self.glide.finish()
        evidence = self.shown.evidence
        analysis = self.document.analysis
        dirty = self.scene.sync(self.document.project, analysis, self.level, self._looks, evidence=evidence.on)
        self._dress(dirty)
        if before is not None:
            self.glide.start(before)

    def _dress(self, dirty: list[QRectF]) -> None:
        """Writes on boxes and wires what the last check and the run on show say of them."""
        evidence = self.shown.evidence
        dirty += self.shown.findings.dress(self.scene)
        if evidence.on:
            evidence.index(self.scene, self.document.analysis)
        dirty += [wire.bounds for wire in evidence.color_wires(self.scene)]
        self.invalidate(dirty)
        self.synced.emit()

    def set_look(self, box: Box, kind: Kind | None) -> None:
        """Draws a group as card, stack or frame; None as suits it."""
        if kind is None:
            self._looks.pop(box.item, None)
        else:
            self._looks[box.item] = kind
        self.gliding = True
        self.sync()
        self.gliding = False
        shown = self.scene.boxes.get(box.item)
        if shown is not None:
            self.ensure_seen(self.glide.target(shown))

    def toggle_open(self, box: Box) -> None:
        """Opens a group in place, or closes it."""
        self.set_look(box, None if box.kind is Kind.FRAME else Kind.FRAME)

    def show_timeline(self, timeline: Timeline | None) -> None:
        """The run whose values are shown; None shows none. May be called with every batch of events."""
        evidence = self.shown.evidence
        if timeline is evidence.timeline:
            return
        show = evidence.show
        if timeline is not None and evidence.timeline is None:
            show = GRADIENT
        self._choose(show if timeline is not None else FAMILY, timeline)
        if timeline is None:
            clock.unsubscribe(self)
        else:
            clock.subscribe(self, self.tick)

    def set_show(self, show: str) -> None:
        """The value on show: family, gradient, ratio or weight."""
        if show != self.shown.evidence.show:
            self._choose(show, self.shown.evidence.timeline)

    def tick(self) -> None:
        """Takes what the training said since the last tick; repaints what reads otherwise now, no more."""
        evidence = self.shown.evidence
        fresh, rescaled = evidence.refresh()
        ended = evidence.timeline is not None and evidence.timeline.outcome is not None
        if self._ticks % VERDICT_TICKS == 0 or (fresh and ended):
            self._judge()
        changed = evidence.color_wires(self.scene) if self._ticks % WIRE_TICKS == 0 or rescaled else []
        self._ticks += 1
        if not (fresh or changed):
            return
        if rescaled:
            self.invalidate_all()
            self.evidence_changed.emit()
            return
        seen = self.camera.rect_to_scene(QRectF(self.rect()))
        boxes = [box for box in self.scene.boxes.values() if (box.layers or box.rows) and box.rect.intersects(seen)]
        full = self.camera.detail is Detail.FULL
        if changed or not full or not self._touch_up(boxes):
            dirty = [wire.bounds for wire in changed if wire.bounds.intersects(seen)]
            self.invalidate(dirty + [area_of(box) if full else box.rect for box in boxes])

    def _touch_up(self, boxes: list[Box]) -> bool:
        """Draws only the evidence, where nothing else is drawn over it."""
        shown, zoom = self.shown, self.camera.zoom
        rows = {row.key for box in boxes if box.kind is Kind.STACK for row in box.rows}
        if shown.focus is not None or rows & shown.selected or any(box.item in self.scene.overlapped for box in boxes):
            return False

        def paint(painter: QPainter) -> None:
            for box in boxes:
                repaint_evidence(painter, box, shown.evidence, zoom)

        return self.touch_up([area_of(box) for box in boxes], paint)

    def _choose(self, show: str, timeline: Timeline | None) -> None:
        self.shown.evidence.choose(show, timeline)
        self._ticks = 0
        self.sync()
        self.invalidate_all()
        self._judge()
        self.evidence_changed.emit()

    def _judge(self) -> None:
        evidence = self.shown.evidence
        timeline = evidence.timeline
        found = verdict(timeline) if timeline is not None and evidence.show == GRADIENT else None
        if found != self.verdict:
            self.verdict = found
            self.evidence_changed.emit()

    def _changed(self, delta: Delta) -> None:
        definitions = delta.definitions_added or delta.definitions_removed
        if delta.levels or definitions or delta.defaults or delta.recipe or delta.data:
            self.sync()
        if delta.name:
            self.synced.emit()

    def _opened(self) -> None:
        self._looks.clear()
        self.shown.findings = Findings()
        self.shown.focus = None
        self.sync()
        self.invalidate_all()

    def _analyzed(self, _analysis: object) -> None:
        before = {box.item for box in self.scene.boxes.values() if self.shown.findings.severity(box)}
        self.shown.findings = Findings(self.document.analysis, self.document.graph)
        after = {box.item for box in self.scene.boxes.values() if self.shown.findings.severity(box)}
        dirty = [self.scene.boxes[item].bounds() for item in before | after]
        if self.scene.depends_on(self.document.analysis):
            self.invalidate(dirty)
            self.sync()
        else:
            # The check of an edit mostly finds what was there before: no box is another one, only words may be.
            self._dress(dirty)

    def _selected(self) -> None:
        selection, shown = self.document.selection, self.shown
        changed = selection.nodes ^ shown.selected
        wires = selection.edges ^ shown.selected_wires
        shown.selected, shown.selected_wires = selection.nodes, selection.edges
        self.invalidate(self._around(changed))
        if wires:
            self.invalidate(wire.bounds for wire in self.scene.wires.values() if (wire.definition, wire.edge) in wires)

    def _around(self, keys: frozenset[NodeKey]) -> list[QRectF]:
        found = [box.bounds() for key in keys for box in self.scene.of(key)]
        levels = {definition for definition, _ in keys}
        # A row of a stack is selected without having a box of its own.
        stacks = (box for box in self.scene.boxes.values() if box.kind is Kind.STACK)
        found += [box.bounds() for box in stacks if box.node.definition in levels]
        return found

    def _entered(self) -> None:
        self.shown.focus = None
        self.sync()
        self.invalidate_all()
        self.show_first(self.scene.bounds())
