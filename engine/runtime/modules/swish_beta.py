"""Swish with a factor of its own, for the generated file."""

import torch
from torch import Tensor, nn


class SwishBeta(nn.Module):
    """x · sigmoid(beta · x); beta is one number, learned or fixed."""

    def __init__(self, beta: float, learned: bool = False) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(float(beta))) if learned else beta

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return x * torch.sigmoid(self.beta * x)
