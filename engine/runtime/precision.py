"""Numbers of sixteen bits while training: the forward pass in bf16 or fp16, and the scaling that fp16 needs.

Owns torch's autocast around the model and torch's scaler around the loss. Weights, optimizer, losses and evaluation
stay float32. Never decides which precision a device can do well beyond refusing what it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.problem import Fix, Problem, Where, error

KINDS = {"bf16": torch.bfloat16, "fp16": torch.float16}


def precision_problem(kind: str, device: torch.device) -> Problem | None:
    """Why this device cannot train in that precision; None when it can."""
    if kind == "fp16" and device.type == "cpu":
        words, other = "fp16 on a CPU is imitated: slower than float32 and less exact", "bf16"
    elif kind == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        words, other = f"{torch.cuda.get_device_name(device)} has no bf16", "fp16"
    else:
        return None
    fix = Fix(f"Use {other}", apply=lambda project: project.with_recipe(project.recipe.with_value("precision", other)))
    return error(
        Where(label="recipe.precision", path="recipe.precision"), words, f"float32 or {other} on this device",
        f"Set recipe.precision to {other} or float32, or choose another device", code="precision", fixes=(fix,),
    )  # fmt: skip


def forward_of(model: nn.Module, kind: str, device: torch.device) -> Callable[..., Any]:
    """The model as the training calls it: itself, or under autocast with outputs brought back to float32."""
    if kind not in KINDS:
        return model

    def forward(*inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        with torch.autocast(device.type, dtype=KINDS[kind]):
            result = model(*inputs)
        if isinstance(result, Tensor):
            return result.float()
        return tuple(item.float() for item in result)

    return forward


class Scaling:
    """Loss scaling of fp16: losses are multiplied before backward, gradients divided before anybody reads them.

    When a gradient overflows, that step moves nothing and the scale is halved.
    """

    def __init__(self, device: torch.device) -> None:
        self._scaler = torch.amp.GradScaler(device.type)
        self._left_out = 0

    @classmethod
    def of(cls, kind: str, device: torch.device) -> Scaling | None:
        """The scaling that a precision needs, None for none."""
        return cls(device) if kind == "fp16" else None

    @property
    def scale(self) -> float:
        """What losses are multiplied by."""
        return float(self._scaler.get_scale())

    def scaled(self, loss: Tensor) -> Tensor:
        """The loss to go backward from."""
        scaled: Tensor = self._scaler.scale(loss)
        return scaled

    def unscale(self, optimizer: Optimizer) -> None:
        """Divides the gradients, once, before they are read or clipped."""
        self._scaler.unscale_(optimizer)

    def step(self, optimizer: Optimizer) -> None:
        """Moves the weights unless a gradient overflowed, and sets the next scale."""
        before = self._scaler.get_scale()
        self._scaler.step(optimizer)
        self._scaler.update()
        self._left_out += self._scaler.get_scale() < before

    def take(self) -> int:
        """Updates that were left out since the last call."""
        taken, self._left_out = self._left_out, 0
        return taken

    def state(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {"scaler": self._scaler.state_dict(), "left_out": self._left_out}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state`."""
        self._scaler.load_state_dict(dict(state["scaler"]))
        self._left_out = int(state["left_out"])
