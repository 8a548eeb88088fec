"""Weights whose variance is scale / fan, drawn as Keras draws them, for the generated file."""

import math

import torch
from torch import Tensor, nn


@torch.no_grad()
def variance_scaling(weight: Tensor, scale: float, mode: str, distribution: str) -> Tensor:
    """Fills the weight with variance scale / fan; a truncated normal is cut at two deviations and widened for it."""
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(weight)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    deviation = math.sqrt(scale / fan)
    if distribution == "uniform":
        limit = math.sqrt(3.0) * deviation
        return weight.uniform_(-limit, limit)
    if distribution == "normal":
        return weight.normal_(0.0, deviation)
    # The deviation of a standard normal cut at -2 and 2, which torch leaves uncorrected.
    deviation /= 0.87962566103423978
    return nn.init.trunc_normal_(weight, 0.0, deviation, -2 * deviation, 2 * deviation)
