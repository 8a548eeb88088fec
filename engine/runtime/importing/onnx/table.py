"""The table of operators, and what their functions need to read their inputs and settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.runtime.importing.onnx.build import Build
from engine.runtime.importing.onnx.file import Operation
from engine.runtime.importing.onnx.values import Known, View

Operator = Callable[..., Any]
OPERATORS: dict[str, Operator] = {}
"""By ONNX's name: a function of the build, the node, and its inputs (None where one is left out)."""


def operator(*kinds: str) -> Callable[[Operator], Operator]:
    """Registers what to do with operators."""

    def register(function: Operator) -> Operator:
        OPERATORS.update(dict.fromkeys(kinds, function))
        return function

    return register


def samples(build: Build, value: Any, what: str = "input") -> View:
    """The value as a tensor of samples; refuses fixed numbers."""
    if not isinstance(value, View):
        build.refuse(f"its {what} is a fixed tensor")
    return value


def fixed(build: Build, value: Any, what: str) -> np.ndarray[Any, Any]:
    """Numbers that neither come from samples nor grow with the batch."""
    if not isinstance(value, Known) or not value.fixed:
        build.refuse(f"its {what} is worked out from the samples")
    return value.small


def axes_of(build: Build, op: Operation, given: Any, rank: int, name: str = "axes") -> list[int] | None:
    """Axes, which older versions have as a setting and newer ones as an input; None when left out."""
    found = op.settings.get(name) if given is None else [int(item) for item in fixed(build, given, name).reshape(-1)]
    return None if found is None else [int(item) % rank for item in found]
