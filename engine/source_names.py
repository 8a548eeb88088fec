"""Names in the generated file: classes from titles, fresh names, and which words are taken. Knows no graph."""

from __future__ import annotations

import builtins
import re
import unicodedata
from collections.abc import Collection
from keyword import iskeyword

TAKEN = frozenset({"torch", "nn", "F", "Tensor", "math", "self", "CLASSES", "Path", "Preprocess"}) | frozenset(
    dir(builtins)
)
"""What a class of the file must not be called."""


def class_name(title: str, otherwise: str) -> str:
    """A class name from any words: `fashion-cnn` becomes FashionCnn; `otherwise` when nothing usable is in them."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Za-z0-9]+", plain)
    name = "".join(word[0].upper() + word[1:] for word in words)[:60]
    if not name:
        return otherwise
    if name[0].isdigit():
        name = otherwise + name
    return f"{name}{otherwise}" if iskeyword(name) or name in TAKEN else name


def fresh(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or with the first number from 2 that makes it free."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}{number}"
    return name


def comment(text: str, most: int = 90) -> str:
    """Free text as the inside of a one-line comment: printable characters only, cut to `most`."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text[: most * 4])
    plain = " ".join(plain.split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
