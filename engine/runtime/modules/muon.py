"""The optimizer Muon with AdamW for what is no matrix of a hidden layer, for the generated file."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class Muon(torch.optim.Optimizer):
    """Orthogonal steps for matrices (Jordan 2024); groups with `adam` set take AdamW's steps."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.02,
        momentum: float = 0.95,
        nesterov: bool = True,
        steps: int = 5,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "nesterov": nesterov, "steps": steps, "weight_decay": weight_decay,
                "adam": False, "betas": (0.9, 0.95), "eps": 1e-8,
            },
        )  # fmt: skip

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step for all parameters that have a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moved = [item for item in group["params"] if item.grad is not None]
            if not moved:
                continue
            if group["weight_decay"]:
                torch._foreach_mul_(moved, 1 - group["lr"] * group["weight_decay"])
            steps = self._adam(moved, group) if group["adam"] else [self._orthogonal(item, group) for item in moved]
            torch._foreach_add_(moved, steps, alpha=-group["lr"])
        return loss

    def _adam(self, moved: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
        states, (first, second) = [self.state[item] for item in moved], group["betas"]
        for item, state in zip(moved, states, strict=True):
            if not state:
                state.update(step=0, exp_avg=torch.zeros_like(item), exp_avg_sq=torch.zeros_like(item))
            state["step"] += 1
        gradients = [item.grad for item in moved if item.grad is not None]
        means, squares = [state["exp_avg"] for state in states], [state["exp_avg_sq"] for state in states]
        torch._foreach_lerp_(means, gradients, 1 - first)
        torch._foreach_mul_(squares, second)
        torch._foreach_addcmul_(squares, gradients, gradients, value=1 - second)
        sizes = torch._foreach_div(squares, [1 - second ** state["step"] for state in states])
        torch._foreach_sqrt_(sizes)
        torch._foreach_add_(sizes, group["eps"])
        steps = torch._foreach_div(means, [1 - first ** state["step"] for state in states])
        torch._foreach_div_(steps, sizes)
        return list(steps)

    def _orthogonal(self, item: Tensor, group: dict[str, Any]) -> Tensor:
        state, keep, gradient = self.state[item], group["momentum"], item.grad
        assert gradient is not None
        if not state:
            state["momentum_buffer"] = torch.zeros_like(item)
        state["momentum_buffer"].lerp_(gradient, 1 - keep)
        update = gradient.lerp(state["momentum_buffer"], keep) if group["nesterov"] else state["momentum_buffer"]
        matrix = update.flatten(1)
        factor = max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5
        step: Tensor = newton_schulz(matrix, group["steps"]).mul_(factor).view_as(item)
        return step


def newton_schulz(matrix: Tensor, steps: int) -> Tensor:
    """About the nearest orthogonal matrix: all singular values come near 1, directions stay."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        product = x @ x.T
        product = torch.addmm(product, product, product, beta=b, alpha=c)
        x = torch.addmm(x, product, x, beta=a)
    near: Tensor = x.T.contiguous() if tall else x
    return near
