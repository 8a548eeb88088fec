"""Attention within groups of places, with a learned number for each distance, for the generated file."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RelativeAttention(nn.Module):
    """Self-attention among the places of each group of N×groups×places×features (MaxViT)."""

    relative_position_index: Tensor

    def __init__(self, features: int, head_features: int, places: int) -> None:
        super().__init__()
        self.heads = features // head_features
        self.places = places
        self.factor = features**-0.5
        side = math.isqrt(places)
        self.to_qkv = nn.Linear(features, 3 * features)
        self.merge = nn.Linear(features, features)
        table = torch.empty((2 * side - 1) ** 2, self.heads)
        self.relative_position_bias_table = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))
        at = torch.cartesian_prod(torch.arange(side), torch.arange(side))
        apart = at[:, None] - at[None, :] + side - 1
        index = apart[..., 0] * (2 * side - 1) + apart[..., 1]
        self.register_buffer("relative_position_index", index)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        batch, groups, places, features = x.shape
        size = (batch, groups, places, self.heads, features // self.heads)
        query, key, value = (part.reshape(size).permute(0, 1, 3, 2, 4) for part in self.to_qkv(x).chunk(3, dim=-1))
        fit = torch.einsum("bghid,bghjd->bghij", query, key * self.factor)
        table = self.relative_position_bias_table[self.relative_position_index.view(-1)]
        bias = table.view(self.places, self.places, -1).permute(2, 0, 1).contiguous()
        shares = F.softmax(fit + bias.unsqueeze(0), dim=-1)
        found = torch.einsum("bghij,bghjd->bghid", shares, value)
        merged: Tensor = self.merge(found.permute(0, 1, 3, 2, 4).reshape(x.shape))
        return merged
