"""What the search offers: layers that answer to the words, with the numbers typed behind them as settings.

Owns the reading of the text, which layers fit, and their order. Knows no widget.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QCoreApplication

from engine.accept import ACCEPTED
from engine.declare import Declaration
from engine.graph import INPUT, OUTPUT
from engine.tensor import TensorInfo
from gui.families import families, matches

NUMERIC = ("int", "float", "size", "padding")


@dataclass(frozen=True)
class Offer:
    """One row: a layer with settings, and why it does not fit ("" when it does)."""

    declaration: Declaration
    params: dict[str, Any]
    reason: str = ""
    shape: str = ""
    """The resulting shape, once a check has told it."""

    @property
    def detail(self) -> str:
        """Second line: its settings in words, else its help's first sentence."""
        return self.declaration.detail(self.params) or self.declaration.help.split(". ")[0].rstrip(".")

    @property
    def fits(self) -> bool:
        """Whether it can be added here."""
        return not self.reason


def offers(text: str, info: TensorInfo | None, *, nested: bool, before: bool = False) -> list[Offer]:
    """Layers that answer to `text`, those that fit first. `before`: the new layer feeds, so anything may come in."""
    words, numbers = _split(text)
    found = []
    for declaration in _layers():
        if words and not matches(declaration, " ".join(words)):
            continue
        found.append(Offer(declaration, with_numbers(declaration, numbers), _misfit(declaration, info, nested, before)))
    if numbers and not words:
        found = [offer for offer in found if offer.params]
    first = words[0] if words else ""
    return sorted(found, key=lambda offer: (not offer.fits, not offer.declaration.title.lower().startswith(first)))


def with_shape(offer: Offer, shape: str, reason: str = "") -> Offer:
    """The offer with what a check said about it."""
    return replace(offer, shape=shape, reason=offer.reason or reason)


def with_numbers(declaration: Declaration, numbers: list[float]) -> dict[str, Any]:
    """Settings for numbers in the order in which they were typed: `conv 64 3` is 64 filters and kernel 3."""
    made: dict[str, Any] = {}
    left = list(numbers)
    for param in declaration.params:
        if not left or param.kind not in NUMERIC or param.advanced:
            continue
        value = left.pop(0)
        try:
            made[param.name] = param.clean(int(value) if float(value).is_integer() else value)
        except ValueError:
            continue
    return {name: value for name, value in made.items() if value != declaration.by_name[name].default}


def number_spans(text: str) -> list[tuple[int, int]]:
    """Where the numbers of a text stand: (start, length)."""
    spans, start = [], 0
    for part in text.split(" "):
        if _number(part) is not None:
            spans.append((start, len(part)))
        start += len(part) + 1
    return spans


def _layers() -> Iterator[Declaration]:
    for layers in families().values():
        yield from layers


def _split(text: str) -> tuple[list[str], list[float]]:
    words, numbers = [], []
    for part in text.lower().split():
        number = _number(part)
        if number is None:
            words.append(part)
        else:
            numbers.append(number)
    return words, numbers


def _number(part: str) -> float | None:
    try:
        found = float(part)
    except ValueError:
        return None
    return found if abs(found) < 1e9 else None


def _misfit(declaration: Declaration, info: TensorInfo | None, nested: bool, before: bool) -> str:
    if nested and declaration.type in (INPUT, OUTPUT):
        return _tr("only on the outermost level")
    if info is None or before or not declaration.inputs:
        return _tr("takes no input") if info is not None and not before and not declaration.inputs else ""
    accepted = ACCEPTED[declaration.accepts]
    return "" if accepted.fits(info) else _tr("needs {0}").format(accepted.words)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Canvas", text)
