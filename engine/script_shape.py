"""What the training part of a script is written around, and the expressions its functions share. Knows no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.declare import make
from engine.expr import name as variable
from engine.project import Project
from engine.script_data import Names
from engine.source_ends import Ends
from engine.source_parts import WIDTH


@dataclass(frozen=True)
class Weights:
    """What the training does to weights beside following their gradients, by their names in the `state_dict`."""

    groups: Sequence[tuple[Sequence[str], Mapping[str, Any]]] = ()
    """Groups of the optimizer with their own settings; empty: all alike."""
    decayed: Sequence[tuple[Sequence[str], float, float]] = ()
    """(names, l1, l2)."""
    bounded: Sequence[tuple[Sequence[str], float, int]] = ()
    """(names, radius, axis of the units)."""
    outputs: Sequence[str] = ()
    """Those of output layers, which adaptive clipping leaves alone."""
    frozen: Sequence[str] = ()
    """Those that do not train."""
    held: Sequence[str] = ()
    """Paths of modules that stay in inference mode."""


@dataclass
class Loop:
    """Functions of the script, helpers that they use, and what cannot be repeated, in words."""

    sections: list[list[str]] = field(default_factory=list)
    helpers: set[str] = field(default_factory=set)
    limits: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Shape:
    """What the loop is written around."""

    project: Project
    ends: Ends
    names: Names
    weights: Weights
    train_samples: int
    has_val: bool
    epochs: int
    """Planned epochs, which the schedule spans."""
    last: int
    """Epochs that are trained."""
    merge_single: bool
    draws: Sequence[int] = ()
    """Draws per sample of each augmentation."""
    prepares: bool = False
    """Batches are prepared one by one, after augmentation."""
    counts_right: bool = True

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of an epoch."""
        size, accumulate = self.project.recipe.batch_size, int(self.project.recipe.get("accumulate"))
        full, rest = divmod(self.train_samples, size)
        batches = full + bool(rest) - (rest == 1 and self.merge_single and full > 0)
        return -(-batches // accumulate)

    @property
    def leftover(self) -> bool:
        """A last batch of one sample joins the one before it."""
        full, rest = divmod(self.train_samples, self.project.recipe.batch_size)
        return rest == 1 and self.merge_single and full > 0


def criteria_of(shape: Shape) -> tuple[list[str], list[str]]:
    """Lines that make the losses, and the names of these by output."""
    single = len(shape.ends.outputs) == 1
    lines: list[str] = []
    found = []
    for place, end in enumerate(shape.ends.outputs, 1):
        name = "criterion" if single else f"criterion{place}"
        declared = make("loss", end.loss)
        weighted = getattr(declared, "class_weights", "none") == "balanced"
        if weighted:
            lines += _class_weights(shape, end.target, binary=getattr(declared, "target", "") == "binary")
        call = declared.build(variable("weight")) if weighted else declared.build()
        lines.append(f"{name} = {call.text}")
        found.append(name)
    return lines, found


def _class_weights(shape: Shape, target: str, *, binary: bool) -> list[str]:
    names = shape.names
    labels = f'data["train"][{names.all.index(names.targets[names.target_streams.index(target)])}]'
    data = shape.project.data
    size = len(data.targets[target].classes) if data else 2
    if binary:
        return [f"yes = {labels}.sum()", f"weight = ((len({labels}) - yes) / yes)[None]"]
    return [
        f"counts = {labels}.bincount(minlength={size})",
        "weight = torch.where(counts > 0, counts.sum() / ((counts > 0).sum() * counts), 0.0)",
    ]


def loss_of(shape: Shape, criteria: list[str], *, numbers: bool) -> str:
    """The expression of the loss from `output` (or `output1` ...) and the targets."""
    parts = []
    single = len(criteria) == 1
    for place, (end, criterion) in enumerate(zip(shape.ends.outputs, criteria, strict=True), 1):
        target = shape.names.targets[shape.names.target_streams.index(end.target)]
        call = f"{criterion}({'output' if single else f'output{place}'}, {target})"
        call = f"{call}.item()" if numbers else call
        parts.append(call if end.weight == 1.0 else f"{end.weight!r} * {call}")
    return " + ".join(parts)


def call_of(shape: Shape, *, cast: bool = False) -> list[str]:
    """Lines that set `output` (or `output1` ...) from the inputs."""
    count = len(shape.ends.outputs)
    left = "output" if count == 1 else ", ".join(f"output{place}" for place in range(1, count + 1))
    call = f"model({', '.join(shape.names.inputs)})"
    if not cast:
        return [f"{left} = {call}"]
    back = "output = output.float()" if count == 1 else f"{left} = (item.float() for item in ({left}))"
    return ['with torch.autocast("cpu", dtype=torch.bfloat16):', f"    {left} = {call}", back]


def accuracy_of(shape: Shape) -> str:
    """Counts right answers of a batch, where there is one output of classes."""
    if len(shape.ends.outputs) != 1 or not shape.counts_right:
        return ""
    end = shape.ends.outputs[0]
    target = shape.names.targets[0]
    return f"(output.argmax(1) == {target}).sum().item()" if end.activation == "softmax" else ""


def tuple_lines(name: str, items: Sequence[str]) -> list[str]:
    """A tuple of names, as the formatter lays it out."""
    texts = [f'"{item}"' for item in items]
    line = f"{name} = ({', '.join(texts)}{',' if len(texts) == 1 else ''})"
    # Inside a function, four further in.
    return [line] if len(line) + 4 <= WIDTH else [f"{name} = (", *(f"    {text}," for text in texts), ")"]
