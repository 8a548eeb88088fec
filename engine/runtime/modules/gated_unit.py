"""Gated units with another gate than the sigmoid of nn.GLU, for the generated file."""

from torch import Tensor, nn


class GatedUnit(nn.Module):
    """The first half of an axis times the gate of the second half."""

    def __init__(self, gate: nn.Module, dim: int = -1) -> None:
        super().__init__()
        self.gate = gate
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Half as long along the axis."""
        values, gates = x.chunk(2, dim=self.dim)
        gated: Tensor = values * self.gate(gates)
        return gated
