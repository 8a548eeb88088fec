"""Where each overlay stands: 12 px from the edges, folded when the canvas is narrow.

Owns the overlays of one view and nothing of what they show.
"""

from __future__ import annotations

from gui.canvas.moving import Moving
from gui.canvas.overlays.empty import EmptyCanvas
from gui.canvas.overlays.minimap import Minimap
from gui.canvas.overlays.path_bar import PathBar
from gui.canvas.overlays.show_bar import ShowBar
from gui.canvas.overlays.verdict_chip import VerdictChip
from gui.canvas.overlays.zoom_bar import ZoomBar
from gui.theme import metrics
from gui.widgets.buttons import tool_button

NARROW = 700


class Overlays:
    """All overlays of a board; `arrange` after every change of size or content."""

    def __init__(self, board: Moving) -> None:
        self._board = board
        self.empty = EmptyCanvas(board)
        self.path = PathBar(board)
        self.show_bar = ShowBar(board)
        self.zoom = ZoomBar(board)
        self.verdict = VerdictChip(board)
        self.minimap = Minimap(board)
        self.map_button = tool_button("minimap", board.tr("Show the minimap"), checkable=True)
        self.map_button.setParent(board)
        self.map_button.toggled.connect(self.arrange)
        self.empty.settled.connect(self.arrange)
        board.synced.connect(self.arrange)
        board.evidence_changed.connect(self.arrange)
        board.document.selection.trail_changed.connect(self.arrange)
        self.arrange()

    def arrange(self) -> None:
        """Puts every overlay into its place."""
        board, edge = self._board, metrics.overlay_margin
        wide, high = board.width(), board.height()
        narrow = wide < NARROW
        filled = bool(board.scene.boxes)
        self.path.move(edge - 4, edge - 2)
        self.show_bar.fold(narrow)
        self.show_bar.adjustSize()
        self.show_bar.move(wide - edge - self.show_bar.width(), edge - 2)
        self.zoom.adjustSize()
        self.zoom.move(edge, high - edge - self.zoom.height())
        self.zoom.setVisible(filled)
        left = edge + self.zoom.width() + 8
        self.verdict.fold(narrow, room=wide - left - edge - self.minimap.width() - 8)
        self.verdict.move(left, high - edge - self.verdict.height())
        self.map_button.setVisible(narrow and filled)
        self.map_button.adjustSize()
        self.map_button.move(wide - edge - self.map_button.width(), high - edge - self.map_button.height())
        self.minimap.setVisible(filled and (not narrow or self.map_button.isChecked()))
        above = self.map_button.height() + 8 if narrow else 0
        self.minimap.move(wide - edge - self.minimap.width(), high - edge - self.minimap.height() - above)
        self.empty.setVisible(not filled)
        self.empty.move((wide - self.empty.width()) // 2, max(60, (high - self.empty.height()) // 2))
