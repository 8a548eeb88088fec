"""From a file's nodes to a traced network: each node is worked out beforehand or becomes calls of torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from engine.problem import Problem, ProblemError, Where, error
from engine.runtime.importing.call import Untranslatable
from engine.runtime.importing.onnx import (  # noqa: F401  they fill the table
    arithmetic,
    elementwise,
    layers,
    norms,
    parts,
    pools,
    recurrent,
    shapes,
    sides,
)  # fmt: skip
from engine.runtime.importing.onnx.build import Build
from engine.runtime.importing.onnx.file import Entry, Network, Operation
from engine.runtime.importing.onnx.fold import fold, foldable
from engine.runtime.importing.onnx.scopes import Scopes, parent_of, sound
from engine.runtime.importing.onnx.table import OPERATORS
from engine.runtime.importing.onnx.values import Known, View
from engine.runtime.importing.steps import Steps
from engine.runtime.importing.trace import Traced
from engine.runtime.importing.translate import translate

_DTYPES = {"float32": torch.float32, "float16": torch.float32, "float64": torch.float32, "bfloat16": torch.float32,
           "int64": torch.int64, "int32": torch.int64}  # fmt: skip
_NAMED = 5


@dataclass
class _Missing:
    """What cannot become layers, by operator and reason."""

    nodes: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def add(self, op: Operation, why: str) -> None:
        """One more node."""
        kind = f"{op.domain}.{op.kind}" if op.domain else op.kind
        self.nodes.setdefault((kind, why), []).append(op.label)

    def problems(self) -> list[Problem]:
        """One for each operator and reason."""
        return [_problem(kind, why, names) for (kind, why), names in self.nodes.items()]


@dataclass(frozen=True)
class Converted:
    """The steps of a file, the modules that hold its weights, and what is to be said."""

    steps: Steps
    build: Build
    samples: Mapping[str, tuple[int, ...]]


def convert(network: Network, size: int | None = None) -> Converted:
    """The steps of a network; `size` fills the sizes that the file leaves open. ProblemError names what is unknown."""
    torchs = network.producer == "pytorch"
    uses = Counter(name for item in network.operations for name in item.inputs)
    uses.update(entry.name for entry in network.outputs)
    build = Build(network, Scopes(network.operations, torchs=torchs), uses)
    inputs = {entry.name: _shape(entry, size) for entry in network.inputs}
    fixed = {entry.shape[0] for entry in network.inputs if entry.shape}
    build.batch = next(iter(fixed)) if len(fixed) == 1 else None
    for entry in network.inputs:
        build.known[entry.name] = build.entry(entry.name, inputs[entry.name], _DTYPES[entry.dtype])
    build.known |= {name: Known(value, value, name) for name, value in network.numbers.items()}
    missing = _Missing()
    for op in network.operations:
        _one(build, op, missing)
    if missing.nodes:
        raise ProblemError(*missing.problems())
    _outputs(build, network)
    _cleared(build)
    for node in build.graph.nodes:
        if node.target is torch.erf:  # a part of GELU, where it is one
            missing.add(node.meta["operation"], "")
    if missing.nodes:
        raise ProblemError(*missing.problems())
    for path in {path for node in build.graph.nodes for path, _ in node.meta.get("scope", ())}:
        build.shelf(path)
    steps = translate(Traced(build.graph, build.root, tuple(inputs)))
    return Converted(_tidied(steps, build), build, inputs)


def _one(build: Build, op: Operation, missing: _Missing) -> None:
    values = [build.known.get(name) if name else None for name in op.inputs]
    build.operation = op
    broken = any(name and build.known.get(name) is None for name in op.inputs)
    found: Any = ()
    if not broken:
        try:
            if foldable(op, values):
                found = fold(build, op, values)
            elif op.domain or op.kind not in OPERATORS:
                missing.add(op, "")
            else:
                found = OPERATORS[op.kind](build, op, *values)
        except Untranslatable as fault:
            missing.add(op, str(fault))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, MemoryError):
            missing.add(op, "its settings or inputs are not as the standard has them")
    results = found if isinstance(found, tuple) else (found,)
    for place, name in enumerate(op.outputs):
        if name:
            build.known[name] = results[place] if place < len(results) else None


def _shape(entry: Entry, size: int | None) -> tuple[int, ...]:
    """The shape of a sample, without the batch."""
    if not entry.dtype:
        raise ProblemError(
            error(entry.name, f"The input {entry.name!r} is of a type that samples do not have", "Numbers or tokens",
                  "Export the network for plain numbers", code="onnx-input")
        )  # fmt: skip
    if len(entry.shape) < 2:
        raise ProblemError(error(entry.name, f"The input {entry.name!r} has {len(entry.shape)} axes",
                                 "The batch first, and at least one axis more", "Export it with a batch",
                                 code="onnx-input"))  # fmt: skip
    if None in entry.shape[1:] and size is None:
        shown = "×".join("?" if item is None else str(item) for item in entry.shape[1:])
        raise ProblemError(error(
            entry.name, f"The file leaves sizes of the input {entry.name!r} open: {shown}", "A size for samples",
            "State it: --size 224, or --size 128 for 128 steps", code="onnx-size",
        ))  # fmt: skip
    found = tuple(size if item is None else item for item in entry.shape[1:])
    if torch.Size(found).numel() > 2**28:  # type: ignore[arg-type]
        raise ProblemError(error(entry.name, "A sample would be too large", "At most 268 million numbers", ""))
    return found  # type: ignore[return-value]


def _outputs(build: Build, network: Network) -> None:
    build.operation = None
    nodes = {}
    for entry in network.outputs:
        value = build.known.get(entry.name)
        if not isinstance(value, View):
            raise ProblemError(error(entry.name, f"The output {entry.name!r} does not depend on the samples",
                                     "Outputs that the network works out", "Leave it out when exporting",
                                     code="onnx-output"))  # fmt: skip
        try:
            nodes[entry.name] = build.node(value)
        except Untranslatable as fault:
            raise ProblemError(error(entry.name, f"The output {entry.name!r} cannot become a layer: {fault}",
                                     "One row for each sample", "Leave it out when exporting",
                                     code="onnx-output")) from None  # fmt: skip
    build.graph.output(nodes if len(nodes) > 1 else next(iter(nodes.values())))


def _cleared(build: Build) -> None:
    """Takes out calls that nothing reads, with their modules and parameters."""
    for node in reversed(list(build.graph.nodes)):
        if node.op not in ("placeholder", "output") and not node.users:
            build.graph.erase_node(node)
    paths = {str(node.target) for node in build.graph.nodes if node.op in ("call_module", "get_attr")}
    for path in list(dict(build.root.named_parameters(remove_duplicate=False))):
        home, name = parent_of(path), path.rpartition(".")[2]
        if path not in paths and home not in paths:
            delattr(build.root.get_submodule(home), name)
    build.learned = {path: name for path, name in build.learned.items() if path in paths}


def _tidied(steps: Steps, build: Build) -> Steps:
    """Without groups around a single operation, and with the classes that the exporter notes."""
    inside: dict[str, list[Any]] = {}
    for step in steps.steps:
        for path, _ in step.scope:
            inside.setdefault(path, []).append(step)
    single = {
        path for path, members in inside.items()
        if not any(item.stateful for item in members)
        and all(item.scope[-1][0] == path for item in members)
        and not {feed.key for item in members for feed in item.feeds} & {item.key for item in members}
    }  # fmt: skip
    taken = {step.path for step in steps.steps if step.stateful}
    found = []
    for step in steps.steps:
        home = step.scope[-1][0] if step.scope else ""
        if home in taken:  # what a layer of that name needs before it
            step = replace(step, scope=step.scope[:-1])  # noqa: PLW2901
        elif home in single:
            step = replace(step, path=home, scope=step.scope[:-1])  # noqa: PLW2901
        found.append(step)
    paths = {path for step in found for path, _ in step.scope}
    # Numbered siblings may be of one kind, which the file does not say; then they fold when they are equal.
    classes = {path: "Block" for path in paths if path.rpartition(".")[2].isdecimal()}
    classes |= {path: kind for path, kind in build.scopes.classes.items() if sound(path)}
    return replace(steps, steps=tuple(found), classes=classes)


def _problem(kind: str, why: str, names: list[str]) -> Problem:
    shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    count = "1 node" if len(names) == 1 else f"{len(names)} nodes"
    happened = f"The operator {kind} cannot become a layer ({count}: {shown})"
    return error(
        Where(label=kind), f"{happened}: {why}" if why else f"{happened}: there is no such layer here",
        "Operators that the catalogue has layers for", "Export the network without it, or from the code it was made by",
        code="onnx-operator",
    )  # fmt: skip
