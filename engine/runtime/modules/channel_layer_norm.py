"""Layer norm over the channels of each pixel, for the generated file."""

import torch.nn.functional as F
from torch import Tensor, nn


class ChannelLayerNorm(nn.LayerNorm):
    """Normalises the channels of each pixel of N×C×H×W, as ConvNeXt does."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        x = x.permute(0, 2, 3, 1)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)
