"""Cuts gradients back before the weights move, and tells how often and how hard.

Owns the count between two reports. It stays on the device until somebody asks. The arithmetic stands in
`clipping_ways.py`. Never decides when to report.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from engine.recipe import Recipe
from engine.runtime.clipping_ways import Adaptive, ByNorm, ByNormEach, ByValue, Layout, Way

CHUNK = 256
"""Steps whose rows wait on the device before they are folded into one count."""


class Clipped(NamedTuple):
    """What clipping did since the last report: `hits` of `steps` were cut, to `factor` of their size on average."""

    hits: int = 0
    steps: int = 0
    norm: float = 0.0
    """Largest size met, cut or not."""
    factor: float = 1.0
    """Mean over the steps that were cut."""


class Clipping:
    """Clips one of the declared ways, and counts."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self.leave_out_infinite = False
        """Where 16-bit gradients overflow now and then, that step moves nothing and says nothing about sizes."""
        self._seen: list[Tensor] = []
        self._forget()

    @classmethod
    def of(cls, recipe: Recipe, layout: Layout | None = None) -> Clipping | None:
        """The clipping that a recipe asks for, None for none."""
        made = recipe.made("clip")
        if made.mode == "none":
            return None
        if made.mode == "adaptive":
            return cls(Adaptive(made.limit, made.eps, layout or Layout()))
        ways: dict[str, type[ByValue | ByNorm | ByNormEach]] = {
            "value": ByValue, "norm": ByNorm, "norm_each": ByNormEach,
        }  # fmt: skip
        return cls(ways[made.mode](made.limit))

    def clip(self, parameters: Sequence[nn.Parameter]) -> None:
        """Changes the gradients in place. Non-finite gradients are left to the check of the loss."""
        trained = [item for item in parameters if item.grad is not None]
        row = self._way.cut(trained) if trained else None
        if row is None:
            return
        if len(self._seen) >= CHUNK or (self._seen and len(self._seen[0]) != len(row)):
            self._fold()
        self._seen.append(row)

    def take(self) -> Clipped:
        """What happened since the last call."""
        self._fold()
        factor = self._factors / self._count if self._count else 1.0
        taken = Clipped(self._count, self._steps, self._largest, factor)
        self._forget()
        return taken

    def _forget(self) -> None:
        self._count, self._steps, self._largest, self._factors = 0, 0, 0.0, 0.0

    def _fold(self) -> None:
        if not self._seen:
            return
        hit, norm, factor = self._way.told(torch.stack(self._seen))
        self._steps += len(self._seen)
        self._seen = []
        if self.leave_out_infinite:
            finite = torch.isfinite(norm)
            hit, norm = hit & finite, torch.where(finite, norm, 0.0)
        kept = torch.where(hit, factor, 0.0)
        count, largest, factors = torch.stack([hit.sum().to(norm.dtype), norm.max(), kept.sum()]).tolist()
        self._count += int(count)
        self._largest = max(self._largest, largest)
        self._factors += factors
