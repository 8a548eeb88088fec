"""The figures of one training epoch, added up while it runs: loss by batch size, and right answers.

Owns the sums of the epoch under way, in double precision. On the CPU they are exact numbers from step to step, so a
run resumed in the middle of an epoch reports the same figures; elsewhere they stay on the device and are fetched only
when somebody looks. Never sees the validation data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from engine.datafacts import BINARY, CLASS
from engine.runtime.objective import Head

CHUNK = 64
"""Steps whose outputs are kept before right answers are counted in one go: counting each step costs more than that."""
MOST_VALUES = 1_000_000
"""Output values kept at most until then."""


class Tally:
    """Sums of the epoch under way. `count_right` is off where targets are mixed and no answer is simply right."""

    def __init__(self, heads: Sequence[Head], device: torch.device, *, count_right: bool = True) -> None:
        self.heads = tuple(heads)
        self.loss_sum = 0.0
        self.samples = 0
        self.right = [0] * len(self.heads)
        self.counted = [0] * len(self.heads)
        self._at_once = device.type == "cpu"
        self._counting = [count_right and head.facts.kind in (CLASS, BINARY) for head in self.heads]
        self._losses: list[Tensor] = []
        self._sizes: list[int] = []
        self._kept: list[tuple[tuple[Tensor, ...], tuple[Tensor, ...]]] = []
        self._values = 0

    def add(self, loss: Tensor, size: int, outputs: tuple[Tensor, ...], targets: tuple[Tensor, ...]) -> float | None:
        """Takes in one step; gives its loss where that is known without waiting for a device (CPU), else None."""
        value: float | None = None
        self.samples += size
        if self._at_once:
            value = loss.item()
            self.loss_sum += value * size
        else:
            self._losses.append(loss.detach())
            self._sizes.append(size)
        self._kept.append((outputs, targets))
        self._values += sum(output.numel() for output in outputs)
        if len(self._kept) >= CHUNK or self._values > MOST_VALUES:
            self.flush()
        return value

    def flush(self) -> float:
        """Counts what is waiting; the sum of losses so far, which is not finite once any loss was not."""
        for index, head in enumerate(self.heads):
            if self._counting[index]:
                self._count(index, head)
        self._kept, self._values = [], 0
        if self._losses:
            kind = torch.float32 if self._losses[0].device.type == "mps" else torch.float64
            losses = torch.stack(self._losses).to(kind)
            sizes = torch.tensor(self._sizes, dtype=kind, device=losses.device)
            self.loss_sum += float(losses @ sizes)
            self._losses, self._sizes = [], []
        return self.loss_sum

    def figures(self) -> tuple[float, dict[str, float]]:
        """Mean loss of the epoch, and `accuracy` per output that answers with classes."""
        self.flush()
        loss = self.loss_sum / max(1, self.samples)
        found = {
            (head.name if len(self.heads) > 1 else ""): self.right[index] / self.counted[index]
            for index, head in enumerate(self.heads)
            if self.counted[index]
        }
        return loss, {f"{name}_accuracy" if name else "accuracy": share for name, share in found.items()}

    @property
    def is_finite(self) -> bool:
        """False once any loss of this epoch was not a number; fetches nothing on the CPU."""
        return isfinite(self.flush())

    def reset(self) -> None:
        """Starts an epoch."""
        self.loss_sum, self.samples = 0.0, 0
        self.right, self.counted = [0] * len(self.heads), [0] * len(self.heads)
        self._losses, self._sizes, self._kept, self._values = [], [], [], 0

    def state(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        self.flush()
        return {
            "loss_sum": self.loss_sum, "samples": self.samples, "right": list(self.right),
            "counted": list(self.counted),
        }  # fmt: skip

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state`."""
        self.reset()
        self.loss_sum, self.samples = float(state["loss_sum"]), int(state["samples"])
        self.right, self.counted = [int(item) for item in state["right"]], [int(item) for item in state["counted"]]

    def _count(self, index: int, head: Head) -> None:
        pairs = [(outputs[index], targets[head.target]) for outputs, targets in self._kept]
        # Mixed targets (MixUp, CutMix) are shares of classes: there is no right answer to count.
        pairs = [(output, target) for output, target in pairs if head.facts.kind == BINARY or not _is_share(target)]
        if not pairs:
            return
        output = torch.cat([output for output, _ in pairs])
        target = torch.cat([target for _, target in pairs])
        if head.facts.kind == BINARY and output.shape[1] > 1:  # a yes or no for each of several classes: one is right
            right = output.argmax(1) == target.argmax(1)
        elif head.facts.kind == BINARY:
            right = (output > 0) == (target.reshape(output.shape) > 0.5)
        else:
            right = output.argmax(1) == target
        self.right[index] += int(right.sum())
        self.counted[index] += right.numel()


def _is_share(target: Tensor) -> bool:
    return target.is_floating_point()
