"""How weights are drawn before training. `weight` yields the statement of the generated file; biases become zero.

Variances: Glorot and Bengio 2010 (2 / (fan_in + fan_out)), He et al. 2015 (2 / fan_in).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.declare import initializer

if TYPE_CHECKING:
    from torch import Tensor, nn
else:
    from engine.expr import nn


class _ZeroBias:
    def bias(self, b: Tensor) -> Tensor:
        return nn.init.zeros_(b)


@initializer("torch", title="PyTorch's own", search=("default", "kaiming uniform"))
class Torch:
    """Whatever torch draws when the layer is made. For dense and convolution layers that is uniform between
    ±1/√fan_in, biases included; Keras would use Glorot uniform and zero biases.
    """


@initializer("he_normal", title="He normal", was=("kaiming_normal",), search=("kaiming", "relu", "HeNormal"))
class HeNormal(_ZeroBias):
    """Normal with variance 2/fan_in, biases 0. The choice for ReLU and its relatives: signals keep their size from
    layer to layer. Keras cuts the tails off at two deviations, PyTorch does not; the variance is the same.
    """

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.kaiming_normal_(w, nonlinearity="relu")


@initializer("he_uniform", title="He uniform", was=("kaiming_uniform",), search=("kaiming", "relu", "HeUniform"))
class HeUniform(_ZeroBias):
    """Uniform between ±√(6/fan_in), which has variance 2/fan_in; biases 0. As good as He normal for ReLU and its
    relatives, without rare large weights.
    """

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.kaiming_uniform_(w, nonlinearity="relu")


@initializer("glorot_normal", title="Glorot normal", was=("xavier_normal",), search=("xavier", "GlorotNormal"))
class GlorotNormal(_ZeroBias):
    """Normal with variance 2/(fan_in + fan_out), biases 0. The choice for tanh, sigmoid, softmax or no activation.
    Keras cuts the tails off at two deviations, PyTorch does not; the variance is the same.
    """

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.xavier_normal_(w)


@initializer("glorot_uniform", title="Glorot uniform", was=("xavier_uniform",), search=("xavier", "GlorotUniform"))
class GlorotUniform(_ZeroBias):
    """Uniform between ±√(6/(fan_in + fan_out)), biases 0. The choice for tanh, sigmoid, softmax or no activation,
    and what Keras uses for everything unless told otherwise.
    """

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.xavier_uniform_(w)


@initializer("zeros", title="Zeros", search=("constant", "nothing"))
class Zeros(_ZeroBias):
    """All weights and biases 0. Use it only for a last layer, or to see what goes wrong: in a hidden layer all units
    stay alike and learn the same, because nothing tells them apart.
    """

    def weight(self, w: Tensor) -> Tensor:
        return nn.init.zeros_(w)
