"""One typed setting: default, bounds, unit, choices, help, old names; validation; to and from JSON and text.

A setting that knows its kind knows everything: the form, the bounds, the command line and the file derive from it.
Never names a widget.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

Size = int | tuple[int, int]
"""A side, or (height, width)."""
Padding = str | int | tuple[int, int]
"""`same`, a number of pixels, or (height, width)."""
Ints = tuple[int, ...]
"""A list of whole numbers, such as a target shape."""
Floats = tuple[float, ...]
"""A list of numbers, such as the boundaries of a schedule."""
Tagged = Mapping[str, Any]
"""One of the declarations of a kind, with its settings: {"type": "sgd", "lr": 0.01}."""

MAX_SIZE = 2**24
"""No size in a project may be larger: a file must not be able to exhaust memory by a number."""

_KINDS = {
    "int": "int",
    "float": "float",
    "bool": "bool",
    "str": "text",
    "Size": "size",
    "Padding": "padding",
    "Ints": "ints",
    "Floats": "floats",
    "Tagged": "tagged",
    "int | None": "int",
    "float | None": "float",
    "str | None": "text",
    "Size | None": "size",
    "Ints | None": "ints",
    "Tagged | None": "tagged",
}


_USUAL = {"lr": "Learning rate", "eps": "ε", "beta1": "β₁", "beta2": "β₂", "url": "URL"}
"""What people call settings whose names are those of torch."""


@dataclass(frozen=True)
class Param:
    """A declared setting. `kind` is int, float, bool, text, choice, size, padding, ints, floats, tagged, list
    or path.
    """

    name: str
    kind: str
    default: Any
    help: str = ""
    label: str = ""
    unit: str = ""
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    """Allowed words of a `choice`; for `tagged` and `list` the declaration kind stands in `of`."""
    also: tuple[str, str] | None = None
    """A `choice` may also be any text that fits (this pattern, said in these words): `cuda:N`."""
    of: str = ""
    optional: bool = False
    """None is allowed; its meaning stands in `help` (`inherit`, `none`, `as the data gives`)."""
    was: tuple[str, ...] = ()
    advanced: bool = False
    shown_if: tuple[str, tuple[Any, ...]] | None = None
    """(other setting, values for which this one matters): the form hides it otherwise."""
    log: bool = False
    """Steps of the form multiply instead of add (learning rates)."""

    @property
    def title(self) -> str:
        """Words of the form's label."""
        return self.label or _USUAL.get(self.name) or self.name.replace("_", " ").capitalize()

    @property
    def domain(self) -> str:
        """What is allowed, in words: `a whole number from 1 to 16,777,216`."""
        words = _domain_words(self)
        return f"{words}, or none" if self.optional else words

    def clean(self, value: Any) -> Any:
        """The value in its canonical form (JSON lists become tuples); ValueError says what is allowed."""
        if value is None and self.optional:
            return None
        try:
            return _CLEANERS[self.kind](self, value)
        except (TypeError, ValueError, KeyError, OverflowError):
            raise ValueError(f"{_shown(value)} is not {self.domain}") from None

    def parse(self, text: str) -> Any:
        """The value of command-line text: JSON, else the text itself; then `clean`."""
        try:
            value = json.loads(text)
        except (json.JSONDecodeError, RecursionError):
            value = text
        word = text.strip().lower()
        if self.optional and word == "none":  # what `domain` calls it; JSON's own word is null
            value = None
        elif self.kind == "bool" and word in ("true", "false"):  # as Python, and the list of settings, write it
            value = word == "true"
        if self.kind in ("text", "choice", "path") and not isinstance(value, str) and value is not None:
            value = text
        elif self.kind in ("ints", "floats") and isinstance(value, str):  # 5, 15 without brackets
            value = _numbers(text)
        return self.clean(value)


def param(
    *,
    default: Any,
    help: str = "",
    label: str = "",
    unit: str = "",
    min: float | None = None,
    max: float | None = None,
    choices: tuple[str, ...] = (),
    also: tuple[str, str] | None = None,
    of: str = "",
    kind: str = "",
    was: tuple[str, ...] = (),
    advanced: bool = False,
    shown_if: tuple[str, tuple[Any, ...]] | None = None,
    log: bool = False,
) -> Any:
    """Declares a setting in the body of a declaration class; its annotation gives the kind.

    Annotations: int, float, bool, str, Size, Padding, Ints, Floats, Tagged, or one of these with `| None`.
    `choices` makes a str a choice; `kind="path"` or `kind="list"` is stated where the annotation cannot say it.
    """
    return _Declared(
        {
            "default": default, "help": help, "label": label, "unit": unit, "min": min, "max": max,
            "choices": choices, "also": also, "of": of, "kind": kind, "was": was, "advanced": advanced,
            "shown_if": shown_if, "log": log,
        }
    )  # fmt: skip


@dataclass(frozen=True)
class _Declared:
    """What `param()` leaves in a class body until the declaration is made."""

    settings: dict[str, Any] = field(default_factory=dict)


def params_of(cls: type) -> tuple[Param, ...]:
    """The settings declared in a class and its bases: its own first, then those it shares, in order of appearance."""
    found: dict[str, Param] = {}
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if isinstance(value, _Declared) and name not in found:
                found[name] = _make(name, str(base.__annotations__.get(name, "")), value.settings)
    return tuple(found.values())


def _make(name: str, annotation: str, settings: dict[str, Any]) -> Param:
    kind = settings["kind"] or ("choice" if settings["choices"] else _KINDS.get(annotation, ""))
    if not kind:
        raise TypeError(f"setting {name!r} has annotation {annotation!r}; use one of {', '.join(_KINDS)}")
    if kind in ("int", "size", "padding", "ints") and settings["max"] is None:
        settings = {**settings, "max": MAX_SIZE}
    made = Param(name=name, **{**settings, "kind": kind, "optional": annotation.endswith("| None")})
    made.clean(made.default)
    return made


def _whole(param: Param, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or int(value) != value:
        raise ValueError
    return int(_bounded(param, int(value)))


def _real(param: Param, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise ValueError
    return float(_bounded(param, float(value)))


def _bounded(param: Param, value: Any) -> Any:
    if (param.min is not None and value < param.min) or (param.max is not None and value > param.max):
        raise ValueError
    return value


def _boolean(param: Param, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _text(param: Param, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 10_000:
        raise ValueError
    return value


def _choice(param: Param, value: Any) -> str:
    fits = param.also is not None and isinstance(value, str) and re.fullmatch(param.also[0], value, re.ASCII)
    if value not in param.choices and not fits:
        raise ValueError
    return str(value)


def _size(param: Param, value: Any) -> Size:
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise ValueError
        return (_whole(param, value[0]), _whole(param, value[1]))
    return _whole(param, value)


def _padding(param: Param, value: Any) -> Padding:
    return "same" if value == "same" else _size(param, value)


def _ints(param: Param, value: Any) -> Ints:
    items = [value] if isinstance(value, int) else value
    if not isinstance(items, (list, tuple)) or len(items) > 64:
        raise ValueError
    return tuple(_whole(param, item) for item in items)


def _numbers(text: str) -> Any:
    try:
        return json.loads(f"[{text}]")
    except json.JSONDecodeError:
        return text


def _floats(param: Param, value: Any) -> Floats:
    items = [value] if isinstance(value, (int, float)) else value
    if not isinstance(items, (list, tuple)) or len(items) > 64:
        raise ValueError
    return tuple(_real(param, item) for item in items)


def _tagged(param: Param, value: Any) -> Tagged:
    if isinstance(value, str):
        return {"type": value}
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        raise ValueError
    return dict(value)


def _list(param: Param, value: Any) -> tuple[Tagged, ...]:
    items = [value] if isinstance(value, (str, Mapping)) else value
    if not isinstance(items, (list, tuple)) or len(items) > 64:
        raise ValueError
    return tuple(_tagged(param, item) for item in items)


_CLEANERS = {
    "int": _whole,
    "float": _real,
    "bool": _boolean,
    "text": _text,
    "path": _text,
    "choice": _choice,
    "size": _size,
    "padding": _padding,
    "ints": _ints,
    "floats": _floats,
    "tagged": _tagged,
    "list": _list,
}


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _domain_words(param: Param) -> str:
    bounds = ""
    if param.min is not None and param.max is not None:
        bounds = f" from {param.min:,g} to {param.max:,.10g}"
    elif param.min is not None:
        bounds = f", {param.min:,g} or more"
    elif param.max is not None:
        bounds = f", {param.max:,g} or less"
    words = {
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "text": "text",
        "path": "a path",
        "choice": "one of " + ", ".join(param.choices) + (f", or {param.also[1]}" if param.also else ""),
        "size": "a whole number or a pair of them, each",
        "padding": "'same', a whole number or a pair of them, each",
        "ints": "a list of whole numbers, each",
        "floats": "a list of numbers, each",
        "tagged": f"{_article(param.of or 'declaration')} by name or as {{'type': name, ...}}",
        "list": f"a list of {param.of or 'declaration'}s",
    }
    bounded = ("int", "float", "size", "padding", "ints", "floats")
    return words[param.kind] + (bounds if param.kind in bounded else "")
