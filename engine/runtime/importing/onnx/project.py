"""An ONNX file as a project: its graph, its weights, and how far its answers are from onnxruntime's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from engine.analysis import Analysis
from engine.datafacts import CLASS, DataFacts, Target
from engine.graph import INPUT, OUTPUT, Graph
from engine.known import with_facts
from engine.layout import arrange
from engine.problem import Problem, ProblemError, Where, error, warning
from engine.project import Project
from engine.recipe import Recipe
from engine.runtime.analyze import analyze
from engine.runtime.importing.levels import Levelled, level_up
from engine.runtime.importing.module import Imported
from engine.runtime.importing.onnx.convert import Converted, convert
from engine.runtime.importing.onnx.file import Network, read_network
from engine.runtime.importing.onnx.runtime import Difference, compare
from engine.runtime.importing.prove import prove
from engine.runtime.own_weights import attach
from engine.tensor import INT, TensorInfo

DATA = "data.npz"
"""The file beside the project in which a person's own samples are looked for."""
TOLERANCE = 1e-4
"""Largest difference to onnxruntime, relative to the largest answer, that rounding explains."""


@dataclass(frozen=True)
class BroughtOnnx:
    """A project made from a file, and what is to be said about it."""

    project: Project
    analysis: Analysis
    problems: tuple[Problem, ...]
    seconds: float
    """Reading, making the graph and laying it out, checking and comparing it."""
    weights: str
    difference: Difference | None
    """To onnxruntime, on random samples; None where it is not installed or cannot run the file."""


def bring_onnx(path: Path, *, size: int | None = None) -> BroughtOnnx:
    """The project of a file; `size` fills sizes of samples that the file leaves open.

    ProblemError: no such file, a damaged one, an operator that is unknown, answers that differ from onnxruntime's.
    """
    start = perf_counter()
    network = read_network(path)
    converted = convert(network, size)
    levelled = level_up(converted.steps)
    graph, moved_out = _with_activations(levelled.graph)
    for definition in ("", *graph.definitions):
        graph = arrange(graph, definition)
    project = _project(path.stem, network, converted, graph)
    imported = Imported(graph, levelled.moved, (), (), converted.steps.unused)
    root = converted.build.root
    analysis = analyze(project)
    prove(root, imported, analysis)
    state = {imported.key(key): value for key, value in root.state_dict().items()}
    difference = compare(path, network, converted.samples, _filled(analysis, state), moved_out)
    _refuse_wrong(path, difference, _tolerance(network))
    project = attach(project, state, source=f"onnx:{path.name}")
    problems = tuple(_told(path, network, converted, levelled, moved_out))
    return BroughtOnnx(project, analysis, problems, perf_counter() - start, path.name, difference)


def _project(name: str, network: Network, converted: Converted, graph: Graph) -> Project:
    inputs = {
        node.name: TensorInfo(tuple(shape), INT if entry.dtype.startswith("int") else "float32")
        for node, (shape, entry) in zip(
            graph.of_type(INPUT), zip(converted.samples.values(), network.inputs, strict=True), strict=True
        )
    }
    if len(inputs) > 1:
        named = {node.id: replace(node, params={**node.params, "stream": node.name}) for node in graph.of_type(INPUT)}
        graph = replace(graph, nodes={**graph.nodes, **named})
    targets = _targets(converted)
    settings: dict[str, Any] = {"data": {"type": "npz", "path": DATA}}
    if not targets:  # what the answers are meant for stands nowhere in a file
        settings |= {"loss": {"type": "mse"}, "metrics": []}
    writer = f" Written by {network.producer}." if network.producer else ""
    notes = f"From {name}.onnx, operators of version {network.opset}.{writer} Put your samples into {DATA}."
    project = Project(name.replace("_", " ").strip() or "network", graph, Recipe(settings), notes=notes)
    return with_facts(project, DataFacts(inputs, targets))


def _targets(converted: Converted) -> dict[str, Target]:
    """One class out of several, where the only answer is a row of numbers; otherwise nothing is known."""
    given: Any = converted.build.graph.find_nodes(op="output")[0].args[0]
    if isinstance(given, dict):
        return {}
    shape = tuple(given.meta["values"][0].shape)
    if len(shape) != 2 or shape[1] < 2:
        return {}
    return {"y": Target(CLASS, tuple(str(place) for place in range(shape[1])))}


def _with_activations(graph: Graph) -> tuple[Graph, dict[str, str]]:
    """The graph with a last Softmax or Sigmoid moved into its Output, which applies it when predicting.

    The loss takes the numbers before it, which is more exact.
    """
    moved: dict[str, str] = {}
    for output in graph.of_type(OUTPUT):
        edge = next(iter(graph.incoming(output.id)), None)
        node = graph.nodes.get(edge.source) if edge is not None else None
        last = node is not None and node.type in ("softmax", "sigmoid") and node.params.get("axis", -1) == -1
        if edge is None or node is None or not last or len(graph.outgoing(node.id)) > 1:
            continue
        before = next(iter(graph.incoming(node.id)))
        edges = tuple(
            replace(item, source=before.source, output=before.output) if item is edge else item
            for item in graph.edges if item is not before
        )  # fmt: skip
        nodes = {key: item for key, item in graph.nodes.items() if key != node.id}
        nodes[output.id] = replace(output, params={**output.params, "activation": node.type})
        graph = replace(graph, nodes=nodes, edges=edges)
        moved[output.name] = node.type
    return graph, moved


def _filled(analysis: Analysis, state: Mapping[str, Tensor]) -> nn.Module:
    """The network of the graph with its weights, for predicting."""
    scope: dict[str, Any] = {"__name__": "layerwright_import"}
    with torch.device("meta"):
        exec(compile(analysis.source, "<import>", "exec"), scope)
        model: nn.Module = scope[analysis.class_name]()
    wanted = model.state_dict()
    model.load_state_dict({key: state[key] for key in wanted}, strict=True, assign=True)
    return model.eval()


def _tolerance(network: Network) -> float:
    """How far apart the two may be; onnxruntime rounds to half precision after each node of such a file."""
    half = {"float16", "bfloat16"} & {*network.narrowed, *(entry.dtype for entry in network.inputs)}
    return 100 * TOLERANCE if half else TOLERANCE


def _refuse_wrong(path: Path, difference: Difference | None, most: float) -> None:
    if difference is not None and not difference.relative <= most:
        raise ProblemError(error(
            Where(label=path.name, file=str(path)),
            f"The network does not answer as the file does: they differ by {difference.largest:.3g}, "
            f"{difference.relative:.2g} of the largest answer", f"At most {most:g}",
            "Report this file: something in it is read wrongly", code="onnx-differs",
        ))  # fmt: skip


def _told(path: Path, network: Network, converted: Converted, levelled: Levelled, outputs: Mapping[str, str]) -> Any:
    place = Where(label=path.name, file=str(path))
    build = converted.build
    if network.narrowed:
        kinds = " and ".join(network.narrowed)
        yield warning(place, f"Weights of {kinds} became float32", "float32, in which networks are trained here",
                      "Nothing needs to be done", code="onnx-narrowed")  # fmt: skip
    if build.batch is not None:
        yield warning(place, f"The file is made for batches of {build.batch}; here any number of samples goes",
                      "A file for any number", "Nothing needs to be done", code="onnx-batch")  # fmt: skip
    if build.copied:
        names = ", ".join(build.copied[:3])
        happened = f"{len(build.copied)} layers share weights in the file and have their own here: {names}"
        wanted = "Layers that share within one block"
        yield warning(place, happened, wanted, "Nothing, unless you train them", code="onnx-shared")
    if build.learned:
        names = ", ".join(list(build.learned)[:3])
        happened = f"{len(build.learned)} fixed tensors are learned ones here: {names}"
        wanted = "Tensors that training may change"
        yield warning(place, happened, wanted, "Freeze these layers to keep them", code="onnx-fixed")
    for name, kind in outputs.items():
        yield warning(place, f"The last {kind} stands in the Output {name!r} now, which applies it when predicting",
                      "Raw numbers for the loss", "Nothing needs to be done", code="onnx-activation")  # fmt: skip
