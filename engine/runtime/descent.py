"""The way of an optimizer down a small landscape: torch's own optimizer on one parameter of two numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from engine.param import Tagged
from engine.recipe import Recipe
from engine.runtime.made import make_optimizer

Array = NDArray[np.float64]
FAR = 1e6
"""Further out than this a descent has diverged and ends."""


def descend(
    function: Callable[[Any, Any], Any], optimizer: Tagged, start: tuple[float, float], steps: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> Array:  # fmt: skip
    """Places (n, 2) from the start on, float64, at most `steps` + 1; fewer where it diverged or was cancelled.

    The optimizer is that of a recipe, without schedule. ValueError when a setting is not allowed.
    """
    place = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    # Muon is for matrices; two numbers take the AdamW that it brings for all the rest.
    group = {"params": [place], "adam": True}
    made = make_optimizer(Recipe({"optimizer": optimizer}), [group], torch.device("cpu"))
    found = [start]

    def value() -> Any:
        made.zero_grad()
        height = function(place[0], place[1])
        height.backward()
        return height

    for _ in range(steps):
        if cancelled():
            break
        made.step(value)
        x, y = (float(item) for item in place.detach())
        if not (abs(x) < FAR and abs(y) < FAR):
            break
        found.append((x, y))
    return np.array(found)
