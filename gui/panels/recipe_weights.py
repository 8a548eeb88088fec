"""What training starts from: numbers drawn from the seed, or weights of the project's own, and how to change that.

Shows and asks; opening a file is the window's part.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.project import Project
from engine.weightfile import detach
from gui.document import Document
from gui.numbers import bytes_text
from gui.theme import metrics
from gui.widgets.buttons import Button


class WeightsRow(QWidget):
    """A line that says where the weights come from, and the two buttons that change it."""

    wanted = Signal()
    """Open a file of weights."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.words = QLabel()
        self.words.setProperty("role", "label")
        self.words.setWordWrap(True)
        self.drop = Button(self.tr("Take out"), tip=self.tr("Draw all weights from the seed again"))
        self.drop.clicked.connect(lambda: document.edit(self.tr("Take weights out"), detach))
        tip = self.tr("Start from the weights of a file, as far as they fit")
        self.load = Button(self.tr("Open weights…"), icon_name="import", tip=tip)
        self.load.clicked.connect(self.wanted)
        row = QHBoxLayout()
        row.setSpacing(metrics.grid)
        row.addStretch()
        row.addWidget(self.drop)
        row.addWidget(self.load)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(metrics.grid)
        column.addWidget(self.words)
        column.addLayout(row)
        self.show_project(document.project)

    def show_project(self, project: Project) -> None:
        """Says where the project's weights come from."""
        weights = project.weights
        self.drop.setVisible(weights is not None)
        if weights is None:
            self.words.setText(self.tr("Drawn from the seed"))
            return
        source = weights.source or self.tr("a file")
        words = self.tr("Weights of {0} ({1})") if not weights.partial else self.tr("What fits of {0} ({1}), the rest "
                                                                                    "drawn from the seed")  # fmt: skip
        self.words.setText(words.format(source, bytes_text(weights.bytes)))
