"""The document: a Project is a Graph and a Recipe, with its name and what is known about its data.

Owns the value only. Reading and writing the file stand in `projectfile.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.datafacts import DataFacts
from engine.graph import Graph
from engine.recipe import Recipe

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Proposed:
    """A learning rate that a range test proposed, and the key of what was tested."""

    rate: float
    key: str


@dataclass(frozen=True)
class Project:
    """Everything that one `*.lwr` file says."""

    name: str = "untitled"
    graph: Graph = field(default_factory=Graph)
    recipe: Recipe = field(default_factory=Recipe)
    data: DataFacts | None = None
    """Facts found when the data was last read; None while it has not been."""
    notes: str = ""
    muted: tuple[str, ...] = ()
    """Ids of advice that is not to be given here."""
    proposed: Proposed | None = None
    """What the last range test found; None while there was none."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the file that this version does not know; saved back unchanged."""

    def with_graph(self, graph: Graph) -> Project:
        """This project with another graph."""
        return replace(self, graph=graph)

    def with_recipe(self, recipe: Recipe) -> Project:
        """This project with another recipe."""
        return replace(self, recipe=recipe)
