"""Attention: every step of a sequence looks at every other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.concise import concise
from engine.declare import Refusal, layer
from engine.param import param
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    from torch import Tensor, nn
else:
    from engine.expr import nn

_HEADS = param(
    default=4, min=1, max=1024, was=("num_heads", "nhead"),
    help="How many attentions run side by side; must divide the number of features",
)  # fmt: skip


def _refuse_heads(x: TensorInfo, heads: int) -> Refusal | None:
    if x.features % heads == 0:
        return None
    fitting = max(count for count in range(1, heads + 1) if x.features % count == 0)
    return Refusal(
        f"{heads} heads do not divide the {x.features} features of {x} evenly.",
        "A number of heads that divides the features", f"Use {fitting}", {"heads": fitting},
    )  # fmt: skip


@layer(
    "multihead_attention", title="Self-Attention", was=("MultiheadAttention",),
    search=("multi-head", "MultiHeadAttention", "transformer", "query key value"), accepts="sequence",
)  # fmt: skip
class MultiheadAttention:
    """Every step of a sequence gathers from all steps what is relevant to it, in several heads at once. Use it with a
    skip connection (Add) and a Layer Norm, or take the Transformer layer that has them. The shape stays
    steps×features. It does not know the order of the steps by itself.
    """

    heads: int = _HEADS
    dropout: float = param(default=0.0, min=0.0, max=0.99, help="Share of the attention weights dropped while training")
    bias: bool = param(default=True, advanced=True, help="Add learned numbers to queries, keys, values and result")
    stepwise: bool = param(
        default=False, was=("need_weights",), advanced=True,
        help="Compute it step by step, as PyTorch does where somebody asks for the attention weights: slower, and the "
        "last digits differ",
    )  # fmt: skip

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.MultiheadAttention, x.features, self.heads, dropout=self.dropout, bias=self.bias, batch_first=True
        )

    def forward(self, module: nn.Module, x: Tensor) -> Tensor:
        return module(x, x, x)[0] if self.stepwise else module(x, x, x, need_weights=False)[0]

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return _refuse_heads(x, self.heads)

    def detail(self) -> str:
        return f"{self.heads} heads"


@layer(
    "transformer_encoder_layer", title="Transformer Layer", was=("TransformerEncoderLayer",),
    search=("encoder", "attention", "bert", "vit"), accepts="sequence",
)  # fmt: skip
class TransformerEncoderLayer:
    """Self-attention, then two Linear layers at each step, both with skip connection and layer norm. Stack several
    (repeat a group) for text, sequences or image patches. The shape stays steps×features. Norm first trains more
    steadily in deep stacks.
    """

    heads: int = _HEADS
    feedforward: int = param(
        default=256, min=1, was=("dim_feedforward",), help="Width between the two Linear layers; 4 × features is usual"
    )
    dropout: float = param(default=0.1, min=0.0, max=0.99, help="Share dropped in each part while training")
    activation: Literal["relu", "gelu"] = param(
        default="relu", choices=("relu", "gelu"), help="What stands between the two Linear layers"
    )
    norm_first: bool = param(default=False, help="Normalise before each part instead of after it")

    def build(self, x: TensorInfo) -> nn.Module:
        return concise(
            nn.TransformerEncoderLayer, x.features, self.heads, dim_feedforward=self.feedforward,
            dropout=self.dropout, activation=self.activation, batch_first=True, norm_first=self.norm_first,
        )  # fmt: skip

    def refuse(self, x: TensorInfo) -> Refusal | None:
        return _refuse_heads(x, self.heads)

    def detail(self) -> str:
        return f"{self.heads} heads, {self.feedforward:,} inside"[:28]
