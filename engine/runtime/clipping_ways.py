"""The arithmetic of each way to clip, in as few calls as torch allows, and what there is to tell about it.

Each way changes gradients in place and returns a row of numbers that stays on the device; `told` turns many rows at
once into what a person reads. Never keeps a history and never decides when to report.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from engine.runtime.probe import norms

TINY = 1e-6
"""torch's own small number: what `clip_grad_norm_` adds to a norm, and the least gradient that AGC divides by."""


@dataclass(frozen=True)
class Layout:
    """What adaptive clipping must know of the parameters, by their `id`."""

    exempt: Collection[int] = ()
    """Those of output layers, which it leaves alone."""
    transposed: Collection[int] = ()
    """Kernels whose units are the second axis: those of transposed convolutions."""


class Told(NamedTuple):
    """Per step: whether anything was cut, the size that decided, and how much of it was left."""

    hit: Tensor
    norm: Tensor
    factor: Tensor


class Way(Protocol):
    """One way to clip."""

    def cut(self, parameters: Sequence[nn.Parameter]) -> Tensor | None:
        """Cuts the gradients of these parameters, which all have one, and returns a row about it (None: nothing)."""
        ...

    def told(self, rows: Tensor) -> Told:
        """What the rows (steps, k) mean."""
        ...


@dataclass(frozen=True)
class ByValue:
    """Every number by itself. Told: the largest number, and the share of it that was left."""

    limit: float

    def cut(self, parameters: Sequence[nn.Parameter]) -> Tensor:
        """See `Way`."""
        gradients = _gradients(parameters)
        row = _ends(gradients)
        torch._foreach_clamp_min_(gradients, -self.limit)
        torch._foreach_clamp_max_(gradients, self.limit)
        return row

    def told(self, rows: Tensor) -> Told:
        """See `Way`."""
        largest = rows.abs().amax(dim=1)
        return Told(largest > self.limit, largest, (self.limit / largest).clamp(max=1.0))


@dataclass(frozen=True)
class ByNorm:
    """All gradients by their common norm. Told: that norm, and the factor."""

    limit: float

    def cut(self, parameters: Sequence[nn.Parameter]) -> Tensor:
        """See `Way`. The very factor of torch.nn.utils.clip_grad_norm_, so that the exported script trains the same."""
        gradients = _gradients(parameters)
        total: Tensor = torch.linalg.vector_norm(torch.stack(norms(gradients)))
        torch._foreach_mul_(gradients, torch.clamp(self.limit / (total + TINY), max=1.0))
        return total.reshape(1)

    def told(self, rows: Tensor) -> Told:
        """See `Way`."""
        total = rows[:, 0]
        return Told(total > self.limit, total, torch.clamp(self.limit / (total + TINY), max=1.0))


@dataclass(frozen=True)
class ByNormEach:
    """Each tensor by its own norm. Told: the largest of these norms, and how much of the whole gradient was left."""

    limit: float

    def cut(self, parameters: Sequence[nn.Parameter]) -> Tensor:
        """See `Way`."""
        gradients = _gradients(parameters)
        each = torch.stack(norms(gradients))
        torch._foreach_mul_(gradients, list(torch.clamp(self.limit / (each + TINY), max=1.0).unbind()))
        return each

    def told(self, rows: Tensor) -> Told:
        """See `Way`."""
        left = torch.linalg.vector_norm(rows * torch.clamp(self.limit / (rows + TINY), max=1.0), dim=1)
        whole = torch.linalg.vector_norm(rows, dim=1)
        largest = rows.max(dim=1).values
        return Told(largest > self.limit, largest, left / whole.clamp(min=1e-30))


@dataclass(frozen=True)
class Adaptive:
    """Each neuron or filter by the norm of its weights (Brock et al. 2021).

    Told: the largest ratio of gradient to weights, and how much of the whole gradient was left.
    """

    limit: float
    eps: float
    layout: Layout

    @torch.no_grad()
    def cut(self, parameters: Sequence[nn.Parameter]) -> Tensor | None:
        """See `Way`."""
        chosen = [item for item in parameters if id(item) not in self.layout.exempt]
        if not chosen:
            return None
        given = _gradients(chosen)
        axes = [self._axes(item) for item in chosen]
        gradients = [
            torch.linalg.vector_norm(item, dim=dim, keepdim=True) for item, dim in zip(given, axes, strict=True)
        ]
        weights = [
            torch.linalg.vector_norm(item, dim=dim, keepdim=True) for item, dim in zip(chosen, axes, strict=True)
        ]
        gradient = torch.cat([item.flatten() for item in gradients])
        weight = torch.cat([item.flatten() for item in weights]).clamp(min=self.eps)
        factor = torch.where(gradient > self.limit * weight, self.limit * weight / gradient.clamp(min=TINY), 1.0)
        pieces = torch.split(factor, [item.numel() for item in gradients])
        torch._foreach_mul_(given, [piece.view_as(item) for piece, item in zip(pieces, gradients, strict=True)])
        sums = torch.stack([gradient, factor * gradient]).square().sum(dim=1)
        return torch.cat([(gradient / weight).max().reshape(1), sums])

    def told(self, rows: Tensor) -> Told:
        """See `Way`."""
        ratio, before, after = rows.unbind(dim=1)
        return Told(ratio > self.limit, ratio, (after / before.clamp(min=1e-30)).sqrt())

    def _axes(self, parameter: Tensor) -> tuple[int, ...]:
        """The axes within one unit: all of a vector, else all but the one that counts the units."""
        units = 1 if id(parameter) in self.layout.transposed else 0
        return tuple(axis for axis in range(parameter.dim()) if axis != units) or tuple(range(parameter.dim()))


def _ends(tensors: Sequence[Tensor]) -> Tensor:
    """Numbers of which the one of largest size is that of all the tensors, 1-dim; nan where there is one."""
    if tensors[0].device.type != "cpu":
        return torch.stack(norms(tensors, float("inf")))
    # On a CPU torch reckons the maximum norm without vector instructions, which takes nine times as long.
    return torch.stack([end for item in tensors if item.numel() for end in torch.aminmax(item)])


def _gradients(parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    return [item.grad for item in parameters if item.grad is not None]
