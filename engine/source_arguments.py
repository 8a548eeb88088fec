"""What differs between copies of one class: the places in their code whose values are not all equal.

Owns the comparison of constructor trees and the names of the arguments that come out of it: places whose values
always agree become one argument, named as torch names the first of them. Never writes text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from engine.source_facts import CallFacts
from engine.source_names import fresh
from engine.source_parts import Call, Copies, Part, Raw, Value


@dataclass(frozen=True)
class Argument:
    """A constructor argument: its name and the type its values have."""

    name: str
    annotation: str


def shape_of(part: Part) -> Any:
    """The part without its values, for comparison."""
    if isinstance(part, Value):
        return Value
    if isinstance(part, Raw):
        return part.text
    if isinstance(part, Copies):
        return part.callee, tuple(shape_of(item) for item in part.parts)
    if isinstance(part, Call):
        return part.callee, tuple((key, shape_of(item)) for key, item in part.items)
    raise TypeError(f"{type(part).__name__} exists only while it is written")


def _leaves(part: Part) -> Iterator[Value]:
    if isinstance(part, Value):
        yield part
    elif isinstance(part, Copies):
        for item in part.parts:
            yield from _leaves(item)
    elif isinstance(part, Call):
        for _, item in part.items:
            yield from _leaves(item)


def columns_of(members: list[tuple[tuple[CallFacts, Part], ...]]) -> dict[tuple[int, str], list[Value]]:
    """By (place in the code, node name) one value per member, where they are not all equal."""
    rows = [[(call.node.name, leaf) for call, part in modules for leaf in _leaves(part)] for modules in members]
    found: dict[tuple[int, str], list[Value]] = {}
    for place, (owner, first) in enumerate(rows[0]):
        column = [row[place][1] for row in rows]
        if any(value.text != first.text for value in column):
            found[(place, owner)] = column
    return found


Places = tuple[tuple[int, str], ...]


def arguments_of(columns: Mapping[tuple[int, str], list[Value]]) -> dict[Places, Argument]:
    """One argument per set of places whose values always agree."""
    merged: dict[tuple[str, ...], list[tuple[int, str]]] = {}
    for key, column in columns.items():
        merged.setdefault(tuple(value.text for value in column), []).append(key)
    hints = [_hint([(place[1], columns[place][0].hint) for place in places]) for places in merged.values()]
    taken: set[str] = set()
    found: dict[Places, Argument] = {}
    for hint, places in zip(hints, merged.values(), strict=True):
        wanted = hint if hints.count(hint) == 1 else f"{places[0][1]}_{hint}"
        name = fresh(_safe(wanted), taken)
        taken.add(name)
        found[tuple(places)] = Argument(name, _annotation([value.value for value in columns[places[0]]]))
    return found


def _hint(places: list[tuple[str, str]]) -> str:
    """`channels` where one layer's in_channels and out_channels always agree, else the first place's own name."""
    owner, first = places[0]
    mine = {hint for name, hint in places if name == owner}
    for stem in ("channels", "features"):
        if {f"in_{stem}", f"out_{stem}"} <= mine:
            return stem
    return first


def _safe(name: str) -> str:
    plain = name if name.isidentifier() else f"n{name}"
    return f"{plain}_" if iskeyword(plain) or plain in ("self", "torch", "nn", "F", "Tensor", "range") else plain


def _annotation(values: list[Any]) -> str:
    found = list(dict.fromkeys(_type_text(value) for value in values))
    return " | ".join(sorted(found, key=lambda text: text == "None"))


def _type_text(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, tuple):
        return f"tuple[{', '.join(_type_text(item) for item in value)}]" if value else "tuple[()]"
    return type(value).__name__


def replaced(part: Part, names: Mapping[tuple[int, str], str], count: Iterator[int]) -> Part:
    """The part with the values at `names` (by place) replaced by argument names."""
    by_place = {place: name for (place, _), name in names.items()}

    def walk(item: Part) -> Part:
        if isinstance(item, Value):
            place = next(count)
            return Raw(by_place[place]) if place in by_place else item
        if isinstance(item, Copies):
            return Copies(item.callee, tuple(walk(inner) for inner in item.parts))
        if isinstance(item, Call):
            return Call(item.callee, tuple((key, walk(inner)) for key, inner in item.items), item.opening)
        return item

    return walk(part)
