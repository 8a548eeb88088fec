"""The optimizer Lion, for the generated file."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class Lion(torch.optim.Optimizer):
    """Steps by the sign of a momentum (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms")."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step for all parameters that have a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moved: list[Tensor] = [item for item in group["params"] if item.grad is not None]
            if not moved:
                continue
            for item in moved:
                if not self.state[item]:
                    self.state[item]["exp_avg"] = torch.zeros_like(item)
            gradients = [item.grad for item in moved if item.grad is not None]
            means = [self.state[item]["exp_avg"] for item in moved]
            (first, second), rate = group["betas"], group["lr"]
            if group["weight_decay"]:
                torch._foreach_mul_(moved, 1 - rate * group["weight_decay"])
            steps = torch._foreach_lerp(means, gradients, 1 - first)
            torch._foreach_sign_(steps)
            torch._foreach_add_(moved, steps, alpha=-rate)
            torch._foreach_lerp_(means, gradients, 1 - second)
        return loss
