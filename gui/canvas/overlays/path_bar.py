"""The path from the project down to the level on show; each part leads back to it."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel

from gui.canvas.board import Board
from gui.widgets.buttons import Button


class PathBar(QFrame):
    """Top left. At the outermost level it is only the project's name."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._board = board
        self._said: tuple[str, ...] = ()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(4, 2, 8, 2)
        self._row.setSpacing(6)
        self._row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetFixedSize)
        board.synced.connect(self.refresh)
        board.document.selection.trail_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Writes the path anew when it changed."""
        document = self._board.document
        said = (document.project.name, *(self._title(key) for key in document.selection.trail))
        if said == self._said:
            return
        self._said = said
        while (item := self._row.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for depth, text in enumerate(said):
            if depth:
                arrow = QLabel("›")
                arrow.setProperty("role", "hint")
                self._row.addWidget(arrow)
            if depth == len(said) - 1:
                here = QLabel(text)
                here.setProperty("role", "strong")
                self._row.addWidget(here)
            else:
                button = Button(text, kind="link", tip=self.tr("Back to {0}").format(text))
                button.clicked.connect(lambda _=False, depth=depth: self._leave(depth))
                self._row.addWidget(button)

    def _leave(self, depth: int) -> None:
        self._board.document.selection.leave(self._board.document.graph, depth)

    def _title(self, key: tuple[str, str]) -> str:
        graph = self._board.document.graph
        level = graph.definitions.get(key[0]) if key[0] else graph
        node = level.nodes.get(key[1]) if level else None
        if node is None:
            return ""
        inside = graph.definitions.get(node.definition)
        return (inside.title if inside else "") or node.name
