"""Batch norm over a chosen axis, with Keras's running variance if asked, for the generated file."""

import torch.nn.functional as F
from torch import Tensor, nn


class AxisBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm whose statistics belong to the channels (axis 1), the last axis, or each number of a sample.

    `biased` keeps the running variance without the factor n / (n - 1), as Keras does.
    """

    def __init__(
        self,
        num_features: int,
        axis: str = "channels",
        biased: bool = False,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
    ) -> None:
        super().__init__(num_features, eps=eps, momentum=momentum, affine=affine)
        self.axis = axis
        self.biased = biased

    def arranged(self, x: Tensor) -> Tensor:
        """What has statistics of its own along axis 1."""
        if self.axis == "last":
            return x.movedim(-1, 1)
        return x.flatten(1) if self.axis == "all" else x

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        arranged = self.arranged(x)
        found = self._trained(arranged) if self.biased and self.training else super().forward(arranged)
        return found.movedim(1, -1) if self.axis == "last" else found.view(x.shape)

    def _trained(self, x: Tensor) -> Tensor:
        mean, variance, momentum = self.running_mean, self.running_var, self.momentum
        assert mean is not None
        assert variance is not None
        assert momentum is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        # Of a copy: backward wants what it was given as it left it.
        newest = variance.clone()
        found = F.batch_norm(x, mean, newest, self.weight, self.bias, True, momentum, self.eps)
        # torch has added momentum · unbiased; a share 1 / n of that goes again.
        added = newest - (1 - momentum) * variance
        variance.copy_(newest - added / (x.numel() // self.num_features))
        return found

    def _check_input_dim(self, input: Tensor) -> None:
        if input.shape[1] != self.num_features:
            raise ValueError(f"expected {self.num_features} channels, got {input.shape[1]}")
