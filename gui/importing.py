"""Work of the gallery's jobs: the list of networks that can be imported, and importing one of them.

Reaches `engine.runtime` only inside the threads of `gui.jobs`. Never touches a widget or the open project.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from gui.jobs import Progress, Work


@dataclass(frozen=True)
class ImportOrder:
    """Which network, with which weights ("": drawn from the seed), for how many classes (0: as it is)."""

    name: str
    weights: str = ""
    classes: int = 0
    file: Path | None = None
    """A file of the weights on this machine; None: torchvision's folder, or fetched into it."""


@dataclass(frozen=True)
class Listed:
    """All networks, and which of their weights lie on this machine already: (network, weights)."""

    cards: tuple[Any, ...]
    here: frozenset[tuple[str, str]]


def list_networks() -> Work:
    """Work that reads torchvision's list of classifiers: a `Listed`."""

    def work(_progress: Progress, _cancel: threading.Event) -> Listed:
        from engine.runtime.importing.zoo import cards
        from engine.runtime.importing.zoo_weights import is_here

        found = tuple(cards().values())
        here = frozenset((card.name, entry.name) for card in found for entry in card.entries if is_here(entry))
        return Listed(found, here)

    return work


def bring_network(order: ImportOrder) -> Work:
    """Work that makes a project of a network, its weights fetched where they are not here: a `Brought`."""

    def work(progress: Progress, cancel: threading.Event) -> Any:
        from engine.runtime.importing.torchvision_project import bring_torchvision

        return bring_torchvision(
            order.name, order.weights, classes=order.classes or None, weights_file=order.file, progress=progress,
            cancel=cancel,
        )  # fmt: skip

    return work
