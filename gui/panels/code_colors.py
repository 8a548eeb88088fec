"""Colours of Python text, line by line: only lines that change are coloured again. Knows nothing of what they say."""

from __future__ import annotations

import keyword
import re

from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat, QTextDocument

from gui.theme import color

_TOKENS = {"keyword": "series.0", "string": "series.2", "number": "series.1", "comment": "text3"}
_PIECES = re.compile(
    r"(?P<comment>#.*)"
    r"|(?P<open>\"\"\")"
    r"|(?P<string>[rbf]?\"(?:[^\"\\]|\\.)*\"|[rbf]?'(?:[^'\\]|\\.)*')"
    r"|(?P<number>\b\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?\b)"
    rf"|(?P<keyword>\b(?:{'|'.join((*keyword.kwlist, 'self'))})\b)"
)
_OUTSIDE, _INSIDE = 0, 1
"""States of a line's end: outside and inside a text between triple quotes."""


class CodeColors(QSyntaxHighlighter):
    """Keywords, strings, numbers and comments in the current theme's colours."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._formats: dict[str, QTextCharFormat] = {}
        self.restyle()

    def restyle(self) -> None:
        """Takes the colours of the current theme."""
        for kind, token in _TOKENS.items():
            made = QTextCharFormat()
            made.setForeground(color(token))
            self._formats[kind] = made
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        """Colours one line."""
        self.setCurrentBlockState(_OUTSIDE)
        place = 0
        if self.previousBlockState() == _INSIDE:
            place = self._paint_text(text, 0, 0)
        while found := _PIECES.search(text, place):
            kind = found.lastgroup or ""
            if kind == "open":
                place = self._paint_text(text, found.start(), found.end())
            else:
                self.setFormat(found.start(), found.end() - found.start(), self._formats[kind])
                place = found.end()

    def _paint_text(self, text: str, start: int, begin: int) -> int:
        """Colours a text between triple quotes from `start`; its end is looked for from `begin`."""
        end = text.find('"""', begin)
        if end < 0:
            self.setCurrentBlockState(_INSIDE)
            end = len(text)
        else:
            end += 3
        self.setFormat(start, end - start, self._formats["string"])
        return end
