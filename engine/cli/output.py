"""The only place that prints: text for people or JSON lines for tools on stdout, progress and problems on stderr.

With `--json` stdout holds nothing but strict JSON, one object per line: numbers that JSON lacks become the strings
`nan`, `inf` and `-inf`. Names and notes come from files of strangers, so control characters, which can move the cursor
of a terminal or rename its window, are shown and not sent. Never decides what a command does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from engine.problem import Problem


class Output:
    """Where a command writes. `json` says which of the two forms is wanted."""

    def __init__(self, *, json: bool = False) -> None:
        self.json = json
        self._passing = False
        for stream in (sys.stdout, sys.stderr):
            # A terminal that cannot show × gets a question mark instead of a traceback.
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors="replace")

    @property
    def is_terminal(self) -> bool:
        """True when progress may move about on the line, in text or JSON mode alike."""
        return bool(sys.stderr.isatty())

    def record(self, data: Mapping[str, Any]) -> None:
        """One JSON line; nothing in text mode."""
        if self.json:
            sys.stdout.write(json.dumps(plain(data), ensure_ascii=True, allow_nan=False) + "\n")
            sys.stdout.flush()

    def text(self, words: str = "") -> None:
        """One line for people; nothing with `--json`."""
        if not self.json:
            self._clear()
            sys.stdout.write(tame(words) + "\n")
            sys.stdout.flush()

    def raw(self, text: str) -> None:
        """Text that is the result itself, such as generated code: UTF-8 whatever the terminal, as in a file."""
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()

    def say(self, words: str) -> None:
        """A remark on the way, beside the result."""
        self._clear()
        sys.stderr.write(tame(words) + "\n")
        sys.stderr.flush()

    def pass_by(self, words: str) -> None:
        """A remark that the next one replaces, on a terminal."""
        sys.stderr.write(f"\r\x1b[K{tame(words)}")
        sys.stderr.flush()
        self._passing = True

    def problem(self, problem: Problem) -> None:
        """A problem in words on stderr; with `--json` also as an object on stdout."""
        self.record({"problem": problem.to_json()})
        self.say(str(problem))

    def _clear(self) -> None:
        if self._passing:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._passing = False


def tame(words: str, *, line: bool = False) -> str:
    """Text without control characters but new lines; without these too for a single `line`."""
    if words.isprintable():
        return words
    return "".join(sign if sign.isprintable() or (sign == "\n" and not line) else repr(sign)[1:-1] for sign in words)


def plain(value: Any) -> Any:
    """The value as strict JSON takes it."""
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def columns(rows: Sequence[Sequence[str]], *, head: Sequence[str] = (), right: Iterable[int] = ()) -> list[str]:
    """Rows as lines with aligned columns; those in `right` end flush."""
    table = [[tame(cell, line=True) for cell in row] for row in ([head, *rows] if head else rows)]
    if not table:
        return []
    flush = set(right)
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    return [
        "  ".join(
            cell.rjust(widths[place]) if place in flush else cell.ljust(widths[place]) for place, cell in enumerate(row)
        ).rstrip()
        for row in table
    ]
