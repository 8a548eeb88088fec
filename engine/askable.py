"""What a run can be asked about, from its folder alone: its inputs, the columns of its rows, its splits, drawings.

Knows no torch, so that a window can offer the right ways in before a model is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt, prod
from pathlib import Path

from engine.datasets.encoding import Column
from engine.datasets.facts import raw_streams
from engine.datasets.raw import IMAGE, TOKENS, VECTOR, StreamInfo
from engine.datasets.strokes import Strokes
from engine.declare import find
from engine.project import Project
from engine.projectfile import read_project
from engine.runfiles import PROJECT, RunInfo, checkpoint_names, read_info


@dataclass(frozen=True)
class Askable:
    """A run as something to ask."""

    info: RunInfo
    streams: Mapping[str, StreamInfo]
    """The data's input streams before preprocessing; the network may take fewer."""
    columns: tuple[Column, ...]
    """What a row has to say, for rows of numbers and words; empty for other inputs."""
    counts: Mapping[str, int]
    """Samples by split."""
    outputs: tuple[str, ...]
    strokes: Strokes | None
    draws: bool
    """A drawing makes a sample."""
    checkpoints: tuple[str, ...]


def askable(run: Path) -> Askable:
    """Reads what a run can be asked about; ProblemError when the folder is no run."""
    info, project = read_info(run), read_project(run / PROJECT).project
    facts = project.data
    streams = raw_streams(facts) if facts else {}
    table = facts.extra.get("table") if facts else None
    only = next(iter(streams.values())) if len(streams) == 1 else None
    strokes = strokes_of(project)
    columns: tuple[Column, ...] = ()
    if table is not None:
        columns = tuple(Column.from_json(item) for item in table["columns"])
    elif only is not None and only.kind == VECTOR and strokes is None:
        names = only.names or tuple(f"x{place}" for place in range(1, prod(only.shape) + 1))
        columns = tuple(Column(name) for name in names)
    outputs = tuple(node.name for node in project.graph.nodes.values() if node.type == "output")
    draws = only is not None and takes_drawings(project, only)
    counts = dict(facts.counts) if facts else {}
    return Askable(info, streams, columns, counts, outputs, strokes, draws, tuple(checkpoint_names(run)))


def strokes_of(project: Project) -> Strokes | None:
    """How characters stand in the images of the project's data; None where it holds no handwriting."""
    declaration = find("dataset", str(project.recipe.get("data").get("type")))
    found: Strokes | None = getattr(declaration.cls, "strokes", None) if declaration else None
    return found


def takes_drawings(project: Project, stream: StreamInfo) -> bool:
    """True where a drawing makes a sample: images of 1 or 3 channels, and characters as rows of pixels."""
    if stream.kind == IMAGE:
        return stream.shape[0] in (1, 3)
    return stream.kind != TOKENS and strokes_of(project) is not None and square_side(stream) > 0


def square_side(stream: StreamInfo) -> int:
    """Side of the square image that a stream of pixels is; 0 for none."""
    size = prod(stream.shape)
    side = isqrt(size)
    return side if side * side == size and side > 1 else 0
