"""Gradient flow: per layer the norm of its gradient and of its weights, read from `.grad` after backward.

Owns the reading and when it is worth its time. Needs no hooks, changes nothing, and is read before clipping.
Never keeps a history (the timeline does).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine.runtime.reparametrized import directions_of, is_inside, layer_of

SHARE = 0.015
"""Share of the training time that probing may take, half of what was promised: the rest is room for slow machines."""
MOST_OFTEN = 0.05
"""Seconds between two probes at least: nobody looks more often than 20 times a second."""


def norms(tensors: Sequence[Tensor], order: float = 2.0) -> list[Tensor]:
    """One 0-dim norm per tensor, in one call where torch has it (`_foreach_norm` is private, so a loop stands by)."""
    if not tensors:
        return []
    together = getattr(torch, "_foreach_norm", None)
    if together is not None:
        try:
            return list(together(list(tensors), order))
        except (RuntimeError, TypeError, NotImplementedError):
            pass
    return [torch.linalg.vector_norm(tensor, order) for tensor in tensors]


def layers_of(model: nn.Module) -> list[str]:
    """Instance paths of the modules that hold parameters themselves, in the model's order; "" is the model itself."""
    return list(dict.fromkeys(layer_of(name) for name, _ in model.named_parameters()))


class GradientProbe:
    """Reads the gradient flow of a model. `layers`: instance paths, input side first; parts of a layer count to it."""

    def __init__(self, model: nn.Module, layers: Sequence[str] = (), *, enabled: bool = True) -> None:
        self.enabled = enabled
        self.layers = tuple(layers) or tuple(layers_of(model))
        by_layer: dict[str, list[nn.Parameter]] = {layer: [] for layer in self.layers}
        for name, parameter in model.named_parameters():
            owner = _owner(name, by_layer)
            if owner is not None:
                by_layer[owner].append(parameter)
        self._by_layer = by_layer
        # The lengths of weight norm are the norms of the kernel's rows, whatever its directions have grown to.
        self._unweighed = directions_of(model)
        self._next = 0.0

    def due(self, now: float) -> bool:
        """True when a probe at `now` (a monotonic clock) keeps its cost within `SHARE` of the time."""
        return self.enabled and now >= self._next

    def read(self) -> tuple[dict[str, float], dict[str, float]]:
        """(gradient, weight) norms per layer; a layer without any gradient is left out of the first."""
        start = time.perf_counter()
        found = self._read()
        cost = time.perf_counter() - start
        self._next = time.perf_counter() + max(MOST_OFTEN, cost / SHARE)
        return found

    def _read(self) -> tuple[dict[str, float], dict[str, float]]:
        rows: list[tuple[str, bool]] = []
        tensors: list[Tensor] = []
        for layer, parameters in self._by_layer.items():
            for parameter in parameters:
                if parameter.grad is not None:
                    rows.append((layer, True))
                    tensors.append(parameter.grad)
                if id(parameter) not in self._unweighed:
                    rows.append((layer, False))
                    tensors.append(parameter.detach())
        if not tensors:
            return {}, {}
        values = torch.stack([norm.float() for norm in norms(tensors)]).tolist()
        squares: tuple[dict[str, float], dict[str, float]] = ({}, {})
        for (layer, is_gradient), value in zip(rows, values, strict=True):
            side = squares[0] if is_gradient else squares[1]
            side[layer] = side.get(layer, 0.0) + value * value
        gradient, weight = ({layer: total**0.5 for layer, total in side.items()} for side in squares)
        return gradient, weight


def first_bad_layer(model: nn.Module, inputs: Sequence[Tensor], layers: Sequence[str] = ()) -> str:
    """Instance path of the first layer, in the order of the forward pass, whose result or weights are not finite.

    Runs the model once more on the batch that failed, with hooks. "" when everything is finite (the loss alone is not).
    Draws nothing that lasts: the caller stops training anyway.
    """
    known = tuple(layers) or tuple(layers_of(model))
    bad: list[str] = []

    def watch(path: str) -> None:
        module = model.get_submodule(path)

        def hook(module: nn.Module, _args: object, result: object) -> None:
            if not bad and not (_finite(result) and all(_finite(item) for item in module.parameters())):
                bad.append(path)

        handles.append(module.register_forward_hook(hook))

    handles: list[torch.utils.hooks.RemovableHandle] = []
    try:
        for path, module in model.named_modules():
            leaf = not any(True for _ in module.children()) and not is_inside(model, path)
            if path and (path in known or leaf):
                watch(path)
        with torch.no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    if bad:
        return bad[0]
    return next(
        (layer for layer in known if not all(_finite(item.grad) for item in model.get_submodule(layer).parameters())),
        "",
    )


def _parameters(model: nn.Module, layer: str) -> list[nn.Parameter]:
    return list(model.get_submodule(layer).parameters())


def _owner(name: str, layers: dict[str, list[nn.Parameter]]) -> str | None:
    """The layer that a parameter belongs to: the longest of its prefixes that is one."""
    path = layer_of(name)
    while path not in layers:
        if not path:
            return None
        path = path.rpartition(".")[0]
    return path


def _finite(value: object) -> bool:
    if isinstance(value, Tensor):
        return not value.is_floating_point() or bool(torch.isfinite(value).all())
    if isinstance(value, (tuple, list)):
        return all(_finite(item) for item in value)
    return True
