"""A live module becomes a project's graph: traced in both modes, translated, put into levels, laid out, proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from engine.graph import Graph
from engine.layout import arrange
from engine.problem import Problem, warning
from engine.runtime.importing.layers import is_whole, whole_functions
from engine.runtime.importing.levels import level_up
from engine.runtime.importing.steps import Steps
from engine.runtime.importing.trace import num_outputs, record, trace
from engine.runtime.importing.translate import translate

Samples = Mapping[str, tuple[tuple[int, ...], torch.dtype]]


@dataclass(frozen=True)
class Imported:
    """The graph, where modules are called otherwise in it, and what is to be said about it."""

    graph: Graph
    moved: Mapping[str, str] = field(default_factory=dict)
    """Module path (or parameter) of the original -> instance path in the graph, where they differ."""
    problems: tuple[Problem, ...] = ()
    aside: tuple[str, ...] = ()
    """Names of outputs that the original gives while training only."""
    unused: tuple[str, ...] = ()
    """Module paths with weights that the forward pass never calls."""

    def key(self, key: str) -> str:
        """The state_dict key here of one of the original's."""
        path = key
        while path:
            if path in self.moved:
                return self.moved[path] + key[len(path) :]
            path = path.rpartition(".")[0]
        return key


def import_module(module: nn.Module, samples: Samples) -> Imported:
    """The graph of a module; `samples` gives shape (without the batch) and type of each input, in order.

    The module's mode is left as it was, and it may stand on the meta device. ProblemError names the first module or
    operation that cannot become a layer.
    """
    before = module.training
    try:
        trained = translate(trace(module.train(), samples, whole=is_whole, functions=whole_functions()))
        plain = num_outputs(record(module.eval(), samples, whole=is_whole, functions=whole_functions()))
    finally:
        module.train(before)
    aside = tuple(name for name, _ in trained.outputs[plain:])
    levelled = level_up(trained, aside)
    graph = levelled.graph
    for definition in ("", *graph.definitions):
        graph = arrange(graph, definition)
    return Imported(graph, levelled.moved, tuple(_told(module, trained, levelled.moved)), aside, trained.unused)


def _told(module: nn.Module, steps: Steps, moved: Mapping[str, str]) -> list[Problem]:
    found = []
    if steps.unused:
        shown = ", ".join(path or type(module).__name__ for path in steps.unused[:3])
        more = f" and {len(steps.unused) - 3} more" if len(steps.unused) > 3 else ""
        happened = f"The network never uses these weights, so they are left out: {shown}{more}"
        wanted = "Weights that the forward pass uses"
        found.append(warning(shown, happened, wanted, "Nothing needs to be done", code="import.unused"))
    if moved:
        old, new = next(iter(moved.items()))
        happened = f"{len(moved)} layers are called otherwise here, such as {new} for {old}"
        found.append(warning("names", happened, "Names that fit the flow of data",
                             "Weights find their places all the same", code="import.moved"))  # fmt: skip
    return found
