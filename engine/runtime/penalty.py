"""Penalties on weights (l1, l2) and bounds on their norms (max-norm), for the layers of one training.

A penalty's gradient is known without differentiating: l1·sign(w) + 2·l2·w is added to the gradients in one call for all
weights that share the factors, after backward and before clipping, which is what differentiating loss + penalty gives.
Its value is reckoned only when it is told. A kernel that is computed from other parameters (weight norm, spectral norm)
is penalised as it acts: its gradient goes on to those by the chain rule. Knows no project: rules come by parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from engine.analysis import WeightRules
from engine.runtime.reparametrized import kernel, kernels_by_output, originals, reparametrized

EVERY = 16
"""Steps between two values of the penalty that its mean over an epoch is taken from."""


class Penalty:
    """The sum of l1·Σ|w| + l2·Σw² over the layers that have a regularizer."""

    def __init__(
        self, weighed: Iterable[tuple[nn.Parameter, float, float]],
        computed: Iterable[tuple[nn.Module, float, float]] = (),
    ) -> None:  # fmt: skip
        self._groups: dict[tuple[float, float], list[Tensor]] = {}
        for parameter, l1, l2 in weighed:
            self._groups.setdefault((l1, l2), []).append(parameter)
        self._computed = tuple(computed)
        self._sum, self._count = 0.0, 0

    @staticmethod
    def of(model: nn.Module, rules: Mapping[str, WeightRules]) -> Penalty | None:
        """The penalty of a model; None where nothing costs anything."""
        found = [
            (parameter, rule.l1, rule.l2)
            for rule, parameter in ruled(model, rules)
            if (rule.l1 or rule.l2) and parameter.requires_grad
        ]
        computed = [
            (layer, rule.l1, rule.l2)
            for path, layer in reparametrized(model).items()
            if (rule := rules.get(path)) and (rule.l1 or rule.l2) and any(p.requires_grad for p in originals(layer))
        ]
        return Penalty(found, computed) if found or computed else None

    @torch.no_grad()
    def add_gradients(self) -> None:
        """Adds the penalty's gradient to those of the loss."""
        for (l1, l2), parameters in self._groups.items():
            held = [item for item in parameters if item.grad is not None]
            gradients = [item.grad for item in held if item.grad is not None]
            if l2:
                torch._foreach_add_(gradients, held, alpha=2 * l2)
            if l1:
                torch._foreach_add_(gradients, torch._foreach_sign(held), alpha=l1)
        for layer, l1, l2 in self._computed:
            chosen = [item for item in originals(layer) if item.grad is not None]
            with torch.enable_grad():
                weight = kernel(layer)
            slope = 2 * l2 * weight.detach() + l1 * weight.detach().sign()
            for item, slope_of in zip(
                chosen, torch.autograd.grad(weight, chosen, slope) if chosen else (), strict=True
            ):
                assert item.grad is not None
                item.grad.add_(slope_of)

    @torch.no_grad()
    def value(self) -> float:
        """The penalty at the weights of now."""
        total = 0.0
        for (l1, l2), parameters in self._groups.items():
            if l1:
                total += l1 * float(torch.stack(torch._foreach_norm(parameters, 1)).double().sum())
            if l2:
                total += l2 * float(torch.stack(torch._foreach_norm(parameters, 2)).double().square().sum())
        for layer, l1, l2 in self._computed:
            weight = kernel(layer)
            total += l1 * float(weight.abs().sum(dtype=torch.float64))
            total += l2 * float(weight.square().sum(dtype=torch.float64))
        return total

    def note(self, step: int) -> None:
        """Takes in what the penalty is before a step, every so often."""
        if step % EVERY == 1:
            self._sum, self._count = self._sum + self.value(), self._count + 1

    def figures(self) -> dict[str, float]:
        """At an epoch's end: the penalty now, and its mean over the epoch, from which the next one begins anew."""
        now = self.value()
        mean = self._sum / self._count if self._count else now
        self._sum, self._count = 0.0, 0
        return {"penalty": now, "train_penalty": mean}

    def state(self) -> dict[str, Any]:
        """Sums of the epoch under way."""
        return {"sum": self._sum, "count": self._count}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state`."""
        self._sum, self._count = float(state["sum"]), int(state["count"])


class MaxNorm:
    """Keeps the 2-norm of what enters each unit at most r: after a step, w ← w·r/(‖w‖ + 1e-7) where it is larger."""

    def __init__(self, bounded: Iterable[tuple[nn.Parameter, float, int]]) -> None:
        self._bounded = tuple(bounded)

    @staticmethod
    def of(model: nn.Module, rules: Mapping[str, WeightRules]) -> MaxNorm | None:
        """The bounds of a model; None where nothing is bounded."""
        transposed = kernels_by_output(model)
        found = [
            (parameter, rule.max_norm, 1 if id(parameter) in transposed else 0)
            for rule, parameter in ruled(model, rules)
            if rule.max_norm and parameter.requires_grad
        ]
        return MaxNorm(found) if found else None

    @torch.no_grad()
    def apply(self) -> None:
        """Shrinks what has grown too long."""
        for parameter, radius, unit in self._bounded:
            parameter.renorm_(2, unit, radius)


def ruled(model: nn.Module, rules: Mapping[str, WeightRules]) -> Iterable[tuple[WeightRules, nn.Parameter]]:
    """Every weight that a rule is about and that is a parameter, once, with its rule."""
    parameters = dict(model.named_parameters())
    for path, rule in rules.items():
        for tensor in rule.tensors:
            if f"{path}.{tensor}" in parameters:
                yield rule, parameters[f"{path}.{tensor}"]
