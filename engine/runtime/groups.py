"""The parameter groups of an optimizer: those of the recipe, those that weight decay leaves alone, Muon's two kinds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from torch import nn

from engine.param_groups import group_of
from engine.recipe import Recipe
from engine.runtime.reparametrized import layer_of, lengths_of


def made_groups(
    recipe: Recipe, model: nn.Module, hidden: Collection[int] = (), parts: Mapping[str, str] | None = None
) -> list[nn.Parameter | dict[str, Any]]:  # fmt: skip
    """What an optimizer is made over: the trainable parameters themselves where all train alike, else groups.

    `hidden` are the matrices of hidden layers by `id`, which Muon treats in its own way; `parts` says which layer an
    activation or normalisation is set in: it belongs to that layer's group. The first group is that of
    the recipe's own rate where any parameter has it.
    """
    declared, groups = recipe.made("optimizer"), recipe.listed("groups")
    exempt = recipe.get("decay_exempt") == "biases_and_norms" and getattr(declared, "weight_decay", 0.0) > 0
    splits = bool(getattr(declared, "splits", False))
    lengths = lengths_of(model)
    found: dict[tuple[int, bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        path = layer_of(name)
        place = group_of(groups, (parts or {}).get(path, path))
        key = (
            -1 if place is None else place,
            exempt and (parameter.dim() < 2 or id(parameter) in lengths),
            splits and id(parameter) not in hidden,
        )
        found.setdefault(key, []).append(parameter)
    if not groups and not exempt and not splits:
        return [parameter for members in found.values() for parameter in members]
    return [_group(declared, groups, key, members) for key, members in sorted(found.items(), key=lambda item: item[0])]


def _group(
    declared: Any, groups: list[Any], key: tuple[int, bool, bool], members: list[nn.Parameter]
) -> dict[str, Any]:  # fmt: skip
    place, exempt, adam = key
    made: dict[str, Any] = {"params": members}
    if adam:
        made |= {"adam": True, "lr": declared.adam_lr}
    if place >= 0:
        own = groups[place]
        made["lr"] = made.get("lr", declared.lr) * own.lr_factor
        if own.weight_decay is not None and hasattr(declared, "weight_decay"):
            made["weight_decay"] = own.weight_decay
    if exempt:
        made["weight_decay"] = 0.0
    return made
