"""The problems: one row each with its place, what happened, what was expected and a button that mends it.

Advice can be silenced for the project from its row's menu, and heard again from the line at the foot.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QScrollArea, QVBoxLayout, QWidget

from engine.analysis import Analysis
from engine.check_advice import muted, rule_of, unmuted
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
        self._shown: tuple[tuple[Problem, ...], tuple[str, ...]] | None = None
        self.hear: Button | None = None
        """Brings muted advice back; None while nothing is muted."""
        self.rows: list[_Row] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        document.analyzed.connect(self.show_analysis)
        document.opened.connect(lambda: self.show_analysis(document.analysis))
        self.show_analysis(document.analysis)

    def show_analysis(self, analysis: Analysis) -> None:
        """Writes the rows again when the problems have changed."""
        ordered = tuple(sorted(analysis.problems, key=lambda problem: list(Severity).index(problem.severity)))
        silent = self._document.project.muted
        if (ordered, silent) == self._shown:
            # Equal words, but the fixes carry edits of the newest project.
            for row, problem in zip(self.rows, ordered, strict=False):
                row.problem = problem
            return
        self._shown = ordered, silent
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(0)
        self.rows = []
        for problem in ordered[:_MOST]:
            row = _Row(problem)
            row.chosen.connect(self._go)
            row.mended.connect(self._mend)
            row.silenced.connect(self._mute)
            layout.addWidget(row)
            self.rows.append(row)
        if not ordered:
            layout.addWidget(
                EmptyState("check", self.tr("No problems"), self.tr("This network is ready to train."), framed=False)
            )
        self.hear = self._foot(len(silent)) if silent else None
        if self.hear is not None:
            layout.addWidget(self.hear, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch()
        self.setWidget(content)

    def _foot(self, count: int) -> Button:
        words = self.tr("%n kinds of advice are not given here. Give them again", "", count)
        if count == 1:
            words = self.tr("One kind of advice is not given here. Give it again")
        button = Button(words, icon_name="eye", kind="quiet", tip=", ".join(self._document.project.muted))
        button.clicked.connect(lambda: self._document.edit(self.tr("Give advice again"), unmuted))
        return button

    def _mute(self, problem: Problem) -> None:
        rule = rule_of(problem)
        if rule:
            self._document.edit(self.tr("Don't advise this"), lambda project: muted(project, rule))

    def _go(self, problem: Problem) -> None:
        if problem.where.node:
            self.shown_on_canvas.emit(problem.where.definition, problem.where.node)

    def _mend(self, fix: Fix) -> None:
        if fix.apply is not None:
            self._document.edit(fix.title, fix.apply)


class _Row(QFrame):
    chosen = Signal(object)
    mended = Signal(object)
    silenced = Signal(object)

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
        happened = ElidedLabel(problem.happened, role="label" if problem.severity is Severity.ADVICE else "")
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
        self.setToolTip(
            "\n".join(part for part in (problem.happened, problem.expected, problem.fix, problem.source) if part)
        )
        self.setMinimumHeight(36)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press anywhere shows the place."""
        self.chosen.emit(self.problem)
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done about it; advice can be silenced."""
        menu = self.menu()
        if not menu.isEmpty():
            menu.popup(event.globalPos())

    def menu(self) -> QMenu:
        """The fixes, and for advice the way to hear no more of it."""
        menu = QMenu(self)
        for fix in self.problem.fixes:
            if fix.apply is not None:
                menu.addAction(fix.title).triggered.connect(lambda _=False, chosen=fix: self.mended.emit(chosen))
        if rule_of(self.problem):
            menu.addSeparator()
            quiet = menu.addAction(self.tr("Don't advise this"))
            quiet.setToolTip(self.tr("Saved with the project; the foot of this list brings it back"))
            quiet.triggered.connect(lambda: self.silenced.emit(self.problem))
        return menu

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
