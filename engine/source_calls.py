"""How a declared layer is called in `forward`: one place for its three forms. Knows no torch.

A declaration has `build` (a module, called with its inputs), `forward` (an expression of its inputs), or both
(an expression of the module and its inputs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from engine.declare import Declaration, make
from engine.expr import Expr, used_helpers
from engine.source_facts import CallFacts, LevelFacts

_TRANSPOSED = "nn.ConvTranspose"


def forward_of(declaration: Declaration, declared: Any, module: Expr | None, values: Sequence[Expr]) -> Any:
    """The expression (or tuple of them, one per output) that calls the layer."""
    if not hasattr(declaration.cls, "forward"):
        assert module is not None
        return module(*values)
    return declared.forward(module, *values) if module is not None else declared.forward(*values)


def reparametrization_of(declared: Any) -> Any:
    """The declared reparametrisation of a layer's kernel, None for none; ValueError when it is not a known one."""
    chosen = make("reparametrization", getattr(declared, "reparametrize", {"type": "none"}))
    return chosen if hasattr(chosen, "wrap") else None


def wrapped(chosen: Any, plain: Expr, module: Expr | None = None) -> Expr:
    """The expression that reparametrises a layer made by `plain`: written around it, or around `module`."""
    found: Expr = chosen.wrap(plain if module is None else module, transposed=plain.callee.startswith(_TRANSPOSED))
    return found


def wraps_in_place(call: CallFacts) -> bool:
    """True where nothing is drawn anew: then the reparametrisation is written around the constructor.

    Else it comes after the drawing, so that what is drawn is the kernel itself, and what is reckoned from it (lengths,
    singular vectors) is reckoned from that.
    """
    return call.layer is None or call.layer.plain is None or not any(True for _ in draws_of(call))


def draws_of(call: CallFacts) -> Iterator[tuple[str, Callable[[Expr], Expr]]]:
    """The parameters of a layer that are drawn anew, each with what makes the statement that draws it."""
    if call.layer is None or (call.initializer is None and call.bias_initializer is None):
        return
    kinds = call.layer.declaration.weights
    for tensor in call.layer.tensors:
        chosen, method = call.initializer, "weight"
        if not any(tensor == kind or tensor.startswith(f"{kind}_") for kind in kinds):
            if "bias" not in tensor:
                continue
            if call.bias_initializer is not None:
                chosen = call.bias_initializer
            else:
                method = "bias"
        draw = getattr(chosen, method, None)
        if draw is not None:
            yield tensor, draw


def helpers_of(network: LevelFacts) -> frozenset[str]:
    """Names of the helpers that constructors and initial weights anywhere in the network use."""
    found: frozenset[str] = frozenset()
    seen: set[int] = set()
    waiting = [network]
    while waiting:
        level = waiting.pop()
        if id(level) in seen:
            continue
        seen.add(id(level))
        for call in level.calls:
            waiting.extend(call.copies)
            if call.layer and call.step.live:
                found |= used_helpers(call.layer.constructor)
                for tensor, draw in draws_of(call):
                    found |= used_helpers(draw(Expr(tensor)))
    return found
