"""Activations beyond the usual ones: hard and shrinking forms, those that learn, and those that join several inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.concise import concise
from engine.declare import Refusal, layer
from engine.expr import helpers
from engine.param import param
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    from torch import Tensor, nn
else:
    from engine.expr import nn

FAMILY = "activation"

_AXIS = param(
    default="features", choices=("features", "channels"),
    help="Which axis is divided: the last one of dense layers, or the channels of images (the first axis)",
)  # fmt: skip


@layer("swish_beta", title="Swish (β)", search=("swish", "silu", "beta", "trainable"), accepts="numbers")
class SwishBeta:
    """x · sigmoid(β·x), SiLU with a factor (Ramachandran et al. 2017). β = 1 is SiLU, 1.702 comes within 0.02 of GELU,
    a large β nears ReLU. Tune β like any setting, or let the network learn it, which may overfit as PReLU does.
    """

    beta: float = param(default=1.0, min=-100.0, max=100.0, label="β", help="The factor, or where learning starts")
    learned: bool = param(default=False, help="Train β with the weights: one number for the layer")

    def build(self, x: TensorInfo) -> nn.Module:
        made: nn.Module = helpers.SwishBeta(self.beta, learned=True) if self.learned else helpers.SwishBeta(self.beta)
        return made

    def detail(self) -> str:
        return f"β {self.beta:g}, learned" if self.learned else f"β {self.beta:g}"


@layer("softplus", title="Softplus", was=("Softplus",), search=("smooth relu", "positive"), accepts="numbers")
class Softplus:
    """ln(1 + e^(β·x)) / β: a smooth ReLU that is always positive. Use it where an output must be above 0, such as a
    deviation or a rate; between layers ReLU is as good and cheaper.
    """

    beta: float = param(default=1.0, min=1e-3, max=1e3, log=True, label="β", help="How sharp the bend is")
    threshold: float = param(
        default=20.0, min=0.0, max=1e3, advanced=True, help="Above this β·x the number itself is taken, for safety"
    )

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.Softplus, beta=self.beta, threshold=self.threshold)

    def detail(self) -> str:
        return "" if self.beta == 1 else f"β {self.beta:g}"


@layer("softsign", title="Softsign", was=("Softsign",), search=("squash",), accepts="numbers")
class Softsign:
    """x / (1 + |x|): between −1 and 1 like tanh, but nears them slowly, so that less gradient is lost far out."""

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Softsign()


@layer("celu", title="CELU", was=("CELU",), search=("continuously differentiable", "elu"), accepts="numbers")
class CELU:
    """max(0, x) + min(0, α(e^(x/α) − 1)): an ELU whose slope has no jump at 0 for any α (Barron 2017)."""

    alpha: float = param(default=1.0, min=1e-3, max=100.0, label="α", help="Where very negative numbers end: at −α")

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.CELU, alpha=self.alpha)

    def detail(self) -> str:
        return "" if self.alpha == 1 else f"α {self.alpha:g}"


@layer("relu6", title="ReLU6", was=("ReLU6",), search=("mobile", "clipped"), accepts="numbers")
class ReLU6:
    """min(max(0, x), 6): a ReLU that stops at 6, which few bits can represent. Common in networks for phones."""

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.ReLU6()


@layer("hard_sigmoid", title="Hard Sigmoid", was=("Hardsigmoid",), search=("HardSigmoid", "cheap"), accepts="numbers")
class HardSigmoid:
    """min(max(0, x/6 + 1/2), 1): three straight lines in place of the sigmoid, much cheaper on small processors."""

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Hardsigmoid()


@layer("hard_swish", title="Hard Swish", was=("Hardswish",), search=("HardSiLU", "mobile", "cheap"), accepts="numbers")
class HardSwish:
    """x · min(max(0, x + 3), 6) / 6: Swish without an exponential (Howard et al. 2019), for phones."""

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Hardswish()


@layer("hard_tanh", title="Hard Tanh", was=("Hardtanh",), search=("HardTanh", "clip", "clamp"), accepts="numbers")
class HardTanh:
    """Cuts numbers off at two bounds and leaves what is between them: a cheap tanh. Outside the bounds the gradient
    is 0.
    """

    low: float = param(default=-1.0, min=-1e6, max=1e6, was=("min_val",), help="Smallest number that comes out")
    high: float = param(default=1.0, min=-1e6, max=1e6, was=("max_val",), help="Largest number that comes out")

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.Hardtanh, min_val=self.low, max_val=self.high)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if self.low < self.high:
            return None
        return Refusal(
            f"The lower bound {self.low:g} is not below the upper one, {self.high:g}.",
            "A lower bound below the upper one", "Use −1 and 1", {"low": -1.0, "high": 1.0},
        )  # fmt: skip

    def detail(self) -> str:
        return f"{self.low:g} to {self.high:g}"


@layer("log_sigmoid", title="Log Sigmoid", was=("LogSigmoid",), search=("logarithm",), accepts="numbers")
class LogSigmoid:
    """ln(1 / (1 + e⁻ˣ)): the logarithm of the sigmoid, computed without overflow. Always below 0."""

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.LogSigmoid()


@layer("tanh_shrink", title="Tanh Shrink", was=("Tanhshrink",), search=("shrinkage",), accepts="numbers")
class TanhShrink:
    """x − tanh(x): nearly 0 around 0, one less than the number far out. For sparse codes."""

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Tanhshrink()


@layer("hard_shrink", title="Hard Shrink", was=("Hardshrink",), search=("threshold", "sparse"), accepts="numbers")
class HardShrink:
    """Numbers within ±λ become 0, others stay. For sparse codes and denoising."""

    limit: float = param(default=0.5, min=0.0, max=1e6, label="λ", was=("lambd",), help="Up to here numbers become 0")

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.Hardshrink, lambd=self.limit)

    def detail(self) -> str:
        return f"λ {self.limit:g}"


@layer("soft_shrink", title="Soft Shrink", was=("Softshrink",), search=("threshold", "lasso"), accepts="numbers")
class SoftShrink:
    """Numbers within ±λ become 0, others move towards 0 by λ: the step of l1 regularisation. For sparse codes."""

    limit: float = param(default=0.5, min=0.0, max=1e6, label="λ", was=("lambd",), help="How far numbers move to 0")

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.Softshrink, lambd=self.limit)

    def detail(self) -> str:
        return f"λ {self.limit:g}"


class _Halving:
    elementwise = False


@layer(
    "glu", title="Gated Linear Unit", was=("GLU",), accepts="numbers",
    search=("glu", "swiglu", "geglu", "reglu", "bilinear", "gate", "transformer"),
)  # fmt: skip
class GLU(_Halving):
    """Half of the numbers, each multiplied by a gate that the other half opens (Dauphin et al. 2017; Shazeer 2020).
    The gate names it: sigmoid is GLU, relu ReGLU, gelu GEGLU, silu SwiGLU, none the bilinear form. Put it after a
    Linear with twice the units; large language models use SwiGLU.
    """

    gate: Literal["sigmoid", "relu", "gelu", "silu", "none"] = param(
        default="sigmoid", choices=("sigmoid", "relu", "gelu", "silu", "none"),
        help="What the second half goes through: sigmoid GLU, relu ReGLU, gelu GEGLU, silu SwiGLU, none bilinear",
    )  # fmt: skip
    axis: Literal["features", "channels"] = _AXIS

    def build(self, x: TensorInfo) -> nn.Module:
        dim = 1 if self.axis == "channels" else -1
        if self.gate == "sigmoid":
            return concise(nn.GLU, dim=dim)
        gates = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "none": nn.Identity}
        made: nn.Module = helpers.GatedUnit(gates[self.gate](), **({} if dim == -1 else {"dim": dim}))
        return made

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return _divided(x, self.axis, 2)

    def detail(self) -> str:
        return {"sigmoid": "", "relu": "ReGLU", "gelu": "GEGLU", "silu": "SwiGLU", "none": "bilinear"}[self.gate]


@layer("maxout", title="Maxout", search=("piecewise linear", "max"), accepts="numbers")
class Maxout(_Halving):
    """The largest of every few neighbouring numbers (Goodfellow et al. 2013): after a Linear with `pieces` times the
    units it learns the shape of its own activation, at that many times the weights.
    """

    pieces: int = param(default=2, min=2, max=64, help="Numbers of which the largest is kept")
    axis: Literal["features", "channels"] = _AXIS

    def forward(self, x: Tensor) -> Tensor:
        dim = 1 if self.axis == "channels" else -1
        groups: Tensor = x.unflatten(dim, (-1, self.pieces))  # type: ignore[no-untyped-call]
        return groups.amax(2 if dim == 1 else -1)

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return _divided(x, self.axis, self.pieces)

    def detail(self) -> str:
        return f"of {self.pieces}"


def _divided(x: TensorInfo, axis: str, parts: int) -> Refusal | None:
    if not x.rank:
        return Refusal("A sample has no axis that could be divided.", "A vector or an image", "Put a layer before it")
    size = x.channels if axis == "channels" else x.features
    if size % parts == 0:
        return None
    return Refusal(
        f"{size} {axis} cannot be divided into groups of {parts}.",
        f"A number of {axis} that {parts} divides", f"Give the layer before it {size + parts - size % parts} units",
    )  # fmt: skip
