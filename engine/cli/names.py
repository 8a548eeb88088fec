"""Names of the commands, apart from all else: the window's start asks for them and must not wait for a parser."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

COMMANDS = (
    "layers", "check", "code", "train", "resume", "evaluate", "predict", "recalibrate", "compress", "runs",
    "export", "examples", "catalog", "params", "plugins", "schedule", "range-test", "guide",
    "load-weights", "import",
)  # fmt: skip
_ASKED = ("-h", "--help", "--version")


def is_command(arguments: list[str]) -> bool:
    """True when the arguments are for the command line: a command, a question for help, or a command misspelt."""
    if not arguments:
        return False
    first = arguments[0]
    if first in COMMANDS or first in _ASKED:
        return True
    # `trian digits-mlp` is a slip of the finger and no project to open: the parser will say which commands there are.
    looks_like_a_file = first.startswith("-") or first.endswith(".lwr") or Path(first).exists()
    return not looks_like_a_file and (len(arguments) > 1 or bool(get_close_matches(first, COMMANDS, 1, 0.75)))
