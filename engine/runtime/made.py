"""From declared choices of a recipe to the torch objects that train: optimizer, losses.

The recorded call of a declaration is evaluated as it stands, so what trains is what the exported script says. Only
names of torch are in reach of it. Never trains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from engine.declare import make
from engine.expr import Expr, name, used_helpers
from engine.param import Tagged
from engine.recipe import Recipe
from engine.runtime.meta import namespace


def make_optimizer(
    recipe: Recipe, parameters: Iterable[nn.Parameter | dict[str, Any]], device: torch.device
) -> torch.optim.Optimizer:
    """The recipe's optimizer over the trainable parameters, with torch's fused kernel where the device has one.

    Groups, as torch takes them, may stand in place of parameters.
    """
    declared = recipe.made("optimizer")
    trainable = [item for item in parameters if isinstance(item, dict) or item.requires_grad]
    call = declared.build(name("parameters"), fused=declared.fused_on(device.type))
    optimizer: torch.optim.Optimizer = eval(
        call.text, namespace(used_helpers(call)) | {"parameters": trainable}
    )  # fmt: skip
    return optimizer


def make_loss(tagged: Tagged, counts: Sequence[int] = (), device: torch.device | str = "cpu") -> nn.Module:
    """A loss module, (outputs, targets) -> 0-dim mean; `counts` are training samples per class, for class weights."""
    declared = make("loss", tagged)
    weigh: Callable[[Sequence[int]], tuple[float, ...] | None] | None = getattr(declared, "weights", None)
    weights = weigh(counts) if weigh and len(counts) else None
    if weights is None:
        module: nn.Module = _evaluated(declared.build())
    else:
        weight: Tensor = torch.tensor(weights, dtype=torch.float32)
        module = _evaluated(declared.build(name("weight")), weight=weight)
    return module.to(device)


def _evaluated(call: Expr | Any, **values: Any) -> Any:
    return eval(call.text, namespace() | values)
