"""Exit codes, and the difference between input that cannot be used and work that went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.problem import ProblemError

GOOD = 0
PROBLEM = 1
"""A problem of severity error, or a training that failed."""
UNUSABLE = 2
"""Input or arguments that nothing can be done with; argparse uses the same number."""
INTERRUPTED = 130
"""Ctrl+C or SIGTERM (128 + SIGINT, as shells count); a training has saved its state."""


class Unusable(ProblemError):
    """What was given cannot be used at all: one message, exit code 2."""


_UNWRITABLE = ("file.write", "compress-write")


@contextmanager
def written() -> Iterator[None]:
    """Around work that ends in a file: a place where it cannot be written is unusable, as with every `-o`."""
    try:
        yield
    except ProblemError as fault:
        if fault.problem.code in _UNWRITABLE:
            raise Unusable(*fault.problems) from None
        raise


@contextmanager
def usable() -> Iterator[None]:
    """Around the reading of what was given: a problem there means that the input is unusable."""
    try:
        yield
    except ProblemError as fault:
        raise Unusable(*fault.problems) from None
