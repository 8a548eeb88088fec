"""Four neighbouring pixels side by side, for the generated file."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PatchMerge(nn.Module):
    """Joins the features of each 2×2 square of N×H×W×C; odd sides get a row or column of zeros."""

    def forward(self, x: Tensor) -> Tensor:
        """N×⌈H/2⌉×⌈W/2⌉×4C."""
        height, width = x.shape[1:3]
        x = F.pad(x, (0, 0, 0, width % 2, 0, height % 2))
        corners = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return torch.cat(corners, -1)
