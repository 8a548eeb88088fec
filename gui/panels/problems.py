"""The problems: one row each with its place, what happened, what was expected and a button that mends it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from engine.analysis import Analysis
from engine.problem import Fix, Problem, Severity
from gui.document import Document
from gui.theme import metrics
from gui.widgets.buttons import Button
from gui.widgets.labels import ElidedLabel
from gui.widgets.states import EmptyState, IconLabel

_ICONS = {
    Severity.ERROR: ("error", "error"),
    Severity.WARNING: ("warning", "warn"),
    Severity.ADVICE: ("info", "accent"),
}
_MOST = 200
"""Rows made at most: a broken file may have thousands of problems of the same kind."""


class ProblemsPanel(QScrollArea):
    """Rows of problems, worst first. A click shows the place; the button applies the best fix."""

    shown_on_canvas = Signal(str, str)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._shown: tuple[Problem, ...] | None = None
        self.rows: list[_Row] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        document.analyzed.connect(self.show_analysis)
        document.opened.connect(lambda: self.show_analysis(document.analysis))
        self.show_analysis(document.analysis)

    def show_analysis(self, analysis: Analysis) -> None:
        """Writes the rows again when the problems have changed."""
        ordered = tuple(sorted(analysis.problems, key=lambda problem: list(Severity).index(problem.severity)))
        if ordered == self._shown:
            # Equal words, but the fixes carry edits of the newest project.
            for row, problem in zip(self.rows, ordered, strict=False):
                row.problem = problem
            return
        self._shown = ordered
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(0)
        self.rows = []
        for problem in ordered[:_MOST]:
            row = _Row(problem)
            row.chosen.connect(self._go)
            row.mended.connect(self._mend)
            layout.addWidget(row)
            self.rows.append(row)
        if not ordered:
            layout.addWidget(
                EmptyState("check", self.tr("No problems"), self.tr("This network is ready to train."), framed=False)
            )
        layout.addStretch()
        self.setWidget(content)

    def _go(self, problem: Problem) -> None:
        if problem.where.node:
            self.shown_on_canvas.emit(problem.where.definition, problem.where.node)

    def _mend(self, fix: Fix) -> None:
        if fix.apply is not None:
            self._document.edit(fix.title, fix.apply)


class _Row(QFrame):
    chosen = Signal(object)
    mended = Signal(object)

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem
        self.setObjectName("problem")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(metrics.panel_padding, 4, metrics.panel_padding, 4)
        row.setSpacing(12)
        name, token = _ICONS[problem.severity]
        mark = IconLabel(name, token=token)
        mark.setToolTip(problem.severity.value)
        place = ElidedLabel(str(problem.where), role="strong")
        place.setFixedWidth(124)
        happened = ElidedLabel(problem.happened)
        expected = ElidedLabel(problem.expected or problem.fix, role="label")
        row.addWidget(mark)
        row.addWidget(place)
        row.addWidget(happened, 5)
        row.addWidget(expected, 4)
        self.button: Button | None = None
        fixes = [fix for fix in problem.fixes if fix.apply is not None]
        if fixes:
            self.button = Button(fixes[0].title, icon_name="wand", tip=fixes[0].detail or problem.fix)
            self.button.clicked.connect(self._apply)
            row.addWidget(self.button)
        self.setToolTip("\n".join(part for part in (problem.happened, problem.expected, problem.fix) if part))
        self.setMinimumHeight(36)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press anywhere shows the place."""
        self.chosen.emit(self.problem)
        super().mousePressEvent(event)

    def keyPressEvent(self, event: object) -> None:
        """Enter shows the place."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):  # type: ignore[attr-defined]
            self.chosen.emit(self.problem)
        else:
            super().keyPressEvent(event)  # type: ignore[arg-type]

    def _apply(self) -> None:
        fixes = [fix for fix in self.problem.fixes if fix.apply is not None]
        if fixes:
            self.mended.emit(fixes[0])
