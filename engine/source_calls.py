"""How a declared layer is called in `forward`: one place for its three forms. Knows no torch.

A declaration has `build` (a module, called with its inputs), `forward` (an expression of its inputs), or both
(an expression of the module and its inputs).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.declare import Declaration
from engine.expr import Expr, used_helpers
from engine.source_facts import LevelFacts


def forward_of(declaration: Declaration, declared: Any, module: Expr | None, values: Sequence[Expr]) -> Any:
    """The expression (or tuple of them, one per output) that calls the layer."""
    if not hasattr(declaration.cls, "forward"):
        assert module is not None
        return module(*values)
    return declared.forward(module, *values) if module is not None else declared.forward(*values)


def helpers_of(network: LevelFacts) -> frozenset[str]:
    """Names of the helper classes that constructors anywhere in the network use."""
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
    return found
