"""One sample as it is given, before any preprocessing. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.datasets.raw import Array
from engine.problem import Problem


@dataclass(frozen=True)
class Sample:
    """One sample of a file: an array per stream, without a batch axis."""

    file: str
    row: int | None
    inputs: Mapping[str, Array]
    remarks: tuple[Problem, ...] = ()
    """Warnings, such as a picture of several frames."""
    said: tuple[str, ...] = ()
    """What was done to bring it into the form of the data."""
