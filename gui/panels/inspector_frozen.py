"""The inspector's row that says whether a layer or block trains, and freezes it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from engine.analysis import NodeFacts
from gui.theme import metrics
from gui.widgets.choices import Check
from gui.widgets.labels import ElidedLabel


class FrozenRow(QWidget):
    """A box to tick, and what it means here. Hidden for what has no weights."""

    wanted = Signal()
    """The person asks for the other state."""

    def __init__(self) -> None:
        super().__init__()
        self.check = Check()
        self.check.setToolTip(
            self.tr("Keep these weights as they are while the others train  {0}").format("Ctrl+Shift+K")
        )
        self.check.clicked.connect(lambda _checked=False: self.wanted.emit())
        self.words = ElidedLabel()
        self.words.setProperty("role", "hint")
        label = QLabel(self.tr("Frozen"))
        label.setProperty("role", "label")
        label.setFixedWidth(metrics.label_column)
        label.setBuddy(self.check)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(label)
        row.addWidget(self.check)
        row.addWidget(self.words, 1)
        self.hide()

    def show_facts(self, facts: NodeFacts | None) -> None:
        """Shows the state of a layer or block."""
        self.setVisible(facts is not None and facts.parameters > 0)
        still, layers = facts.frozen if facts is not None else (0, 0)
        self.check.setChecked(bool(still) and still == layers)
        words = ""
        if facts is not None and still:
            if still < layers:
                words = self.tr("{0} of {1} layers").format(still, layers)
            elif facts.held:
                words = self.tr("statistics held")
        self.words.setText(words)
        self.words.setToolTip(
            self.tr("Batch norm is in inference mode: it keeps its running averages (recipe: Frozen norms)")
            if facts is not None and facts.held else ""
        )  # fmt: skip
