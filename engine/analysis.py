"""What a check of a project found: per node shapes, parameters and cost, totals, problems, and the generated code.

Plain values, so that views and the command line need not know torch. `runtime/analyze.py` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.problem import Problem, Severity
from engine.tensor import TensorInfo


@dataclass(frozen=True)
class NodeFacts:
    """Facts of one node of one level, summed over the copies of the groups around it where it says total."""

    inputs: Mapping[str, tuple[TensorInfo, ...]] = field(default_factory=dict)
    """Per input port the shapes that arrive (several at a variadic port); first copy."""
    outputs: Mapping[str, TensorInfo] = field(default_factory=dict)
    """Per output port; absent when unknown. First copy."""
    parameters: int = 0
    """Of one copy of this node with what is set inside it (a group: all inside, all its copies)."""
    trainable: int = 0
    buffers: int = 0
    """Non-trainable values such as running statistics; `num_batches_tracked` is left out."""
    multiply_adds: int = 0
    """Per sample, one copy."""
    copies: int = 1
    paths: tuple[str, ...] = ()
    """Instance paths, one per copy; empty for nodes without a module or that no output needs."""
    fans: tuple[int, int] | None = None
    """(fan_in, fan_out) of the layer's weight; None for layers whose weights no initializer fills."""
    initial_deviation: float | None = None
    """Standard deviation that the layer's initializer gives its weights, torch's own included; None as for `fans`, and
    where a reparametrisation scales what was drawn."""
    frozen: tuple[int, int] = (0, 0)
    """How many of the layers with weights in it do not train, and how many there are, over all copies."""
    held: bool = False
    """Whether it has running statistics that stand still because it is frozen."""
    constructor: str = ""
    """Generated expression of the first copy."""

    @property
    def output(self) -> TensorInfo | None:
        """The first output's shape, None when unknown."""
        return next(iter(self.outputs.values()), None)


@dataclass(frozen=True)
class WeightRules:
    """What training does about the weights of one layer beside following their gradients."""

    tensors: tuple[str, ...]
    """Names of the layer's own weights, biases left out."""
    l1: float = 0.0
    l2: float = 0.0
    """Factors of Σ|w| and Σw² in the loss."""
    max_norm: float = 0.0
    """Bound of the norm of what enters a unit; 0 for none."""


@dataclass(frozen=True)
class Analysis:
    """Result of one check. `nodes` is keyed by (definition id, node id); "" is the outermost level."""

    nodes: Mapping[tuple[str, str], NodeFacts] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    parameters: int = 0
    trainable: int = 0
    buffers: int = 0
    multiply_adds: int = 0
    source: str = ""
    """The model as Python text; empty while the graph has errors."""
    class_name: str = ""
    """The model's class in `source`; it needs no arguments."""
    lines: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    """1-based line of `source` -> (definition id, node id)."""
    layers: tuple[str, ...] = ()
    """Instance paths that hold weights, input side first."""
    rules: Mapping[str, WeightRules] = field(default_factory=dict)
    """By instance path, for the layers that have a regularizer or a max-norm."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Instance path of an activation or normalisation set inside a layer -> that of the layer."""

    frozen: frozenset[str] = frozenset()
    """Instance paths among `layers` that do not train."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Problems that stop training."""
        return tuple(item for item in self.problems if item.severity is Severity.ERROR)
