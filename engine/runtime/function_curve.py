"""The curve of an activation and of its derivative, for drawing: what torch computes, not what a formula says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.declare import find
from engine.expr import name, used_helpers
from engine.runtime.meta import namespace
from engine.source_calls import forward_of
from engine.tensor import TensorInfo

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FunctionCurve:
    """An elementwise function over a range, as float64 arrays of equal length."""

    x: Array
    y: Array
    slope: Array
    """The derivative that training uses; at a kink torch's own choice of side."""


def is_drawable(type_name: str) -> bool:
    """Whether a layer is a function of one number: an activation that looks at no neighbour."""
    declaration = find("layer", type_name)
    return (
        declaration is not None and declaration.family == "activation"
        and getattr(declaration.cls, "elementwise", True)
    )  # fmt: skip


def function_curve(
    tagged: Mapping[str, Any], low: float = -5.0, high: float = 5.0, *, points: int = 401
) -> FunctionCurve:
    """The activation {"type": ..., settings} from `low` to `high`, as in evaluation; a learned setting at its start.

    ValueError when it is no function of one number, or a setting is not allowed.
    """
    declaration = find("layer", str(tagged.get("type")))
    if declaration is None or not is_drawable(declaration.type):
        raise ValueError(f"{tagged.get('type')!r} is not a function of one number")
    declared = declaration.make({key: value for key, value in tagged.items() if key != "type"})
    x = torch.linspace(low, high, points, dtype=torch.float64, requires_grad=True)
    module, scope = None, namespace()
    if hasattr(declaration.cls, "build"):
        constructor = declared.build(TensorInfo((1,)))
        module = name("module")
        scope = namespace(used_helpers(constructor))
        scope["module"] = eval(constructor.text, scope).double().eval()
    called = forward_of(declaration, declared, module, [name("x")])
    scope |= {**namespace(used_helpers(called)), "x": x[:, None]}
    y = eval(called.text, scope)[:, 0]
    (slope,) = torch.autograd.grad(y.sum(), x)
    return FunctionCurve(x.detach().numpy(), y.detach().numpy(), slope.numpy())
