"""The fonts of the interface: which families, at which size, and how tall a line of them really is.

Owns the order of families and the tabular figures. Never knows a colour, never touches a widget.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache

from PySide6.QtGui import QFont, QFontDatabase, QFontMetricsF, QGuiApplication

HANGUL = ("Malgun Gothic", "Apple SD Gothic Neo", "Noto Sans CJK KR", "Noto Sans KR")
MONO = ("JetBrains Mono", "Cascadia Mono", "SF Mono", "DejaVu Sans Mono")
# A desktop without settings of its own (a bare window manager, a remote display) reports a placeholder as its font.
PLACEHOLDERS = frozenset({"", "Sans", "Sans Serif", "DejaVu Sans", "Helvetica", "MS Shell Dlg 2"})
INSTEAD = ("Adwaita Sans", "Inter", "Cantarell", "Ubuntu", "Noto Sans", "DejaVu Sans")
INTERFACE = 12
"""The size, in pixels at 100 %, of everything that is neither a title nor a hint."""


def ui_font(size: float = INTERFACE, weight: int = 400) -> QFont:
    """The interface font at `size` pixels, with figures of one width so that changing numbers do not jitter."""
    font = QFont(list(ui_families()))
    font.setPixelSize(max(1, round(size)))
    font.setWeight(QFont.Weight(weight))
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def mono_font(size: float = 11, weight: int = 400) -> QFont:
    """The font for shapes, identifiers, code and scientific notation, at `size` pixels."""
    font = QFont(list(mono_families()))
    font.setPixelSize(max(1, round(size)))
    font.setWeight(QFont.Weight(weight))
    font.setStyleHint(QFont.StyleHint.Monospace)
    return font


def line_height(size: float = INTERFACE) -> int:
    """The height of one line in pixels, from the tallest family of the list.

    Qt reports the height of the first family only; Hangul needs up to a fifth more.
    """
    return _line_height(round(size), ui_families())


def row_height(size: float = INTERFACE, least: int = 24, padding: int = 8) -> int:
    """The height of a row that holds one line at `size`: `least`, or the line and `padding` when that is more."""
    return max(least, line_height(size) + padding)


def ui_families() -> tuple[str, ...]:
    """Latin system font first, then whichever Korean families are installed."""
    return _ui_families(_system_family())


@cache
def _ui_families(system: str) -> tuple[str, ...]:
    first = system
    if system in PLACEHOLDERS:
        first = next(iter(_installed(INSTEAD)), system or "sans-serif")
    return (first, *(name for name in _installed(HANGUL) if name != first))


@cache
def mono_families() -> tuple[str, ...]:
    """The first installed family for code, then the Korean ones, which comments and names may need."""
    return (next(iter(_installed(MONO)), "monospace"), *_installed(HANGUL))


def _system_family() -> str:
    if QGuiApplication.instance() is None:
        return ""
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()


def _installed(names: Iterable[str]) -> list[str]:
    known = set(QFontDatabase.families())
    return [name for name in names if name in known]


@cache
def _line_height(size: int, families: tuple[str, ...]) -> int:
    tallest = 0.0
    for family in families:
        font = QFont(family)
        font.setPixelSize(size)
        tallest = max(tallest, QFontMetricsF(font).height())
    return math.ceil(tallest)
