"""An exponential moving average of the weights, kept beside them.

Owns the averaged copies and lends them to the model for a while. Buffers such as running statistics are the model's
own. Never changes what is trained: the weights come back bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from engine.recipe import Recipe


class Average:
    """average_t = d * average_{t-1} + (1 - d) * weights_t from average_0 = weights_0, per trainable parameter.

    d is `decay`, with `warmup` at most (1 + t) / (10 + t) at step t, counted from 1.
    """

    def __init__(self, model: nn.Module, decay: float, *, warmup: bool = False, use: bool = True) -> None:
        self.use = use
        """Validation, the best checkpoint and exports take the average."""
        self.steps = 0
        self._decay = decay
        self._warmup = warmup
        named = {name: item for name, item in model.named_parameters() if item.requires_grad}
        self._names = list(named)
        self._live: list[Tensor] = [item.detach() for item in named.values()]
        self._kept: list[Tensor] = [item.clone() for item in self._live]

    @classmethod
    def of(cls, recipe: Recipe, model: nn.Module) -> Average | None:
        """The average that a recipe asks for, None for none."""
        made = recipe.made("ema")
        return cls(model, made.decay, warmup=made.warmup, use=made.use) if made.enabled else None

    def update(self) -> None:
        """Takes in the weights as they are after a step."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps)) if self._warmup else self._decay
        torch._foreach_lerp_(self._kept, self._live, 1.0 - decay)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """The model holds the averaged weights inside; its own come back afterwards, whatever happens."""
        own = [item.clone() for item in self._live]
        torch._foreach_copy_(self._live, self._kept)
        try:
            yield
        finally:
            torch._foreach_copy_(self._live, own)

    def weights(self) -> dict[str, Tensor]:
        """Copies of the averaged weights by their names in the state_dict, on the CPU."""
        return {
            name: item.to("cpu", copy=True) for name, item in zip(self._names, self._kept, strict=True)
        }  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Tensors and plain values for a checkpoint; `use` tells readers whose weights to take."""
        return {"steps": self.steps, "use": self.use, "weights": self.weights()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state`."""
        self.steps = int(state["steps"])
        for name, item in zip(self._names, self._kept, strict=True):
            item.copy_(state["weights"][name])
