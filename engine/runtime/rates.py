"""Writes learning rates and momentum into an optimizer's groups. Knows no schedule and takes no step.

Owns the two forms of momentum. torch keeps v ← μ·v + g and steps w ← w − lr·v: a new rate acts on the whole velocity
at once. Keras keeps v ← μ·v − lr·g and steps w ← w + v: what was gathered keeps the rate it was gathered with. The two
are the same at a constant rate; multiplying torch's velocity by old rate / new rate at every change makes them the same
at any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Optimizer, RMSprop

WITH_VELOCITY = (SGD, RMSprop)
"""The optimizers of torch whose `momentum_buffer` is multiplied by the rate when it is used."""
_ALMOST_ZERO = 1e-20


class Rates:
    """The groups of one optimizer. `rescale` asks for Keras's form of momentum."""

    def __init__(self, optimizer: Optimizer, *, rescale: bool = False) -> None:
        self._optimizer = optimizer
        self._rescale = rescale and isinstance(optimizer, WITH_VELOCITY)
        self._own = [momentum_of(group) for group in optimizer.param_groups]

    def set(self, rates: Sequence[float]) -> None:
        """Sets the rate of every group."""
        if self._rescale:
            # At rate 0 Keras's weights still move by their velocity, which torch can only do at a rate above 0.
            rates = [max(rate, _ALMOST_ZERO) for rate in rates]
        for group, rate in zip(self._optimizer.param_groups, rates, strict=True):
            if self._rescale and rate != group["lr"]:
                self._scale(group["params"], group["lr"] / rate)
            group["lr"] = rate

    @property
    def momentum(self) -> float | None:
        """Momentum of the first group that has one (for Adam and its kin β₁)."""
        return next(
            (found for group in self._optimizer.param_groups if (found := momentum_of(group)) is not None), None
        )

    def set_momentum(self, momentum: float | None) -> None:
        """Sets the momentum of every group that has one (for Adam and its kin β₁); None: the optimizer's own."""
        for group, own in zip(self._optimizer.param_groups, self._own, strict=True):
            wanted = own if momentum is None else momentum
            if own is None or momentum_of(group) == wanted:
                continue
            if "momentum" in group:
                group["momentum"] = wanted
            else:
                group["betas"] = (wanted, *group["betas"][1:])

    def _scale(self, parameters: Sequence[Tensor], ratio: float) -> None:
        state = self._optimizer.state
        found = [state[item]["momentum_buffer"] for item in parameters if item in state and _velocity(state[item])]
        if found:
            torch._foreach_mul_(found, ratio)


def momentum_of(group: Mapping[str, Any]) -> float | None:
    """The momentum of a group, or β₁; None where there is neither."""
    if "momentum" in group:
        return float(group["momentum"])
    return float(group["betas"][0]) if "betas" in group else None


def _velocity(state: Mapping[str, Any]) -> bool:
    return state.get("momentum_buffer") is not None
