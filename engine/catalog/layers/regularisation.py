"""Regularisation: noise while training, so that the network does not learn its samples by heart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.declare import layer
from engine.param import param
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    from torch import nn
else:
    from engine.expr import nn

_HELP = "Share that is dropped, from 0 (none) to 0.99; 0.1 to 0.5 is usual"


class _Dropping:
    rate: float = param(default=0.5, min=0.0, max=0.99, was=("p",), help=_HELP)

    def detail(self) -> str:
        return f"{self.rate * 100:g} %"[:28]


@layer("dropout", title="Dropout", was=("Dropout",), search=("overfitting", "noise"), accepts="numbers")
class Dropout(_Dropping):
    """Sets a random share of the numbers to 0 while training and enlarges the others to make up for it; while
    predicting it does nothing. Use it after activations of large Linear layers when the network overfits. Training
    takes longer to converge; the shape stays.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Dropout(self.rate)


@layer(
    "dropout2d", title="Dropout 2D", was=("Dropout2d",), search=("SpatialDropout2D", "channel dropout"),
    accepts="image",
)  # fmt: skip
class Dropout2d(_Dropping):
    """Sets whole channels of an image to 0 while training. Use it between convolutions, where neighbouring pixels
    are so alike that dropping single ones changes little. The shape stays; Keras calls it SpatialDropout2D.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Dropout2d(self.rate)


@layer(
    "alpha_dropout", title="Alpha Dropout", was=("AlphaDropout",), search=("selu", "self-normalizing"),
    accepts="numbers",
)  # fmt: skip
class AlphaDropout(_Dropping):
    """Dropout for SELU networks: sets a random share to SELU's lowest value and rescales, so that mean 0 and
    deviation 1 are kept. Use it only together with SELU. The shape stays.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.AlphaDropout(self.rate)
