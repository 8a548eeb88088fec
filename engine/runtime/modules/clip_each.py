"""Clipping by the norm of each gradient alone, for the generated file."""

from collections.abc import Iterable

from torch import Tensor, nn


def clip_each(parameters: Iterable[Tensor], limit: float) -> None:
    """Scales down every gradient whose own 2-norm exceeds the limit."""
    for parameter in parameters:
        nn.utils.clip_grad_norm_([parameter], limit)
