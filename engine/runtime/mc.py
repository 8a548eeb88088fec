"""MC dropout: many passes with only the dropout layers active, their mean as the answer, their spread as its doubt.

After Gal and Ghahramani 2016. What is averaged are probabilities (or values), never raw outputs; the spread is the
standard deviation of the passes themselves, σ = √(mean of squares − square of mean). Everything else stays as it is
while predicting: batch norm keeps its running statistics and does not update them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from engine.problem import Problem, ProblemError, Where, error

OWN = ("GaussianDropout", "StochasticDepth", "DropConnect")
"""Classes of the generated code that drop, by name: each model has classes of its own."""
INSIDE = (nn.MultiheadAttention, nn.RNNBase)
"""Modules of torch that drop by themselves where they were told to."""


def dropping_modules(model: nn.Module) -> list[nn.Module]:
    """The modules that drop something while training."""
    return [module for module in model.modules() if _drops(module)]


def no_dropout(where: str) -> Problem:
    """The problem of a model in which nothing is random."""
    return error(
        Where(label=where), "The network has no dropout: every pass would say the same",
        "At least one dropout layer with a rate above 0", "Evaluate it without MC dropout", code="mc-no-dropout",
    )  # fmt: skip


@contextmanager
def dropping(model: nn.Module) -> Iterator[None]:
    """While it lasts only dropout is in training mode; afterwards every module is in the mode that it was in."""
    before = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        for module in dropping_modules(model):
            # Not `train()`: what is inside it, such as a norm, stays as it is.
            module.training = True
        yield
    finally:
        for module, mode in before:
            module.training = mode


class McModel(nn.Module):
    """A model that answers with the mean of its passes; takes its place where raw outputs are wanted.

    `activations` says per output what makes probabilities of it: softmax, sigmoid or none (values). The mean is given
    back as the raw output that leads to it: log p, or log p / (1 − p). `deviations` holds per output the standard
    deviation of probabilities or values of the batch asked last, shaped as the output.
    """

    def __init__(self, model: nn.Module, activations: Sequence[str], passes: int, where: str = "model") -> None:
        super().__init__()
        if passes < 1:
            raise ValueError("MC dropout takes at least one pass")
        if not dropping_modules(model):
            raise ProblemError(no_dropout(where))
        self.model = model
        self.training = model.training
        self.passes = passes
        self.deviations: tuple[Tensor, ...] = ()
        self._activations = tuple(activations)

    def forward(self, *inputs: Tensor) -> Any:
        """The mean as raw outputs, one tensor or a tuple as the model gives it."""
        sums: list[Tensor] = []
        squares: list[Tensor] = []
        single = True
        with dropping(self.model):
            for _ in range(self.passes):
                result = self.model(*inputs)
                single = isinstance(result, Tensor)
                outputs = (result,) if single else tuple(result)
                for place, (output, kind) in enumerate(zip(outputs, self._activations, strict=True)):
                    value = _activated(output, kind).double()
                    if place == len(sums):
                        sums.append(torch.zeros_like(value))
                        squares.append(torch.zeros_like(value))
                    sums[place] += value
                    squares[place] += value**2
        means = [total / self.passes for total in sums]
        self.deviations = tuple(
            (square / self.passes - mean**2).clamp(min=0).sqrt().float()
            for square, mean in zip(squares, means, strict=True)
        )
        raw = tuple(_raw(mean, kind).float() for mean, kind in zip(means, self._activations, strict=True))
        return raw[0] if single else raw


def _drops(module: nn.Module) -> bool:
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    if isinstance(module, INSIDE):
        return float(module.dropout) > 0
    return type(module).__name__ in OWN and getattr(module, "p", 0.0) > 0


def _activated(output: Tensor, kind: str) -> Tensor:
    if kind == "softmax":
        return output.softmax(1)
    return output.sigmoid() if kind == "sigmoid" else output


def _raw(mean: Tensor, kind: str) -> Tensor:
    tiny = torch.finfo(torch.float32).tiny
    if kind == "softmax":
        return mean.clamp(min=tiny).log()
    return mean.clamp(tiny, 1 - 1e-7).logit() if kind == "sigmoid" else mean
