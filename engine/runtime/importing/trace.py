"""Records one forward pass of a module with torch.fx, and every value of it for two sizes of a batch.

Owns `trace`. Modules that the catalogue has a layer for stay whole; all others are looked into. The module itself is
not run: its copy on the meta device is, with batches of 2 and 3, so that what grows with the batch shows.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from engine.problem import Problem, ProblemError, Where, error
from engine.runtime.importing.steps import Scope

BATCHES = (2, 3)
KEEPING = (
    nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.modules.dropout._DropoutNd, nn.ReLU, nn.GELU,
    nn.SiLU, nn.Hardswish, nn.Hardsigmoid, nn.Sigmoid, nn.Tanh, nn.Identity,
)  # fmt: skip
"""Modules whose result has the shape of what they are given."""
SCOPE = "scope"
CALL = "call"


@dataclass(frozen=True)
class Traced:
    """The recorded calls; `meta["values"]` of each node holds its value for each size of `BATCHES`."""

    graph: fx.Graph
    module: nn.Module
    inputs: tuple[str, ...]


class _Tracer(fx.Tracer):
    """fx's tracer, which also writes down inside which modules a call stands."""

    def __init__(self, whole: Callable[[nn.Module], bool], functions: Sequence[Callable[..., Any]]) -> None:
        super().__init__(autowrap_functions=tuple(functions))
        self.proxy_buffer_attributes = True  # else a buffer that is read would be baked in as a constant
        self.whole = whole
        self.around: list[tuple[str, int]] = []
        self.calls: dict[str, int] = {}

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return self.whole(m)

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        path = self.path_of_module(m)
        number = self.calls.get(path, 0)
        self.calls[path] = number + 1
        self.around.append((path, number))
        try:
            return super().call_module(m, forward, args, kwargs)
        finally:
            self.around.pop()

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        node = super().create_node(*args, **kwargs)
        scope: Scope = tuple(self.around)
        if node.op == "call_module":
            node.meta[CALL] = scope[-1][1]
            scope = scope[:-1]
        node.meta[SCOPE] = scope
        return node


class _Valued(fx.Interpreter):
    """Runs the recorded calls and keeps what each gives."""

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        n.meta.setdefault("values", []).append(_kept(value))
        return value

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # Without memory torch works these out in Python, slowly, and the shape is known.
        keeps = isinstance(self.fetch_attr(str(target)), KEEPING) and len(args) == 1
        return args[0] if keeps else super().call_module(target, args, kwargs)


def trace(
    module: nn.Module, samples: Mapping[str, tuple[tuple[int, ...], torch.dtype]], *,
    whole: Callable[[nn.Module], bool], functions: Sequence[Callable[..., Any]] = (),
) -> Traced:  # fmt: skip
    """The calls of `module.forward` in its present mode; `samples` gives shape (without the batch) and type per input.

    ProblemError when torch.fx cannot follow the code, or the code refuses the samples.
    """
    graph = record(module, samples, whole=whole, functions=functions)
    empty = on_meta(module)
    graph.owning_module = None
    runner = _Valued(fx.GraphModule(empty, graph), garbage_collect_values=True)
    graph = runner.graph  # GraphModule works on a copy
    for batch in BATCHES:
        given = [torch.zeros((batch, *shape), dtype=kind, device="meta") for shape, kind in samples.values()]
        try:
            with torch.no_grad(), torch.device("meta"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                runner.run(*given)
        except Exception as fault:
            raise ProblemError(_unrunnable(fault, graph, module, samples)) from fault
    return Traced(graph, module, tuple(samples))


def record(
    module: nn.Module, samples: Mapping[str, Any], *, whole: Callable[[nn.Module], bool],
    functions: Sequence[Callable[..., Any]] = (),
) -> fx.Graph:  # fmt: skip
    """The calls alone, without their values."""
    tracer = _Tracer(whole, functions)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tracer.trace(module, concrete_args=_fixed(module, samples))
    except Exception as fault:  # whatever the code of a stranger raises
        raise ProblemError(_untraceable(fault, tracer.around, module)) from fault


def num_outputs(graph: fx.Graph) -> int:
    """How many results a recorded pass gives, as its last line says."""
    (given,) = graph.output_node().args
    if isinstance(given, fx.Node) and isinstance(given.target, type):  # results under names
        given = given.args
    items = given if isinstance(given, (tuple, list)) else (given,)
    return sum(1 for item in items if item is not None)


def input_names(module: nn.Module) -> tuple[str, ...]:
    """The arguments that `forward` must be given; ProblemError when it takes any number of them."""
    found = []
    for item in inspect.signature(type(module).forward).parameters.values():
        if item.name == "self":
            continue
        if item.kind in (item.VAR_POSITIONAL, item.VAR_KEYWORD):
            raise ProblemError(
                error(type(module).__name__, f"Its forward takes any number of arguments (*{item.name})",
                      "A forward with named inputs", "Give it named inputs", code="import.inputs")
            )  # fmt: skip
        if item.default is item.empty:
            found.append(item.name)
    return tuple(found)


def on_meta(module: nn.Module) -> nn.Module:
    """A copy of a module that takes no memory: its tensors have shapes only."""
    memo: dict[int, Any] = {}
    for part in module.modules():
        for value in (*part._parameters.values(), *part._buffers.values(), *vars(part).values()):
            if isinstance(value, Tensor):
                empty = torch.empty_like(value, device="meta")
                memo[id(value)] = nn.Parameter(empty, value.requires_grad) if isinstance(value, nn.Parameter) else empty
    return copy.deepcopy(module, memo)


def _fixed(module: nn.Module, samples: Mapping[str, Any]) -> dict[str, Any] | None:
    """Arguments that keep their default."""
    found = {
        item.name: item.default
        for item in inspect.signature(type(module).forward).parameters.values()
        if item.name not in samples and item.default is not item.empty
    }
    return found or None


def _kept(value: Any) -> Any:
    """The value without its storage; sizes as plain tuples."""
    if isinstance(value, torch.Size):
        return tuple(value)
    return value


def _untraceable(fault: Exception, scope: list[tuple[str, int]], module: nn.Module) -> Problem:
    path = scope[-1][0] if scope else ""
    found = module.get_submodule(path) if path else module
    first = (str(fault).strip().splitlines() or [type(fault).__name__])[0]
    label = path or type(module).__name__
    return error(
        Where(label=label), f"The code of {type(found).__name__} cannot be followed: {first[:200]}",
        "A forward whose steps do not depend on the values or shapes of its tensors",
        "Write the decision outside of forward, or with a number fixed in the constructor", code="import.trace",
    )  # fmt: skip


def _unrunnable(fault: Exception, graph: fx.Graph, module: nn.Module, samples: Mapping[str, Any]) -> Problem:
    done = {node for node in graph.nodes if node.meta.get("values")}
    at = next((node for node in graph.nodes if node not in done), None)
    scope = at.meta.get(SCOPE, ()) if at is not None else ()
    label = str(at.target) if at is not None and at.op == "call_module" else (scope[-1][0] if scope else "")
    shapes = ", ".join("×".join(map(str, shape)) for shape, _ in samples.values())
    first = (str(fault).strip().splitlines() or [type(fault).__name__])[0]
    return error(
        Where(label=label or type(module).__name__), f"It does not take samples of {shapes}: {first[:200]}",
        "An input size that fits the network", "State another size", code="import.shape",
    )  # fmt: skip
