"""Settings against their declarations, tagged values included: canonical form and what is wrong, with its path.

The one place that looks inside `{"type": "sgd", "lr": 0.1}`. Never refuses by itself: callers that must be strict use
`checked`, readers of files keep what is wrong and the checker reports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.declare import Declaration, catalogue, find
from engine.param import Param


@dataclass(frozen=True, slots=True)
class Fault:
    """One setting that is not allowed: its path below the examined value ("" is the value itself) and a sentence."""

    path: str
    words: str
    unknown: str = ""
    """`type` for an unknown declaration, `setting` for a setting that does not exist, empty for a bad value."""
    allowed: tuple[str, ...] = ()


def examine(param: Param, value: Any) -> tuple[Any, list[Fault]]:
    """The value in its canonical form as far as possible, and its faults; what is not understood stays as it is."""
    try:
        cleaned = param.clean(value)
    except ValueError as fault:
        return value, [Fault("", str(fault), allowed=param.choices)]
    if cleaned is None:
        return None, []
    if param.kind == "tagged":
        return _tagged(param, cleaned)
    if param.kind == "list":
        parts = [_tagged(param, item) for item in cleaned]
        faults = [
            Fault(_join(str(index), fault.path), fault.words, fault.unknown, fault.allowed)
            for index, (_, found) in enumerate(parts)
            for fault in found
        ]
        return tuple(item for item, _ in parts), faults
    return cleaned, []


def examine_all(declaration: Declaration, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """All settings of a declaration by their present names, defaults left out, and their faults."""
    kept: dict[str, Any] = {}
    faults: list[Fault] = []
    for key, value in values.items():
        param = declaration.by_name.get(key)
        if param is None:
            words = ", ".join(declaration.defaults) or "none"
            allowed = tuple(declaration.defaults)
            faults.append(Fault(key, f"there is no setting {key!r}; there are {words}", "setting", allowed))
            kept[key] = value
            continue
        cleaned, found = examine(param, value)
        faults += [Fault(_join(param.name, fault.path), fault.words, fault.unknown, fault.allowed) for fault in found]
        if found or cleaned != param.default:
            kept[param.name] = cleaned
    return kept, faults


def checked(param: Param, value: Any) -> Any:
    """The canonical value; ValueError says what is allowed."""
    cleaned, faults = examine(param, value)
    if faults:
        place = f"{faults[0].path}: " if faults[0].path else ""
        raise ValueError(place + faults[0].words)
    return cleaned


def declaration_of(param: Param, tagged: Mapping[str, Any]) -> Declaration | None:
    """The declaration that a tagged value of this setting names; None when there is none or it is not allowed."""
    found = find(param.of, str(tagged.get("type")))
    if found is not None and param.of == "record" and found.type != dict(param.default or {}).get("type"):
        return None
    return found


def choices_of(param: Param) -> tuple[str, ...]:
    """The types that a tagged or list setting may name."""
    if param.of == "record":
        return (str(dict(param.default or {}).get("type")),)
    return tuple(catalogue().all(param.of))


def _tagged(param: Param, tagged: Mapping[str, Any]) -> tuple[Any, list[Fault]]:
    declaration = declaration_of(param, tagged)
    if declaration is None:
        allowed = choices_of(param)
        kind = param.of if param.of != "record" else "such record"
        words = f"there is no {kind} {tagged.get('type')!r}; there are {', '.join(allowed) or 'none'}"
        return dict(tagged), [Fault("type", words, "type", allowed)]
    rest = {key: value for key, value in tagged.items() if key != "type"}
    kept, faults = examine_all(declaration, rest)
    return {"type": declaration.type, **kept}, faults


def _join(first: str, second: str) -> str:
    return f"{first}.{second}" if second else first
