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


@dataclass(frozen=True, slots=True)
class OwnWeights:
    """Weights that a project starts from, by the content of their file; `weightfile.py` knows where that is."""

    sha256: str
    """Of the safetensors file, 64 hexadecimal digits."""
    bytes: int
    source: str = ""
    """Where they came from, in words: a file's name, a model of a library."""
    partial: bool = False
    """Take what fits by name and shape and draw the rest; otherwise all of it has to fit."""


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
    weights: OwnWeights | None = None
    """What training starts from and an untrained network answers with; None: weights are drawn from the seed."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the file that this version does not know; saved back unchanged."""

    def with_graph(self, graph: Graph) -> Project:
        """This project with another graph."""
        return replace(self, graph=graph)

    def with_recipe(self, recipe: Recipe) -> Project:
        """This project with another recipe."""
        return replace(self, recipe=recipe)
