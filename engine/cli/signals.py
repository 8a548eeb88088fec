"""Ctrl+C and SIGTERM while a training runs: the first asks for a stop with the state saved, the second leaves at once.

An exception inside an optimizer step would save half an update, so a signal only sets a flag that the training reads
at its next step border.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from engine.cli.output import Output

if TYPE_CHECKING:
    from engine.runtime.control import Control

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
TRAINING = "Stopping after this step; the state is saved. Again: leave at once, without saving."
FETCHING = "Stopping; what was fetched so far is given up, nothing was trained. Again: leave at once."


@contextmanager
def stopping(control: Control, output: Output, words: str = TRAINING) -> Iterator[None]:
    """Signals ask `control` for a stop as long as this lasts, and `words` say what that means. Elsewhere than in the
    main thread nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        if control.stop_requested:
            raise KeyboardInterrupt
        control.request_stop(interrupted=True)
        output.say(f"\n{words}")

    before = {number: signal.signal(number, ask) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
