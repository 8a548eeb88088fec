"""A classifier of torchvision as a project: its graph, its weights, and the preprocessing they were trained with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from engine.analysis import Analysis
from engine.datafacts import DataFacts, Target
from engine.datasets.raw import Cancel, Progress
from engine.graph import OUTPUT, Graph
from engine.known import with_facts
from engine.last_layers import last_layers
from engine.problem import Problem, ProblemError, Where, error, warning
from engine.project import Project
from engine.recipe import Recipe
from engine.runtime.analyze import analyze
from engine.runtime.importing.module import Imported, import_module
from engine.runtime.importing.prove import prove
from engine.runtime.importing.zoo import Card, Entry, card, make
from engine.runtime.importing.zoo_weights import belongs, fetched, read
from engine.runtime.own_weights import attach
from engine.tensor import TensorInfo

IMAGES = "images"
"""The folder beside the project in which a person's own images are looked for."""


@dataclass(frozen=True)
class Brought:
    """A project made from a network, and what is to be said about it."""

    project: Project
    analysis: Analysis
    problems: tuple[Problem, ...]
    seconds: float
    """Making and tracing the network, laying it out, checking and comparing it; without fetching."""
    weights: str = ""
    """Name of the weights' entry; empty without."""


def bring_torchvision(
    name: str, weights: str = "", *, classes: int | None = None, size: int | None = None,
    weights_file: Path | None = None, download: bool = True, progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Brought:  # fmt: skip
    """The project of a classifier. `classes` makes its last layer anew; `size` is the side of its images in pixels.

    ProblemError: no such network or weights, no network to fetch from, a wrong file, a size that does not fit.
    """
    found = card(name)
    entry = found.entry(weights or "default") if weights or weights_file is not None else None
    problems: list[Problem] = []
    state: Mapping[str, Tensor] | None = None
    if entry is not None:
        path = weights_file or fetched(entry, download=download, progress=progress, cancel=cancel)
        if weights_file is not None and not belongs(path, entry):
            problems.append(_other(path, found, entry))
        state = read(path)
    start = perf_counter()
    side = size or (entry or found.best).size
    module = make(name, entry, state, **_sized(name, side, entry))
    brought = _brought(found, entry, module, side, classes)
    seconds = perf_counter() - start
    return replace(brought, problems=(*problems, *brought.problems), seconds=seconds)


def _brought(found: Card, entry: Entry | None, module: nn.Module, side: int, classes: int | None) -> Brought:
    samples = {"x": ((3, side, side), torch.float32)}
    imported = import_module(module, samples)
    names = (entry or found.best).classes
    project = _project(found, entry, imported.graph, side, names)
    analysis = analyze(project)
    prove(module, imported, analysis)
    changed = classes is not None and classes != len(names)
    if changed:
        assert classes is not None
        graph = _with_classes(project, analysis, classes)
        project = _project(found, entry, graph, side, tuple(str(place) for place in range(classes)))
        analysis = analyze(project)
    if entry is not None:
        project = _weighted(project, imported, module, f"torchvision:{found.name}:{entry.name}", partial=changed)
    return Brought(project, analysis, imported.problems, 0.0, entry.name if entry else "")


def _project(found: Card, entry: Entry | None, graph: Graph, side: int, classes: tuple[str, ...]) -> Project:
    recipe = Recipe({
        "data": {"type": "image_folder", "path": IMAGES},
        "preprocess": {"type": "preprocess", **preprocessing(entry or found.best, side)},
    })  # fmt: skip
    facts = DataFacts({"x": TensorInfo((3, side, side))}, {"y": Target(classes=classes)})
    return with_facts(Project(found.name, graph, recipe, notes=_notes(found, entry, side)), facts)


def preprocessing(entry: Entry, side: int) -> dict[str, Any]:
    """The recipe's preprocessing that does what the weights were trained with, as far as the recipe can say it."""
    return {"resize": side, "color": "rgb"}


def _notes(found: Card, entry: Entry | None, side: int) -> str:
    what = f"{found.name} of torchvision, {found.parameters:,} parameters, images of {side}×{side} pixels."
    if entry is None:
        return f"{what} Its weights are drawn from the seed. Put your images, a folder for each class, into {IMAGES}."
    return (
        f"{what} Weights {entry.name}: {entry.accuracy:g} % of ImageNet's validation images right at the first answer, "
        f"{entry.accuracy5:g} % among the first five. Put your images, a folder for each class, into {IMAGES}."
    )


def _weighted(project: Project, imported: Imported, module: nn.Module, source: str, *, partial: bool) -> Project:
    state = {imported.key(key): value for key, value in module.state_dict().items()}
    return attach(project, state, source=source, partial=partial)


def _with_classes(project: Project, analysis: Analysis, classes: int) -> Graph:
    """The graph with another number of answers in its last layers."""
    graph = project.graph
    last = last_layers(graph, list(analysis.layers))
    for place, facts in analysis.nodes.items():
        definition, key = place
        if not last.intersection(facts.paths):
            continue
        level = graph.level(definition)
        node = level.nodes[key]
        setting = {"linear": "units", "conv2d": "filters"}.get(node.type)
        if setting is None:
            raise ProblemError(
                error(Where(label=node.name), "The last layer has no number of outputs", "A Linear or Conv 2D layer",
                      "Leave --classes out and change the network by hand", code="import.classes")
            )  # fmt: skip
        changed = replace(node, params={**node.params, setting: classes})
        graph = graph.with_level(definition, replace(level, nodes={**level.nodes, key: changed}))
    return graph


def _sized(name: str, side: int, entry: Entry | None) -> dict[str, Any]:
    """What a builder must be told about the size of images: vision transformers are made for one."""
    if name.startswith("vit_") and (entry is None or entry.size != side):
        return {"image_size": side}
    if name == "maxvit_t":
        return {"input_size": (side, side)}
    return {}


def _other(path: Path, found: Card, entry: Entry) -> Problem:
    return warning(
        Where(label=path.name, file=str(path)), f"It is not the file of {entry.name} that torchvision publishes",
        f"The weights of {found.name}, {entry.name}", "Nothing, if these are weights of your own for this network",
        code="weights-other",
    )  # fmt: skip


def outputs_of(graph: Graph) -> int:
    """How many answers a network gives."""
    return len(graph.of_type(OUTPUT))
