"""The one shape of every fault that a person can mend.

Owns `Problem` (what happened, where, what was expected, how to fix it), its severities, its one-click `Fix`es,
and `ProblemError`, the only exception that carries problems upwards. Never formats for a particular screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad it is: an error stops training, a warning does not, advice only suggests."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Where:
    """The place a problem speaks of.

    `node` is a node id, `definition` the id of the definition that holds it ("" is the main graph),
    `path` a setting (`recipe.optimizer.lr`, `nodes.conv1.filters`), `file` a file or folder, `label` the words to show.
    """

    label: str = ""
    node: str = ""
    definition: str = ""
    port: str = ""
    path: str = ""
    file: str = ""

    def __str__(self) -> str:
        return self.label or self.path or self.file or self.node or "project"


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to mend a problem: a title, what it costs, and the edit itself (`Project -> Project`)."""

    title: str
    detail: str = ""
    shape: str = ""
    apply: Callable[[Any], Any] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault a person can mend, in four plain sentences. `code` is stable, for tests and tools."""

    severity: Severity
    where: Where
    happened: str
    expected: str = ""
    fix: str = ""
    code: str = ""
    arrived: tuple[tuple[str, str, str], ...] = ()
    """Rows (port, shape, "from conv_in") for a shape mismatch; empty otherwise."""
    fixes: tuple[Fix, ...] = field(default=(), compare=False)
    source: str = ""
    """Advice only: the paper or book that says so."""

    def __str__(self) -> str:
        parts = [f"{self.severity.value}: {self.where}: {self.happened}"]
        if self.expected:
            parts.append(f"  expected: {self.expected}")
        if self.fix:
            parts.append(f"  fix: {self.fix}")
        if self.source:
            parts.append(f"  source: {self.source}")
        return "\n".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Plain data for `--json`; the edits of the fixes stay behind, their titles go along."""
        return {
            "severity": self.severity.value,
            "code": self.code,
            "where": str(self.where),
            "node": self.where.node,
            "path": self.where.path,
            "happened": self.happened,
            "expected": self.expected,
            "fix": self.fix,
            "fixes": [fix.title for fix in self.fixes],
            **({"source": self.source} if self.source else {}),
        }


class ProblemError(Exception):
    """Raised where work cannot go on; carries one or more problems, most important first."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems

    @property
    def problem(self) -> Problem:
        """The first and most important problem."""
        return self.problems[0]


def error(where: Where | str, happened: str, expected: str = "", fix: str = "", **more: Any) -> Problem:
    """An error-level problem; `where` may be a plain label."""
    return Problem(Severity.ERROR, _where(where), happened, expected, fix, **more)


def warning(where: Where | str, happened: str, expected: str = "", fix: str = "", **more: Any) -> Problem:
    """A warning-level problem."""
    return Problem(Severity.WARNING, _where(where), happened, expected, fix, **more)


def advice(where: Where | str, happened: str, expected: str = "", fix: str = "", **more: Any) -> Problem:
    """An advice-level problem."""
    return Problem(Severity.ADVICE, _where(where), happened, expected, fix, **more)


def has_errors(problems: Iterable[Problem]) -> bool:
    """True when any of the problems stops training."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def _where(where: Where | str) -> Where:
    return where if isinstance(where, Where) else Where(label=where)
