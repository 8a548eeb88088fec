"""What a callback may ask of a training, and the base class of the built-in ones. Everything else is watching."""

from __future__ import annotations

from dataclasses import dataclass

from engine.callback import Callback
from engine.runtime.checkpoint import BEST, LAST, is_name

MOST_REQUESTS = 100
"""Requests taken from one hook; a loop gone wrong must not fill memory."""


@dataclass(frozen=True, slots=True)
class Notify:
    """Say something. `figure` and `value` tell what an alert saw, `action` what it does about it."""

    words: str
    figure: str = ""
    value: float | None = None
    action: str = "notify"


@dataclass(frozen=True, slots=True)
class Stop:
    """End the training at the next border, everything saved."""

    words: str = ""


@dataclass(frozen=True, slots=True)
class Save:
    """A checkpoint under a name of its own; those in `drop` go once it is on disk."""

    name: str
    drop: tuple[str, ...] = ()


Request = Notify | Stop | Save


class BuiltIn(Callback):
    """A callback of the program: it asks by `asked`, which is emptied after every hook."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def ask(self, request: Request) -> None:
        """Asks once the hook has returned."""
        self.asked.append(request)


def checked_name(name: str) -> str:
    """A name that a checkpoint may have; ValueError says what is allowed."""
    if not is_name(name) or name.lower() in (LAST, BEST):
        raise ValueError(
            f"{name[:80]!r} cannot be a checkpoint's name: up to 64 letters, digits, - and _, and not last or best"
        )
    return name
