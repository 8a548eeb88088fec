"""Dense layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.concise import concise
from engine.declare import layer
from engine.param import param
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    from torch import nn
else:
    from engine.expr import nn


@layer(
    "linear", title="Linear", search=("dense", "fully connected", "mlp"), accepts="features", weights=("weight",),
    activated=True,
)  # fmt: skip
class Linear:
    """Each output is a weighted sum of all inputs plus a bias: y = Wx + b. Acts on the last axis and keeps the
    others, so put a Flatten before it when images arrive. Keras calls it Dense; there weights start Glorot uniform
    and biases at 0, in PyTorch both are drawn from ±1/√inputs.
    """

    units: int = param(
        default=100, min=1, was=("out_features", "features"), help="How many outputs; the last layer has one per class"
    )
    bias: bool = param(
        default=True, help="Add a learned number to each output; not needed when a normalisation follows at once"
    )

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(nn.Linear, x.features, self.units, bias=self.bias)

    def detail(self) -> str:
        return f"{self.units:,} outputs"
