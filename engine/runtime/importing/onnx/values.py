"""What flows between nodes: numbers known beforehand, and tensors of samples, seen through a change of shape.

Exporters write attention and transposes as long chains of reshapes and permutations, which even join the batch with
other axes for a while. A `View` keeps such a chain as what it is, an order of the axes' factors, so that only its
outcome becomes layers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
from torch import fx

Pair = tuple[int, int]
"""A size for each of the two batches that are followed."""


@dataclass(frozen=True)
class Known:
    """Numbers that do not come from samples; two of them where they grow with the batch."""

    small: np.ndarray[Any, Any]
    large: np.ndarray[Any, Any]
    name: str = ""
    """The weight of the file that they are, if they are one."""

    @property
    def fixed(self) -> bool:
        """True when the batch changes nothing."""
        return self.small is self.large or (
            self.small.shape == self.large.shape and bool(np.array_equal(self.small, self.large))
        )

    @property
    def number(self) -> float | None:
        """The single number it is, if it is one."""
        return float(self.small.reshape(-1)[0]) if self.fixed and self.small.size == 1 else None


@dataclass(frozen=True, eq=False)
class Atom:
    """A factor of an axis, which is never taken apart any more unless a reshape says so."""

    size: Pair

    @property
    def grows(self) -> bool:
        """Whether it is the batch."""
        return self.size[0] != self.size[1]


Axes = tuple[tuple[Atom, ...], ...]


@dataclass(frozen=True)
class View:
    """A tensor of samples: the result of a call, its axes cut into atoms and put in another order, times a factor."""

    node: fx.Node
    base: Axes
    axes: Axes
    factor: float = 1.0
    source: dict[str, Any] = field(default_factory=dict, compare=False)
    """What it is a part of, when a pattern of several nodes is under way."""

    @property
    def shape(self) -> tuple[Pair, ...]:
        """Sizes for each batch."""
        return tuple((prod(a.size[0] for a in axis), prod(a.size[1] for a in axis)) for axis in self.axes)

    @property
    def rank(self) -> int:
        """How many axes there are."""
        return len(self.axes)

    @property
    def plain(self) -> bool:
        """True for the call's own result."""
        return self.axes == self.base

    def permuted(self, order: list[int]) -> View:
        """The axes in another order."""
        return replace(self, axes=tuple(self.axes[place] for place in order), source={})

    def reshaped(self, sizes: list[Pair]) -> View | None:
        """The same numbers in another shape; None when an axis would be cut where no factor ends."""
        waiting = [atom for axis in self.axes for atom in axis]
        cuts: dict[Atom, tuple[Atom, Atom]] = {}
        axes = []
        for size in sizes:
            group: list[Atom] = []
            have = (1, 1)
            while have != size:
                if not waiting or any(want % got for want, got in zip(size, have, strict=True)):
                    return None
                rest = (size[0] // have[0], size[1] // have[1])
                atom = waiting.pop(0)
                if any(want % got for want, got in zip(rest, atom.size, strict=True)):
                    if atom.grows or rest[0] != rest[1] or atom.size[0] % rest[0]:
                        return None
                    cuts[atom] = (Atom(rest), Atom((atom.size[0] // rest[0],) * 2))
                    waiting.insert(0, cuts[atom][1])
                    atom = cuts[atom][0]
                group.append(atom)
                have = (have[0] * atom.size[0], have[1] * atom.size[1])
            axes.append(tuple(group))
        if waiting:
            return None
        return replace(self, base=_cut(self.base, cuts), axes=tuple(axes), source={})

    def opened(self) -> View:
        """The same numbers with the batch on an axis of its own, where it was joined with others."""
        axes: list[tuple[Atom, ...]] = []
        for axis in self.axes:
            at = next((place for place, atom in enumerate(axis) if atom.grows), None)
            parts = (axis,) if at is None else (axis[:at], axis[at : at + 1], axis[at + 1 :])
            axes += [axis] if at is None else [part for part in parts if part]
        return replace(self, axes=tuple(axes))

    @property
    def joined(self) -> bool:
        """Whether the batch shares an axis with something else."""
        return len(self.opened().axes) != len(self.axes)


def _cut(axes: Axes, cuts: dict[Atom, tuple[Atom, Atom]]) -> Axes:
    def parts(atom: Atom) -> tuple[Atom, ...]:
        return tuple(inner for half in cuts[atom] for inner in parts(half)) if atom in cuts else (atom,)

    return tuple(tuple(inner for atom in axis for inner in parts(atom)) for axis in axes)


def view_of(node: fx.Node) -> View:
    """The result of a call as it is."""
    small, large = (tuple(value.shape) for value in node.meta["values"])
    axes = tuple(() if pair == (1, 1) else (Atom(pair),) for pair in zip(small, large, strict=True))
    return View(node, axes, axes)
