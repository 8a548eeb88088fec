"""The expanded network as plain values: what shape inference found, and what the code is written from.

Owns `LayerFacts` (one layer for given settings and inputs), `CallFacts` (one node of one level) and `LevelFacts` (one
level for given inputs). Copies of a group that agree in everything are one and the same `LevelFacts`, which is what
makes a thousand copies cheap. Never evaluates anything and knows no torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.declare import Declaration, Refusal
from engine.expr import Expr
from engine.graph import Node
from engine.source_plan import Step
from engine.tensor import TensorInfo

Arrived = tuple[tuple[TensorInfo | None, ...], ...]
"""Per input port the shapes that arrive, in order; None where the shape is not known."""


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer for given settings and inputs. Layers that agree in both share one value."""

    declaration: Declaration
    declared: Any = None
    """The declared object with its settings; None when the settings are not valid."""
    constructor: Expr | None = None
    """What builds the module; None for a layer that is only an expression."""
    outputs: tuple[TensorInfo, ...] = ()
    """Per output port; empty when not known."""
    parameters: int = 0
    trainable: int = 0
    buffers: int = 0
    multiply_adds: int = 0
    """Per sample."""
    tensors: tuple[str, ...] = ()
    """Names of the module's own weights, such as `weight` and `bias`; a kernel that is computed goes by its name."""
    fans: tuple[int, int] | None = None
    """(fan_in, fan_out) of the first weight that an initializer may fill, as torch counts them; None without one."""
    fault: Refusal | None = None
    plain: Expr | None = None
    """The constructor without its reparametrisation; None for a layer that has none."""
    reparametrization: Any = None
    """The declared reparametrisation of its kernel; None where the kernel itself is trained."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One node of one level: what arrives, what leaves, and the layer or the copies inside."""

    step: Step
    arrived: Arrived = ()
    outputs: tuple[TensorInfo | None, ...] = ()
    layer: LayerFacts | None = None
    copies: tuple[LevelFacts, ...] = ()
    initializer: Any = None
    """The declared initializer that this layer resolves to; None where there is none."""
    bias_initializer: Any = None
    """The declared initializer of its biases; None: they are drawn as `initializer` says."""
    regularizer: Any = None
    """The declared regularizer of its weights; None where they cost nothing."""
    max_norm: float = 0.0
    """How long what enters a unit may get; 0 for any length."""
    fault: Refusal | None = None

    @property
    def node(self) -> Node:
        """The node itself."""
        return self.step.node

    @property
    def known(self) -> bool:
        """True when every output's shape is known."""
        return all(info is not None for info in self.outputs)

    @property
    def has_module(self) -> bool:
        """True when this call makes a module (another call of the same module does not)."""
        return self.step.builds and (
            bool(self.copies) or (self.layer is not None and self.layer.constructor is not None)
        )


@dataclass(frozen=True, slots=True, eq=False)
class LevelFacts:
    """One level for given inputs; compared by identity."""

    definition: str
    calls: tuple[CallFacts, ...]
    inputs: tuple[TensorInfo | None, ...]
    """Per Input (or input port of the group), in order of creation."""
    outputs: tuple[TensorInfo | None, ...]
    parameters: int = 0
    trainable: int = 0
    buffers: int = 0
    multiply_adds: int = 0
    layers: int = 0
    """Layers inside when everything is expanded."""
    size: int = 0
    """Nodes inside when everything is expanded, groups and ports included: what a walk would visit."""
    ok: bool = True
    """False when something inside that an output needs has a fault or an unknown shape."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One node of the expanded network and its instance path (`blocks.3.linear`)."""

    path: str
    definition: str
    call: CallFacts = field(repr=False)
    live: bool = True
    """False when no output needs it, or the group that holds it."""


def instances(level: LevelFacts, prefix: str = "", live: bool = True) -> Iterator[Instance]:
    """Every node of the expanded network in order of computation, groups before what is in them.

    Ask `level.layers` first: this goes through each copy of each group.
    """
    for call in level.calls:
        path = prefix + call.step.owner.name
        needed = live and call.step.live
        yield Instance(path, level.definition, call, needed)
        for index, copy in enumerate(call.copies):
            yield from instances(copy, f"{path}.{index}." if len(call.copies) > 1 else f"{path}.", needed)
