"""Whole branches left out while training, for the generated file."""

import torch
from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """Sets whole samples to 0 with probability p while training and enlarges the others; nothing while predicting."""

    def __init__(self, p: float, batch: bool = False) -> None:
        super().__init__()
        self.p = p
        self.batch = batch

    def forward(self, x: Tensor) -> Tensor:
        """Same shape; the first axis is the batch."""
        if not self.training or self.p == 0.0:
            return x
        shape = [1 if self.batch else x.shape[0]] + [1] * (x.dim() - 1)
        kept = torch.empty(shape, dtype=x.dtype, device=x.device).bernoulli_(1 - self.p)
        return x * kept.div_(1 - self.p)
