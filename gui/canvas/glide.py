"""Boxes that glide to their new places after tidying and opening, so that the eye can follow them.

Owns the movement for the eye only: the scene holds the new places before it begins, and has them again at its end.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEasingCurve, QObject, QPointF, QRectF, QVariantAnimation

from gui.canvas.boxes import Box, ItemKey
from gui.canvas.surface import Surface
from gui.motion import motion_ms
from gui.theme import metrics


class Glide(QObject):
    """At most one movement at a time; a new one begins where the boxes are."""

    def __init__(self, surface: Surface) -> None:
        super().__init__(surface)
        self._surface = surface
        self._ways: list[tuple[Box, QPointF, QPointF]] = []
        self._ends: dict[Box, QPointF] = {}
        self._motion = QVariantAnimation(self)
        self._motion.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._motion.setStartValue(0.0)
        self._motion.setEndValue(1.0)
        self._motion.valueChanged.connect(self._move)

    def places(self) -> dict[ItemKey, QPointF]:
        """Where the boxes are seen now."""
        return {item: box.rect.topLeft() for item, box in self._surface.scene.boxes.items()}

    def start(self, before: Mapping[ItemKey, QPointF]) -> None:
        """Moves boxes from where they were to where the scene has them."""
        self._motion.stop()
        time = motion_ms(metrics.move_ms)
        boxes = self._surface.scene.boxes
        ways = ((box, before.get(item, box.rect.topLeft()), box.rect.topLeft()) for item, box in boxes.items())
        self._ways = [way for way in ways if way[1] != way[2]]
        self._ends = {box: end for box, _, end in self._ways}
        if self._ways and time and self._surface.isVisible():
            self._motion.setDuration(time)
            self._motion.start()

    def target(self, box: Box) -> QRectF:
        """Where a box will stand when everything rests."""
        moving = self._motion.state() == QVariantAnimation.State.Running
        end = self._ends.get(box) if moving else None
        return QRectF(box.rect.topLeft() if end is None else end, box.rect.size())

    def finish(self) -> None:
        """Puts every box at its place at once: somebody wants to take hold of one."""
        if self._motion.state() == QVariantAnimation.State.Running:
            self._motion.stop()
            self._move(1.0)

    def _move(self, share: float) -> None:
        scene = self._surface.scene
        dirty = []
        for box, start, end in self._ways:
            if scene.boxes.get(box.item) is not box:
                continue
            dirty.append(box.bounds())
            box.rect.moveTo(start + (end - start) * share)
            dirty.append(box.bounds())
            for wire in scene.wires_at(box):
                before = wire.bounds
                if wire.settle():
                    dirty += [before, wire.bounds]
        self._surface.invalidate(dirty)
