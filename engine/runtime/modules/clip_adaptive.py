"""Adaptive gradient clipping (Brock, De, Smith, Simonyan 2021), for the generated file."""

from collections.abc import Iterable

import torch
from torch import Tensor


@torch.no_grad()
def clip_adaptive(parameters: Iterable[Tensor], limit: float, eps: float) -> None:
    """Scales down the gradient of every unit whose 2-norm exceeds `limit` times that of its weights.

    A unit is a row of a matrix or a filter of a convolution; a vector (a bias) is one unit. Leave the output layer out.
    """
    for parameter in parameters:
        if parameter.grad is None:
            continue
        axes = tuple(range(1, parameter.dim())) or tuple(range(parameter.dim()))
        weight = torch.linalg.vector_norm(parameter, dim=axes, keepdim=True).clamp(min=eps)
        gradient = torch.linalg.vector_norm(parameter.grad, dim=axes, keepdim=True)
        factor = limit * weight / gradient.clamp(min=1e-6)
        parameter.grad.mul_(torch.where(gradient > limit * weight, factor, torch.ones_like(factor)))
