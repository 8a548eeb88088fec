"""How weights are drawn before training. `weight` yields the statement of the generated file; biases become zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.declare import initializer

if TYPE_CHECKING:
    from torch import Tensor, nn
else:
    from engine.expr import nn


@initializer("torch", title="PyTorch's own")
class Torch:
    """Whatever torch draws when the layer is made; for dense and convolution layers U(±1/√fan_in), biases too."""
