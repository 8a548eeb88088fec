"""What in the input mattered: integrated gradients and Grad-CAM.

Own implementation: the one library that has both, captum, brings matplotlib and its kin for two formulas. Nothing is
drawn at random, no parameter and no `.grad` changes. Outputs are raw ones, before softmax or sigmoid, as in both
papers' derivations of the class score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

FIRST_STEPS, MOST_STEPS = 32, 512
TOLERANCE = 0.01
"""The map must add up to the rise of the output within this share of it (more steps are taken until it does)."""
CHUNK = 16
"""Points of the way that are computed at once."""

Score = Callable[[Sequence[Tensor]], Tensor]
"""Prepared inputs (N, ...) -> the explained number of each sample, (N,)."""


@dataclass(frozen=True)
class Integrated:
    """Maps, one per input and without batch; `rise` = score(input) - score(baseline), `gap` = sum of maps - rise."""

    maps: tuple[Tensor, ...]
    rise: float
    gap: float
    steps: int


def score_of(model: nn.Module, output: int, column: int, *, yes_or_no: bool = False) -> Score:
    """The raw output number `output`, of it the number `column`, flattened.

    An output of one number that answers yes or no is large for yes (column 1), so that no (column 0) is its negative.
    """

    def score(inputs: Sequence[Tensor]) -> Tensor:
        result = model(*inputs)
        chosen = result if isinstance(result, Tensor) else result[output]
        flat = chosen.reshape(len(chosen), -1)
        if flat.shape[1] == 1 and yes_or_no:
            return flat[:, 0] if column else -flat[:, 0]
        return flat[:, column]

    return score


def integrated_gradients(
    score: Score, inputs: Sequence[Tensor], baselines: Sequence[Tensor], *, tolerance: float = TOLERANCE,
    cancelled: Callable[[], bool] = lambda: False,
) -> Integrated:  # fmt: skip
    """Integrated gradients of one sample, each input (1, ...), on the straight way from the baseline.

    (x - x') times the integral over a from 0 to 1 of dF/dx at x' + a(x - x'): Sundararajan, Taly and Yan, Axiomatic
    Attribution for Deep Networks, 2017, eq. 1, by Gauss-Legendre quadrature. Its completeness (proposition 1), sum of
    the maps = F(x) - F(x'), is checked: the number of steps doubles until it holds within `tolerance`, at most 512.
    """
    with torch.no_grad():
        rise = float(score(inputs)[0] - score(baselines)[0])
    steps = FIRST_STEPS
    while True:
        maps = _integrated(score, inputs, baselines, steps)
        gap = float(sum(item.double().sum() for item in maps)) - rise
        if abs(gap) <= tolerance * abs(rise) or 2 * steps > MOST_STEPS or cancelled():
            return Integrated(maps, rise, gap, steps)
        steps *= 2


def _integrated(
    score: Score, inputs: Sequence[Tensor], baselines: Sequence[Tensor], steps: int
) -> tuple[Tensor, ...]:  # fmt: skip
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    sums = [torch.zeros_like(item[0], dtype=torch.float64) for item in inputs]
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):  # cuDNN has no backward of RNNs in eval mode
        for start in range(0, steps, CHUNK):
            part = slice(start, start + CHUNK)
            way = torch.as_tensor((nodes[part] + 1) / 2, dtype=torch.float32)
            share = torch.as_tensor(weights[part] / 2)
            points = [_between(base, item, way).requires_grad_() for item, base in zip(inputs, baselines, strict=True)]
            slopes = torch.autograd.grad(score(points).sum(), points, allow_unused=True)
            for place, slope in enumerate(slopes):
                if slope is not None:  # an input that the answer does not depend on
                    sums[place] += torch.tensordot(share.to(slope.device), slope.double(), dims=1)
    return tuple(
        ((item - base)[0].double() * total).float() for item, base, total in zip(inputs, baselines, sums, strict=True)
    )


def _between(base: Tensor, item: Tensor, way: Tensor) -> Tensor:
    a = way.to(item.device).reshape(-1, *[1] * (item.dim() - 1))
    return (base + a * (item - base)).detach()


def grad_cam(score: Score, inputs: Sequence[Tensor], layer: nn.Module, size: Sequence[int]) -> Tensor | None:
    """Grad-CAM of one sample at a layer that gives (1, C, h, w), as a map of `size` (height, width); none if it cannot.

    ReLU of the sum over channels of a_k A_k, a_k the mean over places of dF/dA_k: Selvaraju et al., Grad-CAM, 2017,
    eq. 1 and 2; scaled up bilinearly.
    """
    kept: list[Tensor] = []

    def hook(_module: nn.Module, _given: object, result: Tensor) -> Tensor:
        kept.append(result)
        return result.clone()  # whatever comes next may work in place

    handle = layer.register_forward_hook(hook)
    try:
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            leaves = [item.detach().clone() for item in inputs]
            for item in leaves:
                item.requires_grad_(item.is_floating_point())
            total = score(leaves).sum()
            if not kept or kept[0].dim() != 4:
                return None
            (slope,) = torch.autograd.grad(total, kept[0], allow_unused=True)
    finally:
        handle.remove()
    if slope is None:
        return None
    with torch.no_grad():
        cam = functional.relu((slope.mean((2, 3), keepdim=True) * kept[0]).sum(1, keepdim=True))
        return functional.interpolate(cam, size=list(size), mode="bilinear", align_corners=False)[0, 0]
