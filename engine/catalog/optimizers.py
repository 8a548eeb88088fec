"""Optimizers: how the weights follow their gradients. `build` yields the call of the generated script.

`fused` asks for torch's fused kernel, which is faster but differs from the plain one in the last bits; which devices
have one says `fused_on`, so that a script and the app can use the very same kernel. Where there is none `foreach=True`
takes all tensors in each call, which torch does by itself on a GPU only: on a CPU it saves a tenth to two thirds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.concise import concise
from engine.declare import Refusal, optimizer
from engine.param import param

if TYPE_CHECKING:
    from torch import Tensor, optim
else:
    from engine.expr import optim

EPS = param(
    default=1e-8, min=0.0, max=1.0, log=True, advanced=True,
    help="Keeps the division from blowing up; Keras uses 1e-7",
)  # fmt: skip
DECAY = param(
    default=0.0,
    min=0.0,
    max=10.0,
    log=True,
    help="Pulls weights towards 0 by adding this times the weight to its gradient",
)
RATE = param(
    default=0.001, min=1e-12, max=100.0, log=True, was=("learning_rate",), help="Learning rate: how far each step goes"
)
BETA1 = param(default=0.9, min=0.0, max=0.999999, advanced=True, help="How much of the mean gradient is kept, β₁")
BETA2 = param(
    default=0.999, min=0.0, max=0.9999999, advanced=True, help="How much of the mean squared gradient is kept, β₂"
)
AMSGRAD = param(
    default=False, advanced=True, help="Divide by the largest mean square so far, so that steps never grow again"
)


class Fused:
    """Base of those that torch has fused kernels for."""

    def fused_on(self, device_type: str) -> bool:
        """True where torch has a fused kernel for this optimizer."""
        return device_type in ("cpu", "cuda", "mps")


@optimizer("sgd", title="SGD", was=("SGD",), search=("stochastic gradient descent", "momentum", "nesterov"))
class SGD(Fused):
    """Steps straight down the gradient: w ← w − lr·g. With momentum μ it keeps a velocity v ← μ·v + g and steps
    w ← w − lr·v; Nesterov looks one step ahead. Simple, and often the best in the end; try momentum 0.9. When the
    rate changes, Keras's velocity, which contains the rate, lags behind PyTorch's.
    """

    lr: float = param(
        default=0.01, min=1e-12, max=100.0, log=True, was=("learning_rate",),
        help="Learning rate: how far each step goes",
    )  # fmt: skip
    momentum: float = param(
        default=0.0, min=0.0, max=0.99999, help="How much of the last step's velocity is kept; 0.9 is usual"
    )
    nesterov: bool = param(default=False, help="Look one step ahead; needs momentum")
    weight_decay: float = DECAY

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        return concise(
            optim.SGD, parameters, lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay,
            nesterov=self.nesterov, fused=fused or None,
        )  # fmt: skip

    def refuse(self) -> Refusal | None:
        """Nesterov without momentum has nothing to look ahead with; torch refuses it."""
        if not self.nesterov or self.momentum > 0:
            return None
        return Refusal(
            "Nesterov is on, but the momentum is 0.", "A momentum above 0, or Nesterov off", "Use momentum 0.9",
            {"momentum": 0.9},
        )  # fmt: skip


@optimizer("adam", title="Adam", was=("Adam",), search=("adaptive", "moment"))
class Adam(Fused):
    """Keeps running means of the gradient and of its square, m ← β₁m + (1−β₁)g and s ← β₂s + (1−β₂)g², corrects
    both for their start at 0, and steps w ← w − lr·m̂/(√ŝ + ε). Needs little tuning and learns fast. Its weight decay
    goes through these means; for decay that does not, use AdamW.
    """

    lr: float = RATE
    beta1: float = BETA1
    beta2: float = BETA2
    eps: float = EPS
    weight_decay: float = DECAY
    amsgrad: bool = AMSGRAD

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        return concise(
            optim.Adam, parameters, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps,
            weight_decay=self.weight_decay, amsgrad=self.amsgrad, fused=fused or None,
        )  # fmt: skip


@optimizer("adamw", title="AdamW", was=("AdamW",), search=("adaptive", "decoupled weight decay", "transformer"))
class AdamW(Fused):
    """Adam with weight decay of its own: each step first shrinks the weights, w ← w − lr·λ·w, then does what Adam
    does. The usual choice for transformers and large networks. The default decay λ is 0.01 in PyTorch, 0.004 in
    Keras; lr·λ below about 6e-8 changes nothing in single precision.
    """

    lr: float = RATE
    beta1: float = BETA1
    beta2: float = BETA2
    eps: float = EPS
    weight_decay: float = param(
        default=0.01, min=0.0, max=10.0, log=True, help="Shrinks the weights by this share times the learning rate, λ"
    )
    amsgrad: bool = AMSGRAD

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        return concise(
            optim.AdamW, parameters, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps,
            weight_decay=self.weight_decay, amsgrad=self.amsgrad, fused=fused or None,
        )  # fmt: skip


@optimizer("rmsprop", title="RMSprop", was=("RMSprop",), search=("root mean square", "rho", "adaptive"))
class RMSprop:
    """Divides each step by a running mean of the gradient's size: s ← α·s + (1−α)g², w ← w − lr·g/(√s + ε). Use it
    for recurrent networks, or where Adam's momentum does harm. The share kept, α, is 0.9 as in Keras (there rho);
    PyTorch's own default is 0.99.
    """

    lr: float = RATE
    alpha: float = param(
        default=0.9, min=0.0, max=0.999999, was=("rho",), help="How much of the mean squared gradient is kept, α"
    )
    eps: float = EPS
    momentum: float = param(default=0.0, min=0.0, max=0.99999, help="How much of the last step's velocity is kept")
    centered: bool = param(
        default=False, advanced=True, help="Divide by the deviation of the gradient instead of its size"
    )
    weight_decay: float = DECAY

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        return concise(
            optim.RMSprop, parameters, lr=self.lr, alpha=self.alpha, eps=self.eps, weight_decay=self.weight_decay,
            momentum=self.momentum, centered=self.centered, foreach=True,
        )  # fmt: skip

    def fused_on(self, device_type: str) -> bool:
        """torch has no fused RMSprop on any device."""
        return False
