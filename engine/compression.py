"""The ways in which a trained run can be made smaller, as a command or a dialog asks for them."""

from __future__ import annotations

from dataclasses import dataclass

CHECKPOINT = {"zero": "zeroed", "prune": "pruned"}
"""Ways that give a checkpoint, and its name."""
SUFFIXES = {"fold-bn": ".pt2", "half": ".pt2", "int8": ".onnx"}
"""Ways that give a file, and its ending: a program of `torch.export`, or ONNX."""


@dataclass(frozen=True)
class Way:
    """What is to be done: one of zero, prune, fold-bn, half, int8. `amount` is the threshold or the share to prune;
    `each` prunes that share of every layer; `retrain` epochs follow while the zeros stay."""

    kind: str
    amount: float = 0.0
    each: bool = False
    retrain: int = 0
