"""How others reach a running training: a stop request, stepping by hand, and edits of its recipe.

Owns the requests only; `fit` reads them at its step borders, where nothing is half done. Any thread may call it.
It never touches the model, and nothing it holds is a tensor.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Edit:
    """A wish to change a setting of the running recipe: to `value`, or times `factor` when that is given."""

    path: str
    value: Any = None
    factor: float | None = None


class Control:
    """The requests to one training. `stepping` makes `fit` fetch the loss of every step, for stepping by hand."""

    def __init__(self) -> None:
        self.stepping = False
        self.stop = threading.Event()
        """Set by `request_stop`; for readers of data, which take an event."""
        self._interrupted = False
        self._edits: deque[Edit] = deque()

    def request_stop(self, *, interrupted: bool = False) -> None:
        """Asks for a stop at the next step border, state saved; `interrupted` names the outcome (a signal asked)."""
        self._interrupted = self._interrupted or interrupted
        self.stop.set()

    @property
    def stop_requested(self) -> bool:
        """True once somebody asked for a stop."""
        return self.stop.is_set()

    @property
    def stop_outcome(self) -> str:
        """The outcome a requested stop leads to: `stopped` or `interrupted`."""
        return "interrupted" if self._interrupted else "stopped"

    def edit(self, path: str, value: Any) -> None:
        """Asks for another value of a setting, such as `recipe.optimizer.lr` or `recipe.clip`."""
        self._edits.append(Edit(path, value=value))

    def scale(self, path: str, factor: float) -> None:
        """Asks for a number to be multiplied, such as the learning rate by 0.1."""
        self._edits.append(Edit(path, factor=factor))

    @property
    def has_edits(self) -> bool:
        """True while requests wait to be read."""
        return bool(self._edits)

    def take_edits(self) -> list[Edit]:
        """The requests since the last call, oldest first; they are gone afterwards."""
        taken: list[Edit] = []
        while self._edits:
            taken.append(self._edits.popleft())
        return taken
