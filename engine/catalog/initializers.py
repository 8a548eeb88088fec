"""How weights are drawn before training. `weight` yields the statement of the generated file; biases become zero.

Variances: LeCun et al. 1998 (1 / fan_in), Glorot and Bengio 2010 (2 / (fan_in + fan_out)), He et al. 2015
(2 / fan_in). What torch calls normal has tails without end; Keras cuts them off at two deviations and widens the rest
so that the variance stays: both are here, by names of their own. `deviation` is the standard deviation that results.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Literal

from engine.declare import Refusal, initializer
from engine.expr import helpers
from engine.param import param

if TYPE_CHECKING:
    from torch import Tensor, nn
else:
    from engine.expr import nn

CUT = 0.87962566103423978
"""Deviation of a standard normal that is cut off at -2 and 2."""


class _Fans:
    """Base of those that need to know how many numbers meet in a unit; a bias has no such count."""

    needs_fans = True

    def bias(self, b: Tensor) -> Tensor:
        return nn.init.zeros_(b)


class _Plain:
    """Base of those that fill any tensor alike, biases too when they are chosen for biases."""

    needs_fans = False

    def bias(self, b: Tensor) -> Tensor:
        return nn.init.zeros_(b)

    @property
    def draws_zeros(self) -> bool:
        """True where every draw is 0: all that can be set is."""
        return bool(vars(self)) and not any(vars(self).values())


@initializer("torch", title="PyTorch's own", search=("default", "kaiming uniform"))
class Torch:
    """Whatever torch draws when the layer is made. For dense and convolution layers that is uniform between
    ±1/√fan_in, biases included; Keras would use Glorot uniform and zero biases.
    """

    needs_fans = False


@initializer("he_normal", title="He normal", was=("kaiming_normal",), search=("kaiming", "relu", "HeNormal"))
class HeNormal(_Fans):
    """Normal with variance 2/fan_in, biases 0. The choice for ReLU and its relatives: signals keep their size from
    layer to layer. Keras cuts the tails off at two deviations, PyTorch does not; the variance is the same.
    """

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.kaiming_normal_(w, nonlinearity="relu")

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return sqrt(2 / fan_in)


@initializer("he_uniform", title="He uniform", was=("kaiming_uniform",), search=("kaiming", "relu", "HeUniform"))
class HeUniform(_Fans):
    """Uniform between ±√(6/fan_in), which has variance 2/fan_in; biases 0. As good as He normal for ReLU and its
    relatives, without rare large weights.
    """

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.kaiming_uniform_(w, nonlinearity="relu")

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return sqrt(2 / fan_in)


@initializer("he_truncated", title="He normal, cut as in Keras", search=("kaiming", "HeNormal", "keras", "truncated"))
class HeTruncated(_Fans):
    """Normal with variance 2/fan_in without tails: drawn anew beyond two deviations, and widened so that the variance
    stays; biases 0. This is what Keras calls he_normal; PyTorch's has the same variance and longer tails.
    """

    def weight(self, w: Tensor) -> Tensor:
        return helpers.variance_scaling(w, 2.0, "fan_in", "truncated_normal")

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return sqrt(2 / fan_in)


@initializer("glorot_normal", title="Glorot normal", was=("xavier_normal",), search=("xavier", "GlorotNormal"))
class GlorotNormal(_Fans):
    """Normal with variance 2/(fan_in + fan_out), biases 0. The choice for tanh, sigmoid, softmax or no activation.
    Keras cuts the tails off at two deviations, PyTorch does not; the variance is the same.
    """

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.xavier_normal_(w)

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return sqrt(2 / (fan_in + fan_out))


@initializer("glorot_uniform", title="Glorot uniform", was=("xavier_uniform",), search=("xavier", "GlorotUniform"))
class GlorotUniform(_Fans):
    """Uniform between ±√(6/(fan_in + fan_out)), biases 0. The choice for tanh, sigmoid, softmax or no activation,
    and what Keras uses for everything unless told otherwise.
    """

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.xavier_uniform_(w)

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return sqrt(2 / (fan_in + fan_out))


@initializer(
    "glorot_truncated", title="Glorot normal, cut as in Keras", search=("xavier", "GlorotNormal", "keras", "truncated")
)
class GlorotTruncated(_Fans):
    """Normal with variance 2/(fan_in + fan_out) without tails: drawn anew beyond two deviations, and widened so that
    the variance stays; biases 0. This is what Keras calls glorot_normal.
    """

    def weight(self, w: Tensor) -> Tensor:
        return helpers.variance_scaling(w, 1.0, "fan_avg", "truncated_normal")

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return sqrt(2 / (fan_in + fan_out))


@initializer("lecun_normal", title="LeCun normal", search=("selu", "LecunNormal", "self-normalizing"))
class LeCunNormal(_Fans):
    """Normal with variance 1/fan_in, biases 0. What SELU needs to keep its mean and deviation through many layers.
    Keras cuts the tails off at two deviations; this has them, and the variance is the same.
    """

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.kaiming_normal_(w, nonlinearity="linear")

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return sqrt(1 / fan_in)


@initializer("lecun_uniform", title="LeCun uniform", search=("selu", "LecunUniform", "self-normalizing"))
class LeCunUniform(_Fans):
    """Uniform between ±√(3/fan_in), which has variance 1/fan_in; biases 0. For SELU, without rare large weights."""

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.kaiming_uniform_(w, nonlinearity="linear")

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return sqrt(1 / fan_in)


@initializer(
    "lecun_truncated", title="LeCun normal, cut as in Keras", search=("selu", "LecunNormal", "keras", "truncated")
)
class LeCunTruncated(_Fans):
    """Normal with variance 1/fan_in without tails: drawn anew beyond two deviations, and widened so that the variance
    stays; biases 0. This is what Keras calls lecun_normal.
    """

    def weight(self, w: Tensor) -> Tensor:
        return helpers.variance_scaling(w, 1.0, "fan_in", "truncated_normal")

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return sqrt(1 / fan_in)


@initializer("variance_scaling", title="Variance scaling", search=("VarianceScaling", "fan", "scale", "keras"))
class VarianceScaling(_Fans):
    """Variance scale/fan, where fan counts what enters a unit, what leaves it, or the mean of both; biases 0. He is
    scale 2 with fan_in, Glorot scale 1 with fan_avg, LeCun scale 1 with fan_in. As in Keras the truncated normal is
    cut at two deviations and widened so that the variance stays.
    """

    scale: float = param(default=1.0, min=1e-12, max=1e6, log=True, help="The variance times the fan")
    mode: Literal["fan_in", "fan_avg", "fan_out"] = param(
        default="fan_in", choices=("fan_in", "fan_avg", "fan_out"), help="Which count of connections divides the scale"
    )
    distribution: Literal["truncated_normal", "normal", "uniform"] = param(
        default="truncated_normal", choices=("truncated_normal", "normal", "uniform"),
        help="truncated_normal: cut at two deviations; normal: with tails; uniform: between ±√(3·variance)",
    )  # fmt: skip

    def weight(self, w: Tensor) -> Tensor:
        return helpers.variance_scaling(w, self.scale, self.mode, self.distribution)

    def deviation(self, fan_in: int, fan_out: int) -> float:
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        return sqrt(self.scale / fan)


@initializer("orthogonal", title="Orthogonal", search=("Orthogonal", "rnn", "isometry"))
class Orthogonal(_Fans):
    """The rows (or columns) of each weight matrix stand at right angles and have length `gain`; biases 0. Signals
    keep their length exactly in a linear layer, which helps recurrent and very deep networks (Saxe et al. 2014).
    """

    gain: float = param(default=1.0, min=1e-12, max=1e6, log=True, help="Length of the rows; √2 suits ReLU")

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.orthogonal_(w, gain=self.gain)

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return self.gain / sqrt(max(fan_in, fan_out))


@initializer("unit_normal", title="Standard normal, N(0, 1)", search=("historical", "vanishing", "N(0,1)"))
class UnitNormal(_Plain):
    """Normal with mean 0 and deviation 1 whatever the size of the layer, biases 0. How weights were drawn before 2010:
    the variance grows from layer to layer until sigmoids saturate and no gradient is left. Take it to see that.
    """

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.normal_(w)

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return 1.0


@initializer("normal", title="Normal", was=("RandomNormal",), search=("gaussian", "RandomNormal"))
class Normal(_Plain):
    """Normal with the mean and deviation that you say, whatever the size of the layer; biases 0."""

    mean: float = param(default=0.0, min=-1e6, max=1e6, help="Mean of the draws")
    std: float = param(
        default=0.05, min=0.0, max=1e6, log=True, was=("stddev",), label="Deviation", help="Standard deviation of draws"
    )

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.normal_(w, mean=self.mean, std=self.std)

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return self.std


@initializer("uniform", title="Uniform", was=("RandomUniform",), search=("RandomUniform",))
class Uniform(_Plain):
    """Uniform between the bounds that you say, whatever the size of the layer; biases 0."""

    low: float = param(default=-0.05, min=-1e6, max=1e6, was=("minval",), help="Smallest draw")
    high: float = param(default=0.05, min=-1e6, max=1e6, was=("maxval",), help="Largest draw")

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.uniform_(w, self.low, self.high)

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return (self.high - self.low) / sqrt(12)

    def refuse(self) -> Refusal | None:
        """A range has its smaller end first."""
        if self.low <= self.high:
            return None
        return Refusal(
            f"The smallest draw {self.low:g} is above the largest, {self.high:g}.",
            "A smallest draw that is not above the largest", "Swap them", {"low": self.high, "high": self.low},
        )  # fmt: skip


@initializer(
    "truncated_normal", title="Truncated normal", was=("TruncatedNormal",), search=("TruncatedNormal", "cut", "tails")
)
class TruncatedNormal(_Plain):
    """Normal with the mean and deviation that you say, drawn anew beyond two deviations; biases 0. What is left is a
    little narrower: its deviation is 0.88 of the one you say.
    """

    mean: float = param(default=0.0, min=-1e6, max=1e6, help="Mean of the draws")
    std: float = param(
        default=0.05, min=1e-12, max=1e6, log=True, was=("stddev",), label="Deviation",
        help="Standard deviation before the tails are cut off",
    )  # fmt: skip

    def weight(self, w: Tensor) -> Tensor:
        # torch's bounds are values, not deviations: its defaults would cut nothing off.
        low, high = self.mean - 2 * self.std, self.mean + 2 * self.std
        return nn.init.trunc_normal_(w, mean=self.mean, std=self.std, a=low, b=high)

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return CUT * self.std


@initializer("zeros", title="Zeros", search=("constant", "nothing"))
class Zeros(_Plain):
    """All weights and biases 0. Use it only for a last layer, or to see what goes wrong: in a hidden layer all units
    stay alike and learn the same, because nothing tells them apart.
    """

    draws_zeros = True

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.zeros_(w)

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return 0.0


@initializer("ones", title="Ones", search=("constant",))
class Ones(_Plain):
    """All weights 1, biases 0. For biases and demonstrations: in a hidden layer all units stay alike."""

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.ones_(w)

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return 0.0


@initializer("constant", title="Constant", search=("Constant", "fill"))
class Constant(_Plain):
    """All weights the same number, biases 0. For biases and demonstrations: in a hidden layer all units stay alike,
    as if there were one.
    """

    value: float = param(default=0.1, min=-1e6, max=1e6, help="The number that every entry gets")

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.constant_(w, self.value)

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return 0.0
