"""From recorded calls to steps: every module and operation becomes a layer of the catalogue, or a Problem.

What gives no tensor is folded: a number that is the same for each size of the batch is a constant, one that grows is
kept as growing. Checks (`torch._assert`) have been held by then and are dropped.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

from engine.problem import ProblemError, error
from engine.runtime.importing import arithmetic, shaping, weighted  # noqa: F401  they fill the table of handlers
from engine.runtime.importing.call import Call, Growing, Untranslatable, Weight, Wire, layout, problem_of, word_of
from engine.runtime.importing.layers import find_layer
from engine.runtime.importing.operations import HANDLERS
from engine.runtime.importing.steps import Feed, Step, Steps
from engine.runtime.importing.trace import Traced
from engine.runtime.importing.weighted import MODULES

_ANYWHERE = frozenset({
    "linear", "layer_norm", "rms_norm", "identity", "relu", "relu6", "gelu", "silu", "mish", "sigmoid", "tanh",
    "hard_sigmoid", "hard_swish", "selu", "elu", "celu", "leaky_relu", "softplus", "embedding", "dropout",
})  # fmt: skip
"""Layers that treat each row, or each number, alike: the batch may stand on another axis."""


def translate(traced: Traced) -> Steps:
    """The steps of a traced module; ProblemError names the first call that cannot become a layer."""
    return _Translation(traced).done()


class _Translation:
    def __init__(self, traced: Traced) -> None:
        self.root = traced.module
        self.graph = traced.graph
        self.known: dict[fx.Node, Any] = {}
        self.steps: list[Step] = []
        self.inputs: list[tuple[str, tuple[int, ...], str]] = []
        self.outputs: tuple[tuple[str, Feed], ...] = ()

    def done(self) -> Steps:
        """Every call, in order."""
        for node in self.graph.nodes:
            if node.op == "output":
                self.outputs = self._outputs(node)
            elif _is_tensor(node):
                self.known[node] = self._value(node)
        classes = {path: type(part).__name__ for path, part in self.root.named_modules()}
        return Steps(tuple(self.inputs), tuple(self.steps), self.outputs, classes, self._unused())

    def _value(self, node: fx.Node) -> Any:
        if node.op == "placeholder":
            shape, batch, dtype = layout(tuple(node.meta["values"]))
            self.inputs.append((str(node.target), shape, dtype))
            return Wire(Feed(f"input:{node.target}"), shape, batch, dtype)
        if node.op == "get_attr":
            return Weight(str(node.target), _attribute(self.root, str(node.target)))
        call = Call(node, self.root)
        try:
            value = self._module(call) if node.op == "call_module" else self._operation(call)
        except Untranslatable as fault:
            raise problem_of(call, f"{fault}.", _kind(node)) from None
        except TypeError as fault:
            raise problem_of(call, f"its arguments are not known here ({fault}).", _kind(node)) from fault
        self.steps += call.made
        return value

    def _module(self, call: Call) -> Any:
        module = self.root.get_submodule(str(call.node.target))
        args, kwargs = self._arguments(call)
        handler = next((MODULES[base] for base in type(module).__mro__ if base in MODULES), None)
        if handler is not None:
            return handler(call, module, *args, **kwargs)
        found = find_layer(module)
        if found is None:
            call.refuse("there is no such layer here")
        wires = [item for item in (*args, *kwargs.values()) if item is not None]
        if not all(isinstance(item, Wire) for item in wires):
            call.refuse("it is given something that is no tensor from the samples")
        kind, params = found
        if any(item.batch for item in wires) and not (kind in _ANYWHERE and wires[0].batch < wires[0].rank - 1):
            call.refuse(f"the batch stands on axis {wires[0].batch} there instead of the first")
        stateful = any(True for _ in module.state_dict())
        return call.step(kind, params, *wires, path=str(call.node.target), stateful=stateful)

    def _operation(self, call: Call) -> Any:
        node = call.node
        if isinstance(node.target, type) and issubclass(node.target, tuple):  # several results under names
            return node.target(*self._arguments(call)[0])
        if node.op == "call_method":
            handler = HANDLERS.get(str(node.target))
        else:
            handler = HANDLERS.get(node.target) or HANDLERS.get(_qualified(node.target))
        if handler is None:
            call.refuse("there is no layer for this operation")
        args, kwargs = self._arguments(call)
        node.meta["wires"] = self._origins(node)
        return handler(call, *args, **kwargs)

    def _arguments(self, call: Call) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        args: tuple[Any, ...] = fx.node.map_aggregate(call.node.args, self._given)
        kwargs: Mapping[str, Any] = fx.node.map_aggregate(call.node.kwargs, self._given)
        return args, kwargs

    def _given(self, item: Any) -> Any:
        if not isinstance(item, fx.Node):
            return item
        if item in self.known:
            return self.known[item]
        small, large = item.meta["values"]
        return small if small == large else Growing((small, large))

    def _origins(self, node: fx.Node) -> list[Wire]:
        """Wires from which the plain numbers among the arguments were taken."""
        found: list[Wire] = []
        waiting, seen = list(node.all_input_nodes), set()
        while waiting:
            item = waiting.pop()
            if item in seen:
                continue
            seen.add(item)
            value = self.known.get(item)
            if isinstance(value, Wire):
                found.append(value)
            elif item not in self.known:
                waiting += item.all_input_nodes
        return found

    def _outputs(self, node: fx.Node) -> tuple[tuple[str, Feed], ...]:
        given = self._given(node.args[0]) if isinstance(node.args[0], fx.Node) else fx.node.map_aggregate(
            node.args[0], self._given)  # fmt: skip
        names: tuple[str, ...] = tuple(getattr(given, "_fields", ()))
        if isinstance(given, Mapping):
            names, given = tuple(map(str, given)), tuple(given.values())
        items = tuple(given) if isinstance(given, (tuple, list)) else (given,)
        found = [(name, item) for name, item in zip(names or [""] * len(items), items, strict=True) if item is not None]
        for _, item in found:
            if not isinstance(item, Wire) or item.batch != 0:
                happened = "The network gives something that is no tensor with one row per sample"
                raise ProblemError(
                    error(type(self.root).__name__, happened, "Tensors with the batch first", "Return only these",
                          code="import.outputs")
                )  # fmt: skip
        return tuple((name, item.feed) for name, item in found)

    def _unused(self) -> tuple[str, ...]:
        used = {step.path for step in self.steps if step.path}
        owners = dict.fromkeys(key.rpartition(".")[0] for key in self.root.state_dict())
        covered = {path for path in owners if any(path == one or path.startswith(f"{one}.") for one in used)}
        single = {key for key in self.root.state_dict() if key in used}
        rest = [path for path in owners if path not in covered]
        return tuple(
            path for path in rest
            if any(key.rpartition(".")[0] == path and key not in single for key in self.root.state_dict())
        )  # fmt: skip


def _is_tensor(node: fx.Node) -> bool:
    """True for a call that gives a tensor or several; others are folded."""
    if node.op in ("placeholder", "get_attr"):
        return True
    values = node.meta.get("values")
    return values is not None and _holds(values[0])


def _holds(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(_holds(item) for item in value)
    return isinstance(value, Tensor)


def _attribute(root: nn.Module, path: str) -> Tensor:
    found: Any = root
    for part in path.split("."):
        found = getattr(found, part)
    assert isinstance(found, torch.Tensor)
    return found


def _kind(node: fx.Node) -> str:
    if node.op == "call_module":
        return "module"
    if node.target is operator.getitem:
        return "[]"
    return word_of(node.target)


def _qualified(target: Any) -> str:
    return f"{getattr(target, '__module__', '')}.{getattr(target, '__qualname__', '')}"
