"""What is handed to a job: plain values, so that dialogs fill them in without knowing who does the work."""

from __future__ import annotations

from dataclasses import dataclass

from engine.places import Places
from engine.project import Project


@dataclass(frozen=True)
class RangeOrder:
    """A learning-rate range test: of what, from which rate to which, in how many steps."""

    project: Project
    places: Places
    low: float
    high: float
    steps: int
