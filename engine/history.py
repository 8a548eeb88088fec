"""Undo and redo: a bounded stack of Project values. An older state is an older value; there are no commands.

Never changes a project and never compares more than whole values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.project import Project

MAX_STATES = 200
"""Unchanged parts are shared between states, so this many cost little."""


@dataclass(frozen=True, slots=True)
class _State:
    project: Project
    label: str = ""
    """The edit that led here."""
    merge: str = ""


class History:
    """The states of one document, oldest first, and the one that is current."""

    def __init__(self, project: Project) -> None:
        self._states = [_State(project)]
        self._at = 0

    @property
    def current(self) -> Project:
        """The project as it is now."""
        return self._states[self._at].project

    @property
    def can_undo(self) -> bool:
        """True when there is an older state."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """True when a state was undone and nothing was edited since."""
        return self._at < len(self._states) - 1

    @property
    def undo_label(self) -> str:
        """The edit that undo would take back; empty when there is none."""
        return self._states[self._at].label if self.can_undo else ""

    @property
    def redo_label(self) -> str:
        """The edit that redo would bring back; empty when there is none."""
        return self._states[self._at + 1].label if self.can_redo else ""

    def edit(self, project: Project, label: str, merge: str = "") -> None:
        """Makes `project` current. An identical state is dropped; the same `merge` key as the last edit replaces it."""
        if project is self.current or project == self.current:
            return
        top = self._states[self._at]
        replaces = bool(merge) and top.merge == merge and self.can_undo and not self.can_redo
        del self._states[self._at + 1 :]
        if replaces:
            self._states.pop()
            if project == self._states[-1].project:
                self._at = len(self._states) - 1
                return
            label = top.label
        self._states.append(_State(project, label, merge))
        del self._states[: max(0, len(self._states) - MAX_STATES - 1)]
        self._at = len(self._states) - 1

    def amend(self, project: Project) -> None:
        """Replaces the current state without a step of its own: for facts that were found, not edits that were made."""
        self._states[self._at] = replace(self._states[self._at], project=project)

    def undo(self) -> Project:
        """Goes one state back where there is one; returns what is current then."""
        self._at = max(0, self._at - 1)
        return self.current

    def redo(self) -> Project:
        """Goes one state forward where there is one; returns what is current then."""
        self._at = min(len(self._states) - 1, self._at + 1)
        return self.current
