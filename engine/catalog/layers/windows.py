"""Attention written out: of any queries, within windows of an image, and with learned positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.concise import concise
from engine.declare import Refusal, layer
from engine.expr import helpers
from engine.param import Size, param
from engine.sliding import size_text
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    from torch import nn
else:
    from engine.expr import nn

FAMILY = "attention"
_HEADS = param(
    default=4, min=1, max=1024, was=("num_heads",),
    help="How many attentions run side by side; must divide the number of features",
)  # fmt: skip
_DROPOUT = param(default=0.0, min=0.0, max=0.99, help="Share of the result's numbers dropped while training")
_WEIGHTS_DROPOUT = param(default=0.0, min=0.0, max=0.99, help="Share of the attention weights dropped while training")


def _refuse_heads(x: TensorInfo, heads: int) -> Refusal | None:
    if x.features % heads == 0:
        return None
    fitting = max(count for count in range(1, heads + 1) if x.features % count == 0)
    return Refusal(
        f"{heads} heads do not divide the {x.features} features of {x} evenly.",
        "A number of heads that divides the features", f"Use {fitting}", {"heads": fitting},
    )  # fmt: skip


@layer(
    "dot_product_attention", title="Attention of Q, K, V", was=("Attention",),
    search=("scaled dot product", "query key value", "sdpa", "transformer"), accepts="numbers",
)  # fmt: skip
class DotProductAttention:
    """Gathers values by how well keys fit queries: softmax(q·kᵀ/√width)·v (Vaswani et al. 2017). Use it when queries,
    keys and values are computed by layers of their own. Has no weights; heads are axes before the last two.
    """

    dropout: float = _WEIGHTS_DROPOUT
    causal: bool = param(default=False, help="Let a step look only at itself and at those before it")

    def build(self, query: TensorInfo, key: TensorInfo, value: TensorInfo) -> nn.Module:
        made: nn.Module = concise(helpers.DotProductAttention, dropout=self.dropout, causal=self.causal)
        return made

    def refuse(self, query: TensorInfo, key: TensorInfo, value: TensorInfo) -> Refusal | None:
        same = query.rank == key.rank == value.rank >= 2 and query.shape[:-2] == key.shape[:-2] == value.shape[:-2]
        if same and query.features == key.features and key.shape[-2] == value.shape[-2]:
            return None
        return Refusal(
            f"Queries {query}, keys {key} and values {value} do not fit each other.",
            "Queries and keys with as many features, as many keys as values, and the same axes before",
            "Wire three branches of steps×features",
        )

    def detail(self) -> str:
        return "causal" if self.causal else ""


@layer(
    "window_attention", title="Window Attention", was=("ShiftedWindowAttention",),
    search=("swin", "shifted window", "local attention", "vision transformer"), accepts="image",
)  # fmt: skip
class WindowAttention:
    """Self-attention among the places of each window of an image, with learned relative positions (Swin, Liu et al.
    2021). Use two in a row, the second shifted by half a window, so that windows exchange what they know. Takes and
    gives rows×columns×features; version 2 compares by cosine and computes its positions by a small network.
    """

    version: str = param(default="1", choices=("1", "2"), help="1: as in Swin; 2: as in Swin V2")
    window: Size = param(default=7, min=1, max=1024, unit="px", help="Side of a window, or height and width")
    shift: Size = param(default=0, min=0, max=1023, unit="px", help="How far the windows are moved; half a window")
    heads: int = _HEADS
    bias: bool = param(default=True, was=("qkv_bias",), advanced=True, help="Add learned numbers to queries and values")
    out_bias: bool = param(default=True, was=("proj_bias",), advanced=True, help="Add learned numbers to the result")
    attention_dropout: float = _WEIGHTS_DROPOUT
    dropout: float = _DROPOUT

    def build(self, x: TensorInfo) -> nn.Module:
        made: nn.Module = concise(
            helpers.WindowAttention, x.features, self.window, self.shift, self.heads, cosine=self.version == "2",
            qkv_bias=self.bias, proj_bias=self.out_bias, attention_dropout=self.attention_dropout,
            dropout=self.dropout,
        )  # fmt: skip
        return made

    def refuse(self, x: TensorInfo) -> Refusal | None:
        fault = _refuse_heads(x, self.heads)
        windows, shifts = (value if isinstance(value, tuple) else (value, value) for value in (self.window, self.shift))
        if fault or all(shift < window for window, shift in zip(windows, shifts, strict=True)):
            return fault
        half = min(windows) // 2
        return Refusal(
            f"A shift of {size_text(self.shift)} is not smaller than the window {size_text(self.window)}.",
            "A shift smaller than the window", f"Use half a window, {half}", {"shift": half},
        )  # fmt: skip

    def detail(self) -> str:
        moved = "" if self.shift in (0, (0, 0)) else f", shifted {size_text(self.shift)}"
        return f"{size_text(self.window)}, {self.heads} heads{moved}"[:28]


@layer(
    "relative_attention", title="Relative Attention", was=("RelativePositionalMultiHeadAttention",),
    search=("maxvit", "relative position", "window", "grid"), accepts="features",
)  # fmt: skip
class RelativeAttention:
    """Self-attention within groups of the places of a square, with a learned number for every distance (MaxViT, Tu et
    al. 2022). Takes groups×places×features, where the places are the pixels of a square, row by row; the shape stays.
    """

    head_features: int = param(default=32, min=1, was=("head_dim",), help="Features of one head; must divide them all")

    def build(self, x: TensorInfo) -> nn.Module:
        made: nn.Module = helpers.RelativeAttention(x.features, self.head_features, x.shape[-2])
        return made

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if x.rank != 3:
            return Refusal(
                f"A sample of {x} has {x.rank} axes.", "Three axes: groups×places×features",
                "Cut the image into square windows first",
            )  # fmt: skip
        side = round(x.shape[-2] ** 0.5)
        if side * side != x.shape[-2]:
            return Refusal(
                f"{x.shape[-2]} places are not the pixels of a square.", "1, 4, 9, 16 ... places",
                "Cut the image into square windows first",
            )  # fmt: skip
        if x.features % self.head_features == 0:
            return None
        fitting = max(size for size in range(1, self.head_features + 1) if x.features % size == 0)
        return Refusal(
            f"Heads of {self.head_features} features do not divide the {x.features} features evenly.",
            "A number that divides the features", f"Use {fitting}", {"head_features": fitting},
        )  # fmt: skip

    def detail(self) -> str:
        return f"{self.head_features} features a head"[:28]
