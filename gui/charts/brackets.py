"""Short names below the bars of the depth chart, and the brackets that say which block and copy they belong to.

Plain calculation on instance paths (`blocks.1.body.norm1`). Never draws, never translates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bracket:
    """Bars `first` to `last` belong together. `words` from longest to shortest; the first that fits is written."""

    first: int
    last: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Labels:
    """What stands below the bars: one short name per bar, and brackets over runs of them."""

    names: tuple[str, ...]
    brackets: tuple[Bracket, ...]
    numbered: bool
    """The names are mostly copy numbers: leaving some out loses nothing."""


def labels(paths: Sequence[str], *, copy: str = "copy", copies: str = "copies") -> Labels:
    """Names and brackets for layers in the order of their bars."""
    owners = [_owner(path) for path in paths]
    spans = _spans(owners)
    names = [_leaf(path) for path in paths]
    brackets: list[Bracket] = []
    index = 0
    while index < len(spans):
        first, last = spans[index]
        block, number = owners[first]
        run = _single_layer_copies(spans, owners, names, index)
        if run > 1:
            # One layer per copy: twenty brackets of one bar each would say less than one over all of them.
            end = spans[index + run - 1][1]
            numbers = [owners[row][1] for row in range(first, end + 1)]
            leaf = names[first]
            for row in range(first, end + 1):
                names[row] = str(owners[row][1])
            full = f"{block} · {leaf}, {copies} {numbers[0]}–{numbers[-1]}"
            brackets.append(Bracket(first, end, (full, f"{block} · {leaf}", block)))
            index += run
            continue
        if number:
            brackets.append(Bracket(first, last, (f"{block}, {copy} {number}", f"{copy} {number}", str(number))))
        elif block:
            brackets.append(Bracket(first, last, (block,)))
        index += 1
    return Labels(tuple(names), tuple(brackets), 2 * sum(name.isdigit() for name in names) > len(names))


def _owner(path: str) -> tuple[str, int]:
    """Outermost block of a layer and its copy, counted from 1; 0 without copies, "" without a block."""
    parts = path.split(".")
    for index, part in enumerate(parts[:-1]):
        if part.isdigit() and index:
            return parts[index - 1], int(part) + 1
    return (parts[0], 0) if len(parts) > 1 else ("", 0)


def _leaf(path: str) -> str:
    return path.rsplit(".", maxsplit=1)[-1]


def _spans(owners: Sequence[tuple[str, int]]) -> list[tuple[int, int]]:
    """First and last row of each run of equal owners."""
    spans: list[tuple[int, int]] = []
    for row, owner in enumerate(owners):
        if spans and owner == owners[row - 1]:
            spans[-1] = (spans[-1][0], row)
        else:
            spans.append((row, row))
    return spans


def _single_layer_copies(
    spans: Sequence[tuple[int, int]], owners: Sequence[tuple[str, int]], names: Sequence[str], index: int
) -> int:
    """How many spans from `index` on are copies of one block that hold one layer of one name each."""
    first = spans[index][0]
    block, number = owners[first]
    count = 0
    for start, end in spans[index:]:
        if start != end or not number or owners[start][0] != block or names[start] != names[first]:
            break
        count += 1
    return count
