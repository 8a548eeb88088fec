"""Cut, copy, paste and duplicate, through the system's clipboard.

Owns the clipboard's form: our own JSON, and the same as text, so that layers can be pasted into a message and back.
"""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import QByteArray, QCoreApplication, QMimeData, QPointF
from PySide6.QtGui import QCursor, QGuiApplication

from engine import clipboard
from engine.graph import Graph
from engine.problem import ProblemError
from gui.canvas.editing import Editing
from gui.canvas.measures import GRID_COARSE, snapped

MIME = "application/x-layerwright+json"
MOST_BYTES = 16 * 1024 * 1024
"""Larger texts on the clipboard are not ours: parsing them would hold the window up."""


class Clipping(Editing):
    """A board that talks to the clipboard."""

    _pasted = 0
    """How often the same fragment was pasted: each copy stands a little lower."""

    def copy(self) -> None:
        """Puts the selected layers on the clipboard."""
        definition, ids = self.chosen()
        if not ids:
            return
        try:
            fragment = clipboard.copy_nodes(self.document.graph, definition, ids)
        except ProblemError as fault:
            self.document.refused.emit(fault.problem)
            return
        text = json.dumps(fragment)
        data = QMimeData()
        data.setData(MIME, QByteArray(text.encode()))
        data.setText(text)
        QGuiApplication.clipboard().setMimeData(data)
        self._pasted = 0

    def cut(self) -> None:
        """Copies the selected layers and deletes them."""
        if self.document.selection.nodes:
            self.copy()
            self.delete()

    def paste(self) -> None:
        """Pastes layers at the pointer when it is over the canvas, else a little beside where they came from."""
        fragment = fragment_of(QGuiApplication.clipboard().mimeData())
        if fragment is None:
            return
        place = self._place()
        definition = self.level
        if place is not None:
            definition, path = self.scene.level_at(place)
            place = self.scene.to_level(path, place)
        else:
            self._pasted += 1
            seen = self.to_scene(QPointF(self.width() * 0.3, self.height() * 0.3))
            place = seen + QPointF(GRID_COARSE, GRID_COARSE) * self._pasted
        made: list[str] = []

        def change(graph: Graph) -> Graph:
            pasted, ids = clipboard.paste(graph, definition, fragment, x=snapped(place.x()), y=snapped(place.y()))
            made.extend(ids)
            return pasted

        if self.document.edit_graph(_tr("Paste"), change):
            self.document.selection.select((definition, one) for one in made)

    def duplicate(self) -> None:
        """Copies the selected layers beside themselves."""
        definition, ids = self.chosen()
        made: list[str] = []

        def change(graph: Graph) -> Graph:
            doubled, copies = clipboard.duplicate(graph, definition, ids)
            made.extend(copies)
            return doubled

        if ids and self.document.edit_graph(_tr("Duplicate"), change):
            self.document.selection.select((definition, one) for one in made)

    def _place(self) -> QPointF | None:
        place = QPointF(self.mapFromGlobal(QCursor.pos()))
        return self.to_scene(place) if self.underMouse() and self.rect().contains(place.toPoint()) else None


def fragment_of(data: QMimeData | None) -> dict[str, Any] | None:
    """The layers on a clipboard; None when it holds something else."""
    if data is None:
        return None
    raw = bytes(data.data(MIME).data()) if data.hasFormat(MIME) else data.text().encode() if data.hasText() else b""
    if not raw or len(raw) > MOST_BYTES:
        return None
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("kind") == clipboard.KIND else None


def _tr(text: str) -> str:
    return QCoreApplication.translate("Canvas", text)
