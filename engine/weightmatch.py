"""Which tensor of a file belongs to which of a network: by name, then by order and shape. Plain values, no torch.

Owns `match` and its result, which is shown before anything is taken: a match by order is a proposal that a person looks
at, never a fact. Tensors pair only with the same shape; the rest is named on its side. Never reads a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from engine.tensorfacts import COUNTER, Facts, TensorFacts
from engine.weightnames import named
from engine.weightorder import aligned, natural

NAMED, ORDERED, DIFFERS, ABSENT, UNUSED = "matched", "by_order", "differs", "absent", "unused"
"""Same name and shape; other name, same place and shape; a pair whose shapes or kinds of number differ; of the network
without a partner; of the file without a partner."""
TAKEN = (NAMED, ORDERED)


@dataclass(frozen=True, slots=True)
class Row:
    """One tensor of the network, of the file, or a pair of both."""

    status: str
    own: str = ""
    """Key in the network; "" for one only the file has."""
    theirs: str = ""
    """Key in the file as it stands there; "" for one only the network has."""
    own_facts: TensorFacts | None = None
    their_facts: TensorFacts | None = None
    note: str = ""
    harmless: bool = False
    """Nothing is lost by its having no partner."""

    def to_json(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return {
            "status": self.status, "network": self.own, "file": self.theirs,
            "network_shape": _listed(self.own_facts), "file_shape": _listed(self.their_facts),
            "network_dtype": self.own_facts.dtype if self.own_facts else None,
            "file_dtype": self.their_facts.dtype if self.their_facts else None, "note": self.note,
        }  # fmt: skip


@dataclass(frozen=True)
class Match:
    """How a file fits a network: the network's tensors in order with their partners, then what is left of the file."""

    rows: tuple[Row, ...] = ()
    said: tuple[str, ...] = ()
    """What was done to the names, and what the numbers become."""

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows by status; every status is there."""
        found = dict.fromkeys((NAMED, ORDERED, DIFFERS, ABSENT, UNUSED), 0)
        for row in self.rows:
            found[row.status] += 1
        return found

    @property
    def taken(self) -> dict[str, str]:
        """Key in the network -> key in the file, for all that lands."""
        return {row.own: row.theirs for row in self.rows if row.status in TAKEN}

    @property
    def is_complete(self) -> bool:
        """True when every tensor of either side has its partner, but for those that nothing is lost with."""
        return bool(self.taken) and all(row.status in TAKEN or row.harmless for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return {
            "complete": self.is_complete, **self.counts, "said": list(self.said),
            "tensors": [row.to_json() for row in self.rows],
        }  # fmt: skip


def match(held: Facts, wanted: Facts, *, ordered: bool = True, aliases: Mapping[str, str] | None = None) -> Match:
    """The file's tensors `held` beside the network's `wanted`, both in order.

    `ordered` False: the file keeps no order, so it is taken by name with numbers counted. `aliases`: other names in the
    file for a tensor that it has under a first name.
    """
    aliases = aliases or {}
    names, said = named(held, wanted)
    pairs = {own: theirs for theirs, own in names.items() if own in wanted}
    spare = [key for key in held if names[key] not in wanted]
    left = [key for key in wanted if key not in pairs]
    taken_first = set(pairs.values())
    free = [key for key in spare if aliases.get(key) not in taken_first]
    if not ordered:
        free = sorted(free, key=natural)
    by_order = aligned(left, free, wanted, held, names)
    by_order |= _counters(by_order, held, wanted)
    rows = [_row(key, pairs.get(key) or by_order.get(key, ""), key in pairs, held, wanted) for key in wanted]
    used = {*pairs.values(), *by_order.values()}
    rows += [_left_over(key, held[key], aliases.get(key, ""), used) for key in held if key not in used]
    if by_order and not ordered:
        said.append("This kind of file keeps no order: unnamed partners were sought in the order of names")
    return Match(tuple(rows), (*said, *_numbers(rows)))


def _counters(pairs: Mapping[str, str], held: Facts, wanted: Facts) -> dict[str, str]:
    """The counters of batch norms that were paired by their other tensors."""
    found: dict[str, str] = {}
    for own, theirs in pairs.items():
        mine, other = (f"{key.rpartition('.')[0]}.{COUNTER}".lstrip(".") for key in (own, theirs))
        if mine in wanted and other in held:
            found[mine] = other
    return found


def _row(own: str, theirs: str, named: bool, held: Facts, wanted: Facts) -> Row:
    mine = wanted[own]
    if not theirs:
        counter = own.endswith(COUNTER)
        note = "a counter of steps that old files lack; it stays 0" if counter else _why_absent(own)
        return Row(ABSENT, own, "", mine, None, note, harmless=counter)
    found = held[theirs]
    row = Row(NAMED if named else ORDERED, own, theirs, mine, found)
    if found.shape != mine.shape:
        return replace(row, status=DIFFERS, note="the shape differs")
    if found.is_real != mine.is_real:
        kind = "whole numbers" if mine.is_real else "real numbers"
        return replace(row, status=DIFFERS, note=f"{kind} in the file: {found.dtype}")
    return replace(row, note="" if found.dtype == mine.dtype else f"{found.dtype} becomes {mine.dtype}")


def _why_absent(key: str) -> str:
    if ".parametrizations." in key:
        return "its kernel is computed from this (weight or spectral norm): plain weights would not land exactly"
    return "drawn from the seed"


def _left_over(key: str, facts: TensorFacts, alias: str, used: set[str]) -> Row:
    if alias and alias in used:
        return Row(UNUSED, "", key, None, facts, f"another name of {alias}, which is taken", harmless=True)
    return Row(UNUSED, "", key, None, facts, "the network has no place for it")


def _numbers(rows: Iterable[Row]) -> Iterator[str]:
    """What happens to numbers that are of another type, once for each pair of types."""
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.status in TAKEN and row.own_facts and row.their_facts and row.own_facts.dtype != row.their_facts.dtype:
            key = (row.their_facts.dtype, row.own_facts.dtype)
            found[key] = found.get(key, 0) + 1
    for (theirs, own), count in found.items():
        exact = own == "float32" and theirs in ("float16", "bfloat16")
        words = "every value stays as it is" if exact else "values are rounded"
        yield f"{count:,} tensors are {theirs} in the file and {own} in the network: {words}"


def _listed(facts: TensorFacts | None) -> list[int] | None:
    return list(facts.shape) if facts else None
