"""Gradient clipping: how large gradients are cut back before a step. `apply` yields the statement of the script."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.declare import clip
from engine.param import param

if TYPE_CHECKING:
    from torch import Tensor, nn
else:
    from engine.expr import nn


@clip("none", title="None", search=("off",))
class Off:
    """Gradients stay as they are. The usual choice; watch the gradient flow, and clip when it shows peaks or the
    loss becomes infinite.
    """

    mode = "none"

    def apply(self, parameters: Iterable[Tensor]) -> object:
        return None


@clip("value", title="By value", search=("clipvalue", "clamp"))
class ByValue:
    """Cuts every number of every gradient to ±limit. Simple, but it turns the direction of the step; Keras calls it
    clipvalue.
    """

    mode = "value"
    limit: float = param(default=1.0, min=1e-9, max=1e9, log=True, help="Largest size that one number may have")

    def apply(self, parameters: Iterable[Tensor]) -> object:
        return nn.utils.clip_grad_value_(parameters, self.limit)


@clip("norm", title="By norm", search=("clipnorm", "global_clipnorm", "clip_grad_norm_"))
class ByNorm:
    """Scales all gradients down together when their common norm exceeds the limit, so the direction stays. Use it
    for recurrent networks and transformers. Keras calls it global_clipnorm; its clipnorm cuts each tensor alone.
    """

    mode = "norm"
    limit: float = param(default=1.0, min=1e-9, max=1e9, log=True, help="Largest norm of all gradients together")

    def apply(self, parameters: Iterable[Tensor]) -> object:
        return nn.utils.clip_grad_norm_(parameters, self.limit)
