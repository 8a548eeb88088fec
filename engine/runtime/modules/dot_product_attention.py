"""Attention of given queries, keys and values, for the generated file."""

import torch.nn.functional as F
from torch import Tensor, nn


class DotProductAttention(nn.Module):
    """softmax(q·kᵀ/√width)·v over the last two axes; `causal` hides later steps from earlier ones."""

    def __init__(self, dropout: float = 0.0, causal: bool = False) -> None:
        super().__init__()
        self.dropout = dropout
        self.causal = causal

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Shape of the queries, with the features of the values."""
        rate = self.dropout if self.training else 0.0
        return F.scaled_dot_product_attention(query, key, value, dropout_p=rate, is_causal=self.causal)
