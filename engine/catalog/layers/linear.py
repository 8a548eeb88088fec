"""Dense layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.declare import layer
from engine.param import param
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    from torch import nn
else:
    from engine.expr import nn


@layer("linear", title="Linear", search=("dense", "fully connected"), accepts="features", weights=("weight",))
class Linear:
    """Each output is a weighted sum of all inputs plus a bias. Acts on the last axis."""

    units: int = param(default=100, min=1, was=("out_features", "features"), help="How many outputs")
    bias: bool = param(default=True, help="Add a learned number to each output")

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Linear(x.features, self.units) if self.bias else nn.Linear(x.features, self.units, bias=False)

    def detail(self) -> str:
        return f"{self.units:,} outputs"
