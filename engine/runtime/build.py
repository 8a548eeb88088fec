"""From generated source to a live module, and from an exception back to the node it happened in.

Owns `Built`, `build` and `locate`. The text is always made afresh from the project: a `model.py` found in a run's
folder is a record and never executed. Weights are drawn from torch's default generator, which the caller seeds.
"""

from __future__ import annotations

import importlib.util
import linecache
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import torch
from torch import nn

from engine.analysis import Analysis
from engine.graph import Graph
from engine.problem import Problem, ProblemError, Where, error
from engine.project import Project
from engine.runtime.analyze import analyze
from engine.runtime.memory import memory_problem
from engine.source_ends import find_ends

# In eval mode a TransformerEncoderLayer would otherwise take a fused path that differs from training by 5e-7.
torch.backends.mha.set_fastpath_enabled(False)

_numbers = count(1)


@dataclass(frozen=True)
class Built:
    """A live model, the text it came from, and which streams enter and leave it, in order."""

    model: nn.Module
    source: str
    class_name: str
    module: ModuleType
    inputs: tuple[str, ...]
    """Data streams, one per argument of `forward`."""
    outputs: tuple[str, ...]
    """Names of the Output nodes, one per returned tensor."""
    output_ids: tuple[str, ...]
    graph: Graph
    nodes: Mapping[str, tuple[str, str]]
    """Instance path -> (definition id, node id)."""
    lines: Mapping[int, tuple[str, str]]


def build(project: Project, *, analysis: Analysis | None = None, file: Path | None = None,
          device: torch.device | None = None) -> Built:  # fmt: skip
    """The project's model in train mode, on the CPU; ProblemError when the project has errors or does not fit.

    With `file` the text is written there and imported from there (a run's record); else it lives in memory.
    """
    found = analysis if analysis is not None and analysis.source else analyze(project)
    if not found.source:
        raise ProblemError(*(found.errors or (_nothing(),)))
    too_large = memory_problem(found.parameters, device)
    if too_large:
        raise ProblemError(too_large)
    module = _imported(found.source, file) if file else _executed(found.source)
    try:
        model: nn.Module = getattr(module, found.class_name)()
    except (MemoryError, RuntimeError) as fault:
        raise ProblemError(_unbuilt(fault, module, found, project)) from fault
    ends = find_ends(project)
    nodes = {path: place for place, facts in found.nodes.items() for path in facts.paths}
    nodes |= {part: nodes[path] for part, path in found.parts.items() if path in nodes}
    return Built(
        model, found.source, found.class_name, module, tuple(end.stream for end in ends.inputs),
        tuple(end.name for end in ends.outputs), tuple(end.node for end in ends.outputs), project.graph, nodes,
        found.lines,
    )  # fmt: skip


def locate(fault: BaseException, built: Built) -> Where:
    """The node an exception came from; the whole project when it came from elsewhere.

    Copies of a block share their lines, so the module at work is asked first and the line of the text second.
    """
    paths = {id(module): path for path, module in built.model.named_modules()}
    found = Where(label="project")
    for scope, file, line in _frames(fault.__traceback__):
        path = paths.get(id(scope.get("self")), "")
        owner = _known(path, built)
        if owner:
            found = _where(built.nodes[owner], owner)
        if file == built.module.__file__ and line in built.lines:
            definition, node = built.lines[line]
            name = built.graph.level(definition).nodes[node].name
            found = _where((definition, node), f"{path}.{name}" if path else name)
    return found


def _known(path: str, built: Built) -> str:
    """The longest beginning of a module's path that is a node's: modules inside a layer belong to the layer."""
    while path and path not in built.nodes:
        path = path.rpartition(".")[0]
    return path


def _where(place: tuple[str, str], label: str) -> Where:
    return Where(label=label, node=place[1], definition=place[0])


def _frames(traceback: TracebackType | None) -> Iterator[tuple[Mapping[str, Any], str, int]]:
    while traceback is not None:
        frame = traceback.tb_frame
        yield frame.f_locals, frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


def _executed(text: str) -> ModuleType:
    """A module in memory whose lines tracebacks and `inspect` can still show."""
    name = f"layerwright_model_{next(_numbers)}"
    module = ModuleType(name)
    module.__file__ = f"<{name}>"
    # No loader and no time of change: linecache keeps such an entry until it is told otherwise.
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(keepends=True), module.__file__)
    sys.modules[name] = module
    exec(compile(text, module.__file__, "exec"), vars(module))
    return module


def _imported(text: str, file: Path) -> ModuleType:
    file.write_text(text, encoding="utf-8")
    name = f"layerwright_model_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ProblemError(
            error(Where(file=str(file)), "This file cannot be imported.", "A file ending in .py", "Rename")
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    linecache.checkcache(str(file))
    # Straight from the text, so that a stale compiled copy beside the file can never run.
    exec(compile(text, str(file), "exec"), vars(module))
    return module


def _nothing() -> Problem:
    return error("project", "There is no network yet.", "Layers from an Input to an Output", "Draw one")


def _unbuilt(fault: Exception, module: ModuleType, analysis: Analysis, project: Project) -> Problem:
    where = Where(label="project")
    for _, file, line in _frames(fault.__traceback__):
        if file == module.__file__ and line in analysis.lines:
            definition, node = analysis.lines[line]
            where = _where((definition, node), project.graph.level(definition).nodes[node].name)
    first = (str(fault).strip().splitlines() or [type(fault).__name__])[0]
    return error(where, f"The network cannot be built: {first[:200]}.", "Enough memory, and settings that torch takes",
                 "Make this layer smaller")  # fmt: skip
