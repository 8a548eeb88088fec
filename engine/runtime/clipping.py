"""Cuts gradients back before the weights move, and counts how often that changed something.

Owns the arithmetic of clipping by norm and by value (Pascanu, Mikolov, Bengio 2013) and its count. The count stays on
the device until somebody asks. Never decides when to report.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine.recipe import Recipe
from engine.runtime.probe import norms

CHUNK = 256
"""Steps whose norms wait on the device before they are folded into one count."""


class Clipping:
    """Clips by the norm of all gradients together (`norm`) or each value by itself (`value`)."""

    def __init__(self, mode: str, limit: float) -> None:
        self._by_value = mode == "value"
        self._limit = limit
        self._seen: list[Tensor] = []
        self._count = 0
        self._largest = 0.0

    @classmethod
    def of(cls, recipe: Recipe) -> Clipping | None:
        """The clipping that a recipe asks for, None for none."""
        made = recipe.made("clip")
        return None if made.mode == "none" else cls(made.mode, made.limit)

    def clip(self, parameters: Sequence[nn.Parameter]) -> None:
        """Changes the gradients in place. Non-finite gradients are left to the check of the loss."""
        gradients = [item.grad for item in parameters if item.grad is not None]
        if not gradients:
            return
        if self._by_value:
            self._seen.append(torch.stack(norms(gradients, float("inf"))).max())
            torch._foreach_clamp_min_(gradients, -self._limit)
            torch._foreach_clamp_max_(gradients, self._limit)
        else:
            total = torch.linalg.vector_norm(torch.stack(norms(gradients)))
            self._seen.append(total)
            # The very factor of torch.nn.utils.clip_grad_norm_, so that the exported script trains the same.
            factor = torch.clamp(self._limit / (total + 1e-6), max=1.0)
            torch._foreach_mul_(gradients, factor)
        if len(self._seen) >= CHUNK:
            self._fold()

    def take(self) -> tuple[int, float]:
        """Number of clipped updates and the largest norm (or value) since the last call."""
        self._fold()
        taken = (self._count, self._largest)
        self._count, self._largest = 0, 0.0
        return taken

    def _fold(self) -> None:
        if not self._seen:
            return
        seen = torch.stack(self._seen)
        self._seen = []
        count, largest = torch.stack([(seen > self._limit).sum().to(seen.dtype), seen.max()]).tolist()
        self._count += int(count)
        self._largest = max(self._largest, largest)
