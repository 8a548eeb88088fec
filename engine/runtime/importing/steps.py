"""What a traced network consists of, as plain values between its tracing and its graph. Knows no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Scope = tuple[tuple[str, int], ...]
"""The calls of modules around a step, outermost first: (module path, which call of that module)."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What is wired to a step: the key of another step, and which of its outputs."""

    key: str
    output: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One call that becomes one layer."""

    key: str
    scope: Scope
    type: str
    """A layer of the catalogue."""
    params: Mapping[str, Any] = field(default_factory=dict)
    feeds: tuple[Feed, ...] = ()
    path: str = ""
    """Module path whose weights (or name) the layer bears; empty for an operation without a module."""
    name: str = ""
    """What an operation is called, when nothing of that name stands beside it."""
    stateful: bool = False
    """Has weights or buffers, so that a second call of it must share them."""
    call: int = 0
    """Which call of its module this is."""


@dataclass(frozen=True)
class Steps:
    """A whole traced network: inputs and outputs by name, steps in order of execution."""

    inputs: tuple[tuple[str, tuple[int, ...], str], ...]
    """(name, shape of a sample, dtype) per input."""
    steps: tuple[Step, ...]
    outputs: tuple[tuple[str, Feed], ...]
    classes: Mapping[str, str] = field(default_factory=dict)
    """Module path -> name of its class."""
    unused: tuple[str, ...] = ()
    """Module paths with weights that the forward pass never calls."""
