"""Work of imports: the list of networks, importing one of them, and importing a file.

Reaches `engine.runtime` only inside the threads of `gui.jobs`. Never touches a widget or the open project.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from engine.problem import Problem
    from gui.jobs import Progress, Work

MOST_SHOWN = 8
"""So many problems of one file fit into a dialog."""


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


def bring_file(path: Path, size: int | None = None) -> Work:
    """Work that makes a project of an ONNX file: a `BroughtOnnx`. `size` fills sizes that the file leaves open."""

    def work(_progress: Progress, _cancel: threading.Event) -> Any:
        from engine.problem import ProblemError
        from engine.runtime.importing.onnx.project import bring_onnx

        try:
            return bring_onnx(path, size=size)
        except ProblemError as fault:
            raise ProblemError(_joined(fault.problems)) from None

    return work


def _joined(problems: tuple[Problem, ...]) -> Problem:
    """Several problems as one, for a dialog: an unknown operator each."""
    first = problems[0]
    return replace(first, happened="\n\n".join(problem.happened for problem in problems[:MOST_SHOWN]))
