"""Multiplicative noise while training, for the generated file."""

import torch
from torch import Tensor, nn


class GaussianDropout(nn.Module):
    """Multiplies by normal numbers of mean 1 and variance p / (1 - p) while training: dropout's, without zeros."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        if not self.training or self.p == 0.0:
            return x
        noise: Tensor = (self.p / (1 - self.p)) ** 0.5 * torch.randn_like(x)
        return x * (1 + noise)
