"""Readers for parsed JSON of unknown origin: the right kind of value or a `ProblemError` that names its path.

Owns no format. Used by everything that reads a file a person may have edited.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any, NoReturn

from engine.problem import ProblemError, Where, error

MAX_BYTES = 64 * 2**20
"""A larger file is no project: weights stand beside it, never in it."""


MAX_NESTING = 100


def parse(text: str, label: str) -> Any:
    """The JSON value of a text; ProblemError names line and column, and refuses what JSON itself does not allow."""
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_unique)
        _bounded(value)
    except json.JSONDecodeError as fault:
        where = Where(label=f"{label}, line {fault.lineno}, column {fault.colno}", file=label)
        # A text or a word that is cut off is met at its beginning.
        rest = text[fault.pos :].strip()
        cut = not rest or rest.isalpha() or fault.msg.startswith("Unterminated string")
        happened = "The file ends in the middle" if cut else f"It is not JSON: {fault.msg}"
    except RecursionError:
        where, happened = Where(label=label), "It is nested too deeply"
    except ValueError as fault:
        where, happened = Where(label=label), f"It cannot be read: {fault}"
    else:
        return value
    raise ProblemError(error(where, happened, "A whole project file", _RESTORE, code="file.json"))


_RESTORE = "Undo the change made by hand, or open an older copy"


def refuse(path: str, happened: str, expected: str) -> NoReturn:
    """A ProblemError about a value of a file."""
    raise ProblemError(error(Where(label=path, path=path), happened, expected, _RESTORE, code="file.value"))


def mapping(value: Any, path: str) -> dict[str, Any]:
    """An object of JSON."""
    if not isinstance(value, Mapping):
        refuse(path, f"{shown(value)} stands where an object belongs", "An object, {...}")
    return dict(value)


def listed(value: Any, path: str) -> list[Any]:
    """A list of JSON."""
    if not isinstance(value, (list, tuple)):
        refuse(path, f"{shown(value)} stands where a list belongs", "A list, [...]")
    return list(value)


def text(value: Any, path: str, *, limit: int = 10_000) -> str:
    """A text of bounded length."""
    if not isinstance(value, str) or len(value) > limit:
        refuse(path, f"{shown(value)} stands where a text belongs", f"A text of at most {limit:,} characters")
    return value


def number(value: Any, path: str, *, limit: float) -> float:
    """A finite number from -limit to limit."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= limit:
        refuse(path, f"{shown(value)} stands where a number belongs", f"A number from {-limit:g} to {limit:g}")
    return float(value)


def whole(value: Any, path: str, *, least: int, most: int) -> int:
    """A whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        refuse(
            path, f"{shown(value)} stands where a whole number belongs", f"A whole number from {least:,} to {most:,}"
        )
    return value


def shown(value: Any) -> str:
    """A value in few characters."""
    try:
        words = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        words = type(value).__name__
    return words if len(words) <= 40 else words[:37] + "..."


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number that a project may hold")


def _finite(word: str) -> float:
    value = float(word)
    if not isfinite(value):
        raise ValueError(f"{word} is too large")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} stands twice in one object")
    return found


def _bounded(value: Any) -> None:
    """ValueError for nesting that our own walks could not follow, and for text that no file can hold."""
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAX_NESTING:
            raise ValueError(f"it is nested more than {MAX_NESTING} deep")
        if isinstance(item, dict):
            waiting += [(part, depth + 1) for pair in item.items() for part in pair]
        elif isinstance(item, list):
            waiting += [(part, depth + 1) for part in item]
        elif isinstance(item, str) and not item.isascii():
            item.encode()
