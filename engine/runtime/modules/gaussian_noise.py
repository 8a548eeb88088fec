"""Additive noise while training, for the generated file."""

import torch
from torch import Tensor, nn


class GaussianNoise(nn.Module):
    """Adds a normal number of that deviation to every value while training; nothing while predicting."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return x + self.std * torch.randn_like(x) if self.training else x
