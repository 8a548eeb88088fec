"""What an initializer would draw for a layer, to look at before anything is trained. Leaves no trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from engine.declare import make
from engine.expr import name, used_helpers
from engine.runtime.meta import namespace
from engine.runtime.randomness import guarded

MOST = 4_096
"""Values that are drawn at most: a histogram shows no more, and drawing them takes a millisecond."""


def draw(
    tagged: Mapping[str, Any], fans: tuple[int, int], *, seed: int = 0, most: int = MOST
) -> NDArray[np.float32]:  # fmt: skip
    """Up to `most` weights of a dense layer with (fan_in, fan_out), as {"type": initializer, ...} draws them.

    Whole rows are drawn, so that the fans are those of the layer; from a large layer only a part is given.
    ValueError when the initializer is unknown or a setting is not allowed.
    """
    initializer = make("initializer", tagged)
    fan_in, fan_out = fans
    with guarded(seed), torch.no_grad():
        if not hasattr(initializer, "weight"):
            weight = nn.Linear(fan_in, fan_out).weight
        else:
            weight = nn.Parameter(torch.empty(fan_out, fan_in))
            statement = initializer.weight(name("w"))
            eval(statement.text, {**namespace(used_helpers(statement)), "w": weight})
        found: NDArray[np.float32] = weight.detach().flatten()[:most].numpy().copy()
        return found
