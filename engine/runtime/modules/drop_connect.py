"""A dense layer whose weights are dropped while training, for the generated file."""

from torch import Tensor, nn
from torch.nn import functional as F


class DropConnect(nn.Linear):
    """A Linear of whose weights each is 0 with probability p in every training pass, the others enlarged."""

    def __init__(self, in_features: int, out_features: int, p: float, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias=bias)
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        """(..., in_features) -> (..., out_features)."""
        return F.linear(input, F.dropout(self.weight, self.p, self.training), self.bias)
