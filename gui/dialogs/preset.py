"""What a preset would change in the open project and why, before it does; applying is one step of undo."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from engine.presets import PRESETS, Change, apply_changes
from engine.problem import ProblemError
from gui.document import Document
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.states import Banner


class PresetDialog(QDialog):
    """Open it with `open()`."""

    def __init__(self, document: Document, preset: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._preset = document, PRESETS[preset]
        self._seen = document.project
        self.changes: list[Change] = []
        self.setWindowTitle(self._preset.title)
        self.resize(560, 480)
        layout = QVBoxLayout(self)
        edge = metrics.panel_padding
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(metrics.grid)
        layout.addWidget(_words(self._preset.help + ".", "label"))
        layout.addWidget(self._body(), 1)
        layout.addWidget(_words(self._preset.source, "hint"))
        buttons = QHBoxLayout()
        self.apply = Button(self.tr("Apply"), kind="primary", tip=self.tr("Make these changes; Undo takes them back"))
        self.apply.setEnabled(bool(self.changes))
        self.apply.clicked.connect(self._apply)
        self.cancel = Button(self.tr("Cancel"))
        self.cancel.clicked.connect(self.reject)
        buttons.addStretch()
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.apply)
        layout.addLayout(buttons)

    def _body(self) -> QWidget:
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, metrics.grid, 0)
        rows.setSpacing(metrics.control_padding)
        try:
            self.changes = self._preset.plan(self._seen)
        except ProblemError as fault:
            problem = fault.problem
            rows.addWidget(Banner("warn", problem.happened, f"{problem.expected}. {problem.fix}."))
        else:
            if not self.changes:
                rows.addWidget(Banner("ok", self.tr("Everything is so already"), ""))
        for change in self.changes:
            rows.addWidget(_row(change))
        rows.addStretch()
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(content)
        return area

    def _apply(self) -> None:
        # The plan was made for the project that was seen; what changed since then is planned anew.
        project = self._document.project
        changes = self.changes if project is self._seen else None
        preset = self._preset
        self._document.edit(preset.title, lambda old: apply_changes(old, changes or preset.plan(old)))
        self.accept()


def _row(change: Change) -> QWidget:
    row = QWidget()
    layout = QVBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    layout.addWidget(_words(f"{change.what}: {change.before} → {change.after}", "strong"))
    layout.addWidget(_words(change.why, "label"))
    return row


def _words(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
