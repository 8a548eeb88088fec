"""Weights that stand by themselves: learned factors, summands and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.declare import Refusal, layer
from engine.param import Ints, param
from engine.stretching import fits_onto
from engine.tensor import TensorInfo, shape_text

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
else:
    from engine.expr import nn, torch

FAMILY = "linear"
_SHAPE = param(
    default=(), min=1, help="Sizes of the learned numbers, aligned at the last axis of a sample; 1 counts for every "
    "place. Empty: one for each number of a sample",
)  # fmt: skip


class _Learned:
    shape: Ints = _SHAPE
    start: float

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Parameter(torch.full(self.shape or x.shape, self.start))  # type: ignore[return-value] # as a module

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if fits_onto(self.shape or x.shape, x.shape):
            return None
        return Refusal(
            f"Learned numbers of {shape_text(self.shape)} do not fit onto a sample of {x}.",
            f"Sizes that end like {x}, or 1 in their place", "Leave the shape empty: one for each number",
            {"shape": ()},
        )  # fmt: skip

    def detail(self) -> str:
        return shape_text(self.shape)[:28] if self.shape else ""


@layer(
    "learned_scale", title="Learned Factor", was=("LayerScale",), search=("layer scale", "gamma", "parameter", "gate"),
    accepts="numbers",
)  # fmt: skip
class LearnedScale(_Learned):
    """Multiplies a sample by learned numbers. With one per channel and a small start at the end of a residual branch
    it is the layer scale of CaiT and ConvNeXt, which lets deep networks begin as nearly the identity.
    """

    start: float = param(default=1.0, min=-1e6, max=1e6, help="Value of every learned number at the beginning")

    def forward(self, module: nn.Module, x: Tensor) -> Tensor:
        return x * module  # type: ignore[operator] # a parameter


@layer(
    "learned_shift", title="Learned Summand", was=("PositionEmbedding",),
    search=("position embedding", "positional encoding", "bias", "parameter"), accepts="numbers",
)  # fmt: skip
class LearnedShift(_Learned):
    """Adds learned numbers to a sample. One for each number of a sequence makes it a learned position embedding, which
    tells a transformer where each step stands.
    """

    start: float = param(default=0.0, min=-1e6, max=1e6, help="Value of every learned number at the beginning")

    def forward(self, module: nn.Module, x: Tensor) -> Tensor:
        return x + module  # type: ignore[operator] # a parameter


@layer(
    "learned_tensor", title="Learned Tensor", was=("ClassToken",), search=("class token", "cls", "parameter", "query"),
)  # fmt: skip
class LearnedTensor:
    """The same learned numbers for every sample, whatever arrives: what arrives only says how many samples there are.
    Use it as a class token, joined to a sequence by Concatenate, as vision transformers do.
    """

    shape: Ints = param(
        default=(1, 1, 64), min=1,
        help="Sizes of the learned numbers; a first size of 1 stands for the batch, the others are a sample's",
    )  # fmt: skip
    start: float = param(default=0.0, min=-1e6, max=1e6, help="Value of every learned number at the beginning")

    def build(self, x: TensorInfo) -> nn.Module:
        return nn.Parameter(torch.full(self.shape, self.start))  # type: ignore[return-value] # as a module

    def forward(self, module: nn.Module, x: Tensor) -> Tensor:
        kept = (-1,) * (len(self.shape) - 1 if self.shape[0] == 1 else len(self.shape))
        return module.expand(x.shape[0], *kept)  # type: ignore[operator] # a parameter

    def refuse(self, x: TensorInfo) -> Refusal | None:
        if self.shape and len(self.shape) <= 8:
            return None
        return Refusal("It has no size.", "At least one size", "Use 1, 1, 64", {"shape": (1, 1, 64)})

    def detail(self) -> str:
        return shape_text(self.shape)[:28]
