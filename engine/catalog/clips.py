"""Gradient clipping: how large gradients are cut back before a step. `apply` yields the statement of the script."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.declare import clip
from engine.expr import helpers
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


@clip("norm", title="By global norm", search=("global_clipnorm", "clip_grad_norm_"))
class ByNorm:
    """Scales all gradients down together when their common norm exceeds the limit, so the direction stays. Use it
    for recurrent networks and transformers. Keras calls it global_clipnorm; torch divides by the norm + 1e-6, as is
    done here, Keras by the norm: a difference of one in a million.
    """

    mode = "norm"
    limit: float = param(default=1.0, min=1e-9, max=1e9, log=True, help="Largest norm of all gradients together")

    def apply(self, parameters: Iterable[Tensor]) -> object:
        return nn.utils.clip_grad_norm_(parameters, self.limit)


@clip("norm_each", title="By norm, each tensor", search=("clipnorm", "per parameter"))
class ByNormEach:
    """Scales each gradient down by itself when its own norm exceeds the limit: kernel and bias of a layer each on
    their own. The direction within a tensor stays, that of the whole step may turn. Keras calls it clipnorm.
    """

    mode = "norm_each"
    limit: float = param(default=1.0, min=1e-9, max=1e9, log=True, help="Largest norm of the gradient of one tensor")

    def apply(self, parameters: Iterable[Tensor]) -> object:
        return helpers.clip_each(parameters, self.limit)


@clip("adaptive", title="Adaptive (AGC)", search=("agc", "normalizer-free", "nfnet"))
class Adaptive:
    """Cuts the gradient of each neuron or filter to a share of the norm of its own weights, so that no step is large
    against what it changes (Brock et al. 2021). A bias counts as one unit; output layers are left alone. Trains deep
    networks without batch normalisation.
    """

    mode = "adaptive"
    limit: float = param(
        default=0.01, min=1e-9, max=1e3, log=True, help="Largest gradient norm as a share of the weights' norm"
    )
    eps: float = param(
        default=1e-3,
        min=1e-12,
        max=1.0,
        log=True,
        advanced=True,
        help="Weights count as at least this large, so that those that begin at zero can move",
    )

    def apply(self, parameters: Iterable[Tensor]) -> object:
        return helpers.clip_adaptive(parameters, self.limit, self.eps)
