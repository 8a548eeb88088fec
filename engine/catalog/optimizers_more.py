"""Optimizers beyond the usual ones: those that adapt each rate, those that look at signs, and those of second order.

Each says its formula and its source. `build` yields the call of the generated script, as in `optimizers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from engine.catalog.optimizers import BETA1, BETA2, DECAY, EPS, RATE, Fused
from engine.concise import concise
from engine.declare import Refusal, optimizer
from engine.expr import helpers
from engine.param import param

if TYPE_CHECKING:
    from torch import Tensor, optim
else:
    from engine.expr import optim


class _Plain:
    def fused_on(self, device_type: str) -> bool:
        """torch has no fused kernel for it on any device."""
        return False


@optimizer("adagrad", title="Adagrad", was=("Adagrad",), search=("AdaGrad", "adaptive", "sparse"))
class Adagrad(Fused):
    """Divides each step by the size of all gradients so far: s ← s + g², w ← w − lr·g/(√s + ε) (Duchi et al. 2011).
    Good for sparse inputs and simple tasks; in deep networks the rate shrinks until learning stops too early. Keras
    starts s at 0.1 with ε 1e-7 and rate 0.001; PyTorch at 0 with 1e-10 and 0.01.
    """

    lr: float = param(
        default=0.01, min=1e-12, max=100.0, log=True, was=("learning_rate",),
        help="Learning rate: how far each step goes",
    )  # fmt: skip
    lr_decay: float = param(
        default=0.0, min=0.0, max=100.0, advanced=True, help="The rate is divided by 1 + (t − 1) times this"
    )
    initial: float = param(
        default=0.0, min=0.0, max=1e6, was=("initial_accumulator_value",), label="Initial sum",
        help="Where the sum of squares starts; Keras 0.1",
    )  # fmt: skip
    eps: float = param(default=1e-10, min=0.0, max=1.0, log=True, advanced=True, help="Keras uses 1e-7")
    weight_decay: float = DECAY

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        return concise(
            optim.Adagrad, parameters, lr=self.lr, lr_decay=self.lr_decay, weight_decay=self.weight_decay,
            initial_accumulator_value=self.initial, eps=self.eps, fused=fused or None,
        )  # fmt: skip

    def fused_on(self, device_type: str) -> bool:
        """True where torch has a fused kernel for this optimizer."""
        return device_type == "cpu"


@optimizer("adadelta", title="Adadelta", was=("Adadelta",), search=("AdaDelta", "adaptive"))
class Adadelta(_Plain):
    """Adagrad that forgets, in units of the weights: s ← ρs + (1−ρ)g², Δ ← g·√(u + ε)/√(s + ε), u ← ρu + (1−ρ)Δ²,
    w ← w − lr·Δ (Zeiler 2012). The paper needs no rate, lr 1; Keras's default of 0.001 makes it very slow.
    """

    lr: float = param(
        default=1.0,
        min=1e-12,
        max=100.0,
        log=True,
        was=("learning_rate",),
        help="Factor of each step; 1 as in the paper",
    )
    rho: float = param(default=0.9, min=0.0, max=0.999999, label="ρ", help="How much of the mean squares is kept")
    eps: float = param(
        default=1e-6, min=1e-12, max=1.0, log=True, advanced=True, help="Inside the roots; how it gets started"
    )
    weight_decay: float = DECAY

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        return concise(
            optim.Adadelta, parameters, lr=self.lr, rho=self.rho, eps=self.eps, weight_decay=self.weight_decay,
            foreach=True,
        )  # fmt: skip


@optimizer("adamax", title="Adamax", was=("Adamax",), search=("AdaMax", "infinity norm", "adam"))
class Adamax(_Plain):
    """Adam with the largest recent gradient in place of their mean square: m ← β₁m + (1−β₁)g, u ← max(β₂u, |g| + ε),
    w ← w − lr/(1−β₁ᵗ)·m/u (Kingma and Ba 2015). Can be steadier than Adam, which is usually better. Keras adds ε at
    the division, PyTorch inside the maximum.
    """

    lr: float = param(
        default=0.002, min=1e-12, max=100.0, log=True, was=("learning_rate",),
        help="Learning rate: how far each step goes; Keras 0.001",
    )  # fmt: skip
    beta1: float = BETA1
    beta2: float = BETA2
    eps: float = EPS
    weight_decay: float = DECAY

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        return concise(
            optim.Adamax, parameters, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps,
            weight_decay=self.weight_decay, foreach=True,
        )  # fmt: skip


@optimizer("nadam", title="NAdam", was=("NAdam",), search=("Nadam", "nesterov", "adam"))
class NAdam(_Plain):
    """Adam that looks one step ahead, as Nesterov does: μₜ = β₁(1 − 0.5·0.96^(t·ψ)),
    w ← w − lr·(μₜ₊₁m/(1 − Πμ₁…ₜ₊₁) + (1−μₜ)g/(1 − Πμ₁…ₜ))/(√ŝ + ε) (Dozat 2016). Often learns a little faster than
    Adam. ψ is 0.004 here and in older Keras; newer Keras has no ψ, which is ψ = 1.
    """

    lr: float = param(
        default=0.002, min=1e-12, max=100.0, log=True, was=("learning_rate",),
        help="Learning rate: how far each step goes; Keras 0.001",
    )  # fmt: skip
    beta1: float = BETA1
    beta2: float = BETA2
    momentum_decay: float = param(
        default=0.004, min=0.0, max=10.0, label="ψ", advanced=True, help="How fast the momentum grows to β₁; Keras 3: 1"
    )
    eps: float = EPS
    weight_decay: float = DECAY
    decoupled: bool = param(
        default=False, was=("decoupled_weight_decay",), advanced=True, help="Decay the weights as AdamW does"
    )

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        return concise(
            optim.NAdam, parameters, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps,
            weight_decay=self.weight_decay, momentum_decay=self.momentum_decay, decoupled_weight_decay=self.decoupled,
            foreach=True,
        )  # fmt: skip


@optimizer("radam", title="RAdam", was=("RAdam",), search=("rectified", "warmup", "adam"))
class RAdam(_Plain):
    """Adam that does not divide by its mean square while it has seen too few gradients to trust it, and then by a
    corrected one (Liu et al. 2020): a warm-up of its own. Use it where Adam diverges at the start.
    """

    lr: float = RATE
    beta1: float = BETA1
    beta2: float = BETA2
    eps: float = EPS
    weight_decay: float = DECAY
    decoupled: bool = param(
        default=False, was=("decoupled_weight_decay",), advanced=True, help="Decay the weights as AdamW does"
    )

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        return concise(
            optim.RAdam, parameters, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps,
            weight_decay=self.weight_decay, decoupled_weight_decay=self.decoupled, foreach=True,
        )  # fmt: skip


@optimizer("rprop", title="Rprop", was=("Rprop",), search=("resilient", "sign", "full batch"))
class Rprop(_Plain):
    """Looks only at the sign of each gradient: a step of its own per weight grows by η⁺ while the sign stays and
    shrinks by η⁻ when it turns (Riedmiller and Braun 1993). For training on all samples at once; the noise of small
    batches keeps turning signs.
    """

    lr: float = param(
        default=0.01, min=1e-12, max=100.0, log=True, was=("learning_rate",), help="Size of the first steps"
    )
    shrink: float = param(default=0.5, min=1e-6, max=0.999999, label="η⁻", help="Factor of a step whose sign turned")
    grow: float = param(default=1.2, min=1.0, max=100.0, label="η⁺", help="Factor of a step whose sign stayed")
    smallest: float = param(default=1e-6, min=1e-12, max=1e3, log=True, advanced=True, help="Smallest step")
    largest: float = param(default=50.0, min=1e-9, max=1e6, log=True, advanced=True, help="Largest step")

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        return concise(
            optim.Rprop, parameters, lr=self.lr, etas=(self.shrink, self.grow),
            step_sizes=(self.smallest, self.largest), foreach=True,
        )  # fmt: skip

    def refuse(self) -> Refusal | None:
        """Steps between two bounds need the smaller one first."""
        if self.smallest < self.largest:
            return None
        return Refusal(
            f"The smallest step {self.smallest:g} is not below the largest, {self.largest:g}.",
            "A smallest step below the largest", "Use 1e-6 and 50", {"smallest": 1e-6, "largest": 50.0},
        )  # fmt: skip


@optimizer("lion", title="Lion", search=("sign", "EvoLved", "momentum"))
class Lion(_Plain):
    """Steps by the sign of a momentum: c = β₁m + (1−β₁)g, w ← w − lr·(sign(c) + λw), m ← β₂m + (1−β₂)g (Chen et al.
    2023). Needs half of Adam's memory. Every weight moves by the same amount, so take a rate three to ten times
    smaller than Adam's and a decay as many times larger; works best with large batches.
    """

    lr: float = param(
        default=1e-4, min=1e-12, max=100.0, log=True, was=("learning_rate",),
        help="Learning rate: how far every weight moves in each step",
    )  # fmt: skip
    beta1: float = param(default=0.9, min=0.0, max=0.999999, advanced=True, label="β₁", help="Momentum of the step")
    beta2: float = param(default=0.99, min=0.0, max=0.9999999, advanced=True, label="β₂", help="Momentum that is kept")
    weight_decay: float = param(
        default=0.0, min=0.0, max=100.0, log=True, label="Weight decay, λ",
        help="Shrinks the weights by this share times the learning rate",
    )  # fmt: skip

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        made: optim.Optimizer = helpers.Lion(
            parameters, lr=self.lr, betas=(self.beta1, self.beta2), weight_decay=self.weight_decay
        )
        return made


@optimizer("muon", title="Muon", search=("newton schulz", "orthogonal", "hidden", "matrix"))
class Muon(_Plain):
    """For weight matrices of hidden layers: the momentum of each is replaced by the nearest orthogonal matrix, found by
    five Newton-Schulz steps, w ← w − lr·(√max(1, rows/columns)·O + λw) (Jordan 2024). Filters count as matrices. First
    and last layers, embeddings, biases and norms go with AdamW, at a rate of their own.
    """

    splits = True
    """Its parameters come in two kinds of groups: matrices of hidden layers, and the rest."""

    lr: float = param(
        default=0.02, min=1e-12, max=100.0, log=True, was=("learning_rate",), help="Learning rate of hidden matrices"
    )
    momentum: float = param(default=0.95, min=0.0, max=0.99999, help="How much of the last step's momentum is kept")
    nesterov: bool = param(default=True, advanced=True, help="Look one step ahead")
    steps: int = param(default=5, min=1, max=20, advanced=True, help="Newton-Schulz steps; five are enough")
    adam_lr: float = param(default=3e-4, min=1e-12, max=100.0, log=True, label="Rate of AdamW", help="For all the rest")
    weight_decay: float = param(
        default=0.0, min=0.0, max=10.0, log=True, help="Shrinks all weights by this share times the learning rate, λ"
    )

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        made: optim.Optimizer = helpers.Muon(
            parameters, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov, steps=self.steps,
            weight_decay=self.weight_decay,
        )  # fmt: skip
        return made


@optimizer(
    "lbfgs", title="L-BFGS", was=("LBFGS",), search=("quasi newton", "second order", "full batch", "line search")
)
class LBFGS(_Plain):
    """Builds the curvature from the last steps and gradients, and looks along each direction with the whole batch
    (Nocedal 1980; Liu and Nocedal 1989). For small networks trained on all samples at once: set the batch to the size
    of the training set. The batch is evaluated many times within a step; dropout makes that meaningless.
    """

    closure = True
    """A step evaluates its batch again and again."""

    lr: float = param(
        default=1.0, min=1e-12, max=100.0, log=True, was=("learning_rate",),
        help="Factor of each step; 1 with a line search",
    )  # fmt: skip
    max_iter: int = param(default=20, min=1, max=10_000, help="Iterations within one step at most")
    history: int = param(
        default=100, min=1, max=10_000, was=("history_size",), advanced=True, help="Steps that the curvature remembers"
    )
    line_search: Literal["strong_wolfe", "none"] = param(
        default="strong_wolfe", choices=("strong_wolfe", "none"), was=("line_search_fn",),
        help="strong_wolfe: look for a step length that lowers the loss enough; none: the rate is the length",
    )  # fmt: skip
    tolerance_grad: float = param(
        default=1e-7, min=0.0, max=1.0, log=True, advanced=True, help="Ends a step when the gradient is this small"
    )
    tolerance_change: float = param(
        default=1e-9, min=0.0, max=1.0, log=True, advanced=True, help="Ends a step when nothing changes any more"
    )

    def build(self, parameters: Iterable[Tensor], *, fused: bool = False) -> optim.Optimizer:
        return concise(
            optim.LBFGS, parameters, lr=self.lr, max_iter=self.max_iter, history_size=self.history,
            tolerance_grad=self.tolerance_grad, tolerance_change=self.tolerance_change,
            line_search_fn=None if self.line_search == "none" else self.line_search,
        )  # fmt: skip
