"""Regularizers: what a layer's weights cost beside the loss. Biases never cost anything, as in Keras.

`l1` and `l2` are factors of Σ|w| and Σw². There is no ½ before Σw²: plain SGD with weight decay 2·l2 is the same.
"""

from __future__ import annotations

from engine.declare import regularizer
from engine.param import param

_L1 = param(default=0.01, min=0.0, max=1e6, log=True, label="l1", help="Factor of the sum of sizes, Σ|w|")
_L2 = param(default=0.01, min=0.0, max=1e6, log=True, label="l2", help="Factor of the sum of squares, Σw²")


@regularizer("none", title="None", search=("off",))
class NoRegularizer:
    """The weights cost nothing, whatever the block or the project says for the other layers."""

    l1 = 0.0
    l2 = 0.0


@regularizer("l1", title="l1", was=("L1",), search=("lasso", "sparse", "L1"))
class L1:
    """Adds l1·Σ|w| to the loss: many weights end near 0, so that few inputs matter. Plain gradient steps never land on
    0 exactly; zero what is tiny after training. Do not use it with SELU.
    """

    l1: float = _L1
    l2 = 0.0

    def detail(self) -> str:
        return f"l1 {self.l1:g}"


@regularizer("l2", title="l2", was=("L2",), search=("ridge", "weight decay", "L2"))
class L2:
    """Adds l2·Σw² to the loss: weights stay small, which works against overfitting. Fine with SGD and momentum; with
    Adam and its kin take AdamW's weight decay, which their scaling of gradients does not distort.
    """

    l1 = 0.0
    l2: float = _L2

    def detail(self) -> str:
        return f"l2 {self.l2:g}"


@regularizer("l1_l2", title="l1 and l2", was=("L1L2",), search=("elastic net", "L1L2"))
class L1L2:
    """Adds l1·Σ|w| + l2·Σw² to the loss: few weights, and none of them large (elastic net)."""

    l1: float = _L1
    l2: float = _L2

    def detail(self) -> str:
        return f"l1 {self.l1:g}, l2 {self.l2:g}"
