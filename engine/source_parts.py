"""Pieces of generated code and how they are laid out, as ruff would at 100 columns.

Owns the small tree that a recorded constructor becomes: a call with its arguments, a value that may turn into an
argument of a class, a run of equal copies, a list, or text as it stands. Never decides what is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.expr import Expr, render

WIDTH = 100
ArgNames = Callable[[str], Sequence[str]]
"""Names of the positional arguments of a callee such as `nn.Linear`: in_features, out_features, bias ..."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Text that is written as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Value:
    """A plain value; `hint` is the name it would have as an argument."""

    text: str
    value: Any
    hint: str


@dataclass(frozen=True, slots=True)
class Call:
    """`callee(items)`; an item is a keyword ("" for positional) and a part."""

    callee: str
    items: tuple[tuple[str, Part], ...]
    opening: str = "("
    """`([` for a call whose only argument is a list."""


@dataclass(frozen=True, slots=True)
class Many:
    """`part for _ in range(count)`; `star` where it stands among other arguments."""

    part: Part
    count: int
    star: bool = True


@dataclass(frozen=True, slots=True)
class Copies:
    """A container of the copies of a repeated block; runs of equal ones are found only when it is written."""

    callee: str
    parts: tuple[Part, ...]


Part = Raw | Value | Call | Many | Copies


def part_of(value: Any, arg_names: ArgNames, hint: str = "value") -> Part:
    """The tree of a recorded expression or plain value."""
    if not isinstance(value, Expr):
        return Value(render(value), value, hint)
    if not value.callee:
        return Raw(value.text)
    names = arg_names(value.callee) if value.args else ()
    items: list[tuple[str, Part]] = []
    for place, item in enumerate(value.args):
        items.append(("", part_of(item, arg_names, names[place] if place < len(names) else f"value{place}")))
    items.extend((key, part_of(item, arg_names, key)) for key, item in value.kwargs.items())
    return Call(value.callee, tuple(items))


def _with_runs(copies: Copies) -> Part:
    """The container with runs of three or more equal copies as generators."""
    runs: list[tuple[Part, int]] = []
    for part in copies.parts:
        if runs and runs[-1][0] == part:
            runs[-1] = (part, runs[-1][1] + 1)
        else:
            runs.append((part, 1))
    listed = copies.callee == "nn.ModuleList"
    if len(runs) == 1 and len(copies.parts) > 2:
        return Call(copies.callee, (("", Many(runs[0][0], len(copies.parts), star=not listed)),))
    items: list[tuple[str, Part]] = []
    for part, count in runs:
        items.extend([("", Many(part, count))] if count > 2 else [("", part)] * count)
    return Call(copies.callee, tuple(items), "([" if listed else "(")


def flat(part: Part) -> str:
    """The part on one line."""
    if isinstance(part, (Raw, Value)):
        return part.text
    if isinstance(part, Copies):
        return flat(_with_runs(part))
    if isinstance(part, Many):
        inner = f"{flat(part.part)} for _ in range({part.count})"
        return f"*({inner})" if part.star else inner
    inner = ", ".join(_keyed(key, flat(item)) for key, item in part.items)
    return f"{part.callee}{part.opening}{inner}{_closing(part)}"


def laid_out(part: Part, indent: int, before: str = "", after: str = "") -> list[str]:
    """Lines, indented by `indent` spaces, of `before part after`; calls that are too long are broken."""
    if isinstance(part, Copies):
        part = _with_runs(part)
    room = WIDTH - indent
    line = f"{before}{flat(part)}{after}"
    space = " " * indent
    if len(line) <= room:
        return [space + line]
    if isinstance(part, Many):
        if not part.star:
            return [*laid_out(part.part, indent), f"{space}for _ in range({part.count})"]
        inner = laid_out(part.part, indent + 4)
        return [f"{space}{before}*(", *inner, f"{space}    for _ in range({part.count})", f"{space}){after}"]
    if not isinstance(part, Call) or not part.items:
        return [space + line] if not before.endswith("= ") else [
            f"{space}{before}(", f"{space}    {flat(part)}", f"{space}){after}"]  # fmt: skip
    inside = ", ".join(_keyed(key, flat(item)) for key, item in part.items)
    first, last = f"{space}{before}{part.callee}{part.opening}", f"{space}{_closing(part)}{after}"
    if len(inside) <= room - 4:
        return [first, f"{space}    {inside}", last]
    lines = [first]
    for key, item in part.items:
        comma = "" if isinstance(item, Many) and not item.star else ","
        lines.extend(laid_out(item, indent + 4, f"{key}=" if key else "", comma))
    return [*lines, last]


def bracketed(before: str, items: Sequence[str], after: str, indent: int) -> list[str]:
    """Lines of `before items after`, such as a signature, where the items are separated by commas."""
    space = " " * indent
    inside = ", ".join(items)
    if indent + len(before) + len(inside) + len(after) <= WIDTH:
        return [f"{space}{before}{inside}{after}"]
    if indent + 4 + len(inside) <= WIDTH:
        return [f"{space}{before}", f"{space}    {inside}", f"{space}{after}"]
    return [f"{space}{before}", *(f"{space}    {item}," for item in items), f"{space}{after}"]


def _keyed(key: str, text: str) -> str:
    return f"{key}={text}" if key else text


def _closing(part: Call) -> str:
    return "])" if part.opening == "([" else ")"
