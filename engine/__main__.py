"""The entry of the command line: `python -m engine train digits-mlp`, and what `main.py` asks.

Owns nothing: the commands stand in `engine.cli`. Importing this module is quick, because every start of the window
does it; it never imports Qt.
"""

from __future__ import annotations

from engine.cli.names import is_command

__all__ = ["is_command", "main"]


def main(arguments: list[str] | None = None) -> int:
    """Runs a command (None: that of `sys.argv`) and returns the exit code: 0, 1, 2 or 130."""
    from engine.cli.dispatch import main as command_line

    return command_line(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
