"""Self-attention within the windows of an image, for the generated file."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class WindowAttention(nn.Module):
    """Attention among the places of each window of N×H×W×C (Swin); `cosine` as in Swin V2."""

    relative_position_index: Tensor
    relative_coords_table: Tensor

    def __init__(
        self,
        features: int,
        window: int | tuple[int, int],
        shift: int | tuple[int, int],
        heads: int,
        cosine: bool = False,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.window = window if isinstance(window, tuple) else (window, window)
        self.shift = shift if isinstance(shift, tuple) else (shift, shift)
        self.heads = heads
        self.cosine = cosine
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.qkv = nn.Linear(features, 3 * features, bias=qkv_bias)
        self.proj = nn.Linear(features, features, bias=proj_bias)
        self._positions()

    def _positions(self) -> None:
        """What the bias of each pair of places is made from: a learned table, or a small network."""
        high, wide = self.window
        if self.cosine:
            rows = torch.arange(1 - high, high, dtype=torch.float32)
            columns = torch.arange(1 - wide, wide, dtype=torch.float32)
            table = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1).unsqueeze(0)
            table = table / torch.tensor([high - 1, wide - 1], dtype=torch.float32) * 8
            table = torch.sign(table) * torch.log2(torch.abs(table) + 1.0) / 3.0
            self.register_buffer("relative_coords_table", table)
            self.logit_scale = nn.Parameter(torch.log(10 * torch.ones((self.heads, 1, 1))))
            self.cpb_mlp = nn.Sequential(nn.Linear(2, 512), nn.ReLU(), nn.Linear(512, self.heads, bias=False))
        else:
            table = torch.zeros((2 * high - 1) * (2 * wide - 1), self.heads)
            self.relative_position_bias_table = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))
        at = torch.cartesian_prod(torch.arange(high), torch.arange(wide))
        apart = at[:, None] - at[None, :]
        index = (apart[..., 0] + high - 1) * (2 * wide - 1) + apart[..., 1] + wide - 1
        self.register_buffer("relative_position_index", index.flatten())

    def _bias(self) -> Tensor:
        """1×heads×places×places."""
        places = self.window[0] * self.window[1]
        table: Tensor = self.relative_position_bias_table if not self.cosine else self._computed()
        bias = table[self.relative_position_index].view(places, places, -1)
        bias = bias.permute(2, 0, 1).contiguous().unsqueeze(0)
        return 16 * torch.sigmoid(bias) if self.cosine else bias

    def _computed(self) -> Tensor:
        found: Tensor = self.cpb_mlp(self.relative_coords_table)
        return found.view(-1, self.heads)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        height, width = x.shape[1:3]
        (high, wide), bias = self.window, self._bias()
        x = F.pad(x, (0, 0, 0, -width % wide, 0, -height % high))
        batch, rows, columns, features = x.shape
        # One window over a whole side has no neighbour to exchange with.
        down, right = 0 if high >= rows else self.shift[0], 0 if wide >= columns else self.shift[1]
        if down + right > 0:
            x = torch.roll(x, shifts=(-down, -right), dims=(1, 2))
        grid = (batch, rows // high, high, columns // wide, wide, features)
        x = x.view(grid).permute(0, 1, 3, 2, 4, 5).reshape(-1, high * wide, features)
        query, key, value = self._projected(x)
        fit = self._fit(query, key) + bias
        if down + right > 0:
            hidden = self._hidden(x, rows, columns, down, right)
            fit = (fit.view(batch, -1, *fit.shape[1:]) + hidden).view(fit.shape)
        shares = F.dropout(F.softmax(fit, dim=-1), self.attention_dropout, self.training)
        x = self.proj(shares.matmul(value).transpose(1, 2).reshape(x.shape))
        x = F.dropout(x, self.dropout, self.training)
        x = x.view(batch, rows // high, columns // wide, high, wide, features)
        x = x.permute(0, 1, 3, 2, 4, 5).reshape(batch, rows, columns, features)
        if down + right > 0:
            x = torch.roll(x, shifts=(down, right), dims=(1, 2))
        return x[:, :height, :width, :].contiguous()

    def _projected(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        bias: Tensor | None = self.qkv.bias
        if self.cosine and bias is not None:  # keys have none
            bias = bias.clone()
            length = bias.numel() // 3
            bias[length : 2 * length].zero_()
        size = (x.shape[0], x.shape[1], 3, self.heads, x.shape[2] // self.heads)
        found = F.linear(x, self.qkv.weight, bias).reshape(size).permute(2, 0, 3, 1, 4)
        return found[0], found[1], found[2]

    def _fit(self, query: Tensor, key: Tensor) -> Tensor:
        if not self.cosine:
            factor: float = query.shape[-1] ** -0.5
            return (query * factor).matmul(key.transpose(-2, -1))
        found = F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).transpose(-2, -1)
        return found * torch.clamp(self.logit_scale, max=math.log(100.0)).exp()

    def _hidden(self, x: Tensor, rows: int, columns: int, down: int, right: int) -> Tensor:
        """-100 between places that only the shift has brought into one window."""
        high, wide = self.window
        part = x.new_zeros((rows, columns))
        number = 0
        for top, bottom in ((0, -high), (-high, -down), (-down, None)):
            for left, end in ((0, -wide), (-wide, -right), (-right, None)):
                part[top:bottom, left:end] = number
                number += 1
        part = part.view(rows // high, high, columns // wide, wide).permute(0, 2, 1, 3)
        part = part.reshape(-1, high * wide)
        apart = part.unsqueeze(1) - part.unsqueeze(2)
        apart = apart.masked_fill(apart != 0, -100.0).masked_fill(apart == 0, 0.0)
        return apart.unsqueeze(1).unsqueeze(0)
