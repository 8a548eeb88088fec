"""Activations and normalisations as settings of a layer: each stands for a layer of its own behind it.

Activations are those of the layers, with the same settings; normalisations are named without the number of axes, which
the layer that holds them knows.
"""

from __future__ import annotations

from dataclasses import replace

from engine.catalog.layers import activation as _first
from engine.catalog.layers import activation_more as _more
from engine.catalog.layers import normalisation as norms
from engine.declare import activation, normalization, registry
from engine.param import param

_AXES = param(
    default=None, min=1, max=5,
    help="Over how many of the last axes to normalise; none: as many as the layer gives, of a dense layer its units",
)  # fmt: skip

_ = (_first, _more)  # declared before they are taken over below


@activation("none", title="None", search=("off", "linear", "identity"))
class NoActivation:
    """The result leaves as it is, whatever the block or the project says for the other layers."""


for _declared in registry.all("layer").values():
    if _declared.family == "activation":
        registry.add(replace(_declared, kind="activation"))


@normalization("none", title="None", search=("off",))
class NoNormalization:
    """The result is not normalised, whatever the block or the project says for the other layers."""


@normalization("batch_norm", title="Batch Norm", was=("batch_norm1d", "batch_norm2d", "batch_norm3d"), search=("bn",))
class BatchNorm(norms.BatchNorm1d):
    """Gives each unit or channel mean 0 and deviation 1 over the batch, then a learned factor and shift. While
    predicting it uses running averages. A bias of the layer before it does nothing: switch it off.
    """

    short = "BN"
    layers = ("batch_norm1d", "batch_norm2d", "batch_norm3d")


@normalization("layer_norm", title="Layer Norm", search=("ln",))
class LayerNorm(norms.LayerNorm):
    """Gives each sample mean 0 and deviation 1 over its features (in a convolution over all channels and places), then
    a learned factor and shift. It does not depend on the batch.
    """

    axes: int | None = _AXES  # type: ignore[assignment]
    short = "LN"
    layers = ("layer_norm",)


@normalization("group_norm", title="Group Norm", search=("gn",))
class GroupNorm(norms.GroupNorm):
    """Splits units or channels into groups and gives each group of each sample mean 0 and deviation 1."""

    short = "GN"
    layers = ("group_norm",)


@normalization("instance_norm", title="Instance Norm", was=("instance_norm2d",), search=("style",))
class InstanceNorm(norms.InstanceNorm2d):
    """Gives each channel of each image mean 0 and deviation 1 on its own. For layers that give images."""

    short = "IN"
    layers = ("instance_norm2d",)


@normalization("rms_norm", title="RMS Norm", search=("root mean square",))
class RMSNorm(norms.RMSNorm):
    """Divides each sample's features (in a convolution all channels and places) by their root mean square, then applies
    a learned factor.
    """

    axes: int | None = _AXES  # type: ignore[assignment]
    short = "RMS"
    layers = ("rms_norm",)
