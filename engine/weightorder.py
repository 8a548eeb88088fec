"""Layers that bear other names in a file than in a network, paired by what they hold and by their order.

Owns `aligned`. A layer is what has one parent name; it pairs with one whose tensors have the same shapes. Never looks
at values, and never claims: what comes out is a proposal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from engine.tensorfacts import COUNTER, Facts

_MOST_ALIGNED = 4_000


@dataclass(frozen=True, slots=True)
class _Module:
    """Tensors of one layer, in order."""

    keys: tuple[str, ...]
    leaves: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]


def aligned(
    left: Sequence[str], spare: Sequence[str], wanted: Facts, held: Facts, names: Mapping[str, str]
) -> dict[str, str]:  # fmt: skip
    """Network key -> file key for layers that follow each other alike on both sides."""
    mine, theirs = _modules(left, left, wanted), _modules(spare, [names[key] for key in spare], held)
    found: dict[str, str] = {}
    ways: tuple[Callable[[_Module], Any], ...] = (
        lambda module: (module.leaves, module.shapes), lambda module: module.shapes,
    )  # fmt: skip
    for alike in ways:
        free = [module for module in theirs if not set(module.keys) & set(found.values())]
        open_ = [module for module in mine if not set(module.keys) & set(found)]
        for own, other in _in_step([alike(item) for item in open_], [alike(item) for item in free]):
            found.update(zip(open_[own].keys, free[other].keys, strict=True))
    return found | _between(mine, theirs, found)


def _modules(keys: Sequence[str], names: Sequence[str], facts: Facts) -> list[_Module]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for key, name in zip(keys, names, strict=True):
        parent, _, leaf = name.strip("()").rpartition(".")
        if leaf != COUNTER:
            groups.setdefault(parent, []).append((key, leaf))
    return [
        _Module(tuple(key for key, _ in items), tuple(leaf for _, leaf in items),
                tuple(facts[key].shape for key, _ in items))
        for items in groups.values()
    ]  # fmt: skip


def _in_step(own: Sequence[Any], other: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Places of equal values that stand in the same order on both sides."""
    if max(len(own), len(other)) > _MOST_ALIGNED:  # the search below grows with the square
        if own == other:
            yield from ((place, place) for place in range(len(own)))
        return
    for block in SequenceMatcher(None, own, other, autojunk=False).get_matching_blocks():
        yield from ((block.a + step, block.b + step) for step in range(block.size))


def _between(mine: Sequence[_Module], theirs: Sequence[_Module], found: Mapping[str, str]) -> dict[str, str]:
    """A layer alone between two matched ones, and the one alone between their partners: a pair whose shapes differ."""
    used = {key: place for place, module in enumerate(theirs) for key in module.keys}
    taken = {used[theirs_key] for theirs_key in found.values()}
    pairs: dict[str, str] = {}
    before = -1
    places = [used[found[module.keys[0]]] if module.keys[0] in found else None for module in mine]
    for at, module in enumerate(mine):
        if places[at] is not None:
            before = places[at] or 0
            continue
        after = next((place for place in places[at + 1 :] if place is not None), len(theirs))
        alone = at == 0 or places[at - 1] is not None
        alone = alone and (at == len(mine) - 1 or places[at + 1] is not None)
        open_ = [place for place in range(before + 1, after) if place not in taken]
        if alone and len(open_) == 1 and theirs[open_[0]].leaves == module.leaves and (found or len(mine) == 1):
            pairs.update(zip(module.keys, theirs[open_[0]].keys, strict=True))
    return pairs


def natural(key: str) -> list[tuple[int, int, str]]:
    """Sorts numbers in names as numbers: block.2 before block.10."""
    return [(0, int(part), "") if part.isdecimal() and len(part) < 10 else (1, 0, part) for part in key.split(".")]
