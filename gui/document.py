"""The open project and its history: the only writer. Views read `project`, listen to `changed`, and call `edit`.

Never draws and never checks; results of checks are handed in by the checker and passed on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.analysis import Analysis
from engine.diff import diff
from engine.graph import Graph
from engine.history import History
from engine.problem import Problem, ProblemError
from engine.project import Project
from engine.projectfile import read_project, write_project
from gui.selection import Selection


class Document(QObject):
    """One project, its undo history, its file, and what the last check found."""

    changed = Signal(object)
    """A `Delta` between the project before and now. Views redraw only what it names."""
    opened = Signal()
    """Another project stands here now; views start again from `project`."""
    analyzed = Signal(object)
    """A new `Analysis` of the current project."""
    state_changed = Signal()
    """Path, saved state, or what undo and redo would do has changed."""
    refused = Signal(object)
    """A `Problem`: an edit that could not be made. The project is unchanged."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.selection = Selection(self)
        self.analysis = Analysis()
        self.path: Path | None = None
        self.read_only = False
        self.load_problems: tuple[Problem, ...] = ()
        self._history = History(Project())
        self._saved: Project = self._history.current

    @property
    def project(self) -> Project:
        """The project as it is now."""
        return self._history.current

    @property
    def graph(self) -> Graph:
        """The project's network, outermost level."""
        return self.project.graph

    @property
    def dirty(self) -> bool:
        """True when there are changes that are not in the file."""
        return self.project is not self._saved and self.project != self._saved

    @property
    def undo_label(self) -> str:
        """What Undo would take back; empty when there is nothing."""
        return self._history.undo_label if self._history.can_undo else ""

    @property
    def redo_label(self) -> str:
        """What Redo would bring back; empty when there is nothing."""
        return self._history.redo_label if self._history.can_redo else ""

    def edit(self, label: str, change: Callable[[Project], Project], merge: str = "") -> bool:
        """Makes one undoable change; False when it was refused. Equal `merge` keys in a row become one step."""
        before = self.project
        try:
            after = change(before)
        except ProblemError as fault:
            self.refused.emit(fault.problem)
            return False
        if after is not before:
            self._history.edit(after, label, merge=merge)
            self._tell(before)
        return True

    def edit_graph(self, label: str, change: Callable[[Graph], Graph], merge: str = "") -> bool:
        """`edit` for changes that touch only the graph."""
        return self.edit(label, lambda project: project.with_graph(change(project.graph)), merge)

    def amend(self, change: Callable[[Project], Project]) -> None:
        """Writes down what was found out about the project (facts of its data): no edit, so nothing to undo."""
        before = self.project
        after = change(before)
        if after == before:
            return
        was_clean = not self.dirty
        self._history.amend(after)
        if was_clean:
            self._saved = after
        self._tell(before)

    def undo(self) -> None:
        """Goes back to the state before the last change."""
        if self._history.can_undo:
            before = self.project
            self._history.undo()
            self._tell(before)

    def redo(self) -> None:
        """Brings back what was undone last."""
        if self._history.can_redo:
            before = self.project
            self._history.redo()
            self._tell(before)

    def open(self, path: Path) -> None:
        """Opens a project file; ProblemError when it cannot be used, the open project then stays."""
        loaded = read_project(path)
        self.adopt(loaded.project, path, read_only=loaded.read_only, problems=loaded.problems)

    def adopt(
        self,
        project: Project,
        path: Path | None = None,
        *,
        read_only: bool = False,
        problems: tuple[Problem, ...] = (),
        saved: bool = True,
    ) -> None:
        """Puts a project here, with a history of its own. `saved=False` marks it as changed (recovered work)."""
        self._history = History(project)
        self._saved = project if saved else Project(name="")
        self.path, self.read_only, self.load_problems = path, read_only, problems
        self.analysis = Analysis()
        self.selection.leave(project.graph, 0)
        self.selection.clear()
        self.opened.emit()
        self.state_changed.emit()

    def save(self, path: Path | None = None) -> None:
        """Writes the file (atomically); ProblemError when the disk refuses, the old file then stays whole."""
        target = path or self.path
        if target is None:
            raise ValueError("a project that was never saved needs a path")
        write_project(self.project, target)
        self._saved = self.project
        self.path, self.read_only = target, False
        self.state_changed.emit()

    def accept(self, analysis: Analysis, project: Project) -> None:
        """Takes a check's result; one of an older project is dropped."""
        if project is self.project:
            self.analysis = analysis
            self.analyzed.emit(analysis)

    def _tell(self, before: Project) -> None:
        delta = diff(before, self.project)
        self.selection.follow(self.graph)
        self.changed.emit(delta)
        self.state_changed.emit()
