"""Reparametrisations: a weight that is computed from other numbers, which are what is trained.

`wrap` yields the expression that puts one on a made layer; torch's own `parametrizations` do the work, so that the
generated file needs nothing else. What training, penalties and exports must know of them stands in
`engine/runtime/reparametrized.py`. `keeps_initial` says whether the kernel begins as the initial weights say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.concise import concise
from engine.declare import reparametrization
from engine.param import param

if TYPE_CHECKING:
    from torch import nn
else:
    from engine.expr import nn


@reparametrization("none", title="None", search=("off", "plain"))
class NoReparametrization:
    """The weights themselves are what is trained."""


@reparametrization("weight_norm", title="Weight norm", was=("WeightNorm",), search=("weight normalization", "salimans"))
class WeightNorm:
    """Trains length and direction apart: w = g·v/‖v‖ for each unit or filter (Salimans and Kingma 2016). What the
    initial weights say is what w begins as. It adds one parameter per unit; with groups, transposed convolutions
    share a length between them.
    """

    keeps_initial = True

    def wrap(self, module: nn.Module, *, transposed: bool = False) -> nn.Module:
        # A transposed convolution counts its outputs along the second axis of its kernel.
        return concise(nn.utils.parametrizations.weight_norm, module, dim=1 if transposed else 0)


@reparametrization(
    "spectral_norm", title="Spectral norm", was=("SpectralNorm",),
    search=("spectral normalization", "lipschitz", "gan", "discriminator", "miyato"),
)  # fmt: skip
class SpectralNorm:
    """Divides the weights by their largest singular value σ: the layer stretches nothing to more than its length, which
    steadies the discriminator of a GAN (Miyato et al. 2018). Initial weights are divided too, so that only their
    directions count, not their size. σ is followed by power iteration while training.
    """

    keeps_initial = False

    power_iterations: int = param(
        default=1, min=1, max=1000, was=("n_power_iterations",), advanced=True,
        help="How often the estimate of σ is bettered in each forward pass of training; 1 is enough for small rates",
    )  # fmt: skip

    def wrap(self, module: nn.Module, *, transposed: bool = False) -> nn.Module:
        return concise(nn.utils.parametrizations.spectral_norm, module, n_power_iterations=self.power_iterations)
