"""Layerwright. `python main.py [PROJECT]` opens the window; `python main.py --help` lists the commands without one.

The command line never imports Qt. Without a display the program says so and points to the command line.
"""

from __future__ import annotations

import os
import sys


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line when a command is given, else the window. Returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    from engine.__main__ import is_command

    if is_command(given):
        from engine.__main__ import main as command_line

        return command_line(given)
    if not has_display():
        from gui.noscreen import STATUS, words

        sys.stderr.write(words("DISPLAY or WAYLAND_DISPLAY is not set"))
        return STATUS
    from gui.app import run

    return run(given)


def has_display() -> bool:
    """True where a window can open: always on Windows and macOS, elsewhere with a display or a chosen platform."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    raise SystemExit(main())
