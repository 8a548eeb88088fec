"""What is handed to a job: plain values, so that dialogs fill them in without knowing who does the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.places import Places
from engine.problem import Problem
from engine.project import Project


@dataclass(frozen=True)
class RangeOrder:
    """A learning-rate range test: of what, from which rate to which, in how many steps."""

    project: Project
    places: Places
    low: float
    high: float
    steps: int


@dataclass(frozen=True)
class Answers:
    """Who is told how a job has ended."""

    done: Callable[[Any], None] | None = None
    failed: Callable[[Problem], None] | None = None
    cancelled: Callable[[], None] | None = None
