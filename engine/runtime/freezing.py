"""Freezes layers of a model: their parameters get no gradient, their running statistics stand still.

A frozen batch norm is in inference mode (as in Keras): it normalises by the averages that it has, and keeps them. With
`frozen_norms: updating` only its factor and shift are frozen (as when torch's `requires_grad` is switched off).
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from engine.freezing import is_frozen, patterns_of
from engine.recipe import Recipe
from engine.runtime.reparametrized import layer_of


def freeze_layers(model: nn.Module, recipe: Recipe, parts: Mapping[str, str] | None = None) -> None:
    """Freezes what the recipe names and lets all else train, before an optimizer is made; `parts`: what is set inside
    which layer, by path. No gradient of before is left: a frozen weight that has one would still be moved by momentum.
    """
    patterns, known = patterns_of(recipe.get("frozen")), parts or {}
    for parameter in model.parameters():
        parameter.requires_grad_(True)
        parameter.grad = None
    for module in model.modules():
        _let_go(module)
    model.train()
    if not patterns:
        return
    for name, parameter in model.named_parameters():
        path = layer_of(name)
        if is_frozen(patterns, known.get(path, path)):
            parameter.requires_grad_(False)
    if recipe.get("frozen_norms") != "held":
        return
    for path, module in model.named_modules():
        # A spectral norm's vectors move in training mode as running averages do.
        owner = path.partition(".parametrizations")[0]
        if path and _moves_by_itself(module) and is_frozen(patterns, known.get(owner, owner)):
            _hold(module)


def _moves_by_itself(module: nn.Module) -> bool:
    """Whether a module has numbers of its own that a pass through it changes while it trains."""
    return any(True for _ in module.buffers(recurse=False))


def _let_go(module: nn.Module) -> None:
    module.__dict__.pop("train", None)


def _hold(module: nn.Module) -> None:
    """Puts a module into inference mode for good: a training switches modes of the whole model at every epoch."""
    module.eval()
    object.__setattr__(module, "train", lambda mode=True: module)


def normalises_batches(model: nn.Module) -> bool:
    """Whether a model has a norm over the batch, so that a last batch of one sample joins the one before it."""
    return any(isinstance(item, nn.modules.batchnorm._BatchNorm) for item in model.modules())
