"""Activations: what makes a network more than one linear map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.concise import concise
from engine.declare import Refusal, layer
from engine.param import param
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    from torch import nn
else:
    from engine.expr import nn


@layer("relu", title="ReLU", was=("ReLU",), search=("rectified linear", "rectifier"), accepts="numbers")
class ReLU:
    """max(0, x): keeps positive numbers and sets the rest to 0. The usual first choice between layers, fast and
    good; pair it with He initial weights. Units that never get positive learn nothing, which LeakyReLU avoids.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.ReLU()


@layer("leaky_relu", title="Leaky ReLU", was=("LeakyReLU",), search=("lrelu", "rectifier"), accepts="numbers")
class LeakyReLU:
    """Like ReLU, but negative numbers pass times a small slope instead of becoming 0, so no unit dies. Use it where
    many ReLU units stay silent. The slope is 0.01 in PyTorch and 0.3 in Keras; 0.2 often works better than either.
    """

    slope: float = param(
        default=0.01, min=0.0, max=1.0, was=("negative_slope", "alpha"), help="Factor of negative numbers"
    )

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.LeakyReLU, negative_slope=self.slope)

    def detail(self) -> str:
        return f"slope {self.slope:g}"


@layer("prelu", title="PReLU", was=("PReLU",), search=("parametric", "leaky"), accepts="numbers")
class PReLU:
    """A LeakyReLU that learns its slope for negative numbers. Use it with much data; with little it overfits. Here
    there is one slope, starting at 0.25, or one per channel (the first axis); Keras learns one per input number and
    starts at 0.
    """

    per_channel: bool = param(default=False, help="A slope for each channel (first axis) instead of one for all")
    init: float = param(default=0.25, min=-10.0, max=10.0, help="The slope at the start")

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.PReLU, num_parameters=x.channels if self.per_channel else 1, init=self.init)

    def detail(self) -> str:
        return "one per channel" if self.per_channel else ""


@layer("rrelu", title="RReLU", was=("RReLU",), search=("randomized", "leaky"), accepts="numbers")
class RReLU:
    """A LeakyReLU whose slope is drawn anew for every number while training, and is the middle of the range while
    predicting. The noise works against overfitting. Keras has no such layer.
    """

    lower: float = param(default=1 / 8, min=0.0, max=1.0, help="Smallest slope that is drawn")
    upper: float = param(default=1 / 3, min=0.0, max=1.0, help="Largest slope that is drawn")

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.RReLU, lower=self.lower, upper=self.upper)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if self.lower <= self.upper:
            return None
        return Refusal(
            f"The smallest slope {self.lower:g} is above the largest, {self.upper:g}.",
            "A smallest slope that is not above the largest", "Swap them",
            {"lower": self.upper, "upper": self.lower},
        )  # fmt: skip

    def detail(self) -> str:
        return f"{self.lower:.3g} to {self.upper:.3g}"


@layer("elu", title="ELU", was=("ELU",), search=("exponential linear",), accepts="numbers")
class ELU:
    """x for positive numbers, α(eˣ − 1) for negative ones: smooth, and never far below −α. Often learns faster than
    ReLU but costs more to compute. Pair it with He initial weights.
    """

    alpha: float = param(default=1.0, min=0.0, max=100.0, help="Where very negative numbers end: at −α")

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.ELU, alpha=self.alpha)

    def detail(self) -> str:
        return "" if self.alpha == 1 else f"α {self.alpha:g}"


@layer("selu", title="SELU", was=("SELU",), search=("self-normalizing", "scaled exponential"), accepts="numbers")
class SELU:
    """A scaled ELU that keeps mean 0 and deviation 1 through many layers by itself. That holds only for plain
    stacks of Linear layers with standardised inputs and LeCun initial weights, and with AlphaDropout instead of
    Dropout.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.SELU()


@layer("gelu", title="GELU", was=("GELU",), search=("gaussian error", "transformer"), accepts="numbers")
class GELU:
    """x times the probability that a standard normal number is below x: a smooth ReLU that dips slightly below 0.
    The usual choice in transformers. `none` is the exact form, `tanh` the faster approximation some models used.
    """

    approximate: Literal["none", "tanh"] = param(
        default="none", choices=("none", "tanh"), help="none: exact; tanh: the approximation that GPT-2 and BERT used"
    )

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.GELU, approximate=self.approximate)

    def detail(self) -> str:
        return "" if self.approximate == "none" else "tanh form"


@layer("silu", title="SiLU (Swish)", was=("SiLU", "swish"), search=("swish", "sigmoid linear"), accepts="numbers")
class SiLU:
    """x · sigmoid(x): smooth, with a small dip below 0. Often a little better than ReLU in deep networks at a little
    cost. Also called Swish; Keras calls it swish or silu.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.SiLU()


@layer("mish", title="Mish", was=("Mish",), search=("smooth",), accepts="numbers")
class Mish:
    """x · tanh(ln(1 + eˣ)): much like SiLU, smooth, with a small dip below 0. A good choice in deep networks where
    time matters less.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Mish()


@layer("sigmoid", title="Sigmoid", was=("Sigmoid",), search=("logistic", "probability"), accepts="numbers")
class Sigmoid:
    """1 / (1 + e⁻ˣ): squeezes any number between 0 and 1. Use it for gates; between layers it lets gradients vanish.
    Not needed before a binary output: the Output applies it, and the loss is more exact without.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Sigmoid()


@layer("tanh", title="Tanh", was=("Tanh",), search=("hyperbolic tangent",), accepts="numbers")
class Tanh:
    """Squeezes any number between −1 and 1. Use it for outputs in that range and in recurrent networks; in deep
    stacks it lets gradients vanish. Pair it with Glorot initial weights.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Tanh()


@layer("softmax", title="Softmax", was=("Softmax",), search=("probabilities", "dim"), accepts="numbers")
class Softmax:
    """Turns numbers along one axis into shares that add up to 1. Use it for attention and gates. Do not put it
    before the Output of a classifier, as in Keras: the cross-entropy loss applies it, and the Output shows it.
    """

    elementwise = False

    axis: int = param(
        default=-1, min=-8, max=8, help="Along which axis, counted from 0 without the batch; −1 is the last"
    )

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Softmax(dim=self.axis + 1 if self.axis >= 0 else self.axis)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if x.rank and -x.rank <= self.axis < x.rank:
            return None
        return Refusal(
            f"There is no axis {self.axis} in a sample of {x}; its axes are counted from 0 without the batch.",
            f"An axis from {-x.rank} to {x.rank - 1}" if x.rank else "A sample with at least one axis",
            "Use the last one, −1", {"axis": -1} if x.rank else None,
        )  # fmt: skip

    def detail(self) -> str:
        return "" if self.axis == -1 else f"axis {self.axis}"


@layer(
    "log_softmax", title="Log Softmax", was=("LogSoftmax",), search=("logarithm", "probabilities"), accepts="numbers"
)
class LogSoftmax(Softmax):
    """The logarithm of Softmax, computed without overflow. Not needed before an Output: the cross-entropy loss applies
    it itself.
    """

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.LogSoftmax(dim=self.axis + 1 if self.axis >= 0 else self.axis)
