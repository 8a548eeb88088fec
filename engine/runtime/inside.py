"""What the layers give for one sample: which can be looked into, and the result of one of them.

Hooks are put on for one forward pass and taken off; the model stays in evaluation mode and nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from engine.asked import LayerInfo
from engine.problem import ProblemError, Where, error
from engine.runtime.build import Built


def look_inside(built: Built, inputs: Sequence[Tensor], path: str = "") -> tuple[tuple[LayerInfo, ...], Tensor | None]:
    """The layers in the order in which they were reached, and the result (without batch) of the one at `path`.

    "" takes the first. ProblemError when no layer is called so. Layers that are no module of their own (an addition)
    are not among them; one that is used twice shows its first result.
    """
    found: dict[str, tuple[int, ...]] = {}
    kept: dict[str, Tensor] = {}

    def watch(name: str) -> Any:
        def hook(_module: nn.Module, _given: object, result: Any) -> None:
            first = result[0] if isinstance(result, tuple) else result
            if name in found or not isinstance(first, Tensor) or len(first) != 1:
                return
            found[name] = tuple(first.shape[1:])
            if name == path or (not path and not kept):
                kept[name] = first.detach()[0].clone()

        return hook

    handles = [
        module.register_forward_hook(watch(name))
        for name, module in built.model.named_modules()
        if name in built.nodes
    ]  # fmt: skip
    try:
        with torch.no_grad():
            built.model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    layers = tuple(LayerInfo(name, built.nodes[name], shape) for name, shape in found.items())
    if path and path not in kept:
        raise ProblemError(no_such_layer(path, layers))
    return layers, next(iter(kept.values()), None)


def no_such_layer(path: str, layers: Sequence[LayerInfo]) -> Any:
    """The problem of a name that no layer bears."""
    names = ", ".join(layer.path for layer in layers[:12]) + (", ..." if len(layers) > 12 else "")
    return error(Where(label=path), f"The network has no layer {path!r} to look into", f"One of {names}",
                 "Choose another layer", code="predict-layer")  # fmt: skip


def last_maps(layers: Sequence[LayerInfo]) -> LayerInfo | None:
    """The last layer that gives feature maps, (C, h, w) of more than one place: what Grad-CAM takes by itself.

    A block counts only where no layer in it gives maps.
    """
    fits = [layer for layer in layers if len(layer.shape) == 3 and layer.shape[1] * layer.shape[2] > 1]
    fits = [one for one in fits if not any(other.path.startswith(f"{one.path}.") for other in fits)]
    return fits[-1] if fits else None
