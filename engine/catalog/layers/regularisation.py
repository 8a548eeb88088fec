"""Regularisation: noise while training, so that the network does not learn its samples by heart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.declare import layer
from engine.expr import helpers
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


@layer(
    "dropout1d", title="Dropout 1D", was=("Dropout1d",), search=("SpatialDropout1D", "channel dropout", "sequence"),
    accepts="channels1d",
)  # fmt: skip
class Dropout1d(_Dropping):
    """Sets whole channels of a sequence to 0 while training. Use it between 1D convolutions, where neighbouring steps
    are so alike that dropping single ones changes little. The shape stays; Keras calls it SpatialDropout1D.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Dropout1d(self.rate)


@layer(
    "dropout3d", title="Dropout 3D", was=("Dropout3d",), search=("SpatialDropout3D", "channel dropout", "volume"),
    accepts="volume",
)  # fmt: skip
class Dropout3d(_Dropping):
    """Sets whole channels of a volume to 0 while training. Use it between 3D convolutions. The shape stays; Keras calls
    it SpatialDropout3D.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Dropout3d(self.rate)


@layer(
    "feature_alpha_dropout", title="Feature Alpha Dropout", was=("FeatureAlphaDropout",),
    search=("selu", "self-normalizing", "channel"), accepts="channels",
)  # fmt: skip
class FeatureAlphaDropout(_Dropping):
    """Alpha dropout of whole channels: sets them to SELU's lowest value and rescales, so that mean 0 and deviation 1
    are kept. Use it between convolutions with SELU. The shape stays.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.FeatureAlphaDropout(self.rate)


@layer("gaussian_noise", title="Gaussian Noise", was=("GaussianNoise",), search=("noise", "jitter"), accepts="numbers")
class GaussianNoise:
    """Adds normal noise of a fixed deviation while training; while predicting it does nothing. Put it on inputs that
    are standardised: a noisy copy of each sample in every epoch works against overfitting. The shape stays.
    """

    std: float = param(
        default=0.1, min=0.0, max=1e3, was=("stddev",), label="Deviation", help="Standard deviation of the noise"
    )

    def build(self, x: TensorInfo) -> nn.Module:
        made: nn.Module = helpers.GaussianNoise(self.std)
        return made

    def detail(self) -> str:
        return f"σ {self.std:g}"


@layer("gaussian_dropout", title="Gaussian Dropout", was=("GaussianDropout",), search=("noise",), accepts="numbers")
class GaussianDropout(_Dropping):
    """Multiplies every number by a normal one of mean 1 and variance rate/(1 − rate) while training: the noise of
    dropout without its zeros (Srivastava et al. 2014). While predicting it does nothing; the shape stays.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        made: nn.Module = helpers.GaussianDropout(self.rate)
        return made


@layer(
    "stochastic_depth", title="Stochastic Depth", was=("StochasticDepth",), search=("drop path", "residual", "skip"),
    accepts="numbers",
)  # fmt: skip
class StochasticDepth(_Dropping):
    """Leaves a whole branch out for some samples while training and enlarges it for the others (Huang et al. 2016).
    Put it at the end of a residual branch, just before the Add; the skip connection then carries the sample on.
    """

    rate: float = param(default=0.2, min=0.0, max=0.99, was=("p",), help=_HELP)
    batch: bool = param(default=False, help="Leave it out for a whole batch at once instead of sample by sample")

    def build(self, x: TensorInfo) -> nn.Module:
        made: nn.Module = (
            helpers.StochasticDepth(self.rate, batch=True) if self.batch else helpers.StochasticDepth(self.rate)
        )
        return made


@layer(
    "drop_connect", title="Drop Connect", was=("DropConnect",), search=("dense", "weight dropout", "linear"),
    accepts="features", weights=("weight",),
)  # fmt: skip
class DropConnect:
    """A Linear whose single weights, instead of whole outputs, are set to 0 at random while training (Wan et al. 2013).
    While predicting all weights are there. Use it in place of Linear and Dropout in large layers.
    """

    units: int = param(default=100, min=1, max=2**24, was=("out_features",), help="How many outputs")
    rate: float = param(default=0.5, min=0.0, max=0.99, was=("p",), help=_HELP)
    bias: bool = param(default=True, help="Add a learned number to each output")

    def build(self, x: TensorInfo) -> nn.Module:
        made: nn.Module = (
            helpers.DropConnect(x.features, self.units, self.rate)
            if self.bias
            else helpers.DropConnect(x.features, self.units, self.rate, bias=False)
        )
        return made

    def detail(self) -> str:
        return f"{self.units:,}, {self.rate * 100:g} %"
