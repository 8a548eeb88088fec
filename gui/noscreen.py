"""What is said where no window can open: no display, one that does not answer, or libraries of the screen missing.

Qt would abort the process with a core dump; here the person gets one message, the way out, and exit status 2.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

STATUS = 2


def words(reason: str) -> str:
    """The message, with what was found instead of a screen."""
    return (
        "Layerwright: there is no display, so the window cannot open.\n"
        f"  expected: a screen ({reason})\n"
        "  fix: use the command line, for example: python main.py train digits-mlp\n"
        "       python main.py --help lists every command\n"
    )


@contextmanager
def told_politely() -> Iterator[None]:
    """While the application is made: when Qt gives up, says so and ends the process with `STATUS`."""
    from PySide6.QtCore import QtMsgType, qInstallMessageHandler

    reasons: list[str] = []

    def heard(kind: QtMsgType, context: Any, text: str) -> None:
        if kind == QtMsgType.QtFatalMsg:
            reason = next((one for one in reasons if "connect" in one), "; ".join(reasons) or text.splitlines()[0])
            sys.stderr.write(words(reason))
            sys.stderr.flush()
            os._exit(STATUS)  # Qt aborts as soon as this returns
        if str(getattr(context, "category", "")).startswith("qt.qpa"):
            reasons.append(text.strip().rstrip("."))
        else:
            sys.stderr.write(f"{text}\n")

    before = qInstallMessageHandler(heard)
    try:
        yield
    finally:
        qInstallMessageHandler(before)
